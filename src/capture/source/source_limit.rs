//! Ends the connection of a camera that sends with ever new synchronisation sources (SSRCs).
//!
//! GStreamer makes a jitter buffer with a thread for each one that it sees, in RTP or RTCP. Those that a new one replaces are
//! forgotten ([`Packets`](super::rtsp_packets::Packets)), which a camera may outrun: its process, and with others the whole
//! service, would have no thread left.

use crate::capture::lock::lock;
use crate::capture::stream_loss::Loss;
use crate::ipc::messages::LossKind;
use gstreamer as gst;
use gstreamer::prelude::*;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// So many jitter buffers may be there. A camera has two tracks that are received, and few sources that are being forgotten.
const MOST_AT_ONCE: usize = 32;

/// So many sources may be new in a minute. There are cameras that take another one every two seconds, and stream.
const MOST_A_MINUTE: usize = 64;
const MINUTE: Duration = Duration::from_secs(60);

/// When the last sources were new.
#[derive(Debug, Default)]
struct Recent(VecDeque<Instant>);

impl Recent {
    /// Takes a new source in. True if it is one too many, while jitter buffers are there for `at_once` sources.
    fn is_too_many(&mut self, at_once: usize, now: Instant) -> bool {
        while self.0.front().is_some_and(|first| now.duration_since(*first) >= MINUTE) {
            self.0.pop_front();
        }
        let is_too_many = at_once > MOST_AT_ONCE || self.0.len() >= MOST_A_MINUTE;
        // No longer than what it is compared with.
        if self.0.len() < MOST_A_MINUTE {
            self.0.push_back(now);
        }
        is_too_many
    }
}

/// The synchronisation sources of one connection. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct SourceLimit {
    recent: Arc<Mutex<Recent>>,
    at_once: Arc<AtomicUsize>,
    is_exceeded: Arc<AtomicBool>,
}

impl SourceLimit {
    /// Follows the `rtpbin` of a connection, before its pads are made. Once there are too many sources nothing gets into it:
    /// until the connection is closed, hundreds of others could come.
    pub(super) fn watch(&self, manager: &gst::Element) {
        let is_exceeded = Arc::clone(&self.is_exceeded);
        manager.connect_pad_added(move |_, pad| {
            if pad.direction() != gst::PadDirection::Sink {
                return;
            }
            let is_exceeded = Arc::clone(&is_exceeded);
            pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, _| {
                match is_exceeded.load(Ordering::Relaxed) {
                    true => gst::PadProbeReturn::Drop,
                    false => gst::PadProbeReturn::Ok,
                }
            });
        });
    }

    /// A jitter buffer was made for a new source.
    pub(super) fn add(&self, jitter_buffer: &gst::Element) {
        let at_once = self.at_once.fetch_add(1, Ordering::Relaxed) + 1;
        let counter = Arc::clone(&self.at_once);
        jitter_buffer.add_weak_ref_notify(move || {
            counter.fetch_sub(1, Ordering::Relaxed);
        });
        if lock(&self.recent).is_too_many(at_once, Instant::now()) {
            self.is_exceeded.store(true, Ordering::Relaxed);
        }
    }

    /// Why the connection is to be ended, if it is.
    pub(super) fn loss(&self) -> Option<Loss> {
        let detail = "the camera starts a new stream again and again (a new SSRC each time): restart it or update it";
        self.is_exceeded.load(Ordering::Relaxed).then(|| Loss::new(LossKind::Other, detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many new sources with so much time between them are taken in before one is too many.
    fn taken(apart: Duration, at_once: usize, most: u32) -> Option<u32> {
        let (mut recent, begun) = (Recent::default(), Instant::now());
        (0..most).find(|number| recent.is_too_many(at_once, begun + apart * *number))
    }

    #[test]
    fn a_camera_with_a_new_source_every_two_seconds_may_go_on_for_ever() {
        assert_eq!(taken(Duration::from_secs(2), 3, 50_000), None);
        assert_eq!(taken(Duration::from_secs(1), 3, 50_000), None);
    }

    #[test]
    fn a_camera_with_one_in_each_picture_is_ended_within_seconds() {
        assert_eq!(taken(Duration::from_millis(100), 3, 50_000), Some(64));
    }

    #[test]
    fn slow_ones_that_are_never_forgotten_are_bounded_too() {
        assert_eq!(taken(Duration::from_secs(10), MOST_AT_ONCE, 50_000), None);
        assert_eq!(taken(Duration::from_secs(10), MOST_AT_ONCE + 1, 50_000), Some(0));
    }
}
