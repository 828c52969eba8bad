//! Which slots of a camera this process may write.

use crate::ipc::frame_slots::SlotWriter;

/// A camera's slots: free ones are ours, lent ones the parent's.
#[derive(Debug)]
pub(super) struct SlotOwner {
    writer: SlotWriter,
    lent: Vec<bool>,
    sequence: u64,
}

impl SlotOwner {
    pub(super) fn new(writer: SlotWriter, slots: u16) -> Self {
        Self { writer, lent: vec![false; usize::from(slots)], sequence: 0 }
    }

    /// The number of the next sampled frame.
    pub(super) fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence - 1
    }

    /// A slot that may be written, if there is one.
    pub(super) fn free_slot(&mut self) -> Option<(u16, &mut [u8])> {
        let slot = self.lent.iter().position(|lent| !lent)?;
        let slot = u16::try_from(slot).ok()?;
        self.writer.slot_mut(slot).map(|bytes| (slot, bytes))
    }

    /// The slot was announced.
    pub(super) fn lend(&mut self, slot: u16) {
        if let Some(lent) = self.lent.get_mut(usize::from(slot)) {
            *lent = true;
        }
    }

    /// Slots that the parent has.
    pub(super) fn lent(&self) -> usize {
        self.lent.iter().filter(|lent| **lent).count()
    }

    /// What lies in a slot that the parent has; `None` for one that may be written meanwhile.
    pub(super) fn lent_slot(&mut self, slot: u16) -> Option<&[u8]> {
        let is_lent = self.lent.get(usize::from(slot)).copied().unwrap_or(false);
        self.writer.slot_mut(slot).filter(|_| is_lent).map(|bytes| &*bytes)
    }

    /// The parent gives the slot back.
    pub(super) fn release(&mut self, slot: u16) {
        if let Some(lent) = self.lent.get_mut(usize::from(slot)) {
            *lent = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::frame_slots::Region;

    #[test]
    fn a_lent_slot_is_not_written_until_it_comes_back() {
        let region = Region::create("test", 2).unwrap();
        let mut owner = SlotOwner::new(SlotWriter::new(region.writable(), 2).unwrap(), 2);
        assert_eq!(owner.free_slot().unwrap().0, 0);
        assert!(owner.lent_slot(0).is_none(), "it may be written at any moment");
        owner.lend(0);
        assert!(owner.lent_slot(0).is_some() && owner.lent_slot(99).is_none());
        assert_eq!(owner.free_slot().unwrap().0, 1);
        owner.lend(1);
        assert!(owner.free_slot().is_none());
        owner.release(0);
        owner.release(99);
        assert_eq!(owner.free_slot().unwrap().0, 0);
    }
}
