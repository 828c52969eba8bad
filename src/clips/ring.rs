//! Which clips make room for others.

use std::time::Duration;

/// The most clips that are kept: each is an entry in memory too.
const MOST_CLIPS: usize = 20_000;

/// What the ring holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct RingRules {
    /// The bytes of all clips.
    pub(super) most_bytes: u64,
    /// From the end of a clip.
    pub(super) keep: Duration,
    /// What is left to others on the disk: above all to events.
    pub(super) leave_bytes: u64,
}

/// What the ring knows of a clip.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct RingClip {
    /// Milliseconds of Unix time.
    pub(super) end_ms: i64,
    pub(super) bytes: u64,
}

/// All clips together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct RingSum {
    pub(super) clips: usize,
    pub(super) bytes: u64,
    /// What the files of removed clips take that the disk has not given up.
    pub(super) stuck_bytes: u64,
}

/// The disk as it is now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Room {
    /// What is free on the disk.
    pub(super) free_bytes: u64,
    /// What the clips that are being made take.
    pub(super) open_bytes: u64,
    /// What is to be written next.
    pub(super) next_bytes: u64,
    /// Milliseconds of Unix time; `None`: no clip is old. So it is while the clock is not known to be right, and where only room
    /// is needed: then no further clips are looked at than those in the way.
    pub(super) now_ms: Option<i64>,
}

/// What has to happen before something is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct MakesRoom {
    /// The places of the clips that go, in rising order.
    pub(super) removed: Vec<usize>,
    /// False: there is no room even without them.
    pub(super) is_enough: bool,
}

/// Decides which of the clips, the oldest first, go.
pub(super) fn make_room(
    clips: impl Iterator<Item = RingClip>,
    sum: RingSum,
    rules: &RingRules,
    room: Room,
) -> MakesRoom {
    let keep_ms = i64::try_from(rules.keep.as_millis()).unwrap_or(i64::MAX);
    let is_old = |clip: &RingClip| room.now_ms.is_some_and(|now| now.saturating_sub(clip.end_ms) > keep_ms);
    let mut kept = sum.bytes;
    let mut freed = 0;
    let mut count = sum.clips;
    let mut removed = Vec::new();
    let fits = |kept: u64, freed: u64| {
        let others = room.open_bytes.saturating_add(room.next_bytes).saturating_add(sum.stuck_bytes);
        let is_below = kept.saturating_add(others) <= rules.most_bytes;
        let free = room.free_bytes.saturating_add(freed);
        is_below && free >= room.next_bytes.saturating_add(rules.leave_bytes)
    };
    for (place, clip) in clips.enumerate() {
        let is_in_the_way = !fits(kept, freed) || count > MOST_CLIPS;
        if !is_in_the_way && room.now_ms.is_none() {
            break;
        }
        if is_in_the_way || is_old(&clip) {
            removed.push(place);
            kept = kept.saturating_sub(clip.bytes);
            freed += clip.bytes;
            count -= 1;
        }
    }
    MakesRoom { removed, is_enough: fits(kept, freed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;
    const RULES: RingRules = RingRules { most_bytes: 1000, keep: Duration::from_secs(7 * 86_400), leave_bytes: 500 };

    /// A clip of 100 bytes each day.
    fn clips(days: i64) -> Vec<RingClip> {
        (0..days).map(|day| RingClip { end_ms: day * DAY_MS, bytes: 100 }).collect()
    }

    fn room(next_bytes: u64) -> Room {
        Room { free_bytes: 10_000, open_bytes: 0, next_bytes, now_ms: None }
    }

    fn sum(clips: &[RingClip]) -> RingSum {
        RingSum { clips: clips.len(), bytes: clips.iter().map(|clip| clip.bytes).sum(), stuck_bytes: 0 }
    }

    fn removed(days: i64, room: Room) -> (Vec<usize>, bool) {
        let clips = clips(days);
        let made = make_room(clips.iter().copied(), sum(&clips), &RULES, room);
        (made.removed, made.is_enough)
    }

    #[test]
    fn where_only_room_is_needed_no_further_clips_are_looked_at_than_those_in_the_way() {
        let clips = clips(9);
        let mut looked_at = 0;
        let counted = clips.iter().copied().inspect(|_| looked_at += 1);
        let made = make_room(counted, sum(&clips), &RULES, room(300));
        assert_eq!((made.removed, made.is_enough, looked_at), (vec![0, 1], true, 3));
    }

    #[test]
    fn what_could_not_be_removed_takes_room() {
        let clips = clips(5);
        let stuck = RingSum { stuck_bytes: 450, ..sum(&clips) };
        let made = make_room(clips.iter().copied(), stuck, &RULES, room(100));
        assert_eq!((made.removed, made.is_enough), (vec![0], true));
        let stuck = RingSum { stuck_bytes: 950, ..stuck };
        assert!(!make_room(clips.iter().copied(), stuck, &RULES, room(100)).is_enough);
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_bytes() {
        assert_eq!(removed(5, room(500)), (vec![], true));
        assert_eq!(removed(5, room(501)), (vec![0], true));
        assert_eq!(removed(10, Room { open_bytes: 100, ..room(150) }), (vec![0, 1, 2], true));
        assert_eq!(removed(3, room(1001)), (vec![0, 1, 2], false));
    }

    #[test]
    fn what_others_need_of_the_disk_is_left_to_them() {
        assert_eq!(removed(5, Room { free_bytes: 600, ..room(100) }), (vec![], true));
        assert_eq!(removed(5, Room { free_bytes: 450, ..room(100) }), (vec![0, 1], true));
        assert_eq!(removed(2, Room { free_bytes: 0, ..room(100) }), (vec![0, 1], false));
        assert_eq!(removed(0, Room { free_bytes: 550, ..room(100) }), (vec![], false));
    }

    #[test]
    fn days_count_once_the_clock_is_right() {
        assert_eq!(removed(5, Room { now_ms: Some(9 * DAY_MS), ..room(0) }), (vec![0, 1], true));
        assert_eq!(removed(5, room(0)), (vec![], true));
        // A clock that was set back makes none older.
        assert_eq!(removed(5, Room { now_ms: Some(-9 * DAY_MS), ..room(0) }), (vec![], true));
    }

    #[test]
    fn many_small_clips_take_no_more_memory_than_a_bound() {
        let many = vec![RingClip { end_ms: 0, bytes: 0 }; MOST_CLIPS + 3];
        assert_eq!(make_room(many.iter().copied(), sum(&many), &RULES, room(0)).removed, [0, 1, 2]);
    }
}
