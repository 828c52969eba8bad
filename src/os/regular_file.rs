//! Opens files by names that an operator gives, and nothing that would be waited for.

use rustix::fs::{Mode, OFlags, open as open_descriptor};
use std::fs::File;
use std::io;
use std::path::Path;

/// Opens a regular file for reading.
///
/// # Errors
/// The I/O error; `InvalidInput` for anything but a regular file.
pub fn open(path: &Path) -> io::Result<File> {
    // NONBLOCK: opening a named pipe would otherwise wait for a writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(open_descriptor(path, flags, Mode::empty())?);
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}
