//! The settings outside of sections.

use crate::settings::merged::{BOX_ID, STATE_DIRECTORY, USUAL_STATE_DIRECTORY};
use crate::settings::sections::Sections;
use crate::vision::camera_id::is_valid_id;
use config::ValueKind;
use std::path::PathBuf;

/// The box's id in topics: the host name, unless the settings give another.
pub(super) fn box_id(sections: &mut Sections) -> String {
    let Some(id) = text(sections, BOX_ID, "must be text, in quotes; empty: the host name") else { return host_name() };
    if id.is_empty() {
        return host_name();
    }
    if !is_valid_id(&id) {
        sections.report(BOX_ID, format!("`{id}` is not an id: use 1 to 64 of a-z, 0-9, `_` and `-`"));
    }
    id
}

/// The directory of state that must survive a restart.
pub(super) fn state_directory(sections: &mut Sections) -> PathBuf {
    let what = "must be the path of a directory, in quotes";
    match text(sections, STATE_DIRECTORY, what) {
        Some(path) if path.is_empty() => sections.report(STATE_DIRECTORY, what),
        Some(path) => return path.into(),
        None => {}
    }
    USUAL_STATE_DIRECTORY.into()
}

/// The text at a top-level key. Another type is reported with `what`; a number counts as text.
fn text(sections: &mut Sections, name: &'static str, what: &str) -> Option<String> {
    match sections.value(name)?.kind {
        ValueKind::String(text) => Some(text),
        ValueKind::I64(number) => Some(number.to_string()),
        _ => {
            sections.report(name, what);
            None
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
