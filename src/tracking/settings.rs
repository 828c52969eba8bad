//! `[tracking]` for all cameras, and the `scene` of one of `[[cameras]]`.

pub use crate::tracking::region::Point;

use crate::tracking::region::Polygon;
use crate::vision::camera_id::is_valid_id;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// The most regions, and the most masks of each kind, of a camera. Each one costs time for every box of every frame.
const MAX_AREAS: usize = 32;

/// `[tracking]`: how detections become objects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrackingSettings {
    /// Track objects and image labels over frames, and report when they begin, change and end. False: scenes are not applied
    /// either.
    pub enabled: bool,
    /// Frames that must show an object or image label before it begins, 1..=30. Until then it must not be missed in more
    /// frames than it is seen in.
    pub min_hits: u32,
    /// How far above its threshold the mean confidence must be, 0..=1, for an object or image label to begin one frame
    /// earlier, but not before the second, if no frame has missed it. 1: never.
    pub sure_margin: f32,
    /// Seconds unseen after which it ends, 0.2..=60; at least three frames if frames are slow.
    pub lost_seconds: f32,
    /// The least confidence for an object to begin, 0..=1, for labels without a threshold of their own.
    pub confidence: f32,
    /// How far below its threshold an object or image label that has begun still counts as seen, 0..=1; what has moved and was
    /// surer before, half as far again. This has an effect only if the model reports such low confidences
    /// (`thresholds.weak_confidence` in its manifest).
    pub hysteresis: f32,
    /// Publish such a detection also if it is below the model's own threshold, `thresholds.confidence` in its manifest.
    pub publish_weak: bool,
    /// How much the best confidence must grow, 0.01..=1, for a `changed` event.
    pub best_step: f32,
    /// Groups of labels that a model confuses. An object keeps its track while its label changes within a group.
    pub label_groups: Vec<Vec<String>>,
}

impl Default for TrackingSettings {
    fn default() -> Self {
        let vehicles = ["car", "truck", "bus"].map(str::to_owned).to_vec();
        Self {
            enabled: true,
            min_hits: 3,
            // Settings of an earlier version, which do not have it, mean what they meant.
            sure_margin: 1.0,
            lost_seconds: 3.0,
            confidence: 0.5,
            hysteresis: 0.2,
            publish_weak: false,
            best_step: 0.1,
            label_groups: vec![vehicles],
        }
    }
}

/// The `scene` of a camera: which detections matter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SceneSettings {
    /// The labels to keep; empty: all labels of the model.
    pub labels: Vec<String>,
    /// The least confidence of a label, 0..=1, instead of `tracking.confidence`.
    pub thresholds: BTreeMap<String, f32>,
    /// Named areas. Events list those that an object has entered.
    pub regions: Vec<RegionSettings>,
    /// Only objects that stand in these areas are kept; empty: the whole picture.
    pub include: Vec<Vec<Point>>,
    /// Objects that stand in these areas are dropped.
    pub ignore: Vec<Vec<Point>>,
}

/// One of a scene's `regions`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionSettings {
    /// The name in events, `[a-z0-9_-]{1,64}`.
    pub name: String,
    /// The corners in order, 3..=64 of them.
    pub points: Vec<Point>,
}

/// An invalid value in the settings.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// The key, relative to `tracking` or to the camera's `scene`.
    pub field: String,
    /// The value, what is wrong with it, and what would be right.
    pub what: String,
}

impl Display for Mistake {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}", self.field, self.what)
    }
}

// === impl TrackingSettings ===

impl TrackingSettings {
    /// `[tracking]` of the shipped settings.
    pub fn as_shipped() -> Self {
        Self { sure_margin: 0.1, ..Self::default() }
    }

    /// Returns every mistake in the values.
    pub fn check(&self) -> Vec<Mistake> {
        let mut mistakes = Mistakes::default();
        mistakes.range("min_hits", f64::from(self.min_hits), 1.0, 30.0);
        mistakes.range("sure_margin", f64::from(self.sure_margin), 0.0, 1.0);
        mistakes.range("lost_seconds", f64::from(self.lost_seconds), 0.2, 60.0);
        mistakes.range("confidence", f64::from(self.confidence), 0.0, 1.0);
        mistakes.range("hysteresis", f64::from(self.hysteresis), 0.0, 1.0);
        mistakes.range("best_step", f64::from(self.best_step), 0.01, 1.0);
        let mut known = BTreeSet::new();
        for (index, label) in self
            .label_groups
            .iter()
            .enumerate()
            .flat_map(|(index, group)| group.iter().map(move |label| (index, label)))
        {
            if !known.insert(label) {
                mistakes.add(
                    format!("label_groups[{index}]"),
                    format!("`{label}` is in two groups or twice in one: name it once"),
                );
            }
        }
        mistakes.found
    }
}

// === impl SceneSettings ===

