//! Detects an open connection that does not work: a wedged client, or a broker that never acknowledges.

use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// How long messages may be unacknowledged without any acknowledgement.
const LIMIT: Duration = Duration::from_secs(30);

/// Counts the unacknowledged messages of one connection.
#[derive(Debug, Default)]
pub(super) struct AckWatch {
    on_their_way: usize,
    /// Since when messages are unacknowledged and no acknowledgement has come.
    silent_since: Option<Monotonic>,
}

impl AckWatch {
    pub(super) fn sent(&mut self, now: Monotonic) {
        self.on_their_way += 1;
        self.silent_since.get_or_insert(now);
    }

    pub(super) fn acknowledged(&mut self, now: Monotonic) {
        self.on_their_way = self.on_their_way.saturating_sub(1);
        self.silent_since = (self.on_their_way > 0).then_some(now);
    }

    pub(super) fn is_stuck(&self, now: Monotonic) -> bool {
        self.silent_since.is_some_and(|since| now.since(since) > LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_acknowledges_nothing_for_half_a_minute_is_stuck() {
        let at = |seconds: u64| Monotonic::from_nanos(seconds * 1_000_000_000);
        let mut watch = AckWatch::default();
        assert!(!watch.is_stuck(at(100)), "nothing was sent");
        watch.sent(at(100));
        watch.sent(at(120));
        assert!(!watch.is_stuck(at(130)));
        assert!(watch.is_stuck(at(131)));
        watch.acknowledged(at(125));
        assert!(!watch.is_stuck(at(155)) && watch.is_stuck(at(156)), "one is still missing");
        watch.acknowledged(at(156));
        assert!(!watch.is_stuck(at(500)));
    }
}
