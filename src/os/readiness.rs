//! Waits in the runtime until a descriptor is readable.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Watches a duplicate of `fd`, which the watcher owns; the reader keeps the original.
///
/// # Errors
/// When no descriptor is free, or outside of a runtime with an I/O driver.
#[expect(unsafe_code, reason = "the runtime asks for a promise about the descriptor's life")]
pub fn watch(fd: &impl AsFd) -> io::Result<AsyncFd<OwnedFd>> {
    let duplicate = fd.as_fd().try_clone_to_owned()?;
    // SAFETY: an `OwnedFd` always returns the same descriptor and keeps it open until it is dropped, which the
    // `AsyncFd` that owns it does only after it has deregistered.
    Ok(unsafe { AsyncFd::register_with_interest(duplicate, Interest::READABLE) }?)
}
