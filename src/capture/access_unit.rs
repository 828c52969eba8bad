//! The currency of the capture process: one encoded frame.

use crate::capture::arrival::Arrival;

/// One encoded frame.
#[derive(Clone, Debug)]
pub(super) struct AccessUnit<T> {
    /// The count of received units before it.
    pub(super) number: u64,
    /// True if decoding can begin with it.
    pub(super) is_keyframe: bool,
    /// True if it was given out before: it is decoded for those that follow it.
    pub(super) is_again: bool,
    /// True if it is decoded alone, to see whether the scene is still.
    pub(super) is_glance: bool,
    /// When it arrived and was taken.
    pub(super) arrival: Arrival,
    /// The length of its data.
    pub(super) bytes: usize,
    /// The data.
    pub(super) data: T,
}
