//! From which confidence on a label counts when the caller does not say: the manifest's, or the label's own.

use crate::model::labels::Labels;
use crate::model::manifest::Manifest;
use crate::vision::detection::{ClassIndex, Detection};
use std::collections::BTreeMap;

/// By class.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AssumedThresholds {
    usual: f32,
    own: BTreeMap<ClassIndex, f32>,
}

impl AssumedThresholds {
    /// Looks the labels of the manifest up.
    ///
    /// # Errors
    /// The label that is not one of the model's.
    pub(super) fn new(manifest: &Manifest, labels: &Labels) -> Result<Self, String> {
        let class = |label: &String| labels.class(label).ok_or_else(|| label.clone());
        let own = manifest.label_thresholds.iter().map(|(label, threshold)| Ok((class(label)?, *threshold)));
        Ok(Self { usual: manifest.thresholds.confidence, own: own.collect::<Result<_, String>>()? })
    }

    /// The least of all: what a tensor decoder must let through.
    pub(super) fn least(&self) -> f32 {
        self.own.values().copied().fold(self.usual, f32::min)
    }

    /// True if it counts.
    pub(super) fn lets_through(&self, detection: &Detection) -> bool {
        detection.confidence >= self.own.get(&detection.class).copied().unwrap_or(self.usual)
    }
}
