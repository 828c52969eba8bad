//! A label as one topic level, and as part of ids that are built from it.

/// The topic level of `label`: letters and digits of any script in lower case, `_` and `-`; each other
/// character becomes `_`, so that none of MQTT's own (`/`, `+`, `#`, `$`, NUL) and no space is left. An empty label
/// is `_`.
///
/// Letters that are not ASCII stay: a model whose labels are Chinese would otherwise have one topic for all of them.
/// Two labels may still share a level (`traffic light`, `Traffic_Light`). Then they share its topic, and
/// [`LabelCounts`] adds them up; labels that a user lists must not ([`HomeAssistantSettings::mistakes`]).
///
/// [`LabelCounts`]: crate::publish::label_counts::LabelCounts
/// [`HomeAssistantSettings::mistakes`]: crate::publish::home_assistant::settings::HomeAssistantSettings::mistakes
pub fn label_level(label: &str) -> String {
    let is_kept = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    // In lower case first: `İ` becomes two characters, of which the second is no letter.
    let level: String = label.trim().to_lowercase().chars().map(|c| if is_kept(c) { c } else { '_' }).collect();
    if level.is_empty() { "_".to_owned() } else { level }
}

#[cfg(test)]
mod tests {
    use super::label_level;

    #[test]
    fn a_level_has_no_character_that_means_something_in_a_topic() {
        for (label, level) in [
            ("person", "person"),
            ("traffic light", "traffic_light"),
            (" Hot-Dog\r", "hot-dog"),
            ("a/b+c#d$e\0f", "a_b_c_d_e_f"),
            ("Übergang", "übergang"),
            ("人", "人"),
            ("", "_"),
        ] {
            assert_eq!(label_level(label), level, "{label}");
        }
    }

    #[test]
    fn the_level_of_a_level_is_itself() {
        for label in ["traffic light", "İ", "ẞ", "a/b", "ǅ"] {
            let level = label_level(label);
            assert_eq!(label_level(&level), level, "{label}");
        }
    }

    #[test]
    fn labels_in_scripts_without_case_are_told_apart() {
        assert_ne!(label_level("人"), label_level("狗"));
    }
}
