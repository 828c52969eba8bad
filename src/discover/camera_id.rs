//! Ids for cameras in the settings, made of the names that the cameras give themselves.

use crate::vision::camera_id::CameraId;
use std::collections::BTreeSet;

/// The longest id that is made; a number may follow it.
const MAX_BYTES: usize = 40;

/// Ids that are taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct TakenIds(BTreeSet<String>);

impl TakenIds {
    /// With these ids, of the settings.
    pub(crate) fn new(ids: impl IntoIterator<Item = String>) -> Self {
        Self(ids.into_iter().collect())
    }

    /// Makes an id of a name, and takes it: `Front door` becomes `front-door`, or `front-door-2` if that is taken.
    pub(crate) fn make(&mut self, name: &str) -> CameraId {
        let base = base(name);
        let mut number = 1;
        loop {
            let id = if number == 1 { base.clone() } else { format!("{base}-{number}") };
            if let (false, Ok(made)) = (self.0.contains(&id), CameraId::new(id.as_str())) {
                self.0.insert(id);
                return made;
            }
            number += 1;
        }
    }
}

fn base(name: &str) -> String {
    let mut id = String::new();
    for letter in name.chars().map(|letter| letter.to_ascii_lowercase()) {
        if letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_' {
            id.push(letter);
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
        if id.len() == MAX_BYTES {
            break;
        }
    }
    match id.trim_matches('-') {
        "" => "camera".to_owned(),
        id => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_ids_that_are_unique() {
        let mut taken = TakenIds::new(["yard".to_owned()]);
        let mut make = |name: &str| taken.make(name).to_string();
        assert_eq!(make("Front door"), "front-door");
        assert_eq!(make("front  (door)!"), "front-door-2");
        assert_eq!(make("YARD"), "yard-2");
        assert_eq!(make("yard-2"), "yard-2-2");
        assert_eq!(make("前门"), "camera");
        assert_eq!(make("\"\n[http]"), "http");
        assert_eq!(make(&"x".repeat(200)).len(), MAX_BYTES);
    }

    proptest::proptest! {
        #[test]
        fn every_name_gives_an_id(name in ".{0,80}") {
            TakenIds::default().make(&name);
        }
    }
}
