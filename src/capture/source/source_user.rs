//! Whom a source tells what it receives.

use crate::capture::decoder_choice::Codec;
use crate::capture::stream_loss::Loss;
use gstreamer as gst;

/// What a source tells. The calls come from its threads and return at once.
pub(in crate::capture) trait SourceUser: Send + Sync + 'static {
    /// The camera sends this codec: its units follow.
    ///
    /// # Errors
    /// In a person's words, when it cannot be decoded here.
    fn track(&self, codec: Codec) -> Result<(), String>;
    /// An access unit has arrived: one whole encoded frame, with its caps. `camera_ms` is when the camera says that it was
    /// taken, in milliseconds since 1970.
    fn unit(&self, unit: gst::Sample, camera_ms: Option<i64>);
    /// The camera says that something moves.
    fn motion_event(&self) {}
    /// The connection is of no use any more.
    fn lost(&self, loss: Loss);
}
