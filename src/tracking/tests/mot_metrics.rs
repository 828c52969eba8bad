//! Measures of tracking quality: MOTA and IDF1.
//!
//! * MOTA = 1 − (missed + false + switches) / truth boxes (CLEAR MOT: Bernardin and Stiefelhagen 2008). In each frame
//!   an object keeps the track it had while the two still overlap; the others are matched anew. A switch is an object
//!   matched to another track than the last it was matched to.
//! * IDF1 = 2 · IDTP / (truth boxes + track boxes) (Ristani et al. 2016). Objects and tracks are matched once, for the
//!   whole sequence, so that the most boxes agree (IDTP). It measures whether identities last, which MOTA hardly does.

use crate::tracking::assignment::assign;
use crate::vision::geometry::NormalizedBox;
use std::collections::{BTreeMap, BTreeSet};

/// The least overlap of a track's box and an object's box for a match.
const SAME_IOU: f32 = 0.5;

/// Identities and their boxes in one frame, real or tracked.
pub(super) type Boxes = Vec<(u64, NormalizedBox)>;

/// The score of a sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct MotScore {
    pub(super) mota: f64,
    pub(super) idf1: f64,
    pub(super) switches: u32,
    pub(super) missed: u32,
    pub(super) false_boxes: u32,
    pub(super) truth_boxes: u32,
}

/// Scores frames of truth and tracks.
pub(super) fn score(frames: &[(Boxes, Boxes)]) -> MotScore {
    let mut score = MotScore::default();
    let mut track_of: BTreeMap<u64, u64> = BTreeMap::new();
    let (mut truth_boxes, mut track_boxes) = (0, 0);
    for (truth, tracks) in frames {
        truth_boxes += truth.len();
        track_boxes += tracks.len();
        let likeness = |row: usize, column: usize| {
            let ((object, is), (track, seen)) = (truth[row], tracks[column]);
            let overlap = is.iou(&seen);
            let had = if track_of.get(&object) == Some(&track) { 1000.0 } else { 0.0 };
            if overlap >= SAME_IOU { overlap + had } else { 0.0 }
        };
        let matched = assign(truth.len(), tracks.len(), likeness);
        let pairs: Vec<(u64, u64)> =
            matched.iter().enumerate().filter_map(|(row, column)| Some((truth[row].0, tracks[(*column)?].0))).collect();
        score.missed += count(truth.len() - pairs.len());
        score.false_boxes += count(tracks.len() - pairs.len());
        for (object, track) in pairs {
            if track_of.insert(object, track).is_some_and(|before| before != track) {
                score.switches += 1;
            }
        }
    }
    score.truth_boxes = count(truth_boxes);
    let wrong = score.missed + score.false_boxes + score.switches;
    score.mota = 1.0 - f64::from(wrong) / f64::from(count(truth_boxes));
    score.idf1 = 2.0 * agreeing_boxes(frames) / f64::from(count(truth_boxes + track_boxes));
    score
}

/// IDTP: boxes that agree under the best matching of whole tracks to whole objects.
fn agreeing_boxes(frames: &[(Boxes, Boxes)]) -> f64 {
    let objects: Vec<u64> = ids(frames.iter().flat_map(|(truth, _)| truth));
    let tracks: Vec<u64> = ids(frames.iter().flat_map(|(_, tracks)| tracks));
    let mut agree = vec![vec![0.0f32; tracks.len()]; objects.len()];
    for (truth, seen) in frames {
        for (object, is) in truth {
            for (track, seen) in seen {
                if is.iou(seen) >= SAME_IOU {
                    let row = objects.binary_search(object).unwrap();
                    agree[row][tracks.binary_search(track).unwrap()] += 1.0;
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
    u32::try_from(boxes).unwrap()
}

#[test]
fn a_switch_halfway_costs_one_in_mota_and_half_the_identity() {
    let place = NormalizedBox { left: 0.1, top: 0.1, width: 0.1, height: 0.2 };
    let frames: Vec<(Boxes, Boxes)> = (0..10).map(|frame| (vec![(7, place)], vec![(1 + frame / 5, place)])).collect();
    let score = score(&frames);
    assert_eq!((score.switches, score.missed, score.false_boxes), (1, 0, 0));
    assert!((score.mota - 0.9).abs() < 1e-9 && (score.idf1 - 0.5).abs() < 1e-9, "{score:?}");
}

#[test]
fn a_miss_and_a_false_box_cost_one_each() {
    let place = NormalizedBox { left: 0.1, top: 0.1, width: 0.1, height: 0.2 };
    let far = NormalizedBox { left: 0.7, ..place };
    let score = score(&[(vec![(7, place)], vec![(1, place)]), (vec![(7, place)], vec![(1, far)])]);
    assert_eq!((score.switches, score.missed, score.false_boxes), (0, 1, 1));
    assert!(score.mota.abs() < 1e-9 && (score.idf1 - 0.5).abs() < 1e-9, "{score:?}");
}
