//! Why settings were not changed.

use crate::settings::mistake::SettingsErrors;
use crate::settings::place::Place;
use std::io;
use std::path::PathBuf;

/// Why settings were not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// There is a camera with this id.
    #[error("there is a camera {id} already, in {place}: change it with `ocelli camera set {id} KEY=VALUE`")]
    Exists {
        /// The id.
        id: String,
        /// Where it is.
        place: Place,
    },
    /// There is no such camera.
    #[error("there is no camera {id} in the settings; {}", listed(.known))]
    Unknown {
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
        /// The file and line of what was to be changed.
        place: Option<Place>,
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

fn listed(known: &[String]) -> String {
    if known.is_empty() {
        "it has none: see `ocelli camera add`".into()
    } else {
        format!("there are: {}", known.join(", "))
    }
}

fn at(place: Option<&Place>) -> String {
    place
        .map_or(String::new(), |place| format!(": the camera is in {place}, so change it there, or run ocelli as root"))
}
