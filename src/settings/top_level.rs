//! The settings that stand in no section.

use crate::settings::load::{Mistake, origin};
use crate::vision::camera_id::is_valid_id;
use config::Value;
use std::path::PathBuf;

/// The box's id in topics; the host name if the settings do not say.
pub(super) fn box_id(value: Option<&Value>, mistakes: &mut Vec<Mistake>) -> String {
    let given = value.and_then(|value| value.clone().into_string().ok()).filter(|id| !id.is_empty());
    match given {
        Some(id) if is_valid_id(&id) => id,
        Some(id) => {
            let what = format!("`{id}` is not an id: use 1 to 64 of a-z, 0-9, `_` and `-`");
            let origin = value.map(origin).unwrap_or_default();
            mistakes.push(Mistake { origin, key: "box_id".into(), what });
            id
        }
        None => host_name(),
    }
}

/// Where state is kept.
pub(super) fn state_directory(value: Option<&Value>, mistakes: &mut Vec<Mistake>) -> PathBuf {
    let Some(value) = value else { return "state".into() };
    match value.clone().into_string() {
        Ok(path) if !path.is_empty() => path.into(),
        _ => {
            let what = "must be the path of a directory".to_owned();
            mistakes.push(Mistake { origin: origin(value), key: "state_directory".into(), what });
            PathBuf::new()
        }
    }
}

/// The host name in an id's alphabet.
fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
    let id: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let id: String = id.chars().take(64).collect();
    if is_valid_id(&id) { id } else { "ocelli".into() }
}
