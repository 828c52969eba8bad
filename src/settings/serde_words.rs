//! Rewrites serde's messages about invalid values for operators, who do not know Rust's types.

use config::{ConfigError, Value};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

/// What serde and the library call a value that they found, and our words for it.
const FOUND: [(&str, &str); 8] = [
    ("string ", "the text "),
    ("boolean ", ""),
    ("64-bit integer ", ""),
    ("64-bit unsigned integer ", ""),
    ("128-bit integer ", ""),
    ("128-bit unsigned integer ", ""),
    ("integer ", ""),
    ("floating point ", ""),
];

/// What they call a value that they expect, and our words for it.
const EXPECTED: [(&[&str], &str); 11] = [
    (&["an unsigned 8 bit integer", "u8"], "a whole number from 0 to 255"),
    (&["an unsigned 16 bit integer", "u16"], "a whole number from 0 to 65535"),
    (&["an unsigned 32 bit integer", "u32"], "a whole number from 0 to 4294967295"),
    (&["an unsigned 64 bit or less integer", "an unsigned u64 bit integer", "u64", "usize"], "a whole number from 0"),
    (&["an integer", "an signed 64 bit or less integer", "i64"], "a whole number"),
    (&["a floating point", "f32", "f64"], "a number"),
    (&["a boolean"], "true or false"),
    (&["a string", "string"], "a text"),
    (&["path string"], "the path of a file or directory"),
    (&["a sequence", "an array"], "a list"),
    (&["a map"], "a section"),
];

/// Between what was found and what is expected.
const BUT: &str = " but must be ";

/// Describes an error in `section`, which contains only the invalid value. The caller adds the key.
pub(super) fn in_plain_words<T: DeserializeOwned>(error: &ConfigError, section: Value) -> String {
    let text = error.to_string();
    let text = text.split(" for key ").next().unwrap_or(&text);
    if text.starts_with("data did not match any variant of untagged enum TpsLimitSetting") {
        return "must be a number above 0, \"auto\" or \"none\"".to_owned();
    }
    // The library names the enum instead of its permitted words; the JSON parser lists the words.
    if text.starts_with("enum ") || text.starts_with("value of enum ") {
        let words = section.try_deserialize().ok().and_then(permitted_words::<T>);
        return words.unwrap_or_else(|| "is not one of the permitted words".to_owned());
    }
    if text == "invalid IP address syntax" {
        return "must be an IP address, such as 192.168.1.20".to_owned();
    }
    if text == "invalid socket address syntax" {
        return "must be an IP address and a port, such as \"0.0.0.0:8444\"".to_owned();
    }
    if text.starts_with("invalid length ") && text.contains(", expected struct ") {
        return format!("is a list{BUT}a section");
    }
    let kinds = ["invalid type: ", "invalid value: "];
    let Some(text) = kinds.iter().find_map(|kind| text.strip_prefix(kind)) else { return text.to_owned() };
    match text.rsplit_once(", expected ") {
        Some((found, expected)) => {
            let expected = expected_in_words(expected);
            // Where a section belongs, a text may be `user:password`.
            let is_hidden = expected == "a section" && found.starts_with("string ");
            let found = if is_hidden { "a text".to_owned() } else { found_in_words(found) };
            format!("is {found}{BUT}{expected}")
        }
        None => text.to_owned(),
    }
}

/// The description of a value that is no number, or one that its type cannot hold, with the range that is permitted.
pub(super) fn with_range(what: &str, least: f64, most: f64) -> String {
    match what.split_once(BUT) {
        Some((found, expected)) if expected.starts_with("a whole number") || expected.starts_with("a number") => {
            format!("{found}{BUT}{least} to {most}")
        }
        _ => what.to_owned(),
    }
}

/// The permitted words of the setting that is not one of them.
fn permitted_words<T: DeserializeOwned>(mut section: Json) -> Option<String> {
    if let Some((word, permitted)) = unknown_word::<T>(section.clone()) {
        return Some(format!("is {word}{BUT}{permitted}"));
    }
    // A number or list where a word belongs is refused before the words are compared.
    make_words(&mut section);
    unknown_word::<T>(section).map(|(_, permitted)| format!("must be {permitted}"))
}

/// The word that is none of the permitted ones, and those.
fn unknown_word<T: DeserializeOwned>(section: Json) -> Option<(String, String)> {
    let text = serde_json::from_value::<T>(section).err()?.to_string();
    let (word, permitted) = text.strip_prefix("unknown variant ")?.rsplit_once(", expected ")?;
    Some((word.to_owned(), permitted.to_owned()))
}

/// Puts an empty word in the place of every value that is neither a word nor a section of words.
fn make_words(value: &mut Json) {
    match value {
        Json::Object(entries) if !entries.is_empty() => entries.values_mut().for_each(make_words),
        Json::String(_) => {}
        other => *other = Json::String(String::new()),
    }
}

fn found_in_words(found: &str) -> String {
    match found {
        "sequence" => "a list".to_owned(),
        "map" => "a section".to_owned(),
        "unit value" | "null" => "empty".to_owned(),
        _ => {
            let known = FOUND.iter().find_map(|(theirs, ours)| Some((ours, found.strip_prefix(theirs)?)));
            known.map_or_else(|| found.to_owned(), |(ours, value)| format!("{ours}{}", value.trim_matches('`')))
        }
    }
}

fn expected_in_words(expected: &str) -> String {
    if expected.starts_with("struct ") {
        return "a section".to_owned();
    }
    if let Some(length) = expected.strip_prefix("an array of length ") {
        return format!("a list of {length} values");
    }
    let known = EXPECTED.iter().find(|(theirs, _)| theirs.contains(&expected));
    known.map_or(expected, |(_, ours)| *ours).to_owned()
}

#[cfg(test)]
mod tests;
