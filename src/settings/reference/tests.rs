//! Every key of the reference, set wrongly in every way: each mistake is reported with its file, line, key and cure.
//!
//! The keys, their types and their limits are read from the reference itself, so that a new setting is tested as well.

use super::*;
use crate::settings::{Mistake, Settings, SettingsErrors};
use std::collections::HashMap;

/// A setting of the reference.
#[derive(Clone, Debug)]
struct Case {
    /// `cameras.scene`; empty for keys outside of sections.
    section: String,
    key: String,
    value: Value,
    /// The comment above it and in its line.
    comment: String,
}

/// A list, the name of an entry, and what that entry needs.
type List = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Of a password that nobody has.
const HASH: &str =
    "\"$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"";

/// What an entry of each list needs.
const LISTS: [List; 6] = [
    ("cameras", "yard", &[("id", "\"yard\""), ("url", "\"rtsp://camera/\"")]),
    ("models", "m", &[("name", "\"m\"")]),
    ("zones", "left", &[("name", "\"left\"")]),
    ("buckets", "b", &[("name", "\"b\""), ("directory", "\"/\"")]),
    (
        "access_keys",
        "K",
        &[("access_key_id", "\"K\""), ("secret", "\"a secret of some length\""), ("role", "\"operator\"")],
    ),
    ("viewers", "anna", &[("name", "\"anna\""), ("password_hash", HASH)]),
];

/// What a region of a scene needs.
const REGION: [(&str, &str); 2] = [("name", "\"gate\""), ("points", "[[0.1, 0.5], [0.4, 0.5], [0.4, 1.0]]")];

/// Words of the programming language and its libraries.
const FOREIGN_WORDS: [&str; 16] = [
    "enum",
    "struct",
    "unknown variant",
    "u8",
    "u16",
    "u32",
    "u64",
    "i64",
    "f32",
    "f64",
    "usize",
    "Option",
    "invalid type",
    "bit integer",
    "sequence",
    "untagged",
];

impl Case {
    /// A file with this setting alone, and the line of the setting.
    fn file(&self, section: &str, key: &str, value: &str) -> (String, usize) {
        let list = section.split('.').next().unwrap_or_default();
        let mut text = String::new();
        if let Some((list, _, required)) = LISTS.iter().find(|(name, ..)| *name == list) {
            text = format!("[[{list}]]\n");
            let needed = required.iter().filter(|(name, _)| *name != key || section != *list);
            needed.for_each(|(name, value)| text += &format!("{name} = {value}\n"));
        }
        match section {
            "" => {}
            "cameras.scene.regions" => {
                let others = REGION.iter().filter(|(name, _)| *name != key);
                let others: Vec<String> = others.map(|(name, value)| format!("{name} = {value}")).collect();
                text += &format!("[cameras.scene]\nregions = [{{ {key} = {value}, {} }}]\n", others.join(", "));
                return (text.clone(), text.lines().count());
            }
            section if section == list && !text.is_empty() => {}
            section => text += &format!("[{section}]\n"),
        }
        text += &format!("{key} = {value}\n");
        (text.clone(), text.lines().count())
    }

    /// The key as a mistake shows it.
    fn shown_key(&self, section: &str, key: &str) -> String {
        let (list, rest) = section.split_once('.').map_or((section, ""), |(list, rest)| (list, rest));
        let entry = LISTS.iter().find(|(name, ..)| *name == list).map(|(_, entry, _)| format!("{list}[{entry}]"));
        match (section, entry) {
            ("", _) => key.to_owned(),
            // A list in a section is one value.
            ("cameras.scene.regions", _) => "cameras[yard].scene.regions".to_owned(),
            (_, Some(entry)) if rest.is_empty() => format!("{entry}.{key}"),
            (_, Some(entry)) => format!("{entry}.{rest}.{key}"),
            _ => format!("{section}.{key}"),
        }
    }

