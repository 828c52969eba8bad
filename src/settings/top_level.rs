//! The settings outside of sections.

use crate::settings::sections::Sections;
use crate::vision::camera_id::is_valid_id;
use std::path::PathBuf;

pub(super) const BOX_ID: &str = "box_id";
pub(super) const STATE_DIRECTORY: &str = "state_directory";

/// The box's id in topics: the host name, unless the settings give another.
pub(super) fn box_id(sections: &mut Sections) -> String {
    let given = sections.value(BOX_ID).and_then(|value| value.into_string().ok()).filter(|id| !id.is_empty());
    let Some(id) = given else { return host_name() };
    if !is_valid_id(&id) {
        sections.report(BOX_ID, format!("`{id}` is not an id: use 1 to 64 of a-z, 0-9, `_` and `-`"));
    }
    id
}

/// The directory of state that must survive a restart.
pub(super) fn state_directory(sections: &mut Sections) -> PathBuf {
    let Some(value) = sections.value(STATE_DIRECTORY) else { return "state".into() };
    match value.into_string() {
        Ok(path) if !path.is_empty() => path.into(),
        _ => {
            sections.report(STATE_DIRECTORY, "must be the path of a directory");
            PathBuf::new()
        }
    }
}

/// The host name, with every character that an id may not have replaced.
fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
    let id: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let id: String = id.chars().take(64).collect();
    if is_valid_id(&id) { id } else { "ocelli".into() }
}
