//! Counts RTP packets: those that came, and those that are missing in the camera's numbering.

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A jitter buffer, and how many packets it missed when it was last asked.
#[derive(Debug)]
struct Watched {
    element: glib::WeakRef<gst::Element>,
    lost: u64,
}

/// The packets of one connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Packets {
    received: Arc<AtomicU64>,
    jitter_buffers: Arc<Mutex<Vec<Watched>>>,
}

impl Packets {
    /// Follows the jitter buffers of an `rtspsrc`.
    pub(super) fn watch(&self, source: &gst::Element) {
        let found = Arc::clone(&self.jitter_buffers);
        source.connect("new-manager", false, move |arguments| {
            let manager = arguments.get(1)?.get::<gst::Element>().ok()?;
            let found = Arc::clone(&found);
            manager.connect("new-jitterbuffer", false, move |arguments| {
                let element = arguments.get(1)?.get::<gst::Element>().ok()?.downgrade();
                found.lock().unwrap_or_else(PoisonError::into_inner).push(Watched { element, lost: 0 });
                None
            });
            None
        });
    }

    /// Counts what passes a pad. In front of everything that may hold back or drop: until the first keyframe, nothing
    /// else shows that the camera sends.
    pub(super) fn count_at(&self, pad: &gst::Pad) {
        let received = Arc::clone(&self.received);
        pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, info| {
            let packets = match &info.data {
                Some(gst::PadProbeData::BufferList(list)) => list.len(),
                _ => 1,
            };
            received.fetch_add(packets as u64, Ordering::Relaxed);
            gst::PadProbeReturn::Ok
        });
    }

    /// Packets received.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Packets that never came.
    pub(super) fn lost(&self) -> u64 {
        let mut watched = self.jitter_buffers.lock().unwrap_or_else(PoisonError::into_inner);
        for buffer in watched.iter_mut() {
            let stats = buffer.element.upgrade().map(|element| element.property::<gst::Structure>("stats"));
            if let Some(lost) = stats.and_then(|stats| stats.get::<u64>("num-lost").ok()) {
                buffer.lost = lost;
            }
        }
        watched.iter().map(|buffer| buffer.lost).sum()
    }
}
