//! Why settings were not changed.

use crate::settings::editor::entry_list::EntryList;
use crate::settings::mistake::SettingsErrors;
use crate::settings::place::Place;
use std::io;
use std::path::PathBuf;

/// Why settings were not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// There is a camera, or a person, of this name.
    #[error("there is a {} {id} already, in {place}: change it with `{} {id}{}`", .list.what, .list.changes_with.0, .list.changes_with.1)]
    Exists {
        /// What there is.
        list: &'static EntryList,
        /// The id.
        id: String,
        /// Where it is.
        place: Place,
    },
    /// There is no such camera or person.
    #[error("there is no {} {id} in the settings; {}", .list.what, listed(.list, .known))]
    Unknown {
        /// What there is not.
        list: &'static EntryList,
        /// The id.
        id: String,
        /// The ids that there are.
        known: Vec<String>,
    },
    /// A key or a value is not well-formed. Holds the reason.
    #[error("{0}")]
    Assignment(String),
    /// The settings would have mistakes that they do not have yet, or their files cannot be read.
    #[error(transparent)]
    Settings(#[from] SettingsErrors),
    /// The file cannot be written.
    #[error("{} cannot be written{}", .file.display(), at(.place.as_ref()))]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// What was to be changed, with its file and line.
        place: Option<(&'static str, Place)>,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The directory that programs write cannot be locked.
    #[error("{} cannot be written: run ocelli as root, or as the user of the service", .directory.display())]
    Unlocked {
        /// The directory.
        directory: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

fn listed(list: &EntryList, known: &[String]) -> String {
    if known.is_empty() {
        format!("it has none: see `{}`", list.added_by)
    } else {
        format!("there are: {}", known.join(", "))
    }
}

fn at(place: Option<&(&'static str, Place)>) -> String {
    place.map_or(String::new(), |(what, place)| {
        format!(": the {what} is in {place}, so change it there, or run ocelli as root")
    })
}
