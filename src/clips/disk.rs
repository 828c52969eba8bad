//! The files of clips: `<camera>/<start>.mp4` and `<start>.json` each. They show people: only their owner reads them.

use crate::clips::clip_entry::{ClipEntry, MAX_BYTES};
use crate::clips::shared::{entry_file, stem, video_file};
use crate::os::atomic_file;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// The endings of the files of a clip, and of those that are being written.
const ENDINGS: [&str; 4] = ["mp4", "json", "mp4.part", "json.part"];

/// Clips of a camera that begin in one millisecond are given times one after another. There are never so many.
const MOST_TRIES: i64 = 100;

/// The video of a clip while it is written.
#[derive(Debug)]
pub(super) struct OpenClip {
    pub(super) entry: ClipEntry,
    part: PathBuf,
    file: File,
}

impl OpenClip {
    /// Makes the file. The time in `entry` becomes one that no other clip of the camera has.
    ///
    /// # Errors
    /// The I/O error.
    pub(super) fn create(directory: &Path, mut entry: ClipEntry) -> io::Result<Self> {
        let directory = directory.join(entry.camera.as_str());
        DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(&directory)?;
        for _ in 0..MOST_TRIES {
            let part = part_of(&video_file(&directory, entry.start_ms));
            let is_free = !video_file(&directory, entry.start_ms).exists();
            let made = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&part);
            match made {
                Ok(file) if is_free => return Ok(Self { entry, part, file }),
                Ok(_) => fs::remove_file(&part)?,
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Err(_) => {}
            }
            entry.start_ms += 1;
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// # Errors
    /// The I/O error.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.entry.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Gives the files their names. After a power cut, a clip is whole or it is gone.
    ///
    /// # Errors
    /// The I/O error; nothing of the clip is left then.
    pub(super) fn finish(self) -> io::Result<ClipEntry> {
        let directory = self.part.parent().unwrap_or(Path::new(".")).to_owned();
        let video = video_file(&directory, self.entry.start_ms);
        let kept =
            self.file.sync_all().and_then(|()| fs::rename(&self.part, &video)).and_then(|()| {
                atomic_file::replace(&entry_file(&directory, self.entry.start_ms), &self.entry.to_json())
            });
        if kept.is_err() {
            drop(fs::remove_file(&self.part));
            drop(remove(&directory, self.entry.start_ms));
        }
        kept.map(|()| self.entry)
    }

    /// Removes what was written.
    pub(super) fn discard(self) {
        drop(fs::remove_file(&self.part));
    }
}

/// Removes a clip of this camera's directory. The video goes first: what is left without it is removed at the next start, and
/// a clip whose video stays is found again then.
///
/// # Errors
/// The I/O error, where the video stays.
pub(super) fn remove(directory: &Path, start_ms: i64) -> io::Result<()> {
    remove_file(&video_file(directory, start_ms))?;
    remove_or_say(&entry_file(directory, start_ms));
    Ok(())
}

/// A file that is not there is removed.
fn remove_file(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn remove_or_say(file: &Path) {
    if let Err(error) = remove_file(file) {
        tracing::warn!(file = %file.display(), %error, "a file of a clip cannot be removed");
    }
}

fn part_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Finds the whole clips, and removes what a run before has not finished or the disk has damaged. Files that are not called
/// as those of clips are left alone.
pub(super) fn scan(directory: &Path) -> Vec<ClipEntry> {
    let mut found = Scan::default();
    for camera in entries(directory) {
        let is_directory = camera.file_type().is_ok_and(|kind| kind.is_dir());
        let id = camera.file_name().to_str().and_then(|name| CameraId::new(name).ok());
        match id.filter(|_| is_directory) {
            Some(id) => found.camera(&camera.path(), &id),
            None => found.foreign += 1,
        }
    }
    let Scan { clips, removed, foreign } = found;
    if removed > 0 {
        tracing::warn!(clips = removed, "clips that were not finished, or are damaged, have been removed");
    }
    if foreign > 0 {
        tracing::warn!(files = foreign, directory = %directory.display(), "files that are none of clips are left alone");
    }
    clips
}

#[derive(Debug, Default)]
struct Scan {
    clips: Vec<ClipEntry>,
    removed: usize,
    foreign: usize,
}

impl Scan {
    fn camera(&mut self, directory: &Path, camera: &CameraId) {
        let mut stems = BTreeSet::new();
        for file in entries(directory) {
            let name = file.file_name();
            let parts = name.to_str().and_then(|name| ENDINGS.iter().find_map(|end| stem_before(name, end)));
            match parts.filter(|_| file.file_type().is_ok_and(|kind| kind.is_file())) {
                Some(stem) => drop(stems.insert(stem.to_owned())),
                None => self.foreign += 1,
            }
        }
        for stem in stems {
            let file = |ending: &str| directory.join(format!("{stem}.{ending}"));
            ["mp4.part", "json.part"].iter().for_each(|ending| remove_or_say(&file(ending)));
            match whole(&file("json"), &file("mp4"), camera, &stem) {
                Some(entry) => self.clips.push(entry),
                None => {
                    ["mp4", "json"].iter().for_each(|ending| remove_or_say(&file(ending)));
                    self.removed += 1;
                }
            }
        }
    }
}

/// The entry of a clip whose two files fit together.
fn whole(entry: &Path, video: &Path, camera: &CameraId, name: &str) -> Option<ClipEntry> {
    let mut bytes = Vec::new();
    File::open(entry).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    let entry = ClipEntry::from_json(&bytes)?;
    let fits = entry.camera == *camera && stem(entry.start_ms) == name;
    let is_there = fs::symlink_metadata(video).is_ok_and(|file| file.is_file() && file.len() == entry.bytes);
    (fits && is_there).then_some(entry)
}

/// The time in the name of a clip's file with this ending: `2026-11-24T08-15-30.123Z`.
fn stem_before<'a>(name: &'a str, ending: &str) -> Option<&'a str> {
    let stem = name.strip_suffix(ending)?.strip_suffix('.')?;
    let form = "dddd-dd-ddTdd-dd-dd.dddZ";
    let fits = |(byte, form): (u8, u8)| if form == b'd' { byte.is_ascii_digit() } else { byte == form };
    (stem.len() == form.len() && stem.bytes().zip(form.bytes()).all(fits)).then_some(stem)
}

/// A directory that is not there is empty.
fn entries(directory: &Path) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(directory).into_iter().flatten().flatten()
}

#[cfg(test)]
mod tests;