    /// Values of other types.
    fn of_wrong_types(&self) -> Vec<&'static str> {
        match &self.value {
            Value::String(_) => vec!["[1]", "true", "{ a = 1 }"],
            Value::Integer(_) => vec!["\"many\"", "true", "[1]", "1.5", "{ a = 1 }"],
            Value::Float(_) => vec!["\"many\"", "true", "[1]", "{ a = 1 }"],
            Value::Boolean(_) => vec!["\"maybe\"", "2", "0.5", "[true]", "{ a = 1 }"],
            // Any label may have a threshold.
            _ if self.key == "thresholds" => vec!["1", "true", "\"some\""],
            _ => vec!["1", "true", "\"some\"", "{ zzz = 1 }"],
        }
    }

    /// Numbers below and above the limits: those of the comment, else none below 0 and none that is absurd.
    fn beyond_both_ends(&self) -> Vec<String> {
        let most = limits(&self.comment);
        match &self.value {
            Value::Integer(_) => vec!["-1".into(), most.map_or(i64::MAX.to_string(), |most| format!("{}", most + 1.0))],
            Value::Float(_) => {
                vec!["-1.0".into(), "inf".into(), "nan".into(), format!("{:?}", most.unwrap_or(1e30) * 2.0)]
            }
            Value::Array(list) if list.get(0).is_some_and(Value::is_integer) => {
                vec!["[-1]".into(), "[99999999999]".into()]
            }
            _ => Vec::new(),
        }
    }
}

/// The upper limit in a comment such as `1 to 16`: the last number behind `to`.
fn limits(comment: &str) -> Option<f64> {
    let words: Vec<&str> = comment.split_whitespace().collect();
    let number = |word: &str| word.trim_end_matches(['.', ',', ';', ':', ')']).parse::<f64>().ok();
    words.windows(3).find_map(|three| {
        let least = number(three[0].trim_start_matches('('));
        least.filter(|_| three[1] == "to").and_then(|_| number(three[2]))
    })
}

/// Every setting of the reference that has a value.
fn cases() -> Vec<Case> {
    let text = with_examples();
    let document = Document::parse(text.as_str()).unwrap();
    let mut found = Vec::new();
    collect_cases(document.as_table(), "", &text, &mut found);
    found
}

fn collect_cases(table: &dyn TableLike, section: &str, text: &str, found: &mut Vec<Case>) {
    for (key, item) in table.iter() {
        let inner = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
        match item {
            Item::Table(table) => collect_cases(table, &inner, text, found),
            Item::ArrayOfTables(tables) => tables.iter().for_each(|table| collect_cases(table, &inner, text, found)),
            Item::Value(value) => {
                let start = table.get_key_value(key).and_then(|(key, _)| key.span()).unwrap().start;
                let comment = comment(text, start);
                found.push(Case { section: section.to_owned(), key: key.to_owned(), value: value.clone(), comment });
                if let Some(inner_table) = value.as_inline_table() {
                    collect_cases(inner_table, &inner, text, found);
                }
                for entry in value.as_array().into_iter().flatten().filter_map(Value::as_inline_table) {
                    collect_cases(entry, &inner, text, found);
                }
            }
            Item::None => {}
        }
    }
}

/// The comment in a key's line, or else that above it.
fn comment(text: &str, start: usize) -> String {
    let line = text[start..].lines().next().unwrap_or_default();
    if let Some((_, comment)) = line.split_once('#') {
        return comment.to_owned();
    }
    let above: Vec<&str> = text[..start].lines().rev().take_while(|line| line.starts_with("# ")).collect();
    above.into_iter().rev().map(|line| line.trim_start_matches("# ")).collect::<Vec<_>>().join(" ")
}

fn mistakes(text: &str) -> (String, Vec<Mistake>) {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let result = Settings::load_with(&[file.path().to_owned()], HashMap::new());
    (file.path().display().to_string(), result.err().map(|SettingsErrors(mistakes)| mistakes).unwrap_or_default())
}

