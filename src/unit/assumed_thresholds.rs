//! Confidence thresholds for requests without their own: the manifest's default, or the one that it sets for a label.

use crate::model::labels::Labels;
use crate::model::manifest::Manifest;
use crate::vision::detection::{ClassIndex, Detection};
use std::collections::BTreeMap;

/// The default threshold and the exceptions by class.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AssumedThresholds {
    usual: f32,
    own: BTreeMap<ClassIndex, f32>,
}

impl AssumedThresholds {
    /// Resolves the labels in the manifest's thresholds to class indices.
    ///
    /// # Errors
    /// The first label that the model does not have.
    pub(super) fn new(manifest: &Manifest, labels: &Labels) -> Result<Self, String> {
        let class = |label: &String| labels.class(label).ok_or_else(|| label.clone());
        let own = manifest.label_thresholds.iter().map(|(label, threshold)| Ok((class(label)?, *threshold)));
        Ok(Self { usual: manifest.thresholds.confidence, own: own.collect::<Result<_, String>>()? })
    }

    /// The lowest threshold: the one for the tensor decoder.
    pub(super) fn least(&self) -> f32 {
        self.own.values().copied().fold(self.usual, f32::min)
    }

    /// True if the detection reaches the threshold of its class.
    pub(super) fn lets_through(&self, detection: &Detection) -> bool {
        detection.confidence >= self.own.get(&detection.class).copied().unwrap_or(self.usual)
    }
}
