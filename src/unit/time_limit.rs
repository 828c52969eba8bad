//! Work that a slow disk may hold up, done with a time limit.
//!
//! A thread that waits for a disk cannot be cancelled, so the work runs on a thread of its own. When the limit passes,
//! the unit goes on without the result and leaves that thread behind.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Runs `work` and waits for it, at most `limit`.
///
/// # Errors
/// What the work says, `TimedOut`, or that no thread can be had.
pub(super) fn run<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (sender, result) = sync_channel(1);
    // The result is of no use after the limit, when it is no longer received.
    let send = move || drop(sender.send(work()));
    std::thread::Builder::new().name("model-cache".into()).spawn(send)?;
    match result.recv_timeout(limit) {
        Ok(result) => result,
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("the thread that does the work has panicked")),
        Err(RecvTimeoutError::Timeout) => {
            let seconds = limit.as_secs_f32();
            Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {seconds} seconds")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn work_that_hangs_is_left_behind_and_work_that_panics_is_an_error() {
        let (finish, wait) = sync_channel::<()>(0);
        let hung = run(SHORT, move || Ok(wait.recv()));
        assert_eq!(hung.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(finish);
        assert!(run::<()>(100 * SHORT, || panic!("on purpose")).is_err());
        assert_eq!(run(100 * SHORT, || Ok(7)).unwrap(), 7);
    }
}
