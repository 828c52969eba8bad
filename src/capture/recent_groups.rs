//! The newest groups of pictures as they were received: so a viewer who comes sees a picture at once, and a clip can begin before
//! its event.

use std::collections::VecDeque;

/// The most that a viewer is given at once, the newest group: four seconds at 4 Mbit/s. Of a longer one a viewer is given nothing,
/// and waits for the next keyframe.
const FOR_VIEWERS: Limits = Limits { bytes: 2 << 20, units: 300 };

/// And for clips: six seconds at 10 Mbit/s. Of a stream with more, clips begin later.
const FOR_CLIPS: Limits = Limits { bytes: 8 << 20, units: 2000 };

/// What is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kept {
    /// Nobody may see any of it.
    Nothing,
    /// For viewers.
    NewestGroup,
    /// For clips, and viewers: what was shown in the last `us` microseconds, and what is needed to decode that.
    Last { us: u64 },
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    bytes: usize,
    units: usize,
}

/// A unit of a group.
#[derive(Clone, Debug)]
pub(super) struct GroupUnit<T> {
    pub(super) is_keyframe: bool,
    /// Its place on the timeline of the live video, in microseconds.
    pub(super) media_us: u64,
    pub(super) data: T,
}

/// The groups that cover a time back from the newest frame.
#[derive(Debug)]
pub(super) struct RecentGroups<T> {
    kept: Kept,
    keep_us: u64,
    limits: Limits,
    units: VecDeque<(GroupUnit<T>, usize)>,
    bytes: usize,
    is_cut: bool,
}

impl<T> RecentGroups<T> {
    pub(super) fn new(kept: Kept) -> Self {
        let (keep_us, limits) = match kept {
            Kept::Nothing | Kept::NewestGroup => (0, FOR_VIEWERS),
            Kept::Last { us } => (us, FOR_CLIPS),
        };
        Self { kept, keep_us, limits, units: VecDeque::new(), bytes: 0, is_cut: false }
    }

    /// Takes in the next unit.
    pub(super) fn push(&mut self, unit: GroupUnit<T>, bytes: usize) {
        if self.kept == Kept::Nothing || (!unit.is_keyframe && self.units.is_empty()) {
            return;
        }
        let (newest_us, is_keyframe) = (unit.media_us, unit.is_keyframe);
        self.bytes += bytes;
        self.units.push_back((unit, bytes));
        if is_keyframe {
            while self.second_group_at().is_some_and(|(_, us)| us + self.keep_us <= newest_us) {
                self.drop_oldest_group();
            }
        }
        while self.bytes > self.limits.bytes || self.units.len() > self.limits.units {
            self.drop_oldest_group();
            self.is_cut = true;
        }
    }

    pub(super) fn clear(&mut self) {
        self.units.clear();
        self.bytes = 0;
    }

    /// True if something had to be forgotten that was to be kept.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The units in the order of decoding, the first one a keyframe.
    pub(super) fn units(&self) -> impl Iterator<Item = &GroupUnit<T>> {
        let newest_us = self.units.back().map_or(0, |(unit, _)| unit.media_us);
        // The last time it was trimmed, a keyframe came; since then a later group may have come to reach far enough.
        let reaches = |(unit, _): &(GroupUnit<T>, usize)| unit.is_keyframe && unit.media_us + self.keep_us <= newest_us;
        let first = self.units.iter().rposition(reaches).unwrap_or(0);
        self.units.iter().skip(first).map(|(unit, _)| unit)
    }

    /// Those of the newest group; none if it is too long for viewers.
    pub(super) fn newest(&self) -> impl Iterator<Item = &GroupUnit<T>> {
        let first = self.units.iter().rposition(|(unit, _)| unit.is_keyframe).unwrap_or(0);
        let bytes: usize = self.units.range(first..).map(|(_, bytes)| bytes).sum();
        let is_long = bytes > FOR_VIEWERS.bytes || self.units.len() - first > FOR_VIEWERS.units;
        let first = if is_long { self.units.len() } else { first };
        self.units.range(first..).map(|(unit, _)| unit)
    }

    fn second_group_at(&self) -> Option<(usize, u64)> {
        let next = self.units.iter().skip(1).position(|(unit, _)| unit.is_keyframe)? + 1;
        Some((next, self.units[next].0.media_us))
    }

