//! An event as the outbox stores it.

use std::sync::Arc;

/// An event's place in the order of all events that this box has recorded, from 1. It is never reused.
pub type Position = i64;

/// No box gets so far: at a million events a second it would take 146,000 years. A greater position on the disk comes
/// from damage, and the positions behind it would run out.
pub(super) const LAST_POSITION: Position = 1 << 62;

/// An event in the outbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// Its place in the order.
    pub position: Position,
    /// Wall-clock time of recording, in milliseconds since 1970.
    pub recorded_ms: i64,
    /// The camera's id.
    pub camera: Arc<str>,
    /// The JSON message, at most 16 KiB.
    pub payload: Vec<u8>,
}

impl Record {
    /// CRC-32 over all fields, to detect bytes that the card has changed.
    pub fn checksum(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.position.to_le_bytes());
        hasher.update(&self.recorded_ms.to_le_bytes());
        hasher.update(self.camera.as_bytes());
        hasher.update(&self.payload);
        hasher.finalize()
    }
}
