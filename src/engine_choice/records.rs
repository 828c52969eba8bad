//! The choices that were made on this box, as `engines.json` of the state directory has them.

use crate::engine_choice::choice::Choice;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// The file's name in the state directory.
pub const FILE_NAME: &str = "engines.json";

/// The most choices: one for each model that a box may run. The oldest makes room.
const MOST: usize = 64;

/// A choice, and its place in the order in which they were made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    order: u64,
    /// The package, for people who read the file.
    package: String,
    #[serde(flatten)]
    choice: Choice,
}

/// The choices by their [`key`](crate::engine_choice::key).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Records {
    records: BTreeMap<String, Record>,
}

impl Records {
    /// Reads the file of a state directory. A file that is damaged counts as none: everything is measured again.
    pub fn load(state_directory: &Path) -> Self {
        let path = state_directory.join(FILE_NAME);
        let read = std::fs::read(&path).and_then(|bytes| serde_json::from_slice(&bytes).map_err(io::Error::other));
        read.unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(file = %path.display(), %error, "the choices of engines cannot be read; they are measured again");
            }
            Self::default()
        })
    }

    /// The choice of this key.
    pub fn of(&self, key: &str) -> Option<&Choice> {
        self.records.get(key).map(|record| &record.choice)
    }

    /// Adds a choice.
    pub fn insert(&mut self, key: String, package: &str, choice: Choice) {
        let order = self.records.values().map(|record| record.order + 1).max().unwrap_or_default();
        self.records.insert(key, Record { order, package: package.to_owned(), choice });
        while self.records.len() > MOST {
            let oldest = self.records.iter().min_by_key(|(_, record)| record.order).map(|(key, _)| key.clone());
            oldest.map(|key| self.records.remove(&key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine_choice::engine::{Engine, Wanted};
    use crate::engine_choice::{Room, Trial, TrialResult};

    fn choice() -> Choice {
        let result = TrialResult::Measured { tps_per_core: 48.0, memory_bytes: 80 << 20 };
        let refused =
            Trial { engine: Engine { threads: 2, ..Engine::REFERENCE }, result: TrialResult::Refused("no".into()) };
        let trials = vec![Trial { engine: Engine::REFERENCE, result }, refused];
        Choice::of(trials, Wanted { variant: None, most_threads: 1 }, Room { bytes: None, units: 1 })
    }

    #[test]
    fn what_was_chosen_is_known_after_a_restart_and_a_damaged_file_is_none() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Records::load(home.path()), Records::default());
        let mut records = Records::default();
        records.insert("k".into(), "coco-ssd", choice());
        std::fs::write(home.path().join(FILE_NAME), serde_json::to_vec_pretty(&records).unwrap()).unwrap();
        let read = Records::load(home.path());
        assert_eq!((read.of("k"), read.of("other")), (Some(&choice()), None));
        std::fs::write(home.path().join(FILE_NAME), "{\"k\": 1}").unwrap();
        assert_eq!(Records::load(home.path()), Records::default());
    }

    #[test]
    fn the_oldest_choice_makes_room() {
        let mut records = Records::default();
        (0..MOST + 2).for_each(|number| records.insert(format!("{number:03}"), "p", choice()));
        assert!(records.of("001").is_none() && records.of("002").is_some());
        records.insert("002".into(), "p", choice());
        records.insert("new".into(), "p", choice());
        assert!(records.of("002").is_some() && records.of("003").is_none(), "it was made anew");
    }
}
