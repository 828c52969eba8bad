//! How far two models agree on a picture, without a truth to judge them by.

use crate::vision::detection::ClassIndex;
use crate::vision::geometry::NormalizedBox;

/// The least IoU of two boxes of the same object, as in COCO's AP50.
const SAME_OBJECT: f32 = 0.5;

/// What one model sees: a detection with its class in a numbering that both models share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// The class, in the numbering of both.
    pub class: ClassIndex,
    /// The confidence, 0..=1.
    pub confidence: f32,
    /// `None` for a label of the whole picture.
    pub bounding_box: Option<NormalizedBox>,
}

impl Seen {
    /// The overlap with what the other model sees, 0..=1; 0 for another class.
    fn overlap(&self, other: &Self) -> f32 {
        match (self.bounding_box, other.bounding_box) {
            _ if self.class != other.class => 0.0,
            (Some(first), Some(second)) => first.iou(&second),
            (None, None) => 1.0,
            _ => 0.0,
        }
    }
}

/// Two detections of the same object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Index into what the first model sees.
    pub first: usize,
    /// Index into what the second model sees.
    pub second: usize,
    /// The IoU of their boxes; 1 for labels of the whole picture.
    pub iou: f32,
}

/// What two models see of one picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pairing {
    /// What both see, the best overlap first.
    pub both: Vec<Pair>,
    /// Indices of what only the first model sees.
    pub only_first: Vec<usize>,
    /// Indices of what only the second model sees.
    pub only_second: Vec<usize>,
}

impl Pairing {
    /// Pairs detections of the same class whose boxes have an IoU of at least 0.5; the best overlaps find each other first.
    pub fn of(first: &[Seen], second: &[Seen]) -> Self {
        let candidates = first.iter().enumerate().flat_map(|(at, one)| {
            let with = move |(to, other)| Pair { first: at, second: to, iou: one.overlap(other) };
            second.iter().enumerate().map(with).filter(|pair| pair.iou >= SAME_OBJECT)
        });
        let mut candidates: Vec<Pair> = candidates.collect();
        candidates.sort_by(|a, b| b.iou.total_cmp(&a.iou));
        let (mut first_free, mut second_free) = (vec![true; first.len()], vec![true; second.len()]);
        candidates.retain(|pair| {
            let is_free = first_free[pair.first] && second_free[pair.second];
            if is_free {
                (first_free[pair.first], second_free[pair.second]) = (false, false);
            }
            is_free
        });
        let left = |free: &[bool]| (0..free.len()).filter(|at| free[*at]).collect();
        Self { both: candidates, only_first: left(&first_free), only_second: left(&second_free) }
    }
}

/// The share of detections that both models have: the F1 score of one with the other as the truth. `None` if neither sees
/// anything.
pub fn ratio(both: usize, only_first: usize, only_second: usize) -> Option<f64> {
    let all = 2 * both + only_first + only_second;
    (all > 0).then(|| 2.0 * both as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(class: u16, left: f32, right: f32) -> Seen {
        let bounding_box = NormalizedBox::from_corners(left, 0.0, right, 1.0);
        Seen { class: ClassIndex(class), confidence: 0.5, bounding_box }
    }

    #[test]
    fn the_best_overlap_of_a_class_is_the_same_object() {
        let first = [seen(0, 0.0, 0.4), seen(0, 0.1, 0.5), seen(1, 0.6, 1.0)];
        let second = [seen(0, 0.1, 0.5), seen(2, 0.6, 1.0)];
        let pairing = Pairing::of(&first, &second);
        assert_eq!(pairing.both, [Pair { first: 1, second: 0, iou: 1.0 }]);
        assert_eq!((pairing.only_first, pairing.only_second), (vec![0, 2], vec![1]));
    }

    #[test]
    fn boxes_that_overlap_by_less_than_half_are_two_objects() {
        let pairing = Pairing::of(&[seen(0, 0.0, 0.4)], &[seen(0, 0.2, 0.6)]);
        assert_eq!((pairing.both.len(), pairing.only_first.len(), pairing.only_second.len()), (0, 1, 1));
        let pairing = Pairing::of(&[seen(0, 0.0, 0.4)], &[seen(0, 0.1, 0.5)]);
        assert_eq!(pairing.both.len(), 1);
    }

    #[test]
    fn a_label_of_the_picture_equals_itself_and_no_box() {
        let label = Seen { bounding_box: None, ..seen(3, 0.0, 1.0) };
        assert_eq!(Pairing::of(&[label], &[label]).both.len(), 1);
        assert_eq!(Pairing::of(&[label], &[seen(3, 0.0, 1.0)]).both.len(), 0);
    }

    #[test]
    fn the_ratio_is_of_all_that_is_seen() {
        assert_eq!(ratio(0, 0, 0), None);
        assert_eq!(ratio(3, 1, 1), Some(0.75));
        assert_eq!(ratio(0, 2, 0), Some(0.0));
    }
}
