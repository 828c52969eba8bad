//! How well one detector agrees with another one, on pictures that nobody has annotated: the boxes of the first are the truth.

use crate::evaluation::average_precision;
use crate::evaluation::matching::{self, AREA_RANGES, Scene, ScoredBox, Tally, Truth};
use crate::evaluation::pixel_box::PixelBox;
use crate::vision::detection::{ClassIndex, Detection};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The least IoU of two boxes of one object.
const SAME_BOX: f32 = 0.5;

/// A box at the threshold has a partner if that one's score is lower by no more than this.
const SLACK: f32 = 0.1;

/// Side of the pictures in pixels, as which ratios are compared: the figures depend on ratios alone.
const SIDE: u32 = 1000;

/// The agreement over all pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Agreement {
    /// Pictures that were compared.
    pub pictures: usize,
    /// Boxes at the threshold or above it, of both detectors.
    pub boxes: usize,
    /// The share of these boxes for which the other detector has one of the same label at an IoU of 0.5, whose score reaches
    /// the threshold or is lower by 0.1 at most, 0..=1.
    pub agreement: f64,
    /// One less the average precision at an IoU of 0.5, with the first detector's boxes at the threshold as the truth: the mean
    /// of the labels, each as often as it has boxes. 0..=1.
    pub ap_loss: f64,
    /// The same average precision over IoUs from 0.5 to 0.95: how near the boxes are to each other. 0..=1.
    pub closeness: f64,
}

/// Collects the detections of both detectors, picture by picture.
#[derive(Debug)]
pub struct Comparison {
    threshold: f32,
    pictures: usize,
    boxes: usize,
    agreed: usize,
    scenes: BTreeMap<ClassIndex, Vec<Scene>>,
}

impl Comparison {
    /// Compares the boxes from a score of `threshold` on, 0..=1.
    pub fn new(threshold: f32) -> Self {
        Self { threshold, pictures: 0, boxes: 0, agreed: 0, scenes: BTreeMap::new() }
    }

    /// Adds one picture. Both lists should have boxes well below the threshold.
    pub fn add(&mut self, truth: &[Detection], found: &[Detection]) {
        self.pictures += 1;
        let (of_truth, of_found) = (self.counted(truth), self.counted(found));
        self.boxes += of_truth.len() + of_found.len();
        self.agreed += self.agreed(&of_truth, found) + self.agreed(&of_found, truth);
        let classes: BTreeSet<ClassIndex> = truth.iter().chain(found).map(|one| one.class).collect();
        for class in classes {
            let mut scene = Scene::default();
            for (bounding_box, _) in of_truth.iter().filter(|one| one.class == class).filter_map(pixels) {
                scene.truths.push(Truth { bounding_box, area: bounding_box.area(), is_crowd: false });
            }
            let of_class = found.iter().filter(|one| one.class == class).filter_map(pixels);
            scene.found.extend(of_class.map(|(bounding_box, score)| ScoredBox { score, bounding_box }));
            self.scenes.entry(class).or_default().push(scene);
        }
    }

    fn counted(&self, detections: &[Detection]) -> Vec<Detection> {
        detections
            .iter()
            .filter(|one| one.confidence >= self.threshold && one.bounding_box.is_some())
            .copied()
            .collect()
    }

    /// How many of `boxes`, the most confident first, have a partner of their own.
    fn agreed(&self, boxes: &[Detection], others: &[Detection]) -> usize {
        let mut taken = vec![false; others.len()];
        let mut agreed = 0;
        for one in boxes {
            let partner = others.iter().enumerate().filter_map(|(place, other)| {
                let overlap = one.bounding_box?.iou(&other.bounding_box?);
                let is_like_it = other.class == one.class && other.confidence >= self.threshold - SLACK;
                (is_like_it && overlap >= SAME_BOX && !taken[place]).then_some((overlap, place))
            });
            if let Some((_, place)) = partner.max_by(|one, other| one.0.total_cmp(&other.0)) {
                taken[place] = true;
                agreed += 1;
            }
        }
        agreed
    }

