//! Who watches what, and what each of them gets.

use crate::ipc::live_packets::{LiveHead, LivePacket};
use crate::live::budget::ByteBudget;
use crate::live::viewer_queue::{Outgoing, ViewerQueue};
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most that is kept of a camera's newest group, for viewers who come later. Of a longer group they wait for the next keyframe.
const MOST_GROUP_BYTES: usize = 3 << 20;
const MOST_GROUP_PACKETS: usize = 400;

/// The bounds of all live video.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LiveLimits {
    /// Viewers of all cameras together.
    pub viewers: usize,
    /// Bytes a second to all of them together.
    pub bytes_per_second: u64,
}

/// Why somebody is not shown a camera.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotShown {
    /// All places are taken.
    #[error("{0} viewers watch already, which is the most: `http.live_viewers`")]
    Full(usize),
    /// The settings keep the camera's video to itself.
    #[error("the camera has no live view: its settings say `live = false`")]
    Private,
    /// Video would show what is black in its snapshots.
    #[error("the camera has no live view: video would show what `blackout` hides in its snapshots")]
    BlackedOut,
    /// The daemon is stopping, or too many came at once.
    #[error("the box takes no viewers at the moment")]
    Busy,
}

/// Names a viewer; never used twice.
pub(super) type ViewerId = u64;

/// Names what is read from a camera; never used twice. What comes late from an earlier one is not taken for its successor's.
pub(super) type StreamId = u64;

/// What happened to a packet, for the metrics.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Passed {
    pub(super) bytes: u64,
    pub(super) dropped: u64,
}

/// All cameras that are watched.
#[derive(Debug)]
pub(super) struct LiveState {
    limits: LiveLimits,
    budget: ByteBudget,
    cameras: BTreeMap<CameraId, CameraLive>,
    /// Cameras that are shown to nobody, and why.
    private: BTreeMap<CameraId, NotShown>,
    next: u64,
}

#[derive(Debug, Default)]
struct CameraLive {
    stream: Option<StreamId>,
    /// The init segment, or that the camera cannot be played.
    start: Option<LivePacket>,
    /// The newest group. Empty if it is too long.
    group: Vec<LivePacket>,
    group_bytes: usize,
    viewers: BTreeMap<ViewerId, ViewerQueue>,
}

impl LiveState {
    pub(super) fn new(limits: LiveLimits) -> Self {
        let budget = ByteBudget::new(limits.bytes_per_second);
        Self { limits, budget, cameras: BTreeMap::new(), private: BTreeMap::new(), next: 0 }
    }

    /// These cameras are shown to nobody from now on: not to those either who watch them.
    pub(super) fn set_private(&mut self, cameras: BTreeMap<CameraId, NotShown>) {
        self.private = cameras;
        for camera in self.private.keys() {
            self.cameras.remove(camera);
        }
    }

    /// Why the camera is shown to nobody, if it is not.
    pub(super) fn why_private(&self, camera: &CameraId) -> Option<NotShown> {
        self.private.get(camera).copied()
    }

    /// Takes in a viewer, who gets the newest group at once. True if it is the camera's first one.
    ///
    /// # Errors
    /// [`NotShown`].
    pub(super) fn join(&mut self, camera: &CameraId) -> Result<(ViewerId, bool), NotShown> {
        if let Some(why) = self.why_private(camera) {
            return Err(why);
        }
        if self.viewers() >= self.limits.viewers {
            return Err(NotShown::Full(self.limits.viewers));
        }
        let id = self.next_number();
        let live = self.cameras.entry(camera.clone()).or_default();
        let mut queue = ViewerQueue::new();
        for packet in live.start.iter().chain(&live.group) {
            // The budget has paid nothing for it: without a picture nobody could watch.
            queue.push(packet.clone(), true);
            self.budget.spend(packet.body.len());
        }
        let is_first = live.viewers.is_empty();
        live.viewers.insert(id, queue);
        Ok((id, is_first))
    }

