//! Finds events in the bytes of a store and its log without SQLite: at every offset where a cell can begin, in the
//! newest copy of each page.
//!
//! The formats of page, cell, record and frame are those of <https://www.sqlite.org/fileformat2.html>, sections 1.5,
//! 1.6, 2.1 and 4.1.

use crate::publish::outbox::record::{Position, Record};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The size of a page: the store's, and the one that stores of earlier versions have.
const PAGE_BYTES: [usize; 2] = [1024, 4096];

/// A payload of 16 KiB and the other columns: a longer cell is not an event.
const MAX_CELL_BYTES: usize = 20 << 10;

const LOG_HEADER_BYTES: usize = 32;
/// Where the header of a log has the size of a page.
const LOG_PAGE_BYTES: usize = 8;
const FRAME_HEADER_BYTES: usize = 24;

/// The first page begins with the header of the file.
const MAGIC: &[u8] = b"SQLite format 3\0";
const HEADER_BYTES: usize = 100;
const PAGE_COUNT: usize = 28;
const FIRST_FREE: usize = 32;
const FREE_COUNT: usize = 36;
const LEAF: u8 = 13;
const LEAF_HEADER_BYTES: usize = 8;

/// Events by position, and whether they were delivered.
pub(super) type Found = BTreeMap<Position, (Record, bool)>;

/// The events of a store and of its log, with valid checksums. Where damage hides the size of a page, it is the one by which
/// more events are found.
pub(super) fn events(store: &[u8], log: &[u8]) -> Found {
    let found = |bytes: usize| Pages::of(store, log, bytes).events();
    match page_bytes(store, log) {
        Some(bytes) => found(bytes),
        None => PAGE_BYTES.map(found).into_iter().max_by_key(Found::len).unwrap_or_default(),
    }
}

/// The size of a page as the header of the store has it, or else that of the log. The header has the number of pages too: a
/// size that does not fit it is damaged.
fn page_bytes(store: &[u8], log: &[u8]) -> Option<usize> {
    let has_header = store.starts_with(MAGIC) && store.len() >= HEADER_BYTES;
    let fits = |bytes: &usize| number(store, PAGE_COUNT).checked_mul(*bytes) == Some(store.len());
    let in_store = has_header.then(|| short(store, 16).filter(fits)).flatten();
    let in_log = log.get(..LOG_HEADER_BYTES).map(|header| number(header, LOG_PAGE_BYTES));
    [in_store, in_log].into_iter().flatten().find(|bytes| PAGE_BYTES.contains(bytes))
}

/// Pages of `bytes` bytes by number, from 1.
struct Pages<'a> {
    by_number: BTreeMap<usize, &'a [u8]>,
    bytes: usize,
}

impl<'a> Pages<'a> {
    /// The pages of a store, and of those in its log the newest copies. Frames of an earlier round of the log have
    /// other salts and are in the store already; the first frame is always of the last round, and so is the header: one
    /// of them may be the damaged one.
    fn of(store: &'a [u8], log: &'a [u8], bytes: usize) -> Self {
        let mut by_number: BTreeMap<usize, &[u8]> = (1..).zip(store.chunks_exact(bytes)).collect();
        let salts = |at: usize| log.get(at..at + 8).map(|salts| salts.split_at(4));
        // Both change with each round, so one of them is enough: the other may be damaged.
        let of_this_round = [salts(16), salts(LOG_HEADER_BYTES + 8)].into_iter().flatten();
        let is_of_this_round = |header: &[u8]| {
            of_this_round.clone().any(|(first, second)| *first == header[8..12] || *second == header[12..16])
        };
        let frames = log.get(LOG_HEADER_BYTES..).unwrap_or_default().chunks_exact(FRAME_HEADER_BYTES + bytes);
        for frame in frames {
            let (header, page) = frame.split_at(FRAME_HEADER_BYTES);
            if is_of_this_round(header) {
                by_number.insert(number(header, 0), page);
            }
        }
        Self { by_number, bytes }
    }

    /// All events with a valid checksum.
    fn events(&self) -> Found {
        let mut found = Found::new();
        let free = self.free();
        for (_, page) in self.by_number.iter().filter(|(number, _)| !free.contains(number)) {
            let events = self
                .of_leaf(page)
                .unwrap_or_else(|| (0..page.len()).filter_map(|at| self.cell(page.get(at..)?)).collect());
            for (record, delivered) in events {
                // Stale copies may exist outside the tree; an event that was delivered once stays delivered.
                let known = found.entry(record.position).or_insert((record, delivered));
                known.1 |= delivered;
            }
        }
        found
    }

    /// The events that a leaf points at; `None` when it points at anything else, because it is damaged or another kind
    /// of page. The rest of an intact leaf may still hold deleted or moved events, which must not come back.
    fn of_leaf(&self, page: &[u8]) -> Option<Vec<(Record, bool)>> {
        if *page.first()? != LEAF {
            return None;
        }
        let pointers = page.get(LEAF_HEADER_BYTES..LEAF_HEADER_BYTES + 2 * short(page, 3)?)?;
        pointers.chunks_exact(2).map(|pointer| self.cell(page.get(short(pointer, 0)?..)?)).collect()
    }

