//! What a throttled camera decodes: whole groups of pictures, as many as its share of the units pays for.
//!
//! Only one frame of a few is analysed, and all before it in its group must be decoded for that. So a share of the frames is
//! not had by decoding all and analysing fewer: of some groups everything is decoded, and of the others the keyframe alone.

use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// Groups that last longer would leave a camera blind for as long: of these every frame is decoded, and fewer are analysed.
const LONGEST_GROUP: Duration = Duration::from_secs(12);

/// What is decoded of a group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Share {
    /// Everything.
    Whole,
    /// The keyframe.
    Keyframe,
    /// Nothing.
    Nothing,
}

/// The frames that a camera may have analysed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ration {
    /// Frames a second; `None`: as many as it wants.
    granted: Option<f32>,
    /// Frames that were granted and not used.
    saved: f32,
    counted_at: Option<Monotonic>,
}

impl Ration {
    /// From now on the camera is granted so many frames a second; `None`: as many as it wants.
    pub(super) fn grant(&mut self, granted: Option<f32>) {
        self.granted = granted;
        if granted.is_none() {
            *self = Self::default();
        }
    }

    /// True if groups of `interval` are shared out whole; otherwise fewer frames of all groups are analysed.
    pub(super) fn is_by_groups(&self, interval: Duration) -> bool {
        self.granted.is_some() && !interval.is_zero() && interval <= LONGEST_GROUP
    }

    /// What is decoded of the group that begins at `now`, of whose frames `due` would be analysed.
    pub(super) fn share(&mut self, due: f32, interval: Duration, now: Monotonic) -> Share {
        let Some(granted) = self.granted.filter(|_| self.is_by_groups(interval)) else { return Share::Whole };
        let due = due.max(1.0);
        let since = self.counted_at.replace(now).map_or(interval, |before| now.since(before));
        self.saved = (self.saved + granted * since.as_secs_f32()).min(2.0 * due);
        let (share, cost) = match self.saved {
            saved if saved >= due => (Share::Whole, due),
            saved if saved >= 1.0 => (Share::Keyframe, 1.0),
            _ => (Share::Nothing, 0.0),
        };
        self.saved -= cost;
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: Duration = Duration::from_secs(2);

    /// The shares of 100 groups of 2 s with ten due frames each.
    fn shares(granted: f32) -> [usize; 3] {
        let mut ration = Ration::default();
        ration.grant(Some(granted));
        let mut counts = [0; 3];
        for group in 0..100 {
            let at = Monotonic::from_nanos(group * 2_000_000_000);
            counts[ration.share(10.0, GROUP, at) as usize] += 1;
        }
        counts
    }

    #[test]
    fn whole_groups_take_what_the_keyframes_of_the_others_leave() {
        for granted in [4.9, 2.5, 1.0, 0.6] {
            let [whole, keyframe, _] = shares(granted);
            let analysed = whole * 10 + keyframe;
            assert!((analysed as f32 - granted * 200.0).abs() <= 21.0, "{granted}: {analysed}");
        }
        assert_eq!(shares(0.25), [0, 50, 50]);
    }

    #[test]
    fn a_camera_that_is_not_throttled_or_has_no_keyframes_near_is_decoded_whole() {
        let mut ration = Ration::default();
        let at = Monotonic::from_nanos(1);
        assert_eq!(ration.share(10.0, GROUP, at), Share::Whole);
        ration.grant(Some(0.1));
        assert!(!ration.is_by_groups(Duration::from_secs(60)) && !ration.is_by_groups(Duration::ZERO));
        assert_eq!(ration.share(10.0, Duration::from_secs(60), at), Share::Whole);
        assert_eq!(ration.share(10.0, GROUP, at), Share::Nothing);
        ration.grant(None);
        assert_eq!(ration.share(10.0, GROUP, at), Share::Whole);
    }
}