impl SceneSettings {
    /// Returns every mistake in the values.
    pub fn check(&self) -> Vec<Mistake> {
        let mut mistakes = Mistakes::default();
        for (label, threshold) in &self.thresholds {
            mistakes.range(&format!("thresholds.{label}"), f64::from(*threshold), 0.0, 1.0);
            if !self.labels.is_empty() && !self.labels.contains(label) {
                mistakes.add(
                    format!("thresholds.{label}"),
                    "is for a label that is not in `labels`: add the label there, or remove this threshold",
                );
            }
        }
        mistakes.count("regions", self.regions.len());
        for (index, region) in self.regions.iter().enumerate() {
            let name = &region.name;
            if !is_valid_id(name) {
                mistakes.add(
                    format!("regions[{index}].name"),
                    format!("`{name}` must be 1 to 64 of a-z, 0-9, `_` and `-`"),
                );
            }
            if self.regions[..index].iter().any(|other| other.name == *name) {
                mistakes.add(
                    format!("regions[{index}].name"),
                    format!("`{name}` is also the name of another region: give each region its own name"),
                );
            }
            mistakes.polygon(format!("regions[{index}].points"), &region.points);
        }
        for (key, areas) in [("include", &self.include), ("ignore", &self.ignore)] {
            mistakes.found.extend(check_areas(key, areas));
        }
        mistakes.found
    }
}

/// The mistakes of a list of polygons.
pub fn check_areas(key: &str, areas: &[Vec<Point>]) -> Vec<Mistake> {
    let mut mistakes = Mistakes::default();
    mistakes.count(key, areas.len());
    for (index, points) in areas.iter().enumerate() {
        mistakes.polygon(format!("{key}[{index}]"), points);
    }
    mistakes.found
}

#[derive(Default)]
struct Mistakes {
    found: Vec<Mistake>,
}

impl Mistakes {
    fn add(&mut self, field: impl Into<String>, what: impl Into<String>) {
        self.found.push(Mistake { field: field.into(), what: what.into() });
    }

    fn range(&mut self, field: &str, value: f64, least: f64, most: f64) {
        // NaN is in no range. Settings are f32, in which the bounds are not exact.
        if !(least - 1e-6..=most + 1e-6).contains(&value) {
            self.add(field, format!("{value} must be {least} to {most}"));
        }
    }

    fn count(&mut self, field: &str, count: usize) {
        if count > MAX_AREAS {
            self.add(field, format!("{count} areas are too many: give at most {MAX_AREAS}"));
        }
    }

    fn polygon(&mut self, field: String, points: &[Point]) {
        if let Err(error) = Polygon::new(points) {
            self.add(field, error.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_contain_no_mistake() {
        assert_eq!(TrackingSettings::default().check(), vec![]);
        assert_eq!(SceneSettings::default().check(), vec![]);
    }

    #[test]
    fn every_mistake_is_named_at_once_with_its_cure() {
        let scene: SceneSettings = toml::from_str(
            r#"
            labels = ["person"]
            thresholds = { person = 1.5, dog = 0.4 }
            regions = [
                { name = "Gate", points = [[0.0, 0.0], [1.0, 0.0]] },
                { name = "yard", points = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]] },
                { name = "yard", points = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.5]] },
            ]
            ignore = [[[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]]
            "#,
        )
        .unwrap();
        let mistakes: Vec<String> = scene.check().iter().map(Mistake::to_string).collect();
        let expected = [
            "thresholds.dog: is for a label that is not in `labels`: add the label there, or remove this threshold",
            "thresholds.person: 1.5 must be 0 to 1",
            "regions[0].name: `Gate` must be 1 to 64 of a-z, 0-9, `_` and `-`",
            "regions[0].points: 2 points enclose no area: give at least 3",
            "regions[2].name: `yard` is also the name of another region: give each region its own name",
            "regions[2].points: [1, 1.5] is outside the picture: give ratios of its width and height, 0.0 to 1.0",
            "ignore[0]: the points enclose no area: they lie on one line",
        ];
        assert_eq!(mistakes, expected);
    }

    #[test]
    fn values_out_of_range_and_labels_in_two_groups_are_mistakes() {
        let groups = vec![vec!["car".to_owned(), "van".to_owned()], vec!["van".to_owned()]];
        let wrong = TrackingSettings {
            lost_seconds: f32::NAN,
            best_step: 0.0,
            label_groups: groups,
            ..TrackingSettings::default()
        };
        let fields: Vec<String> = wrong.check().into_iter().map(|mistake| mistake.field).collect();
        assert_eq!(fields, ["lost_seconds", "best_step", "label_groups[1]"]);
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        assert!(toml::from_str::<TrackingSettings>("min_hit = 3").is_err());
        assert!(toml::from_str::<SceneSettings>("zones = []").is_err());
    }
}
