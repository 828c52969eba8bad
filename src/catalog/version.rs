//! A version of a model: how its package came here, and what was asked of it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Names and values.
pub type Tags = BTreeMap<String, String>;

/// How a version's package came, or comes, here.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It lies in `units.models_directory`, and is what the model of the settings runs.
    Configured,
    /// It is brought in from a bucket.
    Importing,
    /// It has been.
    Imported,
    /// It could not be.
    ImportFailed,
    /// It is copied from another project.
    Copying,
    /// It has been.
    Copied,
    /// It could not be.
    CopyFailed,
}

/// How many units were asked for last.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Units {
    /// At least.
    pub min: usize,
    /// At most; none: the number is fixed.
    pub max: Option<usize>,
}

/// A directory in a bucket.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct BucketPlace {
    /// One of `[[buckets]]`.
    pub bucket: String,
    /// Below it.
    pub prefix: String,
}

/// A version of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// Milliseconds since 1970, by the box's clock at that time.
    pub created_ms: i64,
    /// When it was there, or had failed.
    pub finished_ms: Option<i64>,
    /// How it came here.
    pub stage: Stage,
    /// Why it did not.
    pub failure: Option<String>,
    /// The bucket that the caller named.
    pub output: Option<BucketPlace>,
    /// For people.
    pub description: Option<String>,
    /// The ARN that it was copied from.
    pub source: Option<String>,
    /// As they were set.
    pub tags: Tags,
    /// As they were asked for last.
    pub units: Option<Units>,
    /// It is to run: again after a restart of the daemon.
    pub is_wanted: bool,
}

/// A version that is to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewVersion {
    /// In which project.
    pub project: String,
    /// Its name there.
    pub name: String,
    /// `Importing` or `Copying`.
    pub stage: Stage,
    /// The bucket that the caller named.
    pub output: BucketPlace,
    /// For people.
    pub description: Option<String>,
    /// The ARN that it is copied from.
    pub source: Option<String>,
    /// As the caller sets them.
    pub tags: Tags,
}

impl Stage {
    /// True while the package comes.
    pub fn is_coming(self) -> bool {
        matches!(self, Self::Importing | Self::Copying)
    }

    /// True when a unit can load the package.
    pub fn is_there(self) -> bool {
        matches!(self, Self::Configured | Self::Imported | Self::Copied)
    }
}

impl Version {
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
