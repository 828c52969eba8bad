//! The detections of a frame that count for a camera: filtered, limited and without duplicates, but not matched yet.

use crate::tracking::named_detection::NamedDetection;
use crate::tracking::rules::{Strength, TrackingRules};
use crate::vision::geometry::NormalizedBox;
use std::collections::BTreeMap;

/// The most objects of a frame that are tracked, the most confident ones. Association takes cubic time.
pub(super) const MAX_OBJECTS: usize = 300;

/// Two boxes of one label group that overlap by more than this are one object with two labels. Non-maximum suppression
/// has run for each label separately.
const SAME_OBJECT_IOU: f32 = 0.7;

/// The detection of an object. `index` is its position among the detections of the frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct ObjectDetection<'a> {
    pub(super) index: usize,
    pub(super) label: &'a str,
    pub(super) group: &'a str,
    pub(super) strength: Strength,
    pub(super) confidence: f32,
    pub(super) bounding_box: NormalizedBox,
}

/// The detection of an image label.
#[derive(Clone, Copy, Debug)]
pub(super) struct LabelDetection {
    pub(super) index: usize,
    pub(super) strength: Strength,
    pub(super) confidence: f32,
}

/// The filtered detections of one frame.
#[derive(Debug, Default)]
pub(super) struct FrameDetections<'a> {
    /// At most [`MAX_OBJECTS`], the strong ones first, and of these the most confident.
    pub(super) objects: Vec<ObjectDetection<'a>>,
    /// Detections that duplicate an object, each with the index of that object's detection.
    pub(super) duplicates: Vec<(usize, usize)>,
    /// Image labels, each label once.
    pub(super) labels: BTreeMap<&'a str, LabelDetection>,
    /// For each detection of the frame whether it is strong, so that it counts without a begun object.
    pub(super) is_strong: Vec<bool>,
}

