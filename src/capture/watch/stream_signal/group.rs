//! The frames of one group of pictures, by their sizes.

use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// Frames are averaged over so long: single ones differ by their kind and their place in a hierarchy of references.
const SLOT: Duration = Duration::from_millis(500);

/// Of a longer group, what comes after twelve seconds is averaged into one.
const MOST_SLOTS: usize = 24;

/// The frames between a keyframe and the next.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) from: Monotonic,
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    frames: u32,
    bytes: f32,
}

impl Slot {
    /// `None` without a frame.
    fn mean(self) -> Option<f32> {
        (self.frames > 0).then(|| self.bytes / self.frames as f32)
    }
}

impl Group {
    /// The group of a keyframe that arrived at `from`.
    pub(super) fn new(from: Monotonic) -> Self {
        Self { from, slots: Vec::new() }
    }

    /// Takes in a frame that is no keyframe. Returns the place and the mean of the slot that is complete with the one before.
    pub(super) fn add(&mut self, at: Monotonic, bytes: f32) -> Option<(usize, f32)> {
        let slot = usize::try_from(at.since(self.from).as_nanos() / SLOT.as_nanos()).unwrap_or(usize::MAX);
        let slot = slot.min(MOST_SLOTS - 1);
        let before = self.slots.len();
        if slot >= before {
            self.slots.resize(slot + 1, Slot::default());
        }
        // Times of arrival never fall, so this is the last one.
        if let Some(last) = self.slots.last_mut() {
            last.frames += 1;
            last.bytes += bytes;
        }
        let complete = before.checked_sub(1).filter(|_| slot >= before)?;
        Some((complete, self.slots[complete].mean()?))
    }

    /// The mean size of the frames of each slot, in bytes. Without those in which none came.
    pub(super) fn means(mut self) -> Vec<(usize, f32)> {
        // The few frames that come late would be a slot of their own in some groups and not in others.
        if let [.., before, last] = &mut self.slots[..]
            && 2 * last.frames < before.frames
        {
            before.frames += last.frames;
            before.bytes += last.bytes;
            *last = Slot::default();
        }
        self.slots.iter().enumerate().filter_map(|(slot, frames)| Some((slot, frames.mean()?))).collect()
    }
}
