//! Runs disk access with a time limit.
//!
//! A thread that waits for a disk cannot be cancelled, so the work runs on a separate thread. After the limit, the unit
//! continues without the result and abandons that thread.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Runs `work` and waits for its result, at most `limit`.
///
/// # Errors
/// The error of `work`, `TimedOut`, or that no thread can be started.
pub(super) fn run<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (sender, result) = sync_channel(1);
    // After the limit nothing receives the result.
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
    fn work_that_hangs_is_abandoned_and_work_that_panics_is_an_error() {
        let (finish, wait) = sync_channel::<()>(0);
        let hung = run(SHORT, move || Ok(wait.recv()));
        assert_eq!(hung.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(finish);
        assert!(run::<()>(100 * SHORT, || panic!("on purpose")).is_err());
        assert_eq!(run(100 * SHORT, || Ok(7)).unwrap(), 7);
    }
}
