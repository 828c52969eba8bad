//! Decides whether a camera is followed, every frame, or only watched, by its keyframes.
//!
//! ```text
//!              still for long enough, and the next frame is a keyframe
//!  Following ─────────────────────────────────────────────────────────▶ Watching
//!      ▲                                                                   │
//!      └── a keyframe differs, a unit saw something move, no keyframe came, ┘
//!          frames have grown (see `stream_signal`)
//! ```
//!
//! * `Following`: every frame is decoded, and those that are due are looked at. While the scene is still and no keyframe
//!   comes, as in a group of a minute, the due frames are only compared.
//! * `Watching`: keyframes alone are decoded and compared. One is looked at by a unit now and then all the same.
//! * `Watching -> Following`: what was received since the last keyframe of the still scene is decoded first, so that the
//!   frames before the change are looked at too.

use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// Keyframes that follow each other faster are not all compared.
const SHORTEST_GLANCE: Duration = Duration::from_millis(800);

/// Keyframes in a row that may give no picture when they are decoded alone.
const MOST_BLANK: u32 = 2;

/// How long a camera is followed whose keyframes give none.
const BLANK_PERIOD: Duration = Duration::from_secs(600);

/// When a camera is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::capture) struct AttentionRules {
    /// So long nothing may have moved.
    pub(in crate::capture) still_for: Duration,
    /// A still scene is looked at so often all the same.
    pub(in crate::capture) look_every: Duration,
    /// Keyframes that are farther apart do not show what happens between them, so such a camera is followed.
    pub(in crate::capture) longest_interval: Duration,
}

/// What becomes of a picture.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::capture) enum Verdict {
    /// A unit looks at it.
    Look,
    /// It shows what is known.
    Still,
    /// It differs: it will be decoded again, after what came before it.
    Later,
}

/// The attention that one connection gets. All times are those at which a frame arrived.
#[derive(Clone, Copy, Debug)]
pub(in crate::capture) struct Attention {
    rules: AttentionRules,
    is_watching: bool,
    /// When the scene changed last; `None` until the first picture.
    moved_at: Option<Monotonic>,
    looked_at: Option<Monotonic>,
    /// Up to this keyframe everything has its verdict. Later pictures come in another order than their packets.
    settled: Option<Monotonic>,
    /// The keyframe that was given to the decoder alone last.
    glance: Option<Monotonic>,
    /// Its picture has not come yet.
    is_awaited: bool,
    /// So many of them in a row gave no picture.
    blank: u32,
    /// Not watched before this.
    not_before: Option<Monotonic>,
    /// The newest frame that may show movement: watched from a later keyframe on.
    suspected: Option<Monotonic>,
}

impl Attention {
    /// Follows at first, to learn what the scene looks like.
    pub(in crate::capture) fn new(rules: AttentionRules) -> Self {
        Self {
            rules,
            is_watching: false,
            moved_at: None,
            looked_at: None,
            settled: None,
            glance: None,
            is_awaited: false,
            blank: 0,
            not_before: None,
            suspected: None,
        }
    }

    /// True while only keyframes are decoded.
    pub(in crate::capture) fn is_watching(&self) -> bool {
        self.is_watching
    }

    /// True if a keyframe may be decoded alone now. Some cameras send nothing but keyframes.
    pub(in crate::capture) fn is_glance_due(&self, now: Monotonic) -> bool {
        self.settled.max(self.glance).is_none_or(|before| now.since(before) >= SHORTEST_GLANCE)
    }

    /// The keyframe that arrived at `at` goes into the decoder alone. Follows instead if earlier ones gave no picture.
    pub(in crate::capture) fn glances(&mut self, at: Monotonic) {
        self.glance = Some(at);
        if std::mem::replace(&mut self.is_awaited, true) {
            self.blank += 1;
        }
        if self.blank >= MOST_BLANK {
            (self.blank, self.is_awaited, self.not_before) = (0, false, Some(at + BLANK_PERIOD));
            self.follow(at);
        }
    }

    /// True if this picture has its verdict: it was decoded again for those that follow it.
    pub(in crate::capture) fn is_settled(&self, at: Monotonic) -> bool {
        self.settled.is_some_and(|settled| at <= settled)
    }