    fn drop_oldest_group(&mut self) {
        let units = self.second_group_at().map_or(self.units.len(), |(next, _)| next);
        self.bytes -= self.units.drain(..units).map(|(_, bytes)| bytes).sum::<usize>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames at 100 ms, a keyframe each second.
    fn after(seconds: u64, keep_us: u64, bytes: usize) -> RecentGroups<()> {
        let kept = if keep_us == 0 { Kept::NewestGroup } else { Kept::Last { us: keep_us } };
        keeping(kept, seconds, bytes)
    }

    fn keeping(kept: Kept, seconds: u64, bytes: usize) -> RecentGroups<()> {
        let mut groups = RecentGroups::new(kept);
        for frame in 0..seconds * 10 {
            let unit = GroupUnit { is_keyframe: frame % 10 == 0, media_us: frame * 100_000, data: () };
            groups.push(unit, bytes);
        }
        groups
    }

    fn times(groups: &RecentGroups<()>) -> (u64, u64, usize) {
        let units: Vec<_> = groups.units().collect();
        assert!(units.first().is_none_or(|unit| unit.is_keyframe));
        (units[0].media_us / 1000, units.last().unwrap().media_us / 1000, units.len())
    }

    #[test]
    fn the_groups_cover_the_time_and_no_more_than_a_group_beyond_it() {
        assert_eq!(times(&after(60, 3_000_000, 1)), (56_000, 59_900, 40));
        assert_eq!(times(&after(2, 3_000_000, 1)), (0, 1_900, 20));
        assert_eq!(times(&after(60, 0, 1)), (59_000, 59_900, 10));
        assert!(after(600, 3_000_000, 1).units.len() <= 60);
        assert!(!after(60, 3_000_000, 1).is_cut());
    }

    #[test]
    fn of_a_stream_that_is_too_large_less_is_kept() {
        let groups = after(60, 30_000_000, FOR_CLIPS.bytes / 25);
        assert!(groups.is_cut() && groups.bytes <= FOR_CLIPS.bytes);
        assert_eq!(times(&groups), (58_000, 59_900, 20));
        let huge = after(60, 30_000_000, FOR_CLIPS.bytes);
        assert!(huge.is_cut() && huge.units().count() <= 1);
    }

    fn newest(units: &[(bool, usize)]) -> Vec<u64> {
        let mut groups = RecentGroups::new(Kept::NewestGroup);
        for (media_us, (is_keyframe, bytes)) in (0..).zip(units) {
            groups.push(GroupUnit { is_keyframe: *is_keyframe, media_us, data: () }, *bytes);
        }
        groups.newest().map(|unit| unit.media_us).collect()
    }

    #[test]
    fn a_viewer_is_given_the_newest_group_and_of_one_that_is_too_long_nothing_up_to_the_next_keyframe() {
        assert_eq!(newest(&[(false, 1), (true, 1), (false, 1), (true, 1), (false, 1)]), [3, 4]);
        assert_eq!(newest(&[(false, 1), (false, 1)]), [] as [u64; 0]);
        assert_eq!(newest(&[(true, 10), (false, FOR_VIEWERS.bytes), (false, 1)]), [] as [u64; 0]);
        assert_eq!(newest(&[(true, 10), (false, FOR_VIEWERS.bytes), (true, 1)]), [2]);
        let many: Vec<(bool, usize)> = (0..=FOR_VIEWERS.units).map(|place| (place == 0, 1)).collect();
        assert!(newest(&many).is_empty());
        let of_clips = after(60, 3_000_000, 1);
        assert_eq!(of_clips.newest().next().map(|unit| unit.media_us), Some(59_000_000));
        let long = after(10, 3_000_000, FOR_VIEWERS.bytes / 9);
        assert_eq!((long.newest().count(), long.units().count()), (0, 30), "clips have what viewers are not given");
    }

    #[test]
    fn nothing_is_kept_of_what_nobody_may_see() {
        let groups = keeping(Kept::Nothing, 60, 1);
        assert_eq!((groups.units().count(), groups.newest().count(), groups.bytes, groups.is_cut()), (0, 0, 0, false));
    }

    #[test]
    fn nothing_is_kept_before_a_keyframe() {
        let mut groups = RecentGroups::new(Kept::Last { us: 1_000_000 });
        groups.push(GroupUnit { is_keyframe: false, media_us: 1, data: () }, 1);
        assert_eq!(groups.units().count(), 0);
        groups.push(GroupUnit { is_keyframe: true, media_us: 2, data: () }, 1);
        groups.clear();
        assert_eq!((groups.units().count(), groups.bytes), (0, 0));
    }
}
