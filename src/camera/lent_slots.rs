//! Which slots of which region are lent to units, and when a region can be dropped.
//!
//! A region lives while its connection is open or a unit may still read one of its slots. So a unit never reads memory
//! that a new connection writes.
//!
//! ```text
//!  a slot:    free ── lend: a frame was announced ──▶ lent ── give_back: the frame has its outcome ──▶ free
//!  a region:  open ── close: the connection ended ──▶ closed ── its last lent slot was given back ──▶ dropped
//! ```

use crate::ipc::messages::{CameraIndex, RegionId};
use std::collections::BTreeMap;

#[derive(Debug)]
struct Entry {
    slots: u16,
    /// One bit for each slot; [`crate::ipc::frame_slots::MAX_SLOTS`] is 64.
    lent: u64,
    /// The group and connection that fill it; `None` once the connection is closed.
    connection: Option<(usize, CameraIndex)>,
}

/// What to do after a slot was given back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum GiveBack {
    /// Tell the capture process of this group that the slot is free.
    Release {
        /// The group of the capture process.
        group: usize,
        /// The connection that fills the slot.
        index: CameraIndex,
    },
    /// It was the last lent slot of a closed connection: units may drop the region.
    Retired,
    /// Nothing: the connection is closed and other slots are still lent, or the region is unknown.
    Nothing,
}

/// A capture process announced a slot that it does not own.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("slot {0} was announced, but it does not exist or is lent to a unit")]
pub(crate) struct NotItsSlot(pub u16);

/// The regions of all connections, open and closed ones.
#[derive(Debug, Default)]
pub(crate) struct LentSlots {
    entries: BTreeMap<RegionId, Entry>,
    next: u32,
}

impl LentSlots {
    /// Adds the region of a new connection and returns its id.
    pub(crate) fn add(&mut self, slots: u16, group: usize, index: CameraIndex) -> RegionId {
        let id = RegionId(self.next);
        self.next += 1;
        self.entries.insert(id, Entry { slots, lent: 0, connection: Some((group, index)) });
        id
    }

    /// Returns the region that a connection fills.
    pub(crate) fn of_connection(&self, group: usize, index: CameraIndex) -> Option<RegionId> {
        let entry = self.entries.iter().find(|(_, entry)| entry.connection == Some((group, index)));
        entry.map(|(id, _)| *id)
    }

    /// Returns the group and connection that fill a region; `None` once the connection is closed.
    pub(crate) fn connection_of(&self, id: RegionId) -> Option<(usize, CameraIndex)> {
        self.entries.get(&id)?.connection
    }

    /// Lends the slot of an announced frame.
    ///
    /// # Errors
    /// [`NotItsSlot`] when the capture process did not own the slot.
    pub(crate) fn lend(&mut self, id: RegionId, slot: u16) -> Result<(), NotItsSlot> {
        let entry = self.entries.get_mut(&id).filter(|entry| slot < entry.slots).ok_or(NotItsSlot(slot))?;
        let bit = 1_u64 << slot;
        if entry.lent & bit != 0 {
            return Err(NotItsSlot(slot));
        }
        entry.lent |= bit;
        Ok(())
    }

    /// Takes a slot back after its frame has an outcome.
    pub(crate) fn give_back(&mut self, id: RegionId, slot: u16) -> GiveBack {
        let Some(entry) = self.entries.get_mut(&id) else { return GiveBack::Nothing };
        entry.lent &= !(1_u64 << slot);
        match entry.connection {
            Some((group, index)) => GiveBack::Release { group, index },
            None if entry.lent == 0 => {
                self.entries.remove(&id);
                GiveBack::Retired
            }
            None => GiveBack::Nothing,
        }
    }

    /// Closes all connections of a group, or only the one with this index. Returns the regions that are no longer needed.
    pub(crate) fn close(&mut self, group: usize, index: Option<CameraIndex>) -> Vec<RegionId> {
        let mut retired = Vec::new();
        self.entries.retain(|id, entry| {
            let is_closing = entry.connection.is_some_and(|(of, open)| of == group && index.is_none_or(|i| i == open));
            if is_closing {
                entry.connection = None;
            }
            let is_needed = entry.connection.is_some() || entry.lent != 0;
            if !is_needed {
                retired.push(*id);
            }
            is_needed
        });
        retired
    }

    /// The number of slots that are lent now, in all regions.
    pub(crate) fn lent(&self) -> u32 {
        self.entries.values().map(|entry| entry.lent.count_ones()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots() -> (LentSlots, RegionId) {
        let mut slots = LentSlots::default();
        let id = slots.add(3, 0, CameraIndex(5));
        (slots, id)
    }

    #[test]
    fn a_slot_goes_back_to_the_connection_that_fills_it() {
        let (mut slots, id) = slots();
        slots.lend(id, 1).unwrap();
        assert_eq!(slots.give_back(id, 1), GiveBack::Release { group: 0, index: CameraIndex(5) });
        assert_eq!(slots.lent(), 0);
    }

    #[test]
    fn a_capture_process_cannot_announce_a_slot_that_is_lent_or_not_there() {
        let (mut slots, id) = slots();
        slots.lend(id, 1).unwrap();
        assert_eq!(slots.lend(id, 1), Err(NotItsSlot(1)));
        assert_eq!(slots.lend(id, 3), Err(NotItsSlot(3)));
        assert_eq!(slots.lend(RegionId(99), 0), Err(NotItsSlot(0)));
    }

    #[test]
    fn a_region_outlives_its_connection_until_its_last_frame_has_ended() {
        let (mut slots, id) = slots();
        slots.lend(id, 0).unwrap();
        slots.lend(id, 1).unwrap();
        assert_eq!(slots.connection_of(id), Some((0, CameraIndex(5))));
        assert!(slots.close(0, Some(CameraIndex(5))).is_empty());
        assert_eq!(slots.connection_of(id), None);
        assert_eq!(slots.give_back(id, 0), GiveBack::Nothing);
        assert_eq!(slots.lent(), 1);
        assert_eq!(slots.give_back(id, 1), GiveBack::Retired);
        assert_eq!(slots.give_back(id, 1), GiveBack::Nothing, "the region is dropped");
    }

    #[test]
    fn a_closed_connection_without_lent_slots_retires_at_once() {
        let (mut slots, id) = slots();
        assert!(slots.close(1, None).is_empty());
        assert_eq!(slots.close(0, None), [id]);
    }
}
