//! Reads what a waiting call of a child points to: addresses and messages.

use crate::ipc::socket_wish::{MAX_ADDRESS_BYTES, Peer};
use rustix::io::Errno;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// The most bytes that are sent for a child in one call; of a stream the rest follows in its next one.
pub(super) const MAX_DATA_BYTES: usize = 64 * 1024;
/// The most pieces of a message.
const MAX_PIECES: u64 = 64;
/// The sizes of `iovec` and `mmsghdr`, and where in the latter the kernel writes what was sent.
const PIECE_BYTES: u64 = 16;
const ENTRY_BYTES: u64 = 64;
const SENT_OFFSET: u64 = 56;

/// The memory of a child, which its other threads may change at any time: what is read is copied, and read once.
pub(super) struct ChildMemory(pub(super) File);

/// A message of `sendmsg`.
pub(super) struct Outgoing {
    /// To whom; `None`: the socket is connected.
    pub(super) peer: Option<Peer>,
    pub(super) data: Vec<u8>,
    /// Whether it is longer than what was read.
    pub(super) is_cut: bool,
}

impl ChildMemory {
    /// # Errors
    /// `FAULT` if nothing is there, as the kernel would say.
    pub(super) fn read(&self, address: u64, bytes: usize) -> Result<Vec<u8>, Errno> {
        let mut data = vec![0; bytes];
        self.0.read_exact_at(&mut data, address).map_err(|_| Errno::FAULT)?;
        Ok(data)
    }

    pub(super) fn peer(&self, address: u64, length: u64) -> Result<Peer, Errno> {
        let length = usize::try_from(length).ok().filter(|length| *length <= MAX_ADDRESS_BYTES).ok_or(Errno::INVAL)?;
        Ok(Peer::parse(&self.read(address, length)?))
    }

    /// Reads a `msghdr`. Control messages are refused: they could pass descriptors, or name another sender.
    pub(super) fn message(&self, address: u64) -> Result<Outgoing, Errno> {
        let header = self.read(address, 48)?;
        let [name, name_bytes, pieces, count, _, control_bytes] = std::array::from_fn(|index| word(&header, index * 8));
        if control_bytes != 0 {
            return Err(Errno::OPNOTSUPP);
        }
        if count > MAX_PIECES {
            return Err(Errno::MSGSIZE);
        }
        let peer = if name == 0 { None } else { Some(self.peer(name, name_bytes & u64::from(u32::MAX))?) };
        let table = self.read(pieces, usize::try_from(count * PIECE_BYTES).map_err(|_| Errno::INVAL)?)?;
        let (mut data, mut is_cut) = (Vec::new(), false);
        for piece in table.chunks_exact(16) {
            let length = usize::try_from(word(piece, 8)).map_err(|_| Errno::INVAL)?;
            let taken = length.min(MAX_DATA_BYTES - data.len());
            is_cut |= taken < length;
            data.extend(self.read(word(piece, 0), taken)?);
        }
        Ok(Outgoing { peer, data, is_cut })
    }

    /// Where the message with this index of `sendmmsg` is.
    pub(super) fn entry(first: u64, index: u64) -> u64 {
        first.wrapping_add(index * ENTRY_BYTES)
    }

    /// Writes how many bytes of such a message were sent.
    pub(super) fn set_sent(&self, entry: u64, bytes: u32) -> Result<(), Errno> {
        self.0.write_all_at(&bytes.to_ne_bytes(), entry.wrapping_add(SENT_OFFSET)).map_err(|_| Errno::FAULT)
    }
}

fn word(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_ne_bytes)
}
