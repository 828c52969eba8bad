//! Greedy non-maximum suppression, for layouts whose graph does not do it.

use crate::vision::detection::Detection;

/// Keeps, of boxes of one class that overlap by more than `iou_threshold`, the most confident one.
///
/// Sorts by confidence, highest first, and keeps at most `limit`. Detections without a box are
/// never suppressed. Quadratic in what is kept per class, which `limit` bounds.
pub fn suppress(mut detections: Vec<Detection>, iou_threshold: f32, limit: usize) -> Vec<Detection> {
    detections.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut kept: Vec<Detection> = Vec::with_capacity(limit.min(detections.len()));
    for candidate in detections {
        if kept.len() == limit {
            break;
        }
        if !kept.iter().any(|better| overlaps(better, &candidate, iou_threshold)) {
            kept.push(candidate);
        }
    }
    kept
}

fn overlaps(better: &Detection, candidate: &Detection, iou_threshold: f32) -> bool {
    match (better.bounding_box, candidate.bounding_box) {
        (Some(a), Some(b)) => better.class == candidate.class && a.iou(&b) > iou_threshold,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::detection::ClassIndex;
    use crate::vision::geometry::NormalizedBox;
    use proptest::prelude::*;

    fn detection(class: u16, confidence: f32, left: f32) -> Detection {
        Detection {
            class: ClassIndex(class),
            confidence,
            bounding_box: NormalizedBox::from_corners(left, 0.1, left + 0.2, 0.4),
        }
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

    proptest! {
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
