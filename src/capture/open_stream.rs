//! A connection of either kind, as the main loop watches it.

use crate::capture::camera_stream::CameraStream;
use crate::capture::main_stream::MainStream;
use crate::capture::stream_loss::Loss;
use crate::vision::stream_counts::StreamCounts;

/// An open connection. Dropping it disconnects.
#[derive(Debug)]
pub(super) enum OpenStream {
    /// Its frames are decoded and handed over.
    Analysed(Box<CameraStream>),
    /// Its keyframes are kept for snapshots.
    Main(MainStream),
}

impl OpenStream {
    pub(super) fn analysed(&self) -> Option<&CameraStream> {
        if let Self::Analysed(stream) = self { Some(stream) } else { None }
    }

    pub(super) fn main(&self) -> Option<&MainStream> {
        if let Self::Main(stream) = self { Some(stream) } else { None }
    }

    /// Why the stream has ended, if it has.
    pub(super) fn take_loss(&self) -> Option<Loss> {
        match self {
            Self::Analysed(stream) => stream.take_loss(),
            Self::Main(stream) => stream.take_loss(),
        }
    }

    /// True if what comes instead of an answer fills the memory. It cannot be closed then.
    pub(super) fn is_flooded(&self, is_alone: bool) -> bool {
        match self {
            Self::Analysed(stream) => stream.is_flooded(is_alone),
            Self::Main(stream) => stream.is_flooded(is_alone),
        }
    }

    /// What became of everything that was received so far.
    pub(super) fn counts(&self) -> StreamCounts {
        match self {
            Self::Analysed(stream) => stream.counts(),
            Self::Main(stream) => stream.counts(),
        }
    }

    /// Called with each heartbeat. True once a decoder hangs. That of a main stream runs on the thread of snapshots.
    pub(super) fn is_hung(&mut self) -> bool {
        match self {
            Self::Analysed(stream) => stream.is_hung(),
            Self::Main(_) => false,
        }
    }
}
