//! What a request looks at or changes, for the record of accesses.

use crate::http::login::access_record::Deed;
use axum::http::Method;

/// True if a request with this method changes nothing.
pub(super) fn only_reads(method: &Method) -> bool {
    [Method::GET, Method::HEAD].contains(method)
}

/// What a request does, and to what; `None` for what nobody asks about afterwards, such as a status.
pub(super) fn of(method: &Method, path: &str) -> Option<(Deed, String)> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    // A picture that is sent to be looked at changes nothing, and comes several times a second.
    if let ["api", "models", _, "detect"] = parts[..] {
        return None;
    }
    if !only_reads(method) {
        return Some((Deed::Changed, format!("{method} {path}")));
    }
    match parts[..] {
        ["api", "cameras", camera, "live"] => Some((Deed::Live, camera.to_owned())),
        ["api", "cameras", camera, "snapshot"] => Some((Deed::Snapshot, camera.to_owned())),
        ["api", "events", event, "picture"] => Some((Deed::EventPicture, event.to_owned())),
        ["api", "events", event, "clip"] => Some((Deed::Clip, event.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_and_changes_are_told_and_numbers_are_not() {
        let get = |path| of(&Method::GET, path);
        assert_eq!(get("/api/cameras/yard/live"), Some((Deed::Live, "yard".into())));
        assert_eq!(get("/api/cameras/yard/snapshot"), Some((Deed::Snapshot, "yard".into())));
        assert_eq!(get("/api/events/7/picture"), Some((Deed::EventPicture, "7".into())));
        assert_eq!(get("/api/events/7/clip"), Some((Deed::Clip, "7".into())));
        for path in ["/api/cameras", "/api/cameras/yard", "/api/status", "/api/events", "/"] {
            assert_eq!(get(path), None, "{path}");
        }
        assert_eq!(of(&Method::POST, "/api/models/coco-ssd/detect"), None, "pictures of a program push nobody out");
        assert_eq!(of(&Method::POST, "/api/reload"), Some((Deed::Changed, "POST /api/reload".into())));
    }
}
