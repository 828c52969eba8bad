//! What is said of a file whose layout is not known: why, and what can be done. It fits a screen of 24 lines.

use crate::model::recognition::NotRecognised;
use std::path::Path;

/// The reason, and the next step.
pub(super) fn refusal(file: &Path, why: &NotRecognised) -> String {
    let file = file.display();
    let next = match why {
        NotRecognised::Ambiguous(_) => format!("next: ocelli model inspect {file} --layout NAME"),
        NotRecognised::UnknownLayout(_) => format!("next: ocelli model inspect {file}"),
        NotRecognised::Unread(..) => "next: docs/models.md says which exports are read".to_owned(),
        NotRecognised::NoPicture(_) | NotRecognised::NoLayout(..) => format!(
            "next: docs/models.md says what is read; what fits by hand goes into a manifest:\n  \
             ocelli model add {file} --name NAME --manifest m.toml"
        ),
    };
    format!("{file}: {why}\n{next}")
}

/// Items in lines of at most 78 characters, each with two spaces before it.
pub(super) fn in_lines(items: &[String]) -> String {
    let mut lines = vec![String::new()];
    for item in items {
        let line = lines.last_mut().map_or(0, |line| line.chars().count());
        if line > 0 && line + item.chars().count() + 4 > 78 {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str("  ");
            line.push_str(item);
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::in_lines;

    #[test]
    fn lines_are_filled_and_none_is_too_long() {
        let items: Vec<String> = (0..20).map(|at| format!("section.key = {at}")).collect();
        let text = in_lines(&items);
        assert!(text.lines().all(|line| line.len() <= 78), "{text}");
        assert!(text.lines().count() < 7 && text.ends_with("  section.key = 19"), "{text}");
        assert_eq!(in_lines(&[]), "");
    }
}
