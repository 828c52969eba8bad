//! Greedy non-maximum suppression (NMS), for output layouts whose graph does not include it.

use crate::vision::detection::{ClassIndex, Detection};
use crate::vision::geometry::NormalizedBox;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Only this many detections of a picture are compared, the most confident ones. It bounds the time when a caller sets
/// a threshold of 0, which would otherwise compare millions of boxes.
pub const MOST_COMPARED: usize = 30_000;

/// If boxes of one class have an IoU above `iou_threshold`, keeps only the most confident one.
///
/// Returns at most `limit` detections, sorted by confidence, highest first; ties keep their order. Detections without a
/// box are never suppressed. Takes O(n k) time: n compared detections, at most [`MOST_COMPARED`], and k kept ones of a
/// class, at most `limit`.
pub fn suppress(mut detections: Vec<Detection>, iou_threshold: f32, limit: usize) -> Vec<Detection> {
    keep_best(&mut detections, MOST_COMPARED);
    detections.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut kept: Vec<Detection> = Vec::with_capacity(limit.min(detections.len()));
    let mut boxes_of_class: HashMap<ClassIndex, Vec<NormalizedBox>> = HashMap::new();
    for candidate in detections {
        if kept.len() == limit {
            break;
        }
        if let Some(place) = candidate.bounding_box {
            let better = boxes_of_class.entry(candidate.class).or_default();
            if better.iter().any(|better| meet(better, &place) && better.iou(&place) > iou_threshold) {
                continue;
            }
            better.push(place);
        }
        kept.push(candidate);
    }
    kept
}

/// A cheap test for any overlap. Most pairs have none, and their IoU need not be computed.
fn meet(a: &NormalizedBox, b: &NormalizedBox) -> bool {
    a.left < b.right() && b.left < a.right() && a.top < b.bottom() && b.top < a.bottom()
}

/// Keeps the `count` most confident detections, of equal ones the earlier, in their original order. Takes linear time.
pub fn keep_best(detections: &mut Vec<Detection>, count: usize) {
    if detections.len() <= count {
        return;
    }
    let mut confidences: Vec<f32> = detections.iter().map(|one| one.confidence).collect();
    let (better, least, _) = confidences.select_nth_unstable_by(count, |a, b| b.total_cmp(a));
    let least = *least;
    let mut of_least = better.iter().filter(|one| one.total_cmp(&least).is_eq()).count();
    detections.retain(|one| match one.confidence.total_cmp(&least) {
        Ordering::Greater => true,
        Ordering::Less => false,
        Ordering::Equal => {
            let is_kept = of_least > 0;
            of_least = of_least.saturating_sub(1);
            is_kept
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn detection(class: u16, confidence: f32, left: f32) -> Detection {
        Detection {
            class: ClassIndex(class),
            confidence,
            bounding_box: NormalizedBox::from_corners(left, 0.1, left + 0.2, 0.4),
        }
    }

    fn overlaps(better: &Detection, candidate: &Detection, iou_threshold: f32) -> bool {
        match (better.bounding_box, candidate.bounding_box) {
            (Some(a), Some(b)) => better.class == candidate.class && a.iou(&b) > iou_threshold,
            _ => false,
        }
    }

    /// The textbook algorithm: repeatedly keeps the most confident detection and drops those that it overlaps.
    fn by_the_book(mut left: Vec<Detection>, iou_threshold: f32, limit: usize) -> Vec<Detection> {
        let mut kept = Vec::new();
        while kept.len() < limit && !left.is_empty() {
            let mut best = 0;
            for index in 1..left.len() {
                if left[index].confidence > left[best].confidence {
                    best = index;
                }
            }
            let best = left.remove(best);
            left.retain(|other| !overlaps(&best, other, iou_threshold));
            kept.push(best);
        }
        kept
    }

    #[test]
    fn of_two_boxes_on_one_object_the_better_stays() {
        let kept = suppress(vec![detection(0, 0.6, 0.10), detection(0, 0.9, 0.11)], 0.5, 10);
        assert_eq!(kept, vec![detection(0, 0.9, 0.11)]);
    }

    #[test]
    fn classes_do_not_suppress_each_other_and_the_limit_holds() {
        let both = suppress(vec![detection(0, 0.6, 0.1), detection(1, 0.9, 0.1)], 0.5, 10);
        assert_eq!(both.len(), 2);
        assert_eq!(suppress(both, 0.5, 1)[0].class, ClassIndex(1));
    }

    #[test]
    fn of_more_than_can_be_compared_the_surest_are_kept_though_they_come_last() {
        let mut many = vec![detection(0, 0.1, 0.1); MOST_COMPARED];
        many.extend([detection(0, 0.2, 0.7), detection(1, 0.3, 0.1)]);
        let confidences: Vec<f32> = suppress(many, 0.5, 10).iter().map(|one| one.confidence).collect();
        assert_eq!(confidences, [0.3, 0.2, 0.1]);
    }

    proptest! {
        #[test]
        fn what_is_kept_is_what_the_plain_way_keeps_ties_included(
            // Few values, so that ties are frequent; a quarter has no box.
            raw in prop::collection::vec((0u16..3, 0u8..6, 0u8..9, 0u8..4), 0..60),
            iou in 0.0f32..1.0, limit in 1usize..40
        ) {
            let make = |(class, confidence, left, kind)| {
                let found = detection(class, f32::from(confidence) / 5.0, f32::from(left) / 12.0);
                if kind == 0 { Detection { bounding_box: None, ..found } } else { found }
            };
            let all: Vec<Detection> = raw.into_iter().map(make).collect();
            prop_assert_eq!(suppress(all.clone(), iou, limit), by_the_book(all, iou, limit));
        }

        #[test]
        fn the_best_are_those_that_come_first_in_order_and_stay_in_theirs(
            raw in prop::collection::vec((0u8..6, 0.0f32..0.8), 0..60), count in 0usize..70
        ) {
            let all: Vec<Detection> = raw.iter().map(|&(one, left)| detection(0, f32::from(one), left)).collect();
            let mut order: Vec<usize> = (0..all.len()).collect();
            order.sort_by(|a, b| all[*b].confidence.total_cmp(&all[*a].confidence));
            order.truncate(count);
            order.sort_unstable();
            let expected: Vec<Detection> = order.into_iter().map(|index| all[index]).collect();
            let mut kept = all;
            keep_best(&mut kept, count);
            prop_assert_eq!(kept, expected);
        }

        #[test]
        fn what_is_kept_never_overlaps_and_what_is_dropped_was_covered(
            raw in prop::collection::vec((0u16..3, 0.0f32..1.0, 0.0f32..0.8), 0..40)
        ) {
            let all: Vec<Detection> = raw.into_iter().map(|(class, confidence, left)| detection(class, confidence, left)).collect();
            let kept = suppress(all.clone(), 0.5, 100);
            for (index, one) in kept.iter().enumerate() {
                for other in &kept[index + 1..] {
                    prop_assert!(!overlaps(one, other, 0.5));
                }
            }
            for one in &all {
                let covered = kept.iter().any(|best| {
                    best.class == one.class && best.confidence >= one.confidence
                        && (best == one || overlaps(best, one, 0.5))
                });
                prop_assert!(covered);
            }
        }
    }
}
