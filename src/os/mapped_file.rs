//! A file mapped for reading and shared between all processes that map it.

use std::io;
use std::path::Path;

/// Maps a file for the rest of this process's life.
///
/// Meant for files that are written once under another name, renamed and never changed: the mapping
/// shows later changes, and a file that shrinks ends the process with SIGBUS.
///
/// # Errors
/// When the file cannot be opened or mapped.
#[expect(unsafe_code, reason = "memory mapping")]
pub fn map_for_ever(path: &Path) -> io::Result<&'static [u8]> {
    let file = std::fs::File::open(path)?;
    // SAFETY: the caller names a file of the model cache, which is only ever replaced by rename, so the mapped
    // inode keeps its content. Should somebody truncate it all the same, SIGBUS ends this disposable child
    // process and no other.
    let mapping = unsafe { memmap2::Mmap::map(&file)? };
    Ok(Box::leak(Box::new(mapping)))
}