impl<'a> FrameDetections<'a> {
    /// Filters detections by a camera's rules.
    pub(super) fn new(rules: &'a TrackingRules, unfiltered: &[NamedDetection<'a>]) -> Self {
        let mut detections = FrameDetections { is_strong: vec![false; unfiltered.len()], ..FrameDetections::default() };
        for (index, one) in unfiltered.iter().enumerate() {
            let Some(strength) = rules.strength(one) else { continue };
            let confidence = one.confidence.clamp(0.0, 1.0);
            let Some(raw) = one.bounding_box else {
                // A label of the whole picture does not move.
                if strength == Strength::Faint {
                    continue;
                }
                detections.add_label(one.label, LabelDetection { index, strength, confidence });
                continue;
            };
            let cut = NormalizedBox::from_corners(raw.left, raw.top, raw.right(), raw.bottom());
            let Some(bounding_box) = cut.filter(|cut| rules.is_visible(cut)) else { continue };
            detections.is_strong[index] = strength == Strength::Strong;
            let group = rules.group_of(one.label);
            detections.objects.push(ObjectDetection {
                index,
                label: one.label,
                group,
                strength,
                confidence,
                bounding_box,
            });
        }
        // A weak truck takes no place from a strong car, whose label may have a lower threshold, nor a faint one from a weak car.
        detections.objects.sort_by(|a, b| a.strength.cmp(&b.strength).then(b.confidence.total_cmp(&a.confidence)));
        detections.objects.truncate(MAX_OBJECTS);
        detections.split_off_duplicates();
        detections
    }

    fn add_label(&mut self, label: &'a str, new: LabelDetection) {
        self.is_strong[new.index] = new.strength == Strength::Strong;
        let best = self.labels.entry(label).or_insert(new);
        if new.confidence > best.confidence {
            *best = new;
        }
    }

    fn split_off_duplicates(&mut self) {
        let mut kept: Vec<ObjectDetection<'a>> = Vec::with_capacity(self.objects.len());
        for object in self.objects.drain(..) {
            let is_duplicate_of = |better: &&ObjectDetection<'a>| {
                better.group == object.group
                    && better.label != object.label
                    && better.bounding_box.iou(&object.bounding_box) > SAME_OBJECT_IOU
            };
            match kept.iter().find(is_duplicate_of) {
                Some(better) => self.duplicates.push((object.index, better.index)),
                None => kept.push(object),
            }
        }
        self.objects = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracking::settings::{SceneSettings, TrackingSettings};

    fn detection(label: &str, confidence: f32, left: f32) -> NamedDetection<'_> {
        let bounding_box = NormalizedBox { left, top: 0.1, width: 0.2, height: 0.2 };
        NamedDetection { label, confidence, bounding_box: Some(bounding_box), is_weak: false }
    }

    fn rules() -> TrackingRules {
        TrackingRules::new(&TrackingSettings::default(), &SceneSettings::default()).unwrap()
    }

    #[test]
    fn a_van_that_is_a_car_and_a_truck_is_one_object() {
        let rules = rules();
        let unfiltered = [detection("car", 0.6, 0.1), detection("truck", 0.8, 0.11), detection("person", 0.9, 0.1)];
        let detections = FrameDetections::new(&rules, &unfiltered);
        let labels: Vec<&str> = detections.objects.iter().map(|object| object.label).collect();
        assert_eq!(labels, ["person", "truck"]);
        assert_eq!(detections.duplicates, [(0, 1)]);
    }

    #[test]
    fn what_the_model_keeps_back_is_weak_and_takes_no_place_from_a_strong_box() {
        let rules = rules();
        let kept_back = NamedDetection { is_weak: true, ..detection("truck", 0.6, 0.11) };
        let faint = NamedDetection { is_weak: true, ..detection("person", 0.19, 0.6) };
        let unfiltered = [kept_back, detection("car", 0.55, 0.1), faint];
        let detections = FrameDetections::new(&rules, &unfiltered);
        assert_eq!(detections.objects.len(), 1);
        assert_eq!((detections.objects[0].label, detections.duplicates.as_slice()), ("car", [(0, 1)].as_slice()));
        assert_eq!(detections.is_strong, [false, true, false]);
    }

    #[test]
    fn a_faint_box_takes_no_place_from_a_weak_one_that_is_less_sure() {
        let scene = SceneSettings { thresholds: [("truck".to_owned(), 0.8)].into(), ..SceneSettings::default() };
        let rules = TrackingRules::new(&TrackingSettings::default(), &scene).unwrap();
        let unfiltered = [detection("truck", 0.55, 0.11), detection("car", 0.4, 0.1)];
        let detections = FrameDetections::new(&rules, &unfiltered);
        assert_eq!((detections.objects[0].label, detections.duplicates.as_slice()), ("car", [(0, 1)].as_slice()));
    }

    #[test]
    fn invalid_boxes_and_confidences_are_filtered_out() {
        let rules = rules();
        let broken = NormalizedBox { left: f32::NAN, top: 0.0, width: 0.1, height: 0.1 };
        let beside = NormalizedBox { left: 1.5, top: 0.0, width: 0.1, height: 0.1 };
        let flat = NormalizedBox { left: 0.5, top: 0.5, width: 0.0, height: -0.1 };
        let boxes = [broken, beside, flat].map(|bounding_box| NamedDetection {
            label: "person",
            confidence: 0.9,
            bounding_box: Some(bounding_box),
            is_weak: false,
        });
        let nan = [detection("person", f32::NAN, 0.1)];
        for given in [&boxes[..], &nan[..]] {
            let detections = FrameDetections::new(&rules, given);
            assert!(detections.objects.is_empty() && !detections.is_strong.contains(&true), "{detections:?}");
        }
    }

    #[test]
    fn only_the_most_confident_detections_up_to_the_limit_are_tracked() {
        let rules = rules();
        let confidences = (0..400u16).map(|n| 0.5 + f32::from(n) / 1000.0);
        let crowd: Vec<NamedDetection<'_>> = confidences.map(|one| detection("person", one, 0.1)).collect();
        let detections = FrameDetections::new(&rules, &crowd);
        assert_eq!(detections.objects.len(), MAX_OBJECTS);
        assert_eq!(detections.objects[0].index, 399);
    }
}
