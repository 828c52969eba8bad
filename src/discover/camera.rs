//! What is known of a camera.

use serde::Serialize;

/// A camera that was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Camera {
    /// As the camera calls itself; else its model.
    pub(crate) name: String,
    /// Empty if it does not tell.
    pub(crate) manufacturer: String,
    /// Empty if it does not tell.
    pub(crate) model: String,
    /// Empty if it does not tell.
    pub(crate) firmware: String,
    /// The host that was asked.
    pub(crate) address: String,
    /// The URL of its device service.
    pub(crate) onvif_url: String,
    /// How far its clock is ahead of the box's; `None` if it does not tell.
    pub(crate) clock_offset_seconds: Option<i64>,
    /// Its streams, in its own order.
    pub(crate) streams: Vec<Stream>,
    /// Where it gives single pictures of its largest stream.
    pub(crate) snapshot_url: Option<String>,
    /// What the operator should know, such as replaced hosts.
    pub(crate) remarks: Vec<String>,
    /// Why there is nothing more.
    pub(crate) error: Option<String>,
}

/// A stream of a camera.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Stream {
    /// The name of its profile.
    pub(crate) profile: String,
    /// As the camera names it: `H264`.
    pub(crate) codec: String,
    /// Pixels; 0 if unknown.
    pub(crate) width: u32,
    /// Pixels; 0 if unknown.
    pub(crate) height: u32,
    /// Frames a second at most; 0 if unknown.
    pub(crate) fps: f32,
    /// Without user and password.
    pub(crate) url: String,
    /// The sensor or channel that it shows: recorders and cameras with two lenses have several.
    pub(crate) source: String,
}

impl Stream {
    /// `1920x1080`, or `?`.
    pub(crate) fn size(&self) -> String {
        match (self.width, self.height) {
            (0, _) | (_, 0) => "?".to_owned(),
            (width, height) => format!("{width}x{height}"),
        }
    }

    /// `25`, `12.5` or `?`.
    pub(crate) fn rate(&self) -> String {
        if self.fps == 0.0 { "?".to_owned() } else { self.fps.to_string() }
    }

    /// `H264 1920x1080, 25 fps`.
    pub(crate) fn words(&self) -> String {
        let codec = if self.codec.is_empty() { "?" } else { &self.codec };
        format!("{codec} {}, {} fps", self.size(), self.rate())
    }

    /// Pixels of a picture; 0 if unknown.
    pub(crate) fn area(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// A part of the scopes in an answer to a probe, such as `name` or `hardware`, with its `%20` decoded.
pub(crate) fn from_scopes(scopes: &[String], part: &str) -> Option<String> {
    let prefix = format!("onvif://www.onvif.org/{part}/");
    let of = |scope: &String| {
        let is_it = scope.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(&prefix));
        is_it.then(|| percent_decoded(&scope[prefix.len()..])).filter(|text| !text.is_empty())
    };
    scopes.iter().find_map(of)
}

/// A `%` that begins no code stays. What is no text, or cannot be seen, is left out.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *byte == b'%').and_then(|code| std::str::from_utf8(code).ok());
        match code.filter(|code| !code.starts_with('+')).and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    crate::discover::answers::printable(&text).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_decoded_and_made_printable() {
        let of = |scope: &str| from_scopes(&["onvif://www.onvif.org/type/video".into(), scope.into()], "name");
        assert_eq!(of("onvif://www.onvif.org/name/Front%20door%2"), Some("Front door%2".into()));
        assert_eq!(of("ONVIF://www.onvif.org/Name/%e4%bd%a0%1b%5b2J%ff"), Some("你[2J\u{fffd}".into()));
        assert_eq!(of("onvif://www.onvif.org/name/"), None);
        assert_eq!(of("onvif://www.onvif.org/nam"), None);
    }
}
