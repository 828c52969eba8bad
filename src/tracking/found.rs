//! What of a frame's detections counts for a camera, before anybody asks who it is.

use crate::tracking::rules::{Strength, TrackingRules};
use crate::vision::geometry::NormalizedBox;
use std::collections::BTreeMap;

/// The most objects of a frame that are tracked, the most confident ones: association takes their third power in time.
pub(super) const MAX_OBJECTS: usize = 300;

/// Boxes of labels that are taken for one another and overlap by more than this are one object that was seen as both.
/// Suppression has run for each label by itself.
const SAME_OBJECT_IOU: f32 = 0.7;

/// One detection, with its label's name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Seen<'a> {
    /// The model's name for it.
    pub label: &'a str,
    /// 0..=1; what is no number is filtered out.
    pub confidence: f32,
    /// None for a label of the whole picture.
    pub bounding_box: Option<NormalizedBox>,
}

/// An object that counts. `index` is its place in what was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoundObject<'a> {
    pub(super) index: usize,
    pub(super) label: &'a str,
    pub(super) group: &'a str,
    pub(super) strength: Strength,
    pub(super) confidence: f32,
    pub(super) bounding_box: NormalizedBox,
}

/// An image label that counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoundLabel {
    pub(super) index: usize,
    pub(super) strength: Strength,
    pub(super) confidence: f32,
}

/// A frame, sorted out.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    /// At most [`MAX_OBJECTS`], most confident first.
    pub(super) objects: Vec<FoundObject<'a>>,
    /// Detections that are another view of an object, and that object's index.
    pub(super) copies: Vec<(usize, usize)>,
    /// Image labels, each once.
    pub(super) labels: BTreeMap<&'a str, FoundLabel>,
    /// Which detections are strong enough to count whether anything is known of them or not.
    pub(super) is_strong: Vec<bool>,
}

impl<'a> Found<'a> {
    /// Sorts out what a camera's rules let pass.
    pub(super) fn new(rules: &'a TrackingRules, seen: &[Seen<'a>]) -> Self {
        let mut found = Found { is_strong: vec![false; seen.len()], ..Found::default() };
        for (index, one) in seen.iter().enumerate() {
            let Some(strength) = rules.strength(one.label, one.confidence) else { continue };
            let confidence = one.confidence.clamp(0.0, 1.0);
            let Some(raw) = one.bounding_box else {
                found.add_label(one.label, FoundLabel { index, strength, confidence });
                continue;
            };
            let cut = NormalizedBox::from_corners(raw.left, raw.top, raw.right(), raw.bottom());
            let Some(bounding_box) = cut.filter(|cut| rules.is_visible(cut)) else { continue };
            found.is_strong[index] = strength == Strength::Strong;
            let group = rules.group_of(one.label);
            found.objects.push(FoundObject { index, label: one.label, group, strength, confidence, bounding_box });
        }
        found.objects.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        found.objects.truncate(MAX_OBJECTS);
        found.set_copies_apart();
        found
    }

    fn add_label(&mut self, label: &'a str, new: FoundLabel) {
        self.is_strong[new.index] = new.strength == Strength::Strong;
        let best = self.labels.entry(label).or_insert(new);
        if new.confidence > best.confidence {
            *best = new;
        }
    }

    fn set_copies_apart(&mut self) {
        let mut kept: Vec<FoundObject<'a>> = Vec::with_capacity(self.objects.len());
        for object in self.objects.drain(..) {
            let is_copy_of = |better: &&FoundObject<'a>| {
                better.group == object.group
                    && better.label != object.label
                    && better.bounding_box.iou(&object.bounding_box) > SAME_OBJECT_IOU
            };
            match kept.iter().find(is_copy_of) {
                Some(better) => self.copies.push((object.index, better.index)),
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

    fn seen(label: &str, confidence: f32, left: f32) -> Seen<'_> {
        let bounding_box = NormalizedBox { left, top: 0.1, width: 0.2, height: 0.2 };
        Seen { label, confidence, bounding_box: Some(bounding_box) }
    }

    fn rules() -> TrackingRules {
        TrackingRules::new(&TrackingSettings::default(), &SceneSettings::default()).unwrap()
    }

    #[test]
    fn a_van_that_is_a_car_and_a_truck_is_one_object() {
        let rules = rules();
        let seen = [seen("car", 0.6, 0.1), seen("truck", 0.8, 0.11), seen("person", 0.9, 0.1)];
        let found = Found::new(&rules, &seen);
        let labels: Vec<&str> = found.objects.iter().map(|object| object.label).collect();
        assert_eq!(labels, ["person", "truck"]);
        assert_eq!(found.copies, [(0, 1)]);
    }

    #[test]
    fn what_is_no_box_or_no_number_is_left_out() {
        let rules = rules();
        let broken = NormalizedBox { left: f32::NAN, top: 0.0, width: 0.1, height: 0.1 };
        let beside = NormalizedBox { left: 1.5, top: 0.0, width: 0.1, height: 0.1 };
        let flat = NormalizedBox { left: 0.5, top: 0.5, width: 0.0, height: -0.1 };
        let boxes = [broken, beside, flat].map(|bounding_box| Seen {
            label: "person",
            confidence: 0.9,
            bounding_box: Some(bounding_box),
        });
        let unsure = [seen("person", f32::NAN, 0.1)];
        for given in [&boxes[..], &unsure[..]] {
            let found = Found::new(&rules, given);
            assert!(found.objects.is_empty() && !found.is_strong.contains(&true), "{found:?}");
        }
    }

    #[test]
    fn no_more_than_the_limit_is_tracked_and_the_best_are() {
        let rules = rules();
        let crowd: Vec<Seen<'_>> = (0..400u16).map(|n| seen("person", 0.5 + f32::from(n) / 1000.0, 0.1)).collect();
        let found = Found::new(&rules, &crowd);
        assert_eq!(found.objects.len(), MAX_OBJECTS);
        assert_eq!(found.objects[0].index, 399);
    }
}
