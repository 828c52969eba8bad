//! The rules of one camera's tracker: `[tracking]` and the camera's `scene`, checked and combined.

use crate::tracking::named_detection::NamedDetection;
use crate::tracking::region::{Polygon, Region, standing_point};
use crate::tracking::settings::{Mistake, SceneSettings, TrackingSettings};
use crate::vision::geometry::NormalizedBox;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Checked rules. They contain no mistake, so that a tracker cannot fail.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackingRules {
    min_hits: u32,
    pub(super) lost_after: Duration,
    pub(super) best_step: f32,
    confidence: f32,
    hysteresis: f32,
    sure_margin: f32,
    /// Publish detections that the model keeps back, if they continue an object.
    pub(super) publish_weak: bool,
    labels: BTreeSet<String>,
    thresholds: BTreeMap<String, f32>,
    /// The group of each grouped label. A group is named after its first label.
    groups: BTreeMap<String, String>,
    regions: Vec<Region>,
    include: Vec<Polygon>,
    ignore: Vec<Polygon>,
}

/// How much a detection counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Strength {
    /// At or above the threshold: it can begin an object.
    Strong,
    /// Below the threshold by at most `hysteresis`, or kept back by the model: it can only continue an object that has begun.
    Weak,
    /// Below the threshold by more than that, but by no more than [`FAINT`] times `hysteresis`: it can only continue an object
    /// that has moved and was surer before.
    Faint,
}

/// Faint detections are below the threshold by at most this many times `hysteresis`.
const FAINT: f32 = 1.5;

impl TrackingRules {
    /// Combines the settings of all cameras with the scene of one.
    ///
    /// # Errors
    /// Every [`Mistake`] in both, those of [`TrackingSettings::check`] first.
    pub fn new(tracking: &TrackingSettings, scene: &SceneSettings) -> Result<Self, Vec<Mistake>> {
        let mistakes: Vec<Mistake> = tracking.check().into_iter().chain(scene.check()).collect();
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        // All polygons were checked above, so `ok()` drops none.
        let polygons = |areas: &[Vec<[f32; 2]>]| areas.iter().filter_map(|points| Polygon::new(points).ok()).collect();
        let regions = scene
            .regions
            .iter()
            .filter_map(|region| Some(Region { name: region.name.clone(), area: Polygon::new(&region.points).ok()? }));
        let mut groups = BTreeMap::new();
        for group in &tracking.label_groups {
            for label in group {
                groups.insert(label.clone(), group[0].clone());
            }
        }
        Ok(Self {
            min_hits: tracking.min_hits,
            lost_after: Duration::from_secs_f32(tracking.lost_seconds),
            best_step: tracking.best_step,
            confidence: tracking.confidence,
            hysteresis: tracking.hysteresis,
            sure_margin: tracking.sure_margin,
            publish_weak: tracking.publish_weak,
            labels: scene.labels.iter().cloned().collect(),
            thresholds: scene.thresholds.clone(),
            groups,
            regions: regions.collect(),
            include: polygons(&scene.include),
            ignore: polygons(&scene.ignore),
        })
    }

    /// How much a detection counts; `None` if the label is not wanted, or the confidence is too low or NaN.
    pub(super) fn strength(&self, found: &NamedDetection<'_>) -> Option<Strength> {
        let NamedDetection { label, confidence, is_weak, .. } = *found;
        if !self.labels.is_empty() && !self.labels.contains(label) {
            return None;
        }
        let threshold = self.threshold(label);
        if confidence >= threshold && !is_weak {
            return Some(Strength::Strong);
        }
        if confidence >= threshold - self.hysteresis {
            return Some(Strength::Weak);
        }
        (confidence >= threshold - FAINT * self.hysteresis).then_some(Strength::Faint)
    }

    /// True if a faint detection of this label can be an object that was seen with `usual` confidence: the mean of both is
    /// below the threshold by no more than `hysteresis`.
    pub(super) fn bears(&self, label: &str, usual: f32, faint: f32) -> bool {
        f32::midpoint(usual, faint) >= self.threshold(label) - self.hysteresis
    }

    /// The least confidence for an object of this label to begin.
    fn threshold(&self, label: &str) -> f32 {
        self.thresholds.get(label).copied().unwrap_or(self.confidence)
    }

    /// True if an object or image label is to begin: in `hits` frames it was seen, with `confidence` in the mean, and in
    /// `misses` it was not. One frame less than `min_hits`, but two, will do if nothing is doubtful about them.
    pub(super) fn lets_begin(&self, label: &str, hits: u32, misses: u32, confidence: f32) -> bool {
        let is_sure = self.sure_margin < 1.0
            && misses == 0
            && hits >= 2
            && confidence >= self.threshold(label) + self.sure_margin;
        hits + u32::from(is_sure) >= self.min_hits
    }