/// Sets a key and returns what is wrong with the report of it: without complaint, file, line, key and cure are there.
fn complaint(case: &Case, section: &str, key: &str, value: &str, cures: &[&str]) -> Option<String> {
    let (text, line) = case.file(section, key, value);
    let (file, mistakes) = mistakes(&text);
    let expected = case.shown_key(section, key);
    // A table where a value is wanted is reported at the keys inside it. An entry with a wrong name has no name.
    let is_it = |mistake: &&Mistake| {
        let is_name = LISTS.iter().any(|(list, _, required)| *list == section && required[0].0 == key);
        mistake.key == expected
            || mistake.key.starts_with(&format!("{expected}."))
            || (is_name && mistake.key.contains(&format!("].{key}")))
    };
    let Some(found) = mistakes.iter().find(|mistake| is_it(mistake) && mistake.line == Some(line)) else {
        return Some(format!("{text}: no mistake `{expected}` in line {line} among {mistakes:?}"));
    };
    let has_cure = cures.iter().any(|cure| found.what.contains(cure));
    let foreign = FOREIGN_WORDS
        .iter()
        .find(|word| found.what.split(|c: char| !c.is_alphanumeric() && c != ' ').any(|part| part.contains(*word)));
    match (found.origin == file, has_cure, foreign) {
        (true, true, None) => None,
        (is_file, has_cure, foreign) => {
            Some(format!("{text}: {found:?}: file {is_file}, cure {has_cure}, {foreign:?}"))
        }
    }
}

fn check(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn the_reference_has_every_section_and_its_examples_are_settings() {
    let cases = cases();
    assert!(cases.len() > 110, "{} settings", cases.len());
    for (section, key) in
        [("", "box_id"), ("mqtt.tls", "ca_file"), ("cameras.scene.regions", "points"), ("models", "device")]
    {
        assert!(cases.iter().any(|case| case.section == section && case.key == key), "{section} {key}");
    }
    let stall = cases.iter().find(|case| case.key == "stall_seconds").unwrap();
    assert_eq!(limits(&stall.comment), Some(600.0), "{}", stall.comment);
}

#[test]
fn every_key_of_a_wrong_type_is_reported() {
    let wrong = |case: Case| {
        let values = case.of_wrong_types();
        let cures = ["must be", "expected", "belongs to", "did you mean", "is not"];
        values
            .into_iter()
            .filter_map(move |value| complaint(&case, &case.section, &case.key, value, &cures))
            .collect::<Vec<_>>()
    };
    check(&cases().into_iter().flat_map(wrong).collect::<Vec<_>>());
}

#[test]
fn every_number_beyond_either_end_is_reported() {
    let beyond = |case: Case| {
        let values = case.beyond_both_ends();
        let complaints =
            values.iter().filter_map(|value| complaint(&case, &case.section, &case.key, value, &["must", "expected"]));
        complaints.collect::<Vec<_>>()
    };
    check(&cases().into_iter().flat_map(beyond).collect::<Vec<_>>());
}

/// An operator chooses the labels in `thresholds`, and the providers in `runtime_libraries`, each of which is named in a mistake.
fn is_chosen(case: &Case) -> bool {
    ["thresholds", "runtime_libraries"].iter().any(|name| case.section.ends_with(name) || case.key == *name)
}

#[test]
fn every_misspelt_key_is_reported_with_a_similar_one() {
    let misspelt = |case: &Case| {
        if is_chosen(case) || case.key.len() < 4 {
            return None;
        }
        let key = format!("{}{}", &case.key[..2], &case.key[3..]);
        complaint(case, &case.section, &key, case.value.to_string().trim(), &["did you mean `"])
    };
    check(&cases().iter().filter_map(misspelt).collect::<Vec<_>>());
}

#[test]
fn every_key_in_a_wrong_section_is_reported_with_the_right_one() {
    let misplaced = |case: &Case| {
        if is_chosen(case) {
            return None;
        }
        let cure =
            ReferenceKey { section: case.section.clone(), key: String::new(), is_in_list: is_list(&case.section) }
                .header();
        let section = if case.key == "mode" { "outbox" } else { "sandbox" };
        complaint(case, section, &case.key, case.value.to_string().trim(), &[&cure, "did you mean `"])
    };
    check(&cases().iter().filter_map(misplaced).collect::<Vec<_>>());
}

fn is_list(section: &str) -> bool {
    LISTS.iter().any(|(list, ..)| section.split('.').next() == Some(list))
}