    /// The free pages, from the list that begins in the header; none when that list is damaged.
    fn free(&self) -> BTreeSet<usize> {
        let mut free = BTreeSet::new();
        let Some(header) = self.by_number.get(&1).filter(|page| page.starts_with(MAGIC)) else { return free };
        let mut trunk = number(header, FIRST_FREE);
        while let Some(page) = self.by_number.get(&trunk)
            && free.insert(trunk)
        {
            let leaves = number(page, 4).min(self.bytes / 4 - 2);
            free.extend((0..leaves).map(|leaf| number(page, 8 + 4 * leaf)));
            trunk = number(page, 0);
        }
        if free.len() == number(header, FREE_COUNT) { free } else { BTreeSet::new() }
    }

    /// The event whose cell begins at this offset, if there is one.
    fn cell(&self, mut bytes: &[u8]) -> Option<(Record, bool)> {
        let length = usize::try_from(varint(&mut bytes)?).ok()?;
        let position = Position::try_from(varint(&mut bytes)?).ok()?;
        // The header of its record: the row id, delivered, the time, the camera, the payload, the checksum.
        let mut header = bytes.get(1..usize::from(*bytes.first()?))?;
        let header_length = header.len() + 1;
        let mut kinds = [0; 6];
        for kind in &mut kinds {
            *kind = varint(&mut header)?;
        }
        let [0, delivered @ (8 | 9), time, camera, payload, checksum] = kinds else { return None };
        if !header.is_empty() || length > MAX_CELL_BYTES {
            return None;
        }
        let cell = self.whole(bytes, length)?;
        let mut body = cell.get(header_length..)?;
        let recorded_ms = integer(time, &mut body)?;
        let camera = std::str::from_utf8(bytes_of(camera.checked_sub(13)?, &mut body)?).ok()?;
        let payload = bytes_of(payload.checked_sub(12)?, &mut body)?;
        let checksum = integer(checksum, &mut body)?;
        let record = Record { position, recorded_ms, camera: camera.into(), payload: payload.to_owned() };
        (i64::from(record.checksum()) == checksum).then_some((record, delivered == 9))
    }

    /// The record of a cell, including its overflow pages. Of a record that does not fit a leaf, the leaf holds at least
    /// `least` bytes.
    fn whole<'b>(&self, bytes: &'b [u8], length: usize) -> Option<Cow<'b, [u8]>> {
        let (most, least) = (self.bytes - 35, (self.bytes - 12) * 32 / 255 - 23);
        if length <= most {
            return bytes.get(..length).map(Cow::Borrowed);
        }
        let local = least + (length - least) % (self.bytes - 4);
        let local = if local <= most { local } else { least };
        let mut whole = bytes.get(..local)?.to_owned();
        let mut next = number(bytes.get(local..local + 4)?, 0);
        // Each turn adds something, so a chain in a circle ends too.
        while whole.len() < length {
            let page = self.by_number.get(&next)?;
            next = number(page, 0);
            whole.extend(&page[4..self.bytes.min(4 + length - whole.len())]);
        }
        Some(whole.into())
    }
}

/// Whether a store's header is not one that we write. A missing header is not damaged.
pub(super) fn is_damaged(header: &[u8]) -> bool {
    // The size of a page; the versions for writing and reading: 1 until it has a log; three numbers that never change.
    let is_ours = |ours: &[u8]| matches!(ours, [0x10 | 0x04, 0, 1 | 2, 1 | 2, 0, 64, 32, 32]);
    header.starts_with(MAGIC) && header.get(16..24).is_some_and(|numbers| !is_ours(numbers))
}

/// Four bytes, most significant first; there must be so many.
fn number(bytes: &[u8], at: usize) -> usize {
    bytes[at..at + 4].iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// Two bytes, most significant first.
fn short(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..at + 2).map(|two| usize::from(two[0]) << 8 | usize::from(two[1]))
}

/// A variable-length integer of up to nine bytes, most significant first.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for index in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if index == 8 {
            return Some(value << 8 | u64::from(*byte));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// An integer of a record, by the kind in its header.
fn integer(kind: u64, body: &mut &[u8]) -> Option<i64> {
    let length = match kind {
        8 | 9 => return Some(i64::from(kind == 9)),
        1..=4 => usize::try_from(kind).ok()?,
        5 => 6,
        6 => 8,
        _ => return None,
    };
    let (bytes, rest) = body.split_at_checked(length)?;
    *body = rest;
    let sign = if bytes[0] & 0x80 == 0 { 0 } else { -1 };
    Some(bytes.iter().fold(sign, |value, byte| value << 8 | i64::from(*byte)))
}

/// Text or a blob, given twice its length.
fn bytes_of<'a>(twice: u64, body: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (bytes, rest) = body.split_at_checked(usize::try_from(twice / 2).ok()?)?;
    *body = rest;
    Some(bytes)
}
