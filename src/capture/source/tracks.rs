//! Which track of a camera's SDP is looked at: one, and the others are left alone.
//!
//! Cameras offer a second video in another codec or size, analytics as a "video", audio, and a way back to a loudspeaker.
//! Only the chosen track is set up, so an unreadable one never costs the camera.

use crate::ipc::messages::LossKind;

/// A track that the camera offers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Track {
    /// `video`, `audio`, `application`.
    pub(super) media: String,
    /// The encoding name of RTP: `H264`; empty if the camera does not name one.
    pub(super) encoding: String,
}

impl Track {
    /// True of ONVIF's metadata, with or without compression, which is not read.
    pub(super) fn is_metadata(&self) -> bool {
        self.media == "application" && self.encoding.eq_ignore_ascii_case("VND.ONVIF.METADATA")
    }
}

/// What is done about a track.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Choice {
    /// Set it up.
    Take,
    /// Set it up for the camera's motion events.
    TakeEvents,
    /// Leave it, and say so once.
    Leave(String),
}

/// The choice for one connection. Tracks are offered in the order of the SDP.
#[derive(Debug)]
pub(super) struct Tracks {
    /// The video track that the settings name: 1 is the first one; `None`: the first that can be read.
    wanted: Option<u16>,
    /// The settings ask for the camera's motion events.
    are_events_wanted: bool,
    offered: u16,
    videos: u16,
    is_taken: bool,
    unreadable: Vec<String>,
}

/// Why there is no picture.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum NoTrack {
    /// There is a video, in a codec that is not read.
    #[error("the camera sends {0}; ocelli reads H264, H265 and JPEG")]
    Unreadable(String),
    /// Nothing that is offered is a video.
    #[error("the camera offers no video")]
    NoVideo,
    /// The settings name one that is not there.
    #[error("the settings name video track {wanted}, and the camera offers {offered}")]
    NotThere {
        /// As the settings name it.
        wanted: u16,
        /// How many there are.
        offered: u16,
    },
}

impl NoTrack {
    /// The kind of the loss.
    pub(super) fn kind(&self) -> LossKind {
        match self {
            Self::Unreadable(_) => LossKind::Codec,
            Self::NoVideo | Self::NotThere { .. } => LossKind::NoVideo,
        }
    }
}

impl Tracks {
    pub(super) fn new(wanted: Option<u16>, are_events_wanted: bool) -> Self {
        Self { wanted, are_events_wanted, offered: 0, videos: 0, is_taken: false, unreadable: Vec::new() }
    }

    /// Decides about the next track; `is_readable` says whether its codec is one of ours.
    pub(super) fn offer(&mut self, track: &Track, is_readable: bool) -> Choice {
        let name = if track.encoding.is_empty() { "an unnamed codec" } else { &track.encoding };
        self.offered = self.offered.saturating_add(1);
        if track.is_metadata() {
            // One track is enough.
            return match std::mem::take(&mut self.are_events_wanted) {
                true => Choice::TakeEvents,
                false => Choice::Leave("motion events (ONVIF metadata), which `motion_events = true` uses".into()),
            };
        }
        if track.media != "video" {
            return Choice::Leave(format!("{} track in {name}", track.media));
        }
        self.videos += 1;
        let is_named = self.wanted.is_none_or(|wanted| wanted == self.videos);
        if is_named && !is_readable {
            self.unreadable.push(name.to_owned());
        }
        if self.is_taken || !is_named || !is_readable {
            return Choice::Leave(format!("video track {} in {name}", self.videos));
        }
        self.is_taken = true;
        Choice::Take
    }

    /// True once anything was offered.
    pub(super) fn has_offer(&self) -> bool {
        self.offered > 0
    }

    /// Why none was taken; `None` if one was.
    pub(super) fn missing(&self) -> Option<NoTrack> {
        if self.is_taken {
            return None;
        }
        if !self.unreadable.is_empty() {
            return Some(NoTrack::Unreadable(self.unreadable.join(" and ")));
        }
        Some(match self.wanted {
            Some(wanted) if self.videos > 0 => NoTrack::NotThere { wanted, offered: self.videos },
            _ => NoTrack::NoVideo,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The index of the track that is taken, or why there is none.
    fn chosen(wanted: Option<u16>, offered: &[(&str, &str)]) -> Result<usize, String> {
        let mut tracks = Tracks::new(wanted, false);
        let mut taken = Vec::new();
        for (index, (media, encoding)) in offered.iter().enumerate() {
            let track = Track { media: (*media).into(), encoding: (*encoding).into() };
            if tracks.offer(&track, ["H264", "H265"].contains(encoding)) == Choice::Take {
                taken.push(index);
            }
        }
        assert!(taken.len() <= 1, "two pictures in one camera");
        match tracks.missing() {
            None => Ok(taken[0]),
            Some(reason) => Err(reason.to_string()),
        }
    }

    #[test]
    fn the_first_video_that_can_be_read_is_taken() {
        let metadata = ("application", "VND.ONVIF.METADATA");
        assert_eq!(chosen(None, &[metadata, ("audio", "PCMU"), ("video", "H264")]), Ok(2));
        assert_eq!(chosen(None, &[("video", "H264"), ("video", "H265")]), Ok(0));
        assert_eq!(chosen(None, &[("video", "MP4V-ES"), ("video", "H264")]), Ok(1));
        assert_eq!(chosen(None, &[("video", "H264"), ("video", "MP4V-ES")]), Ok(0));
    }

    #[test]
    fn the_settings_may_name_another_one() {
        assert_eq!(chosen(Some(2), &[("video", "H264"), ("audio", "PCMU"), ("video", "H265")]), Ok(2));
        let reason = chosen(Some(3), &[("video", "H264"), ("video", "H265")]).unwrap_err();
        assert_eq!(reason, "the settings name video track 3, and the camera offers 2");
        let reason = chosen(Some(2), &[("video", "H264"), ("video", "VP8")]).unwrap_err();
        assert_eq!(reason, "the camera sends VP8; ocelli reads H264, H265 and JPEG");
    }

    #[test]
    fn motion_events_are_taken_once_and_only_if_they_are_wanted() {
        let track = Track { media: "application".into(), encoding: "vnd.onvif.metadata".into() };
        let mut tracks = Tracks::new(None, true);
        assert_eq!(tracks.offer(&track, false), Choice::TakeEvents);
        assert!(matches!(tracks.offer(&track, false), Choice::Leave(_)));
        assert_eq!(tracks.missing(), Some(NoTrack::NoVideo), "they are no picture");
        let Choice::Leave(told) = Tracks::new(None, false).offer(&track, false) else { panic!("it was taken") };
        assert!(told.contains("motion_events"), "{told}");
    }

    #[test]
    fn without_a_readable_video_the_reason_names_what_there_is() {
        assert_eq!(chosen(None, &[("audio", "PCMU")]).unwrap_err(), "the camera offers no video");
        assert_eq!(chosen(None, &[]).unwrap_err(), "the camera offers no video");
        let reason = chosen(None, &[("video", "MP4V-ES"), ("video", "")]).unwrap_err();
        assert!(reason.starts_with("the camera sends MP4V-ES and an unnamed codec"), "{reason}");
    }
}
