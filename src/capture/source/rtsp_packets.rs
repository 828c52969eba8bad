//! Counts RTP packets, those that came and those that are missing in the camera's numbering, and reads their times.

use crate::capture::arrival::unix_ms;
use crate::capture::lock::lock;
use crate::capture::source::source_limit::SourceLimit;
use crate::capture::stream_loss::Loss;
use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

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
    /// The NTP time of the newest packet in nanoseconds since 1900; 0 while no sender report tells it.
    ntp_ns: Arc<AtomicU64>,
    jitter_buffers: Arc<Mutex<Vec<Watched>>>,
    /// Missed by jitter buffers that are gone.
    lost_before: Arc<AtomicU64>,
    old_sources: Arc<Mutex<OldSources>>,
    limit: SourceLimit,
}

/// Synchronisation sources that a new one has replaced. GStreamer keeps a jitter buffer with a thread for each until it is told
/// to forget it.
#[derive(Debug, Default)]
struct OldSources {
    manager: Option<glib::WeakRef<gst::Element>>,
    ssrcs: Vec<u32>,
}

impl Packets {
    /// Follows the jitter buffers of an `rtspsrc`.
    pub(super) fn watch(&self, source: &gst::Element) {
        let found = Arc::clone(&self.jitter_buffers);
        let (old_sources, limit) = (Arc::clone(&self.old_sources), self.limit.clone());
        source.connect("new-manager", false, move |arguments| {
            let manager = arguments.get(1)?.get::<gst::Element>().ok()?;
            lock(&old_sources).manager = Some(manager.downgrade());
            limit.watch(&manager);
            let (found, limit) = (Arc::clone(&found), limit.clone());
            manager.connect("new-jitterbuffer", false, move |arguments| {
                let element = arguments.get(1)?.get::<gst::Element>().ok()?;
                // The wall clock of the camera, from RTCP sender reports.
                element.set_property("add-reference-timestamp-meta", true);
                limit.add(&element);
                let element = element.downgrade();
                lock(&found).push(Watched { element, lost: 0 });
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
            let time = times.into_iter().find(|time| time.reference() == ntp.as_ref());
            ntp_ns.store(time.map_or(0, |time| time.timestamp().nseconds()), Ordering::Relaxed);
            received.fetch_add(packets as u64, Ordering::Relaxed);
            gst::PadProbeReturn::Ok
        });
    }

    /// When the camera says that the newest packet was taken: milliseconds since 1970.
    pub(super) fn camera_ms(&self) -> Option<i64> {
        unix_ms(self.ntp_ns.load(Ordering::Relaxed))
    }

    /// A synchronisation source sends no more. It is forgotten with the next [`Self::forget_old_sources`]: not in the thread
    /// of its successor, which would wait for its end.
    pub(super) fn forget_later(&self, ssrc: Option<u32>) {
        lock(&self.old_sources).ssrcs.extend(ssrc);
    }

    /// Ends the jitter buffers of sources that were replaced, and their threads.
    pub(super) fn forget_old_sources(&self) {
        let (manager, ssrcs) = {
            let mut old = lock(&self.old_sources);
            (old.manager.as_ref().and_then(glib::WeakRef::upgrade), std::mem::take(&mut old.ssrcs))
        };
        let Some(manager) = manager.and_downcast::<gst::Bin>().filter(|_| !ssrcs.is_empty()) else { return };
        let is_demuxer =
            |element: &gst::Element| element.factory().is_some_and(|factory| factory.name() == "rtpssrcdemux");
        for demuxer in manager.iterate_elements().into_iter().flatten().filter(is_demuxer) {
            for ssrc in &ssrcs {
                demuxer.emit_by_name::<()>("clear-ssrc", &[ssrc]);
            }
        }
    }

    /// Why the connection is to be ended, if the camera has too many sources.
    pub(super) fn loss(&self) -> Option<Loss> {
        self.limit.loss()
    }

    /// Packets received.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Packets that never came.
    pub(super) fn lost(&self) -> u64 {
        // Asked without the lock: a new one is made under locks that an answer may need.
        let mut watched = std::mem::take(&mut *lock(&self.jitter_buffers));
        watched.retain_mut(|buffer| {
            let Some(element) = buffer.element.upgrade() else {
                self.lost_before.fetch_add(buffer.lost, Ordering::Relaxed);
                return false;
            };
            buffer.lost = element.property::<gst::Structure>("stats").get("num-lost").unwrap_or(buffer.lost);
            true
        });
        let lost = watched.iter().map(|buffer| buffer.lost).sum::<u64>();
        lock(&self.jitter_buffers).append(&mut watched);
        self.lost_before.load(Ordering::Relaxed) + lost
    }
}
