//! `[tracking]` for all cameras, and the `scene` of one of `[[cameras]]`.

pub use crate::tracking::region::Point;
use crate::tracking::region::Polygon;
use crate::vision::camera_id::is_valid_id;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// The most regions, and the most masks of a kind, that a camera may have: each is tried for every box of every frame.
const MAX_AREAS: usize = 32;

/// `[tracking]`: detections become objects with a life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrackingSettings {
    /// Follow objects and image labels over frames, number them, and say when they begin, change and end. False: no scene
    /// is applied either.
    pub enabled: bool,
    /// Frames that must show an object or image label before it begins, 1..=30. It has to be seen in at least as many
    /// frames as it is missed in meanwhile.
    pub min_hits: u32,
    /// Seconds unseen after which it ends, 0.2..=60; at least three frames where they come more slowly.
    pub lost_seconds: f32,
    /// The confidence that makes an object begin, 0..=1, for labels without a threshold of their own.
    pub confidence: f32,
    /// How far below its threshold a known object is still followed, and an image label still counts as there, 0..=1.
    /// The model must report as little for this to have an effect.
    pub hysteresis: f32,
    /// How much the best confidence must grow, 0.01..=1, for an event to say so.
    pub best_step: f32,
    /// Labels that a model takes for one another: an object keeps its track while its label changes between them.
    pub label_groups: Vec<Vec<String>>,
}

impl Default for TrackingSettings {
    fn default() -> Self {
        let vehicles = ["car", "truck", "bus"].map(str::to_owned).to_vec();
        Self {
            enabled: true,
            min_hits: 3,
            lost_seconds: 3.0,
            confidence: 0.5,
            hysteresis: 0.2,
            best_step: 0.1,
            label_groups: vec![vehicles],
        }
    }
}

/// The `scene` of a camera: what of its picture matters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SceneSettings {
    /// The labels that matter; empty: all that the model knows.
    pub labels: Vec<String>,
    /// Least confidence of a label, 0..=1, instead of `tracking.confidence`.
    pub thresholds: BTreeMap<String, f32>,
    /// Named areas; events say which of them an object has entered.
    pub regions: Vec<RegionSettings>,
    /// Areas outside of which nothing is seen; empty: the whole picture.
    pub include: Vec<Vec<Point>>,
    /// Areas in which nothing is seen.
    pub ignore: Vec<Vec<Point>>,
}

/// One of a scene's `regions`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionSettings {
    /// Names it in events, `[a-z0-9_-]{1,64}`.
    pub name: String,
    /// Its corners in order, 3..=64.
    pub points: Vec<Point>,
}

/// A value that cannot be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// The setting, below `tracking` or below the camera's `scene`.
    pub field: String,
    /// The value, what is wrong with it and what would be right.
    pub what: String,
}

impl Display for Mistake {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}", self.field, self.what)
    }
}

// === impl TrackingSettings ===

impl TrackingSettings {
    /// Every mistake in its values; none if all is well.
    pub fn check(&self) -> Vec<Mistake> {
        let mut mistakes = Mistakes::default();
        mistakes.range("min_hits", f64::from(self.min_hits), 1.0, 30.0);
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
                    format!("`{label}` is in there or in another group already: name it once"),
                );
            }
        }
        mistakes.found
    }
}

// === impl SceneSettings ===

impl SceneSettings {
    /// Every mistake in its values; none if all is well.
    pub fn check(&self) -> Vec<Mistake> {
        let mut mistakes = Mistakes::default();
        for (label, threshold) in &self.thresholds {
            mistakes.range(&format!("thresholds.{label}"), f64::from(*threshold), 0.0, 1.0);
            if !self.labels.is_empty() && !self.labels.contains(label) {
                mistakes.add(
                    format!("thresholds.{label}"),
                    "is for a label that is not in `labels`: add it there, or leave this out",
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
                    format!("`{name}` is another region's name too: give it one of its own"),
                );
            }
            mistakes.polygon(format!("regions[{index}].points"), &region.points);
        }
        for (key, areas) in [("include", &self.include), ("ignore", &self.ignore)] {
            mistakes.count(key, areas.len());
            for (index, points) in areas.iter().enumerate() {
                mistakes.polygon(format!("{key}[{index}]"), points);
            }
        }
        mistakes.found
    }
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
        // What is not a number is in no range. Settings are f32, and their bounds are not exact in it.
        if !(least - 1e-6..=most + 1e-6).contains(&value) {
            self.add(field, format!("{value} must be {least} to {most}"));
        }
    }

    fn count(&mut self, field: &str, count: usize) {
        if count > MAX_AREAS {
            self.add(field, format!("{count} areas are too many: give {MAX_AREAS} at most"));
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
    fn the_defaults_hold_no_mistake() {
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
        let said: Vec<String> = scene.check().iter().map(Mistake::to_string).collect();
        let expected = [
            "thresholds.dog: is for a label that is not in `labels`: add it there, or leave this out",
            "thresholds.person: 1.5 must be 0 to 1",
            "regions[0].name: `Gate` must be 1 to 64 of a-z, 0-9, `_` and `-`",
            "regions[0].points: 2 points bound no area: give 3 at least",
            "regions[2].name: `yard` is another region's name too: give it one of its own",
            "regions[2].points: [1, 1.5] is not in the picture: give ratios of its width and height, 0.0 to 1.0",
            "ignore[0]: its points bound no area: they lie on one line",
        ];
        assert_eq!(said, expected);
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
