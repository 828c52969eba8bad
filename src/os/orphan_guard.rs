//! Ends a child process with its parent, even while the child is deep in a library or stopped.
//!
//! Two mechanisms. A thread waits for the hang-up of the channel to the parent, which works while the main thread is
//! inside a library. PR_SET_PDEATHSIG works even while the child is stopped. It fires when the *thread* that spawned
//! the child ends, so the parent spawns from one thread that lives as long as the process.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, set_parent_process_death_signal};
use std::os::fd::OwnedFd;

/// Exit code of a child whose parent has ended.
pub const ORPHANED: i32 = 75;

/// Has the kernel kill this process with its parent. Call it first thing in a child: its sandbox neither sets nor takes
/// back the signal.
pub fn die_with_parent() {
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        tracing::warn!(%error, "the kernel does not end this process with its parent");
    }
}

/// Starts the thread. `channel` is a duplicate of the socket to the parent. Call it once, in the sandbox.
///
/// # Errors
/// When the thread cannot be started.
pub fn arm(channel: OwnedFd) -> std::io::Result<()> {
    std::thread::Builder::new().name("orphan-guard".into()).spawn(move || wait_for_hang_up(&channel))?;
    Ok(())
}

#[expect(clippy::exit, reason = "the parent has ended: there is no caller to return an error to")]
fn wait_for_hang_up(channel: &OwnedFd) {
    loop {
        let mut watched = [PollFd::new(channel, PollFlags::RDHUP)];
        match poll(&mut watched, None) {
            Ok(_) if watched[0].revents().intersects(PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR) => break,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => break,
        }
    }
    std::process::exit(ORPHANED);
}