    /// A viewer has gone. True if it was the camera's last one: nothing is to be read from it any more.
    pub(super) fn leave(&mut self, camera: &CameraId, viewer: ViewerId) -> bool {
        let Some(live) = self.cameras.get_mut(camera) else { return false };
        live.viewers.remove(&viewer);
        if live.viewers.is_empty() {
            self.cameras.remove(camera);
            return true;
        }
        false
    }

    /// A new pipe of a camera is read from here on, if it is watched.
    pub(super) fn begin(&mut self, camera: &CameraId) -> Option<StreamId> {
        let id = self.next_number();
        let live = self.cameras.get_mut(camera)?;
        live.forget_stream();
        live.stream = Some(id);
        Some(id)
    }

    /// The pipe has ended: the camera is lost, or its process. Viewers stay.
    pub(super) fn end(&mut self, camera: &CameraId, stream: StreamId) {
        if let Some(live) = self.cameras.get_mut(camera).filter(|live| live.stream == Some(stream)) {
            live.forget_stream();
        }
    }

    /// A packet has come. `None`: nobody wants it any more.
    pub(super) fn packet(
        &mut self,
        camera: &CameraId,
        stream: StreamId,
        packet: &LivePacket,
        now: Monotonic,
    ) -> Option<Passed> {
        let live = self.cameras.get_mut(camera).filter(|live| live.stream == Some(stream))?;
        live.keep(packet);
        let mut passed = Passed::default();
        for queue in live.viewers.values_mut() {
            let may_pass = self.budget.has_some(now);
            let dropped = queue.push(packet.clone(), may_pass);
            if may_pass {
                self.budget.spend(packet.body.len());
                passed.bytes += packet.body.len() as u64;
            }
            passed.dropped += dropped;
        }
        Some(passed)
    }

    /// Something to be read beside the video.
    pub(super) fn tell(&mut self, camera: &CameraId, text: &Arc<str>) {
        for queue in self.cameras.get_mut(camera).into_iter().flat_map(|live| live.viewers.values_mut()) {
            queue.tell(Arc::clone(text));
        }
    }

    /// The next thing for a viewer. `None`: the viewer has no place any more, because the camera was shown to nobody meanwhile.
    pub(super) fn pop(&mut self, camera: &CameraId, viewer: ViewerId) -> Option<Option<Outgoing>> {
        Some(self.cameras.get_mut(camera)?.viewers.get_mut(&viewer)?.pop())
    }

    pub(super) fn is_watched(&self, camera: &CameraId) -> bool {
        self.cameras.contains_key(camera)
    }

    /// All viewers.
    pub(super) fn viewers(&self) -> usize {
        self.cameras.values().map(|live| live.viewers.len()).sum()
    }

    /// The viewers of a camera.
    pub(super) fn viewers_of(&self, camera: &CameraId) -> impl Iterator<Item = ViewerId> {
        self.cameras.get(camera).into_iter().flat_map(|live| live.viewers.keys().copied())
    }

    fn next_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl CameraLive {
    fn forget_stream(&mut self) {
        (self.stream, self.start, self.group_bytes) = (None, None, 0);
        self.group.clear();
    }

    fn keep(&mut self, packet: &LivePacket) {
        if !matches!(packet.head, LiveHead::Fragment { .. }) {
            self.start = Some(packet.clone());
            self.clear_group();
            return;
        }
        if packet.is_keyframe() {
            self.clear_group();
        } else if self.group.is_empty() {
            return;
        }
        // A gap in it would be seen: frames that were left out belong to what follows them.
        let is_whole = packet.is_keyframe() || matches!(packet.head, LiveHead::Fragment { dropped: 0, .. });
        let bytes = self.group_bytes + packet.body.len();
        if !is_whole || bytes > MOST_GROUP_BYTES || self.group.len() >= MOST_GROUP_PACKETS {
            return self.clear_group();
        }
        self.group_bytes = bytes;
        let mut packet = packet.clone();
        if let LiveHead::Fragment { dropped, .. } = &mut packet.head {
            *dropped = 0;
        }
        self.group.push(packet);
    }

    fn clear_group(&mut self) {
        self.group.clear();
        self.group_bytes = 0;
    }
}

#[cfg(test)]
mod tests;
