//! The contents of a disk after a power cut: everything that was synced, and a random part of the rest.

use super::dice::Dice;
use crate::os::tests::watched_disk::Step;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The sector size: a disk writes a sector completely, or tears it.
const SECTOR: usize = 512;

/// The state of the disk at a step of a trace.
#[derive(Default)]
pub(super) struct DiskImage<'a> {
    files: BTreeMap<&'a str, FileImage<'a>>,
}

#[derive(Default)]
struct FileImage<'a> {
    /// `None`: the file does not exist.
    synced: Option<Vec<u8>>,
    /// Later steps, in order.
    unsynced: Vec<&'a Step>,
}

/// How a daemon or its machine ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// Only the daemon ends; the kernel writes everything.
    Killed,
    PowerCut,
}

impl<'a> DiskImage<'a> {
    /// Applies the next step.
    pub(super) fn apply(&mut self, step: &'a Step) {
        let name: &'a Arc<str> = match step {
            Step::Mark(_) => return,
            Step::Create { file }
            | Step::Write { file, .. }
            | Step::Truncate { file, .. }
            | Step::Sync { file }
            | Step::FailedSync { file }
            | Step::Delete { file } => file,
        };
        let file = self.files.entry(name).or_default();
        match step {
            Step::Sync { .. } => {
                file.unsynced.drain(..).for_each(|step| whole(&mut file.synced, step));
                // SQLite syncs the directory with a new journal or log.
                if name.ends_with("-wal") || name.ends_with("-journal") {
                    self.sync_directory();
                }
            }
            Step::FailedSync { .. } => file.unsynced.retain(|step| matches!(step, Step::Create { .. })),
            _ => file.unsynced.push(step),
        }
    }

    fn sync_directory(&mut self) {
        let is_of_directory = |step: &&Step| matches!(step, Step::Create { .. } | Step::Delete { .. });
        for file in self.files.values_mut() {
            for step in file.unsynced.iter().filter(|step| is_of_directory(step)) {
                whole(&mut file.synced, step);
            }
            // Unsynced writes to a deleted file are irrelevant.
            let deleted = file.unsynced.iter().rposition(|step| matches!(step, Step::Delete { .. }));
            file.unsynced.drain(..deleted.map_or(0, |at| at + 1));
            file.unsynced.retain(|step| !is_of_directory(step));
        }
    }

    /// Writes the files that remain after the crash into an empty directory.
    pub(super) fn write(&self, directory: &Path, end: End, dice: &mut Dice) {
        for entry in std::fs::read_dir(directory).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for (name, file) in &self.files {
            let mut content = file.synced.clone();
            match end {
                End::Killed => file.unsynced.iter().for_each(|step| whole(&mut content, step)),
                End::PowerCut => by_chance(&mut content, &file.unsynced, dice),
            }
            if let Some(bytes) = content {
                std::fs::write(directory.join(name), bytes).unwrap();
            }
        }
    }
}

fn whole(content: &mut Option<Vec<u8>>, step: &Step) {
    match (step, content) {
        (Step::Create { .. }, content @ None) => *content = Some(Vec::new()),
        (Step::Delete { .. }, content) => *content = None,
        (Step::Truncate { size, .. }, Some(content)) => content.resize(*size, 0),
        (Step::Write { offset, bytes, .. }, Some(content)) => put(content, *offset, bytes),
        _ => {}
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    content.resize(content.len().max(offset + bytes.len()), 0);
    content[offset..offset + bytes.len()].copy_from_slice(bytes);
}

/// Writes random sectors of the steps, so that a later one may exist without an earlier one, each with any of its
/// contents. The last one is torn.
fn by_chance(content: &mut Option<Vec<u8>>, steps: &[&Step], dice: &mut Dice) {
    let percent = [0, 10, 50, 90, 99, 100][dice.below(6)];
    let mut chosen: Vec<(usize, &[u8])> = Vec::new();
    for step in steps {
        if let Step::Write { offset, bytes, .. } = step {
            let (mut offset, mut bytes) = (*offset, bytes.as_slice());
            while !bytes.is_empty() {
                let (sector, rest) = bytes.split_at(bytes.len().min(SECTOR - offset % SECTOR));
                if dice.percent(percent) {
                    chosen.push((offset, sector));
                } else if dice.percent(30) {
                    // The file has grown, but its new contents are missing.
                    chosen.push((offset + sector.len(), &[]));
                }
                (offset, bytes) = (offset + sector.len(), rest);
            }
        } else if dice.percent(percent) {
            write_all(content, &mut chosen);
            whole(content, step);
        }
    }
    if let Some((_, last)) = chosen.last_mut().filter(|(_, last)| !last.is_empty()) {
        *last = &last[..dice.below(last.len() + 1)];
    }
    write_all(content, &mut chosen);
}

fn write_all(content: &mut Option<Vec<u8>>, chosen: &mut Vec<(usize, &[u8])>) {
    for (offset, bytes) in chosen.drain(..) {
        if let Some(content) = content {
            put(content, offset, bytes);
        }
    }
}
