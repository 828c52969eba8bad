//! Read-only mappings of files. Their pages are in the page cache, which all processes share.

use std::fs::File;
use std::io;
use std::path::Path;

/// The mapped content of a file; dropping it unmaps the file.
#[derive(Debug)]
pub struct MappedFile(memmap2::Mmap);

impl AsRef<[u8]> for MappedFile {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Maps a file that another process may change at any time, for a child that reads it once.
///
/// # Errors
/// When the file cannot be mapped.
#[expect(unsafe_code, reason = "memory mapping")]
pub fn map(file: &File) -> io::Result<MappedFile> {
    // SAFETY: the mapping is private and for reading. Its reader trusts nothing that it has read before and
    // checks every length where it uses it, so bytes that change meanwhile give a wrong answer at worst; a file that
    // shrinks ends this disposable child process with SIGBUS, and no other.
    Ok(MappedFile(unsafe { memmap2::Mmap::map(file)? }))
}

/// Maps a file until this process ends.
///
/// Only for files that are written under another name, renamed and then never changed: the mapping shows later changes,
/// and a file that shrinks ends the process with SIGBUS.
///
/// # Errors
/// When the file cannot be opened or mapped.
#[expect(unsafe_code, reason = "memory mapping")]
pub fn map_for_ever(path: &Path) -> io::Result<&'static [u8]> {
    let file = std::fs::File::open(path)?;
    // SAFETY: the caller names a file of the model cache, which is only ever replaced by rename, so the mapped
    // inode keeps its content. If it is truncated all the same, SIGBUS ends this disposable child
    // process and no other.
    let mapping = unsafe { memmap2::Mmap::map(&file)? };
    Ok(Box::leak(Box::new(mapping)))
}