    /// The verdict on a picture that is due, or on a keyframe that was decoded alone (`is_glance`). `differs`: from what the
    /// scene looked like.
    pub(in crate::capture) fn judge(&mut self, at: Monotonic, differs: bool, is_glance: bool) -> Verdict {
        if is_glance {
            (self.blank, self.is_awaited) = (0, false);
        }
        let is_calm = self.is_calm(at);
        // It may have been found meanwhile that something moves.
        if is_glance && (differs || !self.is_watching) {
            self.follow(at);
            return Verdict::Later;
        }
        // A picture without a glance was on its way through the decoder when watching began.
        if !self.is_watching && (differs || self.moved_at.is_none()) {
            self.follow(at);
        }
        if is_glance {
            self.settled = self.settled.max(Some(at));
        }
        let is_known = if self.is_watching { is_glance } else { is_calm && !differs };
        if is_known && self.looked_at.is_some_and(|looked_at| at.since(looked_at) < self.rules.look_every) {
            return Verdict::Still;
        }
        self.looked_at = self.looked_at.max(Some(at));
        Verdict::Look
    }

    /// A unit has looked at the picture that arrived at `at`, and something in it moves, or may be new.
    pub(in crate::capture) fn saw_movement(&mut self, at: Monotonic) {
        self.follow(at);
    }

    /// The frame that arrived at `at` may show movement: what is held is decoded, and compared. True if that changes anything.
    pub(in crate::capture) fn suspect(&mut self, at: Monotonic) -> bool {
        if self.is_watching {
            self.suspected = Some(at);
        }
        // Nothing is known to have moved, so frames are only compared.
        std::mem::replace(&mut self.is_watching, false)
    }

    /// The newest keyframe that looked like the scene, if none has come into the decoder since.
    pub(in crate::capture) fn still_at(&self) -> Option<Monotonic> {
        self.settled.filter(|settled| !self.is_awaited && self.glance.is_none_or(|glance| glance <= *settled))
    }

    /// A keyframe that arrived at `at` is next: begins to watch if the scene has been still for long enough. `interval` is the
    /// time between keyframes, zero if unknown.
    pub(in crate::capture) fn may_watch(&mut self, at: Monotonic, interval: Duration) -> bool {
        let are_keyframes_near = !interval.is_zero() && interval <= self.rules.longest_interval;
        let is_too_early = self.not_before.is_some_and(|not_before| at < not_before)
            || self.suspected.is_some_and(|suspected| at <= suspected);
        if is_too_early || !are_keyframes_near || !self.is_calm(at) {
            return false;
        }
        self.is_watching = true;
        true
    }

    /// Follows if no keyframe has come for too long. `newest` is when the last one arrived.
    pub(in crate::capture) fn tick(&mut self, newest: Option<Monotonic>, now: Monotonic) {
        let is_overdue = newest.is_some_and(|newest| now.since(newest) > self.rules.longest_interval);
        // Nothing is known to have moved since, so its frames are only compared.
        self.is_watching &= !is_overdue;
    }

    fn follow(&mut self, moved_at: Monotonic) {
        self.is_watching = false;
        self.moved_at = self.moved_at.max(Some(moved_at));
    }

