//! The rate limit of snapshots.
//!
//! A busy scene would flood the broker with pictures of the same object. So each camera has a limit per minute, in a
//! sliding window. Events and requests are counted separately, so that a polling client and a flood of events cannot
//! use up each other's limit.

use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// Pictures a minute for persons who look: one each two seconds, and some more. They cost as much as others, and none are
/// made where snapshots are off.
const VIEWS_PER_MINUTE: usize = 40;

/// What a picture is taken for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum SnapshotCause {
    /// An event.
    Event,
    /// A request.
    Request,
    /// A person who looks, however many they are.
    View,
}

/// Limits the pictures of each camera in a sliding window of a minute.
#[derive(Debug)]
pub(crate) struct SnapshotPolicy {
    per_minute: usize,
    taken: BTreeMap<(CameraId, SnapshotCause), VecDeque<Monotonic>>,
}

impl SnapshotPolicy {
    /// Allows `per_minute` pictures of a camera for events, and as many for requests; 0: none.
    pub(crate) fn new(per_minute: u16) -> Self {
        Self { per_minute: usize::from(per_minute), taken: BTreeMap::new() }
    }

    /// True if snapshots are switched off.
    pub(crate) fn is_off(&self) -> bool {
        self.per_minute == 0
    }

    /// Counts a picture of a camera that is taken now.
    ///
    /// # Errors
    /// If the limit is reached: the time until the next picture is allowed.
    pub(crate) fn may_take(&mut self, camera: &CameraId, cause: SnapshotCause, now: Monotonic) -> Result<(), Duration> {
        let taken = self.taken.entry((camera.clone(), cause)).or_default();
        while taken.front().is_some_and(|at| now.since(*at) >= MINUTE) {
            taken.pop_front();
        }
        let most = match cause {
            SnapshotCause::View if self.per_minute > 0 => VIEWS_PER_MINUTE,
            _ => self.per_minute,
        };
        if taken.len() < most {
            taken.push_back(now);
            return Ok(());
        }
        Err(taken.front().map_or(MINUTE, |oldest| MINUTE.saturating_sub(now.since(*oldest))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    fn camera(id: &str) -> CameraId {
        CameraId::new(id).unwrap()
    }

    #[test]
    fn no_more_than_the_limit_are_taken_in_a_minute_and_the_wait_is_told() {
        let (mut policy, yard) = (SnapshotPolicy::new(3), camera("yard"));
        for second in [0, 10, 20] {
            assert_eq!(policy.may_take(&yard, SnapshotCause::Event, at(second)), Ok(()));
        }
        assert_eq!(policy.may_take(&yard, SnapshotCause::Event, at(25)), Err(Duration::from_secs(35)));
        assert_eq!(policy.may_take(&yard, SnapshotCause::Event, at(60)), Ok(()));
        assert_eq!(policy.may_take(&yard, SnapshotCause::Event, at(61)), Err(Duration::from_secs(9)));
    }

    #[test]
    fn cameras_and_causes_do_not_take_from_each_other() {
        let mut policy = SnapshotPolicy::new(1);
        for id in ["yard", "street"] {
            for cause in [SnapshotCause::Event, SnapshotCause::Request] {
                assert!(policy.may_take(&camera(id), cause, at(0)).is_ok());
                assert!(policy.may_take(&camera(id), cause, at(1)).is_err());
            }
        }
    }

    #[test]
    fn zero_takes_none() {
        let mut policy = SnapshotPolicy::new(0);
        assert!(policy.is_off());
        assert!(policy.may_take(&camera("yard"), SnapshotCause::Request, at(0)).is_err());
    }

    proptest! {
        #[test]
        fn no_minute_ever_has_more_than_the_limit(
            limit in 1u16..8, gaps in prop::collection::vec(0u64..20, 1..200)
        ) {
            let (mut policy, yard) = (SnapshotPolicy::new(limit), camera("yard"));
            let (mut now, mut taken) = (0, Vec::new());
            for gap in gaps {
                now += gap;
                if policy.may_take(&yard, SnapshotCause::Event, at(now)).is_ok() {
                    taken.push(now);
                }
                let of_last_minute = taken.iter().filter(|second| now - **second < 60).count();
                prop_assert!(of_last_minute <= usize::from(limit));
            }
        }
    }
}
