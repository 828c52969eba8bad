//! Completes what is said of an unknown key: the similar key, or the section that the key belongs to.

use crate::settings::reference::{self, ReferenceKey};

/// What the library says of types, and what we say.
const TYPES: [(&str, &str); 7] = [
    ("an unsigned 64 bit or less integer", "a whole number from 0"),
    ("an signed 64 bit or less integer", "a whole number"),
    ("a sequence", "a list"),
    ("sequence", "a list"),
    ("unit value", "nothing"),
    ("a string", "text"),
    ("map", "a table"),
];

/// Completes a mistake in the value at `path` of a section.
pub(super) fn completed(what: &str, section: &str, path: &[String]) -> String {
    let Some(unknown) = what.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()) else {
        return in_words(what);
    };
    let section = section.split('[').next().unwrap_or(section);
    let at = path.iter().position(|part| part == unknown).unwrap_or(path.len());
    let section: Vec<&str> = std::iter::once(section).chain(path[..at].iter().map(String::as_str)).collect();
    format!("{what}{}", hint(unknown, &section.join(".")))
}

/// The hint for an unknown top-level key.
pub(super) fn unknown_section(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => hint(name, ""),
    }
}

fn hint(unknown: &str, section: &str) -> String {
    let keys = reference::keys();
    let here = keys.iter().filter(|key| key.section == section).map(|key| key.key.as_str());
    if let Some(near) = nearest(unknown, here) {
        return format!("; did you mean `{near}`?");
    }
    let mut homes: Vec<String> = keys.iter().filter(|key| key.key == unknown).map(ReferenceKey::header).collect();
    homes.dedup();
    if homes.is_empty() { String::new() } else { format!("; `{unknown}` belongs to {}", homes.join(" or ")) }
}

/// The most similar name, if at most two letters differ.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|other| (strsim::levenshtein(name, other), other)).min()?;
    (near.0 <= usize::min(2, name.len() / 2)).then_some(near.1)
}

fn in_words(what: &str) -> String {
    if what.starts_with("value of enum ") {
        return "must be one of its words, in quotes: see `ocelli config default`".to_owned();
    }
    if what == "invalid IP address syntax" {
        return "is not an IP address, such as \"127.0.0.1\"".to_owned();
    }
    if let Some(rest) = what.strip_prefix("unknown variant ") {
        return format!("unknown value {rest}");
    }
    let what = what.strip_prefix("is 64-bit integer ").map_or_else(|| what.to_owned(), |rest| format!("is {rest}"));
    // A value may contain the words of types: only what follows it is replaced.
    let Some((before, expected)) = what.rsplit_once("expected ") else { return what };
    let before = if before.contains(['`', '"']) { before.to_owned() } else { replaced(before) };
    let is_table = expected.starts_with("struct ");
    let expected = if is_table { "a table, such as { key = value }".to_owned() } else { replaced(expected) };
    format!("{before}expected {expected}")
}

fn replaced(text: &str) -> String {
    TYPES.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_completed_with_the_similar_one_or_with_its_section() {
        let of = |unknown: &str, section: &str, path: &[&str]| {
            let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
            completed(&format!("unknown field `{unknown}`, expected ..."), section, &path)
        };
        assert!(of("prot", "mqtt", &["prot"]).ends_with("; did you mean `port`?"));
        assert!(of("lables", "cameras[3]", &["scene", "lables"]).ends_with("; did you mean `labels`?"));
        assert!(
            of("keep_alive_seconds", "http", &["keep_alive_seconds"])
                .ends_with("; `keep_alive_seconds` belongs to [mqtt]")
        );
        assert!(
            of("thresholds", "mqtt", &["thresholds", "person"]).ends_with("; `thresholds` belongs to [cameras.scene]")
        );
        assert!(of("image_share", "cameras[0]", &["image_share"]).ends_with("; `image_share` belongs to [[models]]"));
        assert_eq!(of("zzzzzzzz", "mqtt", &["zzzzzzzz"]), "unknown field `zzzzzzzz`, expected ...");
        assert_eq!(unknown_section("camera", &["cameras", "mqtt"]), "; did you mean `cameras`?");
        assert_eq!(unknown_section("box", &["mqtt"]), "");
    }
}
