//! Where the receiving thread leaves access units and the decoding thread waits for them.

use crate::capture::access_unit::AccessUnit;
use crate::capture::arrival::Arrival;
use crate::capture::gop_buffer::GopBuffer;
use crate::capture::lock::lock;
use gstreamer as gst;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A [`GopBuffer`] between two threads. Putting in never waits.
#[derive(Debug)]
pub(super) struct UnitQueue {
    inner: Mutex<Inner>,
    has_changed: Condvar,
}

#[derive(Debug)]
struct Inner {
    buffer: GopBuffer<gst::Sample>,
    taken: u64,
    is_closed: bool,
}

impl UnitQueue {
    pub(super) fn new(keyframes_only: bool) -> Self {
        let inner = Inner { buffer: GopBuffer::new(keyframes_only), taken: 0, is_closed: false };
        Self { inner: Mutex::new(inner), has_changed: Condvar::new() }
    }

    /// Puts in a unit.
    pub(super) fn put(&self, unit: gst::Sample, arrival: Arrival) {
        let Some(buffer) = unit.buffer() else { return };
        let (is_keyframe, bytes) = (!buffer.flags().contains(gst::BufferFlags::DELTA_UNIT), buffer.size());
        let mut inner = self.lock();
        inner.buffer.push(is_keyframe, arrival, bytes, unit);
        // While a scene is still, most units are held and wake nobody.
        if inner.buffer.is_waited_for() {
            self.has_changed.notify_one();
        }
    }

    /// Waits until `take` takes a unit. It is asked again with each unit that comes, and after [`Self::wake`]. `None` after
    /// [`Self::close`].
    pub(super) fn wait(
        &self,
        mut take: impl FnMut(&mut GopBuffer<gst::Sample>) -> Option<AccessUnit<gst::Sample>>,
    ) -> Option<AccessUnit<gst::Sample>> {
        let mut inner = self.lock();
        while !inner.is_closed {
            if let Some(unit) = take(&mut inner.buffer) {
                inner.taken += 1;
                return Some(unit);
            }
            inner = self.has_changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    /// What a waiting thread takes may have changed.
    pub(super) fn wake(&self) {
        // With the lock, or it would miss a thread that is about to wait.
        let _inner = self.lock();
        self.has_changed.notify_all();
    }

    /// Nothing has changed in the picture of this keyframe: what lies before it is not needed.
    pub(super) fn is_still(&self, number: u64) {
        self.lock().buffer.is_still(number);
    }

    /// Ends all waiting.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.has_changed.notify_all();
    }

    /// What `read` finds in the buffer.
    pub(super) fn read<R>(&self, read: impl FnOnce(&GopBuffer<gst::Sample>) -> R) -> R {
        read(&self.lock().buffer)
    }

    /// Units taken for decoding, if others wait: a decoder for which this stays the same hangs.
    pub(super) fn taken_of_waiting(&self) -> Option<u64> {
        let inner = self.lock();
        inner.buffer.is_waited_for().then_some(inner.taken)
    }

    /// A panic elsewhere has poisoned the lock; the buffer stays whole.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }
}
