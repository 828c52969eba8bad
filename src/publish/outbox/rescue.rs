//! Saves what can be read of a damaged store, so that damage costs the events whose bytes it hits and no others.
//!
//! SQLite reads through its tree, so a damaged inner page hides all that is below it, and a damaged frame of the log
//! all that was logged after it. An event however is whole in one cell of one page, with a checksum of ours. So it is
//! looked for where it lies: at every offset of every page, and of the newest copy of each page in the log. The forms
//! of cell, record and frame are those of <https://www.sqlite.org/fileformat2.html>, sections 1.6, 2.1 and 4.1.

use crate::publish::outbox::record::{Position, Record};
use crate::publish::outbox::store::{Dropped, Store};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// SQLite's default, which the store does not change.
const PAGE_BYTES: usize = 4096;

/// What a page holds of a longer cell goes on in other pages.
const MAX_LOCAL_BYTES: usize = PAGE_BYTES - 35;

const LOG_HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// Events by position, and whether they were delivered.
type Found = BTreeMap<Position, (Record, bool)>;

/// The log beside a store.
fn log_of(file: &Path) -> PathBuf {
    with_suffix(file, "-wal")
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Sets a damaged file aside as `….damaged`, in the place of an earlier one, and fills a new one with what can be read
/// of it: how many events that were not delivered.
pub(super) fn set_aside(file: &Path, vfs: Option<&str>) -> io::Result<usize> {
    let mut pages = read_or_nothing(file)?;
    apply_log(&mut pages, &read_or_nothing(&log_of(file))?);
    let found = events(&pages);
    std::fs::rename(file, with_suffix(file, ".damaged"))?;
    // Without its store it means nothing, and it would be taken for the new one's.
    match std::fs::remove_file(log_of(file)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let delivered: Vec<Position> = found.values().filter(|(_, done)| *done).map(|(one, _)| one.position).collect();
    let records: Vec<Record> = found.into_values().map(|(record, _)| record).collect();
    Store::open(file, vfs)
        .and_then(|mut store| store.write(&records, &delivered, Dropped::default()))
        .map_err(io::Error::other)?;
    Ok(records.len() - delivered.len())
}

/// The events of a log that was left behind. Must be read before SQLite opens the store, which forgets all frames
/// behind the first that is damaged.
pub(super) fn left_in_log(file: &Path) -> io::Result<Vec<Record>> {
    let log = read_or_nothing(&log_of(file))?;
    if log.is_empty() {
        return Ok(Vec::new());
    }
    let mut pages = Vec::new();
    apply_log(&mut pages, &log);
    Ok(events(&pages).into_values().filter(|(_, delivered)| !delivered).map(|(record, _)| record).collect())
}

fn read_or_nothing(file: &Path) -> io::Result<Vec<u8>> {
    match std::fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

/// Puts the newest copy of each page in the log in its place. Frames of an earlier round of the log have other salts
/// and are in the store already; the first frame is always of the last round, and so is the header: one of them may be
/// the damaged one.
fn apply_log(pages: &mut Vec<u8>, log: &[u8]) {
    let salts = |at: usize| log.get(at..at + 8);
    let of_this_round = [salts(16), salts(LOG_HEADER_BYTES + 8)];
    let frames = log.get(LOG_HEADER_BYTES..).unwrap_or_default().chunks_exact(FRAME_HEADER_BYTES + PAGE_BYTES);
    // No page lies further than the store and the log together are long: a damaged number cannot ask for more memory.
    let most_pages = pages.len() / PAGE_BYTES + frames.len() + 1;
    for frame in frames {
        let (header, page) = frame.split_at(FRAME_HEADER_BYTES);
        let number = header[..4].iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
        if !of_this_round.contains(&header.get(8..16)) || number == 0 || number > most_pages {
            continue;
        }
        if pages.len() < number * PAGE_BYTES {
            pages.resize(number * PAGE_BYTES, 0);
        }
        pages[(number - 1) * PAGE_BYTES..number * PAGE_BYTES].copy_from_slice(page);
    }
}

/// All events whose checksums are right.
fn events(pages: &[u8]) -> Found {
    let mut found = Found::new();
    for page in pages.chunks(PAGE_BYTES) {
        for at in 0..page.len() {
            if let Some((record, delivered)) = page.get(at..).and_then(cell) {
                // A copy that is no longer part of the tree may lie about; what was delivered once stays delivered.
                let known = found.entry(record.position).or_insert((record, delivered));
                known.1 |= delivered;
            }
        }
    }
    found
}

/// The event of a cell that begins here, if one does.
fn cell(mut bytes: &[u8]) -> Option<(Record, bool)> {
    let length = usize::try_from(varint(&mut bytes)?).ok()?;
    let position = Position::try_from(varint(&mut bytes)?).ok()?;
    if !(8..=MAX_LOCAL_BYTES).contains(&length) {
        return None;
    }
    let mut body = bytes.get(..length)?;
    let header_length = usize::from(*body.first()?);
    let mut header = body.get(1..header_length)?;
    body = &body[header_length..];
    let mut kinds = [0; 6];
    for kind in &mut kinds {
        *kind = varint(&mut header)?;
    }
    // The row id, delivered, the time, the camera, the payload, the checksum.
    let [0, delivered @ (8 | 9), time, camera, payload, checksum] = kinds else { return None };
    if !header.is_empty() {
        return None;
    }
    let recorded_ms = integer(time, &mut body)?;
    let camera = std::str::from_utf8(bytes_of(camera.checked_sub(13)?, &mut body)?).ok()?;
    let payload = bytes_of(payload.checked_sub(12)?, &mut body)?;
    let checksum = integer(checksum, &mut body)?;
    let record = Record { position, recorded_ms, camera: camera.into(), payload: payload.to_owned() };
    (i64::from(record.checksum()) == checksum).then_some((record, delivered == 9))
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

/// Text or a blob, twice whose length is given.
fn bytes_of<'a>(twice: u64, body: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (bytes, rest) = body.split_at_checked(usize::try_from(twice / 2).ok()?)?;
    *body = rest;
    Some(bytes)
}