    /// The figures so far. Two detectors that see nothing agree.
    pub fn agreement(&self) -> Agreement {
        let (mut at_50, mut at_all, mut objects) = (0.0, 0.0, 0);
        for scenes in self.scenes.values() {
            let mut tallies: [Tally; AREA_RANGES.len()] = Default::default();
            scenes.iter().for_each(|scene| matching::judge(scene, &mut tallies));
            let of_class: usize = scenes.iter().map(|scene| scene.truths.len()).sum();
            let figures = average_precision::figures(&mut tallies);
            if let Some((ap50, ap)) = figures.ap50.zip(figures.ap) {
                at_50 += ap50 * of_class as f64;
                at_all += ap * of_class as f64;
                objects += of_class;
            }
        }
        let share = |part: f64, whole: usize| if whole == 0 { 1.0 } else { part / whole as f64 };
        Agreement {
            pictures: self.pictures,
            boxes: self.boxes,
            agreement: share(self.agreed as f64, self.boxes),
            ap_loss: 1.0 - share(at_50, objects),
            closeness: share(at_all, objects),
        }
    }
}

fn pixels(one: &Detection) -> Option<(PixelBox, f64)> {
    Some((PixelBox::from_ratios(&one.bounding_box?, SIDE, SIDE).ok()?, f64::from(one.confidence)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::geometry::NormalizedBox;

    fn seen(class: u16, confidence: f32, left: f32) -> Detection {
        let bounding_box = Some(NormalizedBox { left, top: 0.1, width: 0.2, height: 0.2 });
        Detection { class: ClassIndex(class), confidence, bounding_box }
    }

    fn of(truth: &[Detection], found: &[Detection]) -> (f64, f64) {
        let mut comparison = Comparison::new(0.5);
        comparison.add(truth, found);
        let Agreement { agreement, ap_loss, .. } = comparison.agreement();
        (agreement, (ap_loss * 1000.0).round() / 1000.0)
    }

    #[test]
    fn the_same_boxes_agree_and_so_do_none() {
        let boxes = [seen(1, 0.9, 0.1), seen(2, 0.6, 0.5), seen(1, 0.2, 0.7)];
        assert_eq!(of(&boxes, &boxes), (1.0, 0.0));
        assert_eq!(of(&[], &[]), (1.0, 0.0));
    }

    #[test]
    fn a_box_elsewhere_or_of_another_label_or_with_a_far_lower_score_does_not_agree() {
        let truth = [seen(1, 0.9, 0.1)];
        assert_eq!(of(&truth, &[]), (0.0, 1.0));
        for other in [seen(1, 0.9, 0.5), seen(2, 0.9, 0.1)] {
            assert_eq!(of(&truth, &[other]), (0.0, 1.0), "{other:?}");
        }
        // It is still found, which is all that average precision asks for.
        assert_eq!(of(&truth, &[seen(1, 0.3, 0.1)]), (0.0, 0.0));
        assert_eq!(of(&truth, &[seen(1, 0.45, 0.1)]), (1.0, 0.0));
    }

    #[test]
    fn what_only_the_second_one_sees_counts_too_and_each_box_has_one_partner() {
        assert_eq!(of(&[seen(1, 0.9, 0.1)], &[seen(1, 0.8, 0.1), seen(1, 0.95, 0.6)]).0, 2.0 / 3.0);
        assert_eq!(of(&[seen(1, 0.9, 0.1), seen(1, 0.8, 0.12)], &[seen(1, 0.9, 0.1)]).0, 2.0 / 3.0);
    }

    #[test]
    fn a_label_counts_as_often_as_it_has_boxes() {
        let truth = [seen(1, 0.9, 0.0), seen(1, 0.8, 0.3), seen(1, 0.7, 0.6), seen(2, 0.9, 0.0)];
        assert_eq!(of(&truth, &truth[..3]).1, 0.25);
    }
}
