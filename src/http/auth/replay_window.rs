//! Signatures that were seen while the box did not know the time.
//!
//! Without a clock the age of a signature cannot be judged by its own time. It is judged by when it was first
//! seen instead: a client may send it again for a while (two equal calls within a second have one signature), and
//! nobody may send it later.

use crate::vision::monotonic::Monotonic;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Signatures that are remembered; above it the oldest are forgotten, and could be sent again.
const MOST: usize = 50_000;

/// First seen when, by signature.
#[derive(Debug, Default)]
pub struct ReplayWindow {
    first_seen: HashMap<String, Monotonic>,
    in_order: VecDeque<String>,
}

impl ReplayWindow {
    /// True if a signature is new, or was new within `window`.
    pub fn admits(&mut self, signature: &str, window: Duration, now: Monotonic) -> bool {
        if let Some(first) = self.first_seen.get(signature) {
            return now.since(*first) <= window;
        }
        if self.in_order.len() >= MOST
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.first_seen.remove(&oldest);
        }
        self.first_seen.insert(signature.to_owned(), now);
        self.in_order.push_back(signature.to_owned());
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
    fn a_signature_is_good_for_a_while_from_when_it_was_first_seen() {
        let (mut window, limit) = (ReplayWindow::default(), Duration::from_secs(900));
        assert!(window.admits("a", limit, at(10)) && window.admits("a", limit, at(910)));
        assert!(!window.admits("a", limit, at(911)), "to send it again does not renew it");
        assert!(window.admits("b", limit, at(911)));
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut window = ReplayWindow::default();
        assert!((0..MOST + 10).all(|index| window.admits(&index.to_string(), Duration::ZERO, at(0))));
        assert_eq!((window.first_seen.len(), window.in_order.len()), (MOST, MOST));
    }
}
