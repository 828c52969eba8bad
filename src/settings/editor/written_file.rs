//! Writes the files of the settings: one writer at a time, each file in one step, readable for the service.

use crate::os::pinned_directory::PinnedDirectory;
use crate::os::{atomic_file, directories};
use crate::settings::editor::edit_error::EditError;
use crate::settings::files::programs_directory;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A hidden file: no file of settings.
const LOCK: &str = ".lock";

/// Files of programs may hold passwords.
const PRIVATE: u32 = 0o600;

/// The lock of the one who writes. The kernel releases it when its holder ends for any reason.
#[derive(Debug)]
pub(super) struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Waits for the lock. Creates the directory that programs write, for the owner of the state directory. That owner is
    /// the service, and this may be root: links that the service may have put there are not followed.
    pub(super) fn take(state_directory: &Path) -> Result<Self, EditError> {
        let directory = programs_directory(state_directory);
        let lock = || -> io::Result<File> {
            let pinned = PinnedDirectory::open(&directory)?;
            let owner = std::fs::metadata(state_directory)?;
            atomic_file::give(pinned.file(), &owner)?;
            let file = pinned.open_or_make(LOCK)?;
            atomic_file::give(&file, &owner)?;
            file.lock()?;
            Ok(file)
        };
        let file = lock().map_err(|source| EditError::Unlocked { directory: directory.clone(), source })?;
        Ok(Self { _file: file })
    }
}

/// Writes a file of `settings.d`, for the owner of the state directory. No link of the owner's is followed.
pub(super) fn write_of_programs(file: &Path, text: &str, state_directory: &Path) -> io::Result<()> {
    let pinned = PinnedDirectory::open(&programs_directory(state_directory))?;
    let entry = pinned.entry(file.file_name().unwrap_or_default());
    atomic_file::replace_as(&entry, text.as_bytes(), PRIVATE, &std::fs::metadata(state_directory)?)
}

/// Replaces a file of the operator, which keeps its mode and owner. A symbolic link stays one.
pub(super) fn write_in_place(file: &Path, text: &str) -> io::Result<()> {
    let file = std::fs::canonicalize(file)?;
    // A file that may not be written is not replaced, even if its directory may be.
    let before = OpenOptions::new().write(true).open(&file)?.metadata()?;
    atomic_file::replace_as(&file, text.as_bytes(), before.mode(), &before)
}

/// Removes a file.
pub(super) fn remove(file: &Path) -> io::Result<()> {
    std::fs::remove_file(file)?;
    file.parent().map_or(Ok(()), directories::sync)
}
