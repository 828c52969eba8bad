//! A version of a model: where its package comes from, and whether it is to run.

use crate::catalog::arn::CONFIGURED_MS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Keys and values.
pub type Tags = BTreeMap<String, String>;

/// How far the package of a version has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It is in `units.models_directory`, and a model of the settings runs it.
    Configured,
    /// It is being copied from a bucket.
    Importing,
    /// It was copied from a bucket and can be loaded.
    Imported,
    /// It could not be copied from a bucket, or not be loaded.
    ImportFailed,
    /// It is being copied from another project.
    Copying,
    /// It was copied from another project and can be loaded.
    Copied,
    /// It could not be copied from another project, or not be loaded.
    CopyFailed,
}

/// The number of units in the last start or scaling.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Units {
    /// The minimum.
    pub min: usize,
    /// The maximum. `None` keeps the number at the minimum.
    pub max: Option<usize>,
}

/// A directory in a bucket.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct BucketPlace {
    /// One of `[[buckets]]`.
    pub bucket: String,
    /// The path inside the bucket.
    pub prefix: String,
}

/// A version of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// Milliseconds since 1970, by the box's clock at that time. Part of the ARN, but for models of the settings.
    pub created_ms: i64,
    /// When the import ended, well or badly.
    pub finished_ms: Option<i64>,
    /// How far its package has come.
    pub stage: Stage,
    /// Why the import failed.
    pub failure: Option<String>,
    /// The place in a bucket that the caller named.
    pub output: Option<BucketPlace>,
    /// Text of the caller.
    pub description: Option<String>,
    /// The ARN of the version that it was copied from.
    pub source: Option<String>,
    /// Tags of the caller.
    pub tags: Tags,
    /// The numbers of the last start. `None` before the first.
    pub units: Option<Units>,
    /// Start it again after a restart of the daemon.
    pub is_wanted: bool,
}

/// A version to create.
#[derive(Clone, Debug, PartialEq)]
pub struct NewVersion {
    /// The name of its project.
    pub project: String,
    /// The name of the version.
    pub name: String,
    /// Either [`Stage::Importing`] or [`Stage::Copying`].
    pub stage: Stage,
    /// The place in a bucket that the caller named.
    pub output: BucketPlace,
    /// Text of the caller.
    pub description: Option<String>,
    /// The ARN of the version that it is copied from.
    pub source: Option<String>,
    /// Tags of the caller.
    pub tags: Tags,
}

impl Stage {
    /// True while the package is being imported or copied.
    pub fn is_coming(self) -> bool {
        matches!(self, Self::Importing | Self::Copying)
    }

    /// True when the package is complete.
    pub fn is_there(self) -> bool {
        matches!(self, Self::Configured | Self::Imported | Self::Copied)
    }
}

impl Version {
    /// The number in its ARN.
    pub fn arn_ms(&self) -> i64 {
        if self.stage == Stage::Configured { CONFIGURED_MS } else { self.created_ms }
    }

    /// True if an ARN with this number means it.
    pub(super) fn is_meant_by(&self, arn_ms: i64) -> bool {
        self.stage == Stage::Configured || self.created_ms == arn_ms
    }

    pub(super) fn new(created_ms: i64, stage: Stage) -> Self {
        Self {
            created_ms,
            finished_ms: (!stage.is_coming()).then_some(created_ms),
            stage,
            failure: None,
            output: None,
            description: None,
            source: None,
            tags: Tags::new(),
            units: None,
            is_wanted: false,
        }
    }
}
