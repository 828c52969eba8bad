//! Counts RTP packets, those that came and those that are missing in the camera's numbering, and reads their times.

use crate::capture::arrival::unix_ms;
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
    /// The NTP time of the newest packet in nanoseconds since 1900; 0 until a sender report has told it.
    ntp_ns: Arc<AtomicU64>,
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
                let element = arguments.get(1)?.get::<gst::Element>().ok()?;
                // The wall clock of the camera, from RTCP sender reports.
                element.set_property("add-reference-timestamp-meta", true);
                let element = element.downgrade();
                found.lock().unwrap_or_else(PoisonError::into_inner).push(Watched { element, lost: 0 });
                None
            });
            None
        });
    }

    /// Counts what passes a pad. In front of everything that may hold back or drop: until the first keyframe, nothing
    /// else shows that the camera sends.
    pub(super) fn count_at(&self, pad: &gst::Pad) {
        let (received, ntp_ns) = (Arc::clone(&self.received), Arc::clone(&self.ntp_ns));
        let ntp = gst::Caps::new_empty_simple("timestamp/x-ntp");
        pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, info| {
            let (packets, last) = match &info.data {
                Some(gst::PadProbeData::BufferList(list)) => (list.len(), list.iter().last()),
                Some(gst::PadProbeData::Buffer(buffer)) => (1, Some(&**buffer)),
                _ => (0, None),
            };
            let times = last.iter().flat_map(|buffer| buffer.iter_meta::<gst::ReferenceTimestampMeta>());
            if let Some(time) = times.into_iter().find(|time| time.reference() == ntp.as_ref()) {
                ntp_ns.store(time.timestamp().nseconds(), Ordering::Relaxed);
            }
            received.fetch_add(packets as u64, Ordering::Relaxed);
            gst::PadProbeReturn::Ok
        });
    }

    /// When the camera says that the newest packet was taken: milliseconds since 1970.
    pub(super) fn camera_ms(&self) -> Option<i64> {
        unix_ms(self.ntp_ns.load(Ordering::Relaxed))
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
