//! What a request looks at or changes, for the record of accesses.

use crate::http::login::access_record::Deed;
use axum::http::Method;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

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
        let path: Vec<String> = path.split('/').map(decoded).collect();
        return Some((Deed::Changed, format!("{method} {}", path.join("/"))));
    }
    match parts[..] {
        ["api", "cameras", camera, "live"] => Some((Deed::Live, decoded(camera))),
        ["api", "cameras", camera, "snapshot"] => Some((Deed::Snapshot, decoded(camera))),
        ["api", "events", event, "picture"] => Some((Deed::EventPicture, decoded(event))),
        ["api", "events", event, "clip"] => Some((Deed::Clip, decoded(event))),
        _ => None,
    }
}

/// A name in a path, as routes take it. What is no text is left as it came.
fn decoded(part: &str) -> String {
    percent_decode_str(part).decode_utf8().map_or_else(|_| part.to_owned(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_and_changes_are_told_and_numbers_are_not() {
        let get = |path: &str| of(&Method::GET, path);
        assert_eq!(get("/api/cameras/yard/live"), Some((Deed::Live, "yard".into())));
        assert_eq!(get("/api/cameras/yard/snapshot"), Some((Deed::Snapshot, "yard".into())));
        assert_eq!(get("/api/events/7/picture"), Some((Deed::EventPicture, "7".into())));
        assert_eq!(get("/api/events/7/clip"), Some((Deed::Clip, "7".into())));
        // However it is written, it is the same camera, and one entry.
        assert_eq!(get("/api/cameras/%79ar%64/snapshot"), Some((Deed::Snapshot, "yard".into())));
        let off = of(&Method::POST, "/api/cameras/%79ard/disable");
        assert_eq!(off, Some((Deed::Changed, "POST /api/cameras/yard/disable".into())));
        for odd in ["%7", "%zz", "%+9", "%ff", "%"] {
            assert_eq!(get(&format!("/api/events/{odd}/clip")), Some((Deed::Clip, odd.into())));
        }
        for path in ["/api/cameras", "/api/cameras/yard", "/api/status", "/api/events", "/"] {
            assert_eq!(get(path), None, "{path}");
        }
        assert_eq!(of(&Method::POST, "/api/models/coco-ssd/detect"), None, "pictures of a program push nobody out");
        assert_eq!(of(&Method::POST, "/api/reload"), Some((Deed::Changed, "POST /api/reload".into())));
    }
}
