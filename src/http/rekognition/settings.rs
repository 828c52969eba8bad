//! `[rekognition]` and `[[buckets]]`.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// `[rekognition]`: the endpoint that AWS SDKs know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RekognitionSettings {
    /// False: calls of AWS clients are answered with 404.
    pub enabled: bool,
    /// In the ARNs of this box. Clients may sign for any region.
    pub region: String,
    /// In the ARNs of this box: twelve digits.
    pub account_id: String,
    /// Seconds by which a client's clock may differ from the box's.
    pub max_clock_skew_seconds: u32,
    /// While the box does not know the time, judge signatures by when they were first seen; false: refuse them.
    pub accept_without_clock: bool,
}

impl Default for RekognitionSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            region: "us-east-1".into(),
            account_id: "000000000000".into(),
            max_clock_skew_seconds: 900,
            accept_without_clock: true,
        }
    }
}

/// One of `[[buckets]]`: a directory that calls may name objects and packages in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BucketSettings {
    /// As in `S3Object.Bucket`.
    pub name: String,
    /// Nothing outside it can be named.
    pub directory: PathBuf,
}
