//! How good tracks are, compared with a ground truth: MOTA, IDF1, precision and recall.
//!
//! * MOTA = 1 − (missed + false + switches) / truth boxes (CLEAR MOT: Bernardin and Stiefelhagen 2008). In each frame
//!   an object keeps the track it had while the two still overlap; the others are matched anew. A switch is an object
//!   matched to another track than the last it was matched to.
//! * IDF1 = 2 · IDTP / (truth boxes + track boxes) (Ristani et al. 2016). Objects and tracks are matched once, for the
//!   whole sequence, so that the most boxes agree (IDTP). It measures whether identities last, which MOTA hardly does.
//! * Precision and recall are shares of track boxes and of truth boxes that are matched in their frame.

use crate::tracking::assignment::assign;
use crate::vision::geometry::NormalizedBox;
use std::collections::{BTreeMap, BTreeSet};

/// The least overlap of a track's box and an object's box for a match.
const SAME_IOU: f32 = 0.5;

/// Identities and their boxes in one frame, real or tracked.
pub type Boxes = Vec<(u64, NormalizedBox)>;

/// What was counted over a sequence, or over the labels of one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrackScore {
    /// Boxes of the truth.
    pub truth_boxes: u32,
    /// Boxes of the tracks.
    pub track_boxes: u32,
    /// Pairs of both that overlap.
    pub matched: u32,
    /// How often an object changed its track.
    pub switches: u32,
    /// Boxes that agree under the best matching of whole tracks to whole objects (IDTP).
    pub agreeing: f64,
}

impl TrackScore {
    /// Scores frames of truth and tracks, all of one kind of object.
    pub fn of(frames: &[(Boxes, Boxes)]) -> Self {
        let mut score = Self { agreeing: agreeing_boxes(frames), ..Self::default() };
        let mut track_of: BTreeMap<u64, u64> = BTreeMap::new();
        for (truth, tracks) in frames {
            let likeness = |row: usize, column: usize| {
                let ((object, is), (track, seen)) = (truth[row], tracks[column]);
                let overlap = is.iou(&seen);
                let had = if track_of.get(&object) == Some(&track) { 1000.0 } else { 0.0 };
                if overlap >= SAME_IOU { overlap + had } else { 0.0 }
            };
            let columns = assign(truth.len(), tracks.len(), likeness);
            let pairs = truth.iter().zip(columns).filter_map(|(object, column)| Some((object.0, tracks[column?].0)));
            let pairs: Vec<(u64, u64)> = pairs.collect();
            score.truth_boxes += count(truth.len());
            score.track_boxes += count(tracks.len());
            score.matched += count(pairs.len());
            for (object, track) in pairs {
                let is_switch = track_of.insert(object, track).is_some_and(|before| before != track);
                score.switches += u32::from(is_switch);
            }
        }
        score
    }

    /// Adds what was counted of another kind of object.
    #[must_use]
    pub fn with(self, other: &Self) -> Self {
        Self {
            truth_boxes: self.truth_boxes + other.truth_boxes,
            track_boxes: self.track_boxes + other.track_boxes,
            matched: self.matched + other.matched,
            switches: self.switches + other.switches,
            agreeing: self.agreeing + other.agreeing,
        }
    }

    /// At most 1; below 0 if more is wrong than there is. NaN without a truth, as the other figures.
    pub fn mota(&self) -> f64 {
        let wrong = self.truth_boxes + self.track_boxes - 2 * self.matched + self.switches;
        1.0 - f64::from(wrong) / f64::from(self.truth_boxes)
    }

    /// 0..=1.
    pub fn idf1(&self) -> f64 {
        2.0 * self.agreeing / f64::from(self.truth_boxes + self.track_boxes)
    }

    /// 0..=1; NaN without tracks.
    pub fn precision(&self) -> f64 {
        f64::from(self.matched) / f64::from(self.track_boxes)
    }

    /// 0..=1.
    pub fn recall(&self) -> f64 {
        f64::from(self.matched) / f64::from(self.truth_boxes)
    }
}

fn agreeing_boxes(frames: &[(Boxes, Boxes)]) -> f64 {
    let objects: Vec<u64> = ids(frames.iter().flat_map(|(truth, _)| truth));
    let tracks: Vec<u64> = ids(frames.iter().flat_map(|(_, tracks)| tracks));
    let mut agree = vec![vec![0.0f32; tracks.len()]; objects.len()];
    for (truth, seen) in frames {
        for (object, is) in truth {
            for (track, seen) in seen {
                if is.iou(seen) >= SAME_IOU
                    && let (Ok(row), Ok(column)) = (objects.binary_search(object), tracks.binary_search(track))
                {
                    agree[row][column] += 1.0;
                }
            }
        }
    }
    let track_of = assign(objects.len(), tracks.len(), |row, column| agree[row][column]);
    track_of.iter().enumerate().filter_map(|(row, column)| Some(f64::from(agree[row][(*column)?]))).sum()
}

fn ids<'a>(boxes: impl Iterator<Item = &'a (u64, NormalizedBox)>) -> Vec<u64> {
    boxes.map(|(id, _)| *id).collect::<BTreeSet<u64>>().into_iter().collect()
}

fn count(boxes: usize) -> u32 {
    u32::try_from(boxes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: NormalizedBox = NormalizedBox { left: 0.1, top: 0.1, width: 0.1, height: 0.2 };

    #[test]
    fn a_switch_halfway_costs_one_in_mota_and_half_the_identity() {
        let frame = |frame: u64| (vec![(7, PLACE)], vec![(1 + frame / 5, PLACE)]);
        let frames: Vec<(Boxes, Boxes)> = (0..10).map(frame).collect();
        let score = TrackScore::of(&frames);
        assert_eq!((score.switches, score.matched), (1, 10));
        assert!((score.mota() - 0.9).abs() < 1e-9 && (score.idf1() - 0.5).abs() < 1e-9, "{score:?}");
        assert!((score.precision() - 1.0).abs() < 1e-9 && (score.recall() - 1.0).abs() < 1e-9, "{score:?}");
    }

    #[test]
    fn a_miss_and_a_false_box_cost_one_each() {
        let far = NormalizedBox { left: 0.7, ..PLACE };
        let frames = [(vec![(7, PLACE)], vec![(1, PLACE)]), (vec![(7, PLACE)], vec![(1, far), (2, far)])];
        let score = TrackScore::of(&frames);
        assert_eq!((score.switches, score.matched, score.track_boxes), (0, 1, 3));
        assert!((score.mota() + 0.5).abs() < 1e-9 && (score.idf1() - 0.4).abs() < 1e-9, "{score:?}");
        assert!((score.precision() - 1.0 / 3.0).abs() < 1e-9 && (score.recall() - 0.5).abs() < 1e-9, "{score:?}");
    }

    #[test]
    fn kinds_of_objects_are_added_up() {
        let seen = TrackScore::of(&[(vec![(1, PLACE)], vec![(1, PLACE)])]);
        let missed = TrackScore::of(&[(vec![(2, PLACE), (3, PLACE)], vec![])]);
        let both = seen.with(&missed);
        assert!((both.recall() - 1.0 / 3.0).abs() < 1e-9 && (both.idf1() - 0.5).abs() < 1e-9, "{both:?}");
    }
}
