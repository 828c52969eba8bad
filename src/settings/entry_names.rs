//! Names the entries of lists in words for the operator: `cameras[yard].fps`, not `cameras[3].fps`.

use crate::settings::place::Place;
use std::collections::HashMap;

/// The names of the entries of every list.
#[derive(Debug, Default)]
pub(super) struct EntryNames {
    lists: HashMap<String, Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    /// `None` for an entry whose name is missing or no text.
    name: Option<String>,
    place: Place,
}

impl EntryNames {
    /// Adds the next entry of a list.
    pub(super) fn add(&mut self, list: &str, name: Option<String>, place: Place) {
        self.lists.entry(list.to_owned()).or_default().push(Entry { name, place });
    }

    /// The place of the first entry of a list with this name.
    pub(super) fn find(&self, list: &str, name: &str) -> Option<&Place> {
        let entries = self.lists.get(list)?.iter();
        entries.filter(|entry| entry.name.as_deref() == Some(name)).map(|entry| &entry.place).next()
    }

    /// The names of the entries of a list.
    pub(super) fn all(&self, list: &str) -> Vec<&str> {
        self.lists
            .get(list)
            .map(|entries| entries.iter().filter_map(|entry| entry.name.as_deref()).collect())
            .unwrap_or_default()
    }

    /// Replaces the index by the name in a key.
    pub(super) fn in_key(&self, key: &str) -> String {
        self.rewrite(key, false)
    }

    /// Replaces each index by a name in a text. Where two entries have the same name, their places are added.
    pub(super) fn in_text(&self, text: &str) -> String {
        self.rewrite(text, true)
    }

    fn rewrite(&self, text: &str, with_places: bool) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(open) = rest.find('[') {
            let (before, after) = rest.split_at(open);
            out.push_str(before);
            let list = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
            let close = after.find(']').unwrap_or(1);
            match after[1..close].parse().ok().and_then(|index| self.shown(list, index, with_places)) {
                Some(shown) => {
                    out.push_str(&shown);
                    rest = &after[close + 1..];
                }
                None => {
                    out.push('[');
                    rest = &after[1..];
                }
            }
        }
        out.push_str(rest);
        out
    }

    fn shown(&self, list: &str, index: usize, with_places: bool) -> Option<String> {
        let entries = self.lists.get(list)?;
        let Entry { name: Some(name), place } = entries.get(index)? else { return None };
        let is_shared = entries.iter().filter(|entry| entry.name.as_ref() == Some(name)).count() > 1;
        Some(if is_shared && with_places { format!("[{name}] in {place}") } else { format!("[{name}]") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_becomes_a_name_and_a_shared_name_gets_its_place() {
        let mut names = EntryNames::default();
        let line = |line| Place::Line { file: "a.toml".into(), line };
        for (name, at) in [(Some("1"), 1), (Some("yard"), 4), (None, 7), (Some("yard"), 9)] {
            names.add("cameras", name.map(str::to_owned), line(at));
        }
        assert_eq!(names.in_key("cameras[1].fps"), "cameras[yard].fps");
        assert_eq!(names.in_key("cameras[0].scene.ignore[1]"), "cameras[1].scene.ignore[1]");
        assert_eq!(names.in_key("cameras[2].id"), "cameras[2].id");
        assert_eq!(
            names.in_text("`yard` is also used by cameras[1]: see cameras[0], [[cameras]], x[1] and ["),
            "`yard` is also used by cameras[yard] in a.toml:4: see cameras[1], [[cameras]], x[1] and ["
        );
    }
}
