//! Confidence thresholds for requests without their own: the manifest's default, or the one that it sets for a label.

use crate::model::labels::Labels;
use crate::model::manifest::{Manifest, Thresholds};
use crate::vision::detection::{ClassIndex, Detection};
use crate::vision::look_options::LookOptions;
use std::collections::BTreeMap;

/// The default threshold and the exceptions by class.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AssumedThresholds {
    usual: f32,
    own: BTreeMap<ClassIndex, f32>,
    weak: Option<f32>,
}

impl AssumedThresholds {
    /// Resolves the labels in the manifest's thresholds to class indices.
    ///
    /// # Errors
    /// The first label that the model does not have.
    pub(super) fn new(manifest: &Manifest, labels: &Labels) -> Result<Self, String> {
        let class = |label: &String| labels.class(label).ok_or_else(|| label.clone());
        let own = manifest.label_thresholds.iter().map(|(label, threshold)| Ok((class(label)?, *threshold)));
        let Thresholds { confidence: usual, weak_confidence: weak, .. } = manifest.thresholds;
        Ok(Self { usual, own: own.collect::<Result<_, String>>()?, weak })
    }

    /// The lowest threshold: the one for the tensor decoder. `weak`: weak detections are wanted too.
    pub(super) fn least(&self, weak: bool) -> f32 {
        let least = self.own.values().copied().fold(self.usual, f32::min);
        self.weak.filter(|_| weak).map_or(least, |weak| weak.min(least))
    }

    /// True if detections below the thresholds are wanted, and the manifest says which.
    pub(super) fn gives_weak(&self, options: &LookOptions) -> bool {
        options.weak && options.min_confidence.is_none() && self.weak.is_some()
    }

    /// True if the detection does not reach the threshold of its class, and is good enough for a tracker.
    pub(super) fn is_weak(&self, detection: &Detection) -> bool {
        self.weak.is_some_and(|weak| detection.confidence >= weak) && !self.lets_through(detection)
    }

    /// True if the detection reaches the threshold of its class.
    pub(super) fn lets_through(&self, detection: &Detection) -> bool {
        detection.confidence >= self.own.get(&detection.class).copied().unwrap_or(self.usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn found(class: u16, confidence: f32) -> Detection {
        Detection { class: ClassIndex(class), confidence, bounding_box: None }
    }

    fn assumed(weak: &str) -> AssumedThresholds {
        let text = include_str!("../../models/coco-ssd/manifest.toml").replace("weak_confidence = 0.2\n", weak);
        let text = format!("{text}\n[label_thresholds]\nbicycle = 0.7\n");
        let manifest = Manifest::parse(&text, Path::new("manifest.toml")).unwrap();
        let labels = Labels::parse("person\nbicycle\n", Path::new("labels.txt")).unwrap();
        AssumedThresholds::new(&manifest, &labels).unwrap()
    }

    #[test]
    fn weak_is_what_misses_the_threshold_of_its_class_and_reaches_that_of_the_tracker() {
        let assumed = assumed("weak_confidence = 0.2\n");
        assert_eq!((assumed.least(false), assumed.least(true)), (0.5, 0.2));
        let for_a_tracker = LookOptions { weak: true, ..LookOptions::default() };
        let of_a_caller = LookOptions { min_confidence: Some(0.3), ..for_a_tracker };
        let gives_weak = [LookOptions::default(), for_a_tracker, of_a_caller].map(|of| assumed.gives_weak(&of));
        assert_eq!(gives_weak, [false, true, false]);
        let is_weak = [found(0, 0.5), found(0, 0.49), found(0, 0.19), found(1, 0.6)].map(|one| assumed.is_weak(&one));
        assert_eq!(is_weak, [false, true, false, true]);
    }

    #[test]
    fn a_manifest_that_says_nothing_of_weak_detections_has_none() {
        let assumed = assumed("");
        assert_eq!((assumed.least(true), assumed.is_weak(&found(1, 0.6))), (0.5, false));
    }
}
