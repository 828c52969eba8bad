//! Until when this box may count as the owner of its cameras.
//!
//! etcd gives a box's cameras away once it has not been heard of for the time of its lease. The box must have stopped counting
//! as their owner before that, without a word from anybody: its link may be down, and it may have been paused or suspended
//! itself. So whoever publishes looks at a clock that goes on while the machine is suspended, at the very moment.
//!
//! ```text
//!  renewal sent                     - 0.5 s   + lease: etcd may give the cameras away
//!  ├───────────── the promise holds ──┤········┤
//! ```
//! The time counts from when the renewal was *sent*: etcd begins its own count later.

use crate::os::clock::boot_now;
use crate::vision::monotonic::Monotonic;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// For clocks that do not run equally fast, and for what is between a look at the clock and the message.
const MARGIN: Duration = Duration::from_millis(500);

/// The promise, shared by who renews it and who publishes.
#[derive(Clone, Debug, Default)]
pub struct Promise(Arc<Lease>);

#[derive(Debug, Default)]
struct Lease {
    /// In nanoseconds of [`boot_now`].
    until: AtomicU64,
    /// The revision of etcd when the lease was new: claims of before were on another one.
    from: AtomicU64,
}

impl Promise {
    /// etcd has confirmed a renewal that was sent at `sent` ([`boot_now`]) for a lease of this length.
    pub(super) fn renew(&self, sent: Monotonic, lease: Duration) {
        let until = sent + lease.saturating_sub(MARGIN);
        self.0.until.fetch_max(until.as_nanos(), Ordering::AcqRel);
    }

    /// The lease is gone.
    pub(super) fn end(&self) {
        self.0.until.store(0, Ordering::Release);
    }

    /// A new lease, at this revision of etcd: it vouches for no claim of before.
    pub(super) fn begin(&self, revision: u64) {
        self.end();
        self.0.from.store(revision, Ordering::Release);
    }

    /// True while nobody else can own a camera that this box has claimed in this epoch.
    pub fn holds_for(&self, epoch: u64) -> bool {
        self.holds_at(boot_now()) && epoch > self.0.from.load(Ordering::Acquire)
    }

    fn holds_at(&self, now: Monotonic) -> bool {
        now.as_nanos() < self.0.until.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Monotonic {
        Monotonic::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn it_ends_half_a_second_before_the_lease_counted_from_when_the_renewal_was_sent() {
        let (promise, lease) = (Promise::default(), Duration::from_secs(3));
        assert!(!promise.holds_at(at(1)));
        promise.renew(at(1000), lease);
        assert!(promise.holds_at(at(3499)) && !promise.holds_at(at(3500)));
        promise.renew(at(900), lease);
        assert!(promise.holds_at(at(3499)), "an answer that was overtaken shortens nothing");
        promise.end();
        assert!(!promise.holds_at(at(1001)));
    }

    #[test]
    fn a_new_lease_vouches_for_no_claim_of_before() {
        let promise = Promise::default();
        promise.begin(40);
        promise.renew(boot_now(), Duration::from_secs(60));
        assert_eq!([39, 40, 41].map(|epoch| promise.holds_for(epoch)), [false, false, true]);
    }
}
