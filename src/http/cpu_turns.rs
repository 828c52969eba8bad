//! Turns at the processor for requests that need a lot of it.
//!
//! The runtime has two threads, and they also forward the messages of units and cameras and serve MQTT. Hashing, parsing
//! and decoding a body of 8 MB takes 22 ms of a server's core, more of a small one, and other tasks of that thread wait
//! as long. So large bodies are worked on by other threads, few at a time: other tasks are then 5 to 11 ms late at the
//! 99th percentile instead of 25.
//!
//! The hand-over costs 0.02 to 0.05 ms on an idle machine. On two busy cores it costs far more: with bodies of 400 kB, such
//! as a JPEG of 1080p, the server refused 12 to 15 % fewer calls a second when each was handed over. So bodies below 1 MiB,
//! which take about 3 ms, are worked on where they are.

use std::sync::Arc;
use tokio::sync::Semaphore;

/// Requests that are worked on at a time.
const AT_ONCE: usize = 2;

/// Bodies from this size on get a turn.
pub(super) const LARGE_BODY_BYTES: usize = 1024 * 1024;

/// The turns of one server.
#[derive(Clone, Debug)]
pub(super) struct CpuTurns(Arc<Semaphore>);

impl Default for CpuTurns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl CpuTurns {
    /// Does `work` for a request with a body of `bytes`. When all turns are taken the request waits, in the order of
    /// arrival. Each waiting request holds its body, so the [budget of bodies](crate::http::body::BodyBudget) bounds how
    /// many wait: beyond it, bodies are refused.
    ///
    /// `None`: the work panicked, or the runtime stops.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        if bytes < LARGE_BODY_BYTES {
            return Some(work());
        }
        let turn = Arc::clone(&self.0).acquire_owned().await.ok()?;
        let working = tokio::task::spawn_blocking(move || {
            // Held until the work is done, even if its request has been given up.
            let _turn = turn;
            work()
        });
        working.await.inspect_err(|error| tracing::error!(%error, "work for a request ended early")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test]
    async fn a_small_body_is_worked_on_at_once_and_a_large_one_by_another_thread() {
        let turns = CpuTurns::default();
        let thread = || std::thread::current().id();
        assert_eq!(turns.run(LARGE_BODY_BYTES - 1, thread).await, Some(thread()));
        assert_ne!(turns.run(LARGE_BODY_BYTES, thread).await, Some(thread()));
    }

    #[tokio::test]
    async fn large_bodies_wait_for_each_other_and_hold_up_nothing_else() {
        let turns = CpuTurns::default();
        let mut ends = Vec::new();
        let mut working = Vec::new();
        for _ in 0..AT_ONCE {
            let (end, ended) = mpsc::sync_channel::<()>(1);
            ends.push(end);
            let turns = turns.clone();
            working.push(tokio::spawn(async move { turns.run(LARGE_BODY_BYTES, move || ended.recv().is_err()).await }));
        }
        // The runtime of this test has one thread: it turns although both turns are taken.
        while turns.0.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(turns.run(1, || 7).await, Some(7));
        let third = turns.run(LARGE_BODY_BYTES, || 8);
        tokio::pin!(third);
        assert!(timeout(Duration::from_millis(20), third.as_mut()).await.is_err(), "it waits for its turn");
        drop(ends);
        assert_eq!(third.await, Some(8));
        for work in working {
            assert_eq!(work.await.unwrap(), Some(true));
        }
    }

    #[tokio::test]
    async fn a_panic_in_the_work_ends_that_request_only() {
        let turns = CpuTurns::default();
        for _ in 0..=AT_ONCE {
            assert_eq!(turns.run(LARGE_BODY_BYTES, || panic!("as a bug would")).await, None::<()>);
        }
        assert_eq!(turns.run(LARGE_BODY_BYTES, || 7).await, Some(7));
    }
}
