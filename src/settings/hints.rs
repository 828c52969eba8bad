//! Completes what is said of an unknown key: the similar key, or the section that the key belongs to.

use crate::settings::near_word::near_word;
use crate::settings::reference::{self, ReferenceKey};

/// Completes a mistake in the value at `path` of a section.
pub(super) fn completed(what: &str, section: &str, path: &[String]) -> String {
    let Some(unknown) = what.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()) else {
        return what.to_owned();
    };
    let section = section.split('[').next().unwrap_or(section);
    let at = path.iter().position(|part| part == unknown).unwrap_or(path.len());
    let section: Vec<&str> = std::iter::once(section).chain(path[..at].iter().map(String::as_str)).collect();
    format!("{what}{}", hint(unknown, &section.join(".")))
}

/// The hint for an unknown top-level key.
pub(super) fn unknown_section(name: &str, known: &[&str]) -> String {
    match near_word(name, known.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => hint(name, ""),
    }
}

fn hint(unknown: &str, section: &str) -> String {
    let keys = reference::keys();
    let here = keys.iter().filter(|key| key.section == section).map(|key| key.key.as_str());
    if let Some(near) = near_word(unknown, here) {
        return format!("; did you mean `{near}`?");
    }
    let mut homes: Vec<String> = keys.iter().filter(|key| key.key == unknown).map(ReferenceKey::header).collect();
    homes.dedup();
    if homes.is_empty() { String::new() } else { format!("; `{unknown}` belongs to {}", homes.join(" or ")) }
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
