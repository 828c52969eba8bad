//! A directory of objects, and the files in it that are being received.
//!
//! Every step goes to one name below an open directory and follows no link, so no name leads out of it, whatever becomes of
//! the directories meanwhile. A file that is being received lies in a directory of its own at the root, so that it is on the
//! same disk as its place and one rename puts it there. Its writer holds a lock on it: one without a lock is what a process
//! that died has left.

use crate::os::beneath::{open_named, unless_trouble};
use rustix::fs::{AtFlags, Dir, FlockOperation, Mode, OFlags, flock, mkdirat, openat, renameat, unlinkat};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The directory of files that are being received. No object is below it.
const UPLOADS: &str = ".ocelli-uploads";

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

/// Others of its group may read what was put.
const FILE_MODE: Mode = Mode::from_raw_mode(0o640);
const DIRECTORY_MODE: Mode = Mode::from_raw_mode(0o750);

/// How often a rename is tried where somebody removes the directories that were just made for it.
const TRIES: usize = 3;

/// An open directory.
#[derive(Debug)]
pub struct ObjectDirectory(OwnedFd);

/// What a directory is, whatever its path.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct DirectoryId {
    /// The number of its file system.
    pub disk: u64,
    /// Its number there.
    pub inode: u64,
}

/// A name in a directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The last part of its path.
    pub name: String,
    /// False for files, and for links and everything else.
    pub is_directory: bool,
}

/// What is known of an object without reading it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ObjectFacts {
    /// The length of the file.
    pub bytes: u64,
    /// When it was written, in milliseconds since 1970.
    pub modified_ms: i64,
    /// The rest of that time.
    pub nanoseconds: i64,
    /// Its number on its disk: another file has another one.
    pub inode: u64,
}

impl ObjectFacts {
    /// # Errors
    /// The I/O error; `InvalidInput` for anything but a regular file.
    pub fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
        }
        let modified_ms = metadata.mtime() * 1000 + metadata.mtime_nsec() / 1_000_000;
        let (nanoseconds, inode) = (metadata.mtime_nsec(), metadata.ino());
        Ok(Self { bytes: metadata.len(), modified_ms, nanoseconds, inode })
    }
}

impl ObjectDirectory {
    /// Opens the directory of a bucket.
    ///
    /// # Errors
    /// The I/O error.
    pub fn open(root: &Path) -> io::Result<Self> {
        Ok(Self(rustix::fs::open(root, DIRECTORY.difference(OFlags::NOFOLLOW), Mode::empty())?))
    }

    /// What it is.
    ///
    /// # Errors
    /// The I/O error.
    pub fn id(&self) -> io::Result<DirectoryId> {
        let facts = rustix::fs::fstat(&self.0)?;
        Ok(DirectoryId { disk: facts.st_dev, inode: facts.st_ino })
    }

    /// Opens an object below it for reading. `names` lead to it.
    ///
    /// # Errors
    /// As of [`Self::facts`].
    pub fn open_object(&self, names: &[&str]) -> io::Result<File> {
        open_named(self.0.try_clone()?, names)
    }

    /// Opens a directory in it.
    ///
    /// # Errors
    /// The I/O error; also for a link.
    pub fn child(&self, name: &str) -> io::Result<Self> {
        Ok(Self(openat(&self.0, name, DIRECTORY, Mode::empty())?))
    }