    fn is_calm(&self, at: Monotonic) -> bool {
        self.moved_at.is_some_and(|moved| at.since(moved) >= self.rules.still_for)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: AttentionRules = AttentionRules {
        still_for: Duration::from_secs(5),
        look_every: Duration::from_secs(30),
        longest_interval: Duration::from_secs(12),
    };
    const GROUP: Duration = Duration::from_secs(2);

    fn at(ms: u64) -> Monotonic {
        Monotonic::from_nanos(ms * 1_000_000)
    }

    /// A camera that has been watched since the sixth second.
    fn watched() -> Attention {
        let mut attention = Attention::new(RULES);
        for ms in (1_000..=6_000).step_by(200) {
            let verdict = if ms < 6_000 { Verdict::Look } else { Verdict::Still };
            assert_eq!(attention.judge(at(ms), false, false), verdict, "at {ms} ms");
        }
        assert!(!attention.may_watch(at(5_900), GROUP) && attention.may_watch(at(6_000), GROUP));
        attention
    }

    #[test]
    fn a_scene_that_has_been_still_for_a_while_is_watched_and_looked_at_now_and_then() {
        let mut attention = watched();
        let verdicts: Vec<Verdict> =
            (0..60).map(|group| attention.judge(at(8_000 + group * 2_000), false, true)).collect();
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Look).count(), 4, "each 30 s of 120");
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Still).count(), 56);
    }

    #[test]
    fn what_differs_is_followed_from_the_last_still_keyframe_on_until_it_is_still_again() {
        let mut attention = watched();
        assert_eq!(attention.judge(at(8_000), false, true), Verdict::Still);
        assert_eq!(attention.judge(at(10_000), true, true), Verdict::Later);
        assert!(!attention.is_watching() && attention.is_settled(at(8_000)) && !attention.is_settled(at(8_200)));
        for ms in (8_200..=14_800).step_by(200) {
            assert_eq!(attention.judge(at(ms), (9_000..=10_000).contains(&ms), false), Verdict::Look, "at {ms} ms");
            assert!(!attention.may_watch(at(ms), GROUP));
        }
        assert!(attention.may_watch(at(15_000), GROUP));
    }

    #[test]
    fn what_a_unit_sees_move_is_followed_although_the_picture_hardly_changes() {
        let mut attention = watched();
        attention.saw_movement(at(8_000));
        assert!(!attention.is_watching() && !attention.may_watch(at(12_900), GROUP));
        attention.saw_movement(at(12_900));
        assert!(!attention.may_watch(at(14_000), GROUP) && attention.may_watch(at(18_000), GROUP));
    }

    #[test]
    fn a_camera_whose_keyframes_give_no_picture_alone_is_followed() {
        let mut attention = watched();
        attention.glances(at(8_000));
        attention.glances(at(10_000));
        assert!(attention.is_watching());
        attention.glances(at(12_000));
        assert!(
            !attention.is_watching()
                && !attention.may_watch(at(600_000), GROUP)
                && attention.may_watch(at(613_000), GROUP)
        );
    }

    #[test]
    fn without_keyframes_the_due_frames_of_a_still_scene_are_only_compared() {
        let mut attention = watched();
        assert_eq!(attention.judge(at(8_000), false, true), Verdict::Still);
        attention.tick(Some(at(8_000)), at(20_000));
        assert!(attention.is_watching(), "not yet");
        attention.tick(Some(at(8_000)), at(20_100));
        assert!(!attention.is_watching());
        let verdicts: Vec<Verdict> =
            (8_200..35_800).step_by(200).map(|ms| attention.judge(at(ms), false, false)).collect();
        assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Still));
        assert_eq!(attention.judge(at(35_800), false, false), Verdict::Look);
        assert_eq!(attention.judge(at(36_000), true, false), Verdict::Look);
        assert_eq!(attention.judge(at(36_200), false, false), Verdict::Look, "it has just moved");
        assert!(!attention.may_watch(at(60_000), Duration::from_secs(30)), "keyframes are too far apart");
    }

    #[test]
    fn what_may_move_is_compared_from_its_group_on_and_watched_again_if_it_does_not() {
        let mut attention = watched();
        attention.glances(at(8_000));
        assert_eq!(attention.still_at(), None, "its picture has not come");
        assert_eq!(attention.judge(at(8_000), false, true), Verdict::Still);
        assert_eq!(attention.still_at(), Some(at(8_000)));
        assert!(attention.suspect(at(9_000)) && !attention.suspect(at(9_500)) && !attention.is_watching());
        assert!(!attention.may_watch(at(8_000), GROUP), "the group is to be decoded");
        assert_eq!(attention.judge(at(8_800), false, false), Verdict::Still, "no unit is asked");
        assert!(attention.may_watch(at(10_000), GROUP));
        assert!(attention.suspect(at(10_600)));
        assert_eq!(attention.judge(at(10_400), true, false), Verdict::Look);
        assert!(!attention.may_watch(at(12_000), GROUP), "something moves");
    }
}
