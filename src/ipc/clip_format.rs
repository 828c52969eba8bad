//! The kinds of files that a camera's `file://` may name.

/// What a file holds, by the end of its name: nothing else tells a byte stream of H.264 from one of H.265.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClipFormat {
    /// MP4 and QuickTime.
    Mp4,
    /// Matroska.
    Matroska,
    /// H.264 with start codes and nothing around it.
    H264,
    /// H.265 with start codes and nothing around it.
    H265,
}

impl ClipFormat {
    /// The ends of names that are known, for a person.
    pub const ENDS: &str = ".mp4, .m4v, .mov, .mkv, .h264, .264, .h265, .265 or .hevc";

    /// By the end of a path or URL, in upper or lower case; `None` if it is not one of [`Self::ENDS`].
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, end) = name.rsplit_once('.')?;
        match end.to_ascii_lowercase().as_str() {
            "mp4" | "m4v" | "mov" => Some(Self::Mp4),
            "mkv" => Some(Self::Matroska),
            "h264" | "264" => Some(Self::H264),
            "h265" | "265" | "hevc" => Some(Self::H265),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_of_a_name_that_is_shown_is_known() {
        let ends = ClipFormat::ENDS.replace(" or ", ", ");
        assert!(ends.split(", ").all(|end| ClipFormat::of_name(&format!("/a.b/clip{end}")).is_some()), "{ends}");
        assert_eq!(ClipFormat::of_name("file:///a/CLIP.MP4"), Some(ClipFormat::Mp4));
        for name in ["file:///a.mp4/clip", "clip.avi", "clip", ""] {
            assert_eq!(ClipFormat::of_name(name), None, "{name}");
        }
    }
}