    /// Passes each name in it to `take`, in no order. Names that are not UTF-8 and the directory of files that are being
    /// received are left out.
    ///
    /// # Errors
    /// The I/O error.
    pub fn each_entry(&self, mut take: impl FnMut(Entry)) -> io::Result<()> {
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if [".", "..", UPLOADS].contains(&name) {
                continue;
            }
            let is_directory = match entry.file_type() {
                // Some file systems do not say.
                rustix::fs::FileType::Unknown => unless_trouble(self.child(name))?.is_some(),
                kind => kind.is_dir(),
            };
            take(Entry { name: name.to_owned(), is_directory });
        }
        Ok(())
    }

    /// The facts of an object in it.
    ///
    /// # Errors
    /// The I/O error; `InvalidInput` for anything but a regular file.
    pub fn facts(&self, name: &str) -> io::Result<ObjectFacts> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        ObjectFacts::of(&File::from(openat(&self.0, name, flags, Mode::empty())?))
    }

    /// The facts of an object below it. `names` lead to it.
    ///
    /// # Errors
    /// As of [`Self::facts`].
    pub fn facts_below(&self, names: &[&str]) -> io::Result<ObjectFacts> {
        let (last, parents) = names.split_last().ok_or(ErrorKind::NotFound)?;
        self.way(parents)?.last().unwrap_or(self).facts(last)
    }

    /// Removes an object below it, and the directories on the way that are empty then.
    ///
    /// # Errors
    /// As of [`Self::facts`].
    pub fn remove(&self, names: &[&str]) -> io::Result<ObjectFacts> {
        let (last, parents) = names.split_last().ok_or(ErrorKind::NotFound)?;
        let way = self.way(parents)?;
        let directory = way.last().unwrap_or(self);
        let facts = directory.facts(last)?;
        unlinkat(&directory.0, *last, AtFlags::empty())?;
        rustix::fs::fsync(&directory.0)?;
        for (depth, name) in parents.iter().enumerate().rev() {
            let above = if depth == 0 { self } else { &way[depth - 1] };
            if unlinkat(&above.0, *name, AtFlags::REMOVEDIR).is_err() {
                break;
            }
        }
        Ok(facts)
    }

    /// Opens one directory after the other.
    fn way(&self, names: &[&str]) -> io::Result<Vec<Self>> {
        let mut way: Vec<Self> = Vec::new();
        for name in names {
            let next = way.last().unwrap_or(self).child(name)?;
            way.push(next);
        }
        Ok(way)
    }

    /// Opens a directory in it; makes it if it does not exist.
    fn open_or_make(&self, name: &str) -> io::Result<Self> {
        match mkdirat(&self.0, name, DIRECTORY_MODE) {
            Ok(()) => rustix::fs::fsync(&self.0)?,
            Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        self.child(name)
    }

    /// Removes what processes that died were receiving, and returns how many files those were.
    ///
    /// # Errors
    /// The I/O error.
    pub fn remove_left_uploads(&self) -> io::Result<usize> {
        let uploads = match self.child(UPLOADS) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            opened => opened?,
        };
        let (mut names, mut removed) = (Vec::new(), 0);
        uploads.each_entry(|entry| names.push(entry.name))?;
        for name in names {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
            let Ok(file) = openat(&uploads.0, &name, flags, Mode::empty()) else { continue };
            let is_left = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
            removed += usize::from(is_left && unlinkat(&uploads.0, &name, AtFlags::empty()).is_ok());
        }
        Ok(removed)
    }
}

/// A file that is being received. Dropped before it is placed, it is removed.
#[derive(Debug)]
pub struct Upload {
    file: File,
    uploads: ObjectDirectory,
    name: String,
    is_placed: bool,
}

impl Upload {
    /// Begins a file in the directory of a bucket. `name` must be one that nobody else has.
    ///
    /// # Errors
    /// The I/O error.
    pub fn begin(root: &ObjectDirectory, name: String) -> io::Result<Self> {
        let uploads = root.open_or_make(UPLOADS)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(openat(&uploads.0, &name, flags, FILE_MODE)?);
        // From here on it is removed whatever fails.
        let upload = Self { file, uploads, name, is_placed: false };
        flock(&upload.file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(upload)
    }

    /// What is received goes here.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Puts the file in its place below the bucket's directory, on the disk for good, and returns its facts. An object that is
    /// there is replaced; what is not an object stays.
    ///
    /// # Errors
    /// The I/O error: `NotADirectory` where an object or a link is in the way, `AlreadyExists` where something else has the
    /// name. The file is removed then, and what was there is as it was.
    pub fn place(mut self, root: &ObjectDirectory, names: &[&str]) -> io::Result<ObjectFacts> {
        let (last, parents) = names.split_last().ok_or(ErrorKind::NotFound)?;
        self.file.sync_all()?;
        for tried in 1.. {
            let mut way: Vec<ObjectDirectory> = Vec::new();
            for name in parents {
                let next = way.last().unwrap_or(root).open_or_make(name)?;
                way.push(next);
            }
            let directory = way.last().unwrap_or(root);
            match directory.facts(last) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                result => drop(unless_trouble(result)?.ok_or(ErrorKind::AlreadyExists)?),
            }
            match renameat(&self.uploads.0, &self.name, &directory.0, *last) {
                Ok(()) => {
                    self.is_placed = true;
                    rustix::fs::fsync(&directory.0)?;
                    break;
                }
                Err(rustix::io::Errno::NOENT) if tried < TRIES => {}
                Err(error) => return Err(error.into()),
            }
        }
        ObjectFacts::of(&self.file)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.is_placed {
            // One that cannot be removed now is removed at the next start.
            unlinkat(&self.uploads.0, &self.name, AtFlags::empty()).unwrap_or(());
        }
    }
}

#[cfg(test)]
mod tests;
