//! Regions of 4 MiB slots in shared memory.
//!
//! The parent creates a region, sends its writable descriptor to one writer and its read-only descriptor to the units.
//! A slot has one owner at a time. The writer owns it until it announces a frame; then the parent owns it, and lends it
//! to units, until it sends `Release`.

use crate::os::memfd::{self, ReadMapping, WriteMapping};
use crate::vision::frame::SLOT_BYTES;
use std::io;
use std::os::fd::OwnedFd;

/// The most slots per region.
pub const MAX_SLOTS: u16 = 64;

/// The parent's side: it owns the memory but never maps it.
#[derive(Debug)]
pub struct Region {
    writable: OwnedFd,
    read_only: OwnedFd,
    slots: u16,
}

impl Region {
    /// Creates `slots` (1..=[`MAX_SLOTS`]) zeroed slots. The kernel allocates pages when they are written.
    ///
    /// # Errors
    /// `InvalidInput` for another number of slots, otherwise the error of the system call.
    pub fn create(name: &str, slots: u16) -> io::Result<Self> {
        let writable = memfd::create_sealed(name, region_bytes(slots)?)?;
        let read_only = memfd::reopen_read_only(&writable)?;
        Ok(Self { writable, read_only, slots })
    }

    /// The descriptor for the process that writes the slots.
    pub fn writable(&self) -> &OwnedFd {
        &self.writable
    }

    /// The descriptor for units.
    pub fn read_only(&self) -> &OwnedFd {
        &self.read_only
    }

    /// Number of slots.
    pub fn slots(&self) -> u16 {
        self.slots
    }

    /// Copies the first `bytes` of the region.
    ///
    /// # Errors
    /// `UnexpectedEof` when the region is shorter, otherwise the error of the system call.
    pub fn copy_start(&self, bytes: usize) -> io::Result<Vec<u8>> {
        memfd::copy_start(&self.writable, bytes)
    }
}

/// A writable mapping of a region, or of one of its slots.
#[derive(Debug)]
pub struct SlotWriter {
    mapping: WriteMapping,
    slots: u16,
}

impl SlotWriter {
    /// Maps a region for writing.
    ///
    /// # Errors
    /// `InvalidInput` when the descriptor is not a region of `slots` slots.
    pub fn new(fd: &OwnedFd, slots: u16) -> io::Result<Self> {
        Ok(Self { mapping: WriteMapping::new(fd, region_bytes(slots)?)?, slots })
    }

    /// Maps a region for writing and returns one writer per slot, in order. They can be used concurrently.
    ///
    /// # Errors
    /// `InvalidInput` when the descriptor is not a region of `slots` slots.
    pub fn one_for_each_slot(fd: &OwnedFd, slots: u16) -> io::Result<Vec<Self>> {
        let mappings = WriteMapping::parts(fd, region_bytes(slots)?, SLOT_BYTES)?;
        Ok(mappings.into_iter().map(|mapping| Self { mapping, slots: 1 }).collect())
    }

    /// The whole region, or one slot for a writer from [`Self::one_for_each_slot`].
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.mapping.bytes_mut()
    }

    /// The bytes of a slot; `None` if there is no such slot.
    pub fn slot_mut(&mut self, slot: u16) -> Option<&mut [u8]> {
        let range = slot_range(slot, self.slots)?;
        self.mapping.bytes_mut().get_mut(range)
    }
}

/// A unit's read-only mapping of a region.
#[derive(Debug)]
pub struct SlotReader {
    mapping: ReadMapping,
    slots: u16,
}

impl SlotReader {
    /// Maps a region for reading.
    ///
    /// # Errors
    /// `InvalidInput` when the descriptor is not a region of `slots` slots.
    pub fn new(fd: &OwnedFd, slots: u16) -> io::Result<Self> {
        Ok(Self { mapping: ReadMapping::new(fd, region_bytes(slots)?)?, slots })
    }

    /// The bytes of a slot; `None` if there is no such slot.
    pub fn slot(&self, slot: u16) -> Option<&[u8]> {
        self.mapping.bytes().get(slot_range(slot, self.slots)?)
    }

    /// The bytes from a slot to the end of the region. A picture longer than one slot has a region of its own.
    pub fn from_slot(&self, slot: u16) -> Option<&[u8]> {
        self.mapping.bytes().get(slot_range(slot, self.slots)?.start..)
    }
}

fn region_bytes(slots: u16) -> io::Result<usize> {
    if (1..=MAX_SLOTS).contains(&slots) {
        Ok(usize::from(slots) * SLOT_BYTES)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, format!("a region has 1 to {MAX_SLOTS} slots, not {slots}")))
    }
}

fn slot_range(slot: u16, slots: u16) -> Option<std::ops::Range<usize>> {
    let start = usize::from(slot) * SLOT_BYTES;
    (slot < slots).then_some(start..start + SLOT_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_in_the_slot_where_it_was_written() {
        let region = Region::create("test", 3).unwrap();
        let mut writer = SlotWriter::new(region.writable(), 3).unwrap();
        let reader = SlotReader::new(region.read_only(), 3).unwrap();
        writer.slot_mut(2).unwrap()[SLOT_BYTES - 1] = 9;
        assert_eq!(reader.slot(2).unwrap()[SLOT_BYTES - 1], 9);
        assert_eq!(reader.slot(1).unwrap()[SLOT_BYTES - 1], 0);
        assert!(reader.slot(3).is_none() && writer.slot_mut(3).is_none());
    }

    #[test]
    fn a_writer_for_one_slot_writes_that_slot_only() {
        let region = Region::create("test", 3).unwrap();
        let mut writers = SlotWriter::one_for_each_slot(region.writable(), 3).unwrap();
        let reader = SlotReader::new(region.read_only(), 3).unwrap();
        writers[1].bytes_mut().fill(9);
        assert_eq!(writers.len(), 3);
        for (slot, byte) in [(0, 0), (1, 9), (2, 0)] {
            assert!(reader.slot(slot).unwrap().iter().all(|found| *found == byte), "slot {slot}");
        }
    }

    #[test]
    fn a_region_of_another_size_than_announced_is_refused() {
        let region = Region::create("test", 2).unwrap();
        assert!(SlotReader::new(region.read_only(), 3).is_err());
        assert!(Region::create("test", 0).is_err());
        assert!(Region::create("test", MAX_SLOTS + 1).is_err());
    }
}
