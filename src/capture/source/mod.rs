//! Where access units come from. A source receives and parses; it never decodes and never waits for whoever does.

mod clip_clock;
mod clip_round;
mod conversation;
mod failure;
mod file;
mod http;
mod jpeg_poll;
mod keep_alive;
mod login;
mod motion_events;
mod reach;
mod rtsp;
mod rtsp_attempt;
mod rtsp_element;
mod rtsp_packets;
mod slice_header;
mod source_limit;
pub(super) mod source_user;
mod tls;
mod tracks;
mod unit_sink;
mod whole_units;

use crate::capture::source::file::FileSource;
use crate::capture::source::http::HttpSource;
use crate::capture::source::rtsp::RtspSource;
use crate::capture::source::source_user::SourceUser;
use crate::capture::stream_loss::Loss;
use crate::ipc::messages::CameraSource;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// An open connection. Dropping it disconnects.
#[derive(Debug)]
pub(super) enum Source {
    Rtsp(Box<RtspSource>),
    Http(HttpSource),
    File(FileSource),
}

impl Source {
    /// Begins to connect, as the scheme of the URL says. `file` is that of a `file://`.
    ///
    /// # Errors
    /// In a person's words, when an element is missing.
    pub(super) fn open(
        camera: &CameraSource,
        file: Option<OwnedFd>,
        user: Arc<dyn SourceUser>,
    ) -> Result<Self, String> {
        if camera.url.starts_with("file://") {
            let file = file.ok_or("no file came with the camera")?;
            return FileSource::open(camera, file, user).map(Self::File);
        }
        if camera.url.starts_with("http://") || camera.url.starts_with("https://") {
            return HttpSource::open(camera, user).map(Self::Http);
        }
        RtspSource::open(camera, user).map(|source| Self::Rtsp(Box::new(source)))
    }

    /// Why the stream has ended, if it has.
    pub(super) fn take_loss(&self) -> Option<Loss> {
        match self {
            Self::Rtsp(source) => source.take_loss(),
            Self::Http(source) => source.take_loss(),
            // It tells its user.
            Self::File(_) => None,
        }
    }

    /// True if what comes instead of an answer has no end. It cannot be closed then. `is_alone`: no other camera is open in
    /// this process.
    pub(super) fn is_flooded(&self, is_alone: bool) -> bool {
        match self {
            Self::Rtsp(source) => source.is_flooded(is_alone),
            Self::Http(_) | Self::File(_) => false,
        }
    }

    /// So many frames a second are wanted from now on.
    pub(super) fn pace(&self, frames_per_second: f32) {
        match self {
            // It sends what it sends.
            Self::Rtsp(_) | Self::File(_) => {}
            Self::Http(source) => source.pace(frames_per_second),
        }
    }

    /// Packets received, and those that are missing between them.
    pub(super) fn packets(&self) -> (u64, u64) {
        match self {
            Self::Rtsp(source) => source.packets(),
            Self::Http(source) => (source.chunks(), 0),
            Self::File(source) => (source.units(), 0),
        }
    }
}
