//! Signatures received while the clock of the box is not synchronised.
//!
//! Without a clock, the time inside a signature says nothing about its age. Its age counts from when it was first
//! received instead: for a while it may be repeated (two equal calls within a second have the same signature), and after
//! that it is refused.

use crate::vision::monotonic::Monotonic;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Signatures that are remembered. Beyond it the oldest is forgotten, and could be replayed.
const CAPACITY: usize = 50_000;

/// When each signature was first received.
#[derive(Debug, Default)]
pub struct ReplayWindow {
    first_seen: HashMap<String, Monotonic>,
    oldest_first: VecDeque<String>,
}

impl ReplayWindow {
    /// True if a signature is new, or was first received at most `window` ago.
    pub fn admits(&mut self, signature: &str, window: Duration, now: Monotonic) -> bool {
        if let Some(first) = self.first_seen.get(signature) {
            return now.since(*first) <= window;
        }
        if self.oldest_first.len() >= CAPACITY
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.first_seen.remove(&oldest);
        }
        self.first_seen.insert(signature.to_owned(), now);
        self.oldest_first.push_back(signature.to_owned());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn a_signature_is_valid_for_a_while_after_it_was_first_received() {
        let (mut window, limit) = (ReplayWindow::default(), Duration::from_secs(900));
        assert!(window.admits("a", limit, at(10)) && window.admits("a", limit, at(910)));
        assert!(!window.admits("a", limit, at(911)), "repeating it does not renew it");
        assert!(window.admits("b", limit, at(911)));
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut window = ReplayWindow::default();
        assert!((0..CAPACITY + 10).all(|index| window.admits(&index.to_string(), Duration::ZERO, at(0))));
        assert_eq!((window.first_seen.len(), window.oldest_first.len()), (CAPACITY, CAPACITY));
    }
}