    /// True unless a mask hides the box.
    pub(super) fn is_visible(&self, bounding_box: &NormalizedBox) -> bool {
        let point = standing_point(bounding_box);
        let is_included = self.include.is_empty() || self.include.iter().any(|area| area.contains(point));
        is_included && !self.ignore.iter().any(|area| area.contains(point))
    }

    /// The names of the regions that the box stands in, in the order of the settings.
    pub(super) fn regions_at(&self, bounding_box: &NormalizedBox) -> impl Iterator<Item = &str> {
        let point = standing_point(bounding_box);
        self.regions.iter().filter(move |region| region.area.contains(point)).map(|region| region.name.as_str())
    }

    /// The group of a label, or the label itself. Labels of one group can be the same object.
    pub(super) fn group_of<'a>(&'a self, label: &'a str) -> &'a str {
        self.groups.get(label).map_or(label, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(scene: &str) -> TrackingRules {
        TrackingRules::new(&TrackingSettings::as_shipped(), &toml::from_str(scene).unwrap()).unwrap()
    }

    fn standing_at(x: f32, y: f32) -> NormalizedBox {
        NormalizedBox { left: x - 0.05, top: y - 0.1, width: 0.1, height: 0.1 }
    }

    #[test]
    fn a_camera_has_labels_and_thresholds_of_its_own() {
        let rules = rules("labels = [\"person\", \"dog\"]\nthresholds = { dog = 0.8 }");
        let strength = |label, confidence, is_weak| {
            rules.strength(&NamedDetection { label, confidence, bounding_box: None, is_weak })
        };
        assert_eq!(strength("cat", 0.99, false), None);
        assert_eq!(strength("person", 0.5, false), Some(Strength::Strong));
        assert_eq!(strength("person", 0.9, true), Some(Strength::Weak));
        assert_eq!(strength("dog", 0.7, false), Some(Strength::Weak));
        assert_eq!(strength("person", 0.29, false), Some(Strength::Faint));
        assert_eq!(strength("person", 0.19, false), None);
        assert_eq!(strength("dog", 0.49, true), None);
        assert_eq!(strength("dog", f32::NAN, false), None);
    }

    #[test]
    fn the_fainter_a_detection_the_surer_its_object_must_be() {
        let rules = rules("thresholds = { dog = 0.8 }");
        assert!(rules.bears("person", 0.4, 0.2) && rules.bears("person", 0.35, 0.25));
        assert!(!rules.bears("person", 0.39, 0.2) && !rules.bears("dog", 0.59, 0.6));
        let without = TrackingSettings { hysteresis: 0.0, ..TrackingSettings::as_shipped() };
        let without = TrackingRules::new(&without, &SceneSettings::default()).unwrap();
        let faint = NamedDetection { label: "person", confidence: 0.49, bounding_box: None, is_weak: false };
        assert_eq!(without.strength(&faint), None);
    }

    #[test]
    fn two_sure_frames_begin_what_takes_three_and_doubtful_ones_do_not() {
        let rules = rules("thresholds = { dog = 0.7 }");
        assert!(rules.lets_begin("person", 2, 0, 0.61));
        assert!(!rules.lets_begin("person", 2, 0, 0.59), "not well above the threshold");
        assert!(!rules.lets_begin("dog", 2, 0, 0.79), "its own threshold counts");
        assert!(!rules.lets_begin("person", 2, 1, 0.9), "it was missed once");
        assert!(!rules.lets_begin("person", 1, 0, 0.99), "a single frame proves nothing");
        assert!(rules.lets_begin("person", 3, 2, 0.5));
    }

    #[test]
    fn sure_frames_save_one_of_many_and_none_of_two() {
        let with = |min_hits| {
            let tracking = TrackingSettings { min_hits, ..TrackingSettings::as_shipped() };
            TrackingRules::new(&tracking, &SceneSettings::default()).unwrap()
        };
        assert!(!with(10).lets_begin("person", 8, 0, 0.9) && with(10).lets_begin("person", 9, 0, 0.9));
        assert!(!with(2).lets_begin("person", 1, 0, 0.9) && with(1).lets_begin("person", 1, 0, 0.5));
    }

    #[test]
    fn masks_hide_what_stands_in_ignore_or_outside_of_include() {
        let left = "[[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]";
        let top = "[[0.0, 0.0], [1.0, 0.0], [1.0, 0.3], [0.0, 0.3]]";
        let rules = rules(&format!("include = [{left}]\nignore = [{top}]"));
        assert!(rules.is_visible(&standing_at(0.2, 0.9)));
        assert!(!rules.is_visible(&standing_at(0.8, 0.9)), "outside of `include`");
        assert!(!rules.is_visible(&standing_at(0.2, 0.2)), "in `ignore`");
    }

    #[test]
    fn mistakes_in_both_settings_are_reported_together() {
        let wrong = TrackingSettings { min_hits: 0, ..TrackingSettings::default() };
        let scene = SceneSettings { ignore: vec![vec![]], ..SceneSettings::default() };
        assert_eq!(TrackingRules::new(&wrong, &scene).unwrap_err().len(), 2);
    }
}
