//! The pictures in a directory that a person names.

use crate::vision::frame::SLOT_BYTES;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The JPEG and PNG files in a directory, by their names, sorted.
///
/// # Errors
/// A text that names the directory, when it cannot be read.
pub(super) fn pictures_in(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let unreadable = |error| format!("{} cannot be read: {error}", directory.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if is_picture(&path) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    ["jpg", "jpeg", "png"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// Reads a picture: of one that is too large for a unit no more than shows that.
///
/// # Errors
/// The I/O error.
pub(super) fn read_picture(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(SLOT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
