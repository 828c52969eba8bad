//! Writes the files of the settings: one writer at a time, each file in one step, readable for the service.

use crate::os::{atomic_file, directories};
use crate::settings::editor::edit_error::EditError;
use crate::settings::files::programs_directory;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
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
    /// Waits for the lock. Creates the directory that programs write, for the owner of the state directory.
    pub(super) fn take(state_directory: &Path) -> Result<Self, EditError> {
        let directory = programs_directory(state_directory);
        let lock = || -> io::Result<File> {
            DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
            let owner = std::fs::metadata(state_directory)?;
            atomic_file::give(&directory, &owner)?;
            let path = directory.join(LOCK);
            let file = OpenOptions::new().write(true).create(true).truncate(false).mode(PRIVATE).open(&path)?;
            atomic_file::give(&path, &owner)?;
            file.lock()?;
            Ok(file)
        };
        let file = lock().map_err(|source| EditError::Unlocked { directory: directory.clone(), source })?;
        Ok(Self { _file: file })
    }
}

/// Writes a file of `settings.d`, for the owner of the state directory.
pub(super) fn write_of_programs(file: &Path, text: &str, state_directory: &Path) -> io::Result<()> {
    atomic_file::replace_as(file, text.as_bytes(), PRIVATE, &std::fs::metadata(state_directory)?)
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
