//! Rescues the readable events of a damaged store, so that damage loses only the events whose bytes it hits.
//!
//! SQLite reads through its tree, so a damaged inner page hides all pages below it, and a damaged frame of the log
//! hides all later frames. But each event is in one cell, with our own checksum. So the cells are searched directly,
//! see [`pages`].

mod pages;

use crate::publish::outbox::record::{LAST_POSITION, Position, Record};
use crate::publish::outbox::store::{Dropped, Store};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The log beside a store.
fn log_of(file: &Path) -> PathBuf {
    with_suffix(file, "-wal")
}

/// A complete new store that is to replace a damaged one.
fn replacement(file: &Path) -> PathBuf {
    with_suffix(file, ".rescued")
}

/// Renames a damaged file to `….damaged`, replacing an earlier one, and fills a new store with its readable events.
/// Returns the number of undelivered events among them.
///
/// The new store is complete and synced before the damaged one is renamed. After a power cut in between, the next start
/// either finds the damaged store unchanged or continues with [`finish`].
pub(super) fn set_aside(file: &Path, vfs: Option<&str>) -> io::Result<usize> {
    let (store, log) = (read_or_nothing(file)?, read_or_nothing(&log_of(file))?);
    let (records, delivered) = apart(pages::events(&store, &log));
    let part = with_suffix(file, ".part");
    let remove_part = || remove(&part).and_then(|()| remove(&log_of(&part)));
    // An earlier attempt may have left files.
    remove_part()?;
    let written = Store::open(&part, vfs).and_then(|mut new| {
        new.write(&records, &delivered, Dropped::default())?;
        new.rewrite()
    });
    if let Err(error) = written {
        // The disk may be full.
        remove_part()?;
        return Err(io::Error::other(error));
    }
    remove(&log_of(&part))?;
    std::fs::rename(&part, replacement(file))?;
    sync_directory(file)?;
    finish(file)?;
    Ok(records.len() - delivered.len())
}

/// Moves a complete replacement into place, if there is one. Call it before each opening.
pub(super) fn finish(file: &Path) -> io::Result<()> {
    let replacement = replacement(file);
    if !replacement.exists() {
        return Ok(());
    }
    if file.exists() {
        std::fs::rename(file, with_suffix(file, ".damaged"))?;
    }
    // SQLite would apply the old log to the new store, so it is removed first.
    remove(&log_of(file))?;
    sync_directory(file)?;
    std::fs::rename(&replacement, file)?;
    sync_directory(file)
}

/// The events of a log without its store, and which of them were delivered. Call it before SQLite opens the store: that
/// drops all frames after the first damaged one.
pub(super) fn left_in_log(file: &Path) -> io::Result<(Vec<Record>, Vec<Position>)> {
    Ok(apart(pages::events(&[], &read_or_nothing(&log_of(file))?)))
}

/// True when a store's header is not one that we write. SQLite would obey some damaged headers, such as one that
/// forbids writing.
pub(super) fn has_damaged_header(file: &Path) -> io::Result<bool> {
    let mut header = Vec::new();
    match File::open(file) {
        Ok(store) => store.take(100).read_to_end(&mut header)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    Ok(pages::is_damaged(&header))
}

/// Removes a log whose store is gone, because SQLite would apply it to the next store.
pub(super) fn remove_log(file: &Path) -> io::Result<()> {
    remove(&log_of(file))
}

fn apart(mut found: pages::Found) -> (Vec<Record>, Vec<Position>) {
    // After such a position none would be left for new events.
    found.retain(|_, (record, _)| (1..=LAST_POSITION).contains(&record.position));
    let delivered = found.values().filter(|(_, is_delivered)| *is_delivered).map(|(one, _)| one.position).collect();
    (found.into_values().map(|(record, _)| record).collect(), delivered)
}

fn read_or_nothing(file: &Path) -> io::Result<Vec<u8>> {
    match std::fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

fn remove(file: &Path) -> io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes renames and removals in the directory of a file survive a power cut.
fn sync_directory(file: &Path) -> io::Result<()> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests;
