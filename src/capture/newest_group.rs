//! The newest group of pictures as it was received, so that a viewer who comes sees a picture at once.

use std::collections::VecDeque;

/// The most that is kept of one camera: four seconds at 4 Mbit/s. Of a longer group nothing is kept; its viewers wait for the
/// next keyframe.
const MOST_BYTES: usize = 2 << 20;
const MOST_UNITS: usize = 300;

/// A unit of the group.
#[derive(Clone, Debug)]
pub(super) struct GroupUnit<T> {
    pub(super) is_keyframe: bool,
    /// Its place on the timeline of the live video, in microseconds.
    pub(super) media_us: u64,
    pub(super) data: T,
}

/// The units since the newest keyframe.
#[derive(Debug)]
pub(super) struct NewestGroup<T> {
    units: VecDeque<GroupUnit<T>>,
    bytes: usize,
}

impl<T> Default for NewestGroup<T> {
    fn default() -> Self {
        Self { units: VecDeque::new(), bytes: 0 }
    }
}

impl<T> NewestGroup<T> {
    /// Takes in the next unit.
    pub(super) fn push(&mut self, unit: GroupUnit<T>, bytes: usize) {
        if unit.is_keyframe {
            self.clear();
        } else if self.units.is_empty() {
            return;
        }
        if self.bytes + bytes > MOST_BYTES || self.units.len() >= MOST_UNITS {
            self.clear();
            return;
        }
        self.bytes += bytes;
        self.units.push_back(unit);
    }

    pub(super) fn clear(&mut self) {
        self.units.clear();
        self.bytes = 0;
    }

    /// The units in the order of decoding, the keyframe first. None, if the group is too long.
    pub(super) fn units(&self) -> impl Iterator<Item = &GroupUnit<T>> {
        self.units.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(units: &[(bool, usize)]) -> Vec<u64> {
        let mut group = NewestGroup::default();
        for (media_us, (is_keyframe, bytes)) in (0..).zip(units) {
            group.push(GroupUnit { is_keyframe: *is_keyframe, media_us, data: () }, *bytes);
        }
        group.units().map(|unit| unit.media_us).collect()
    }

    #[test]
    fn the_group_begins_with_the_newest_keyframe() {
        assert_eq!(run(&[(false, 1), (true, 1), (false, 1), (true, 1), (false, 1)]), [3, 4]);
        assert_eq!(run(&[(false, 1), (false, 1)]), [] as [u64; 0]);
    }

    #[test]
    fn of_a_group_that_is_too_long_nothing_is_kept_up_to_the_next_keyframe() {
        assert_eq!(run(&[(true, 10), (false, MOST_BYTES), (false, 1)]), [] as [u64; 0]);
        assert_eq!(run(&[(true, 10), (false, MOST_BYTES), (true, 1)]), [2]);
        let many: Vec<(bool, usize)> = (0..=MOST_UNITS).map(|place| (place == 0, 1)).collect();
        assert!(run(&many).is_empty());
    }
}
