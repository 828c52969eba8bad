//! `[rekognition]` and `[[buckets]]`.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// `[rekognition]`: the endpoint for AWS SDKs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RekognitionSettings {
    /// `false` answers calls of AWS clients with 404.
    pub enabled: bool,
    /// The region in the ARNs of this box. Clients may sign for any region.
    pub region: String,
    /// The account in the ARNs of this box: twelve digits.
    pub account_id: String,
    /// By how many seconds a client's clock may differ from the box's.
    pub max_clock_skew_seconds: u32,
    /// While the clock of the box is not synchronised, `true` judges the age of a signature from when it was first received;
    /// `false` refuses it.
    pub accept_without_clock: bool,
    /// How long the answer to a call that starts, imports or copies a version is held until that has ended, in seconds. 0: it is
    /// answered at once.
    pub hold_seconds: f32,
}

impl Default for RekognitionSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            region: "us-east-1".into(),
            account_id: "000000000000".into(),
            max_clock_skew_seconds: 900,
            accept_without_clock: true,
            hold_seconds: 8.0,
        }
    }
}

/// What S3 clients may do with the objects of a bucket.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum S3Access {
    /// Nothing: calls name its objects, and nobody gets them.
    #[default]
    Off,
    /// Look at them.
    Read,
    /// Put and delete some, too, with a key whose role is `bucket-writer`.
    ReadWrite,
}

/// One of `[[buckets]]`: a directory with objects and packages that calls may name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BucketSettings {
    /// The name in `S3Object.Bucket`.
    pub name: String,
    /// Calls cannot name files outside this directory.
    pub directory: PathBuf,
    /// What S3 clients may do.
    pub s3: S3Access,
    /// The largest object that is taken, in MiB. The model of a package has at most 512.
    pub max_object_megabytes: u32,
    /// All objects together, in MiB: beyond it none is taken.
    pub max_megabytes: u32,
}

impl Default for BucketSettings {
    fn default() -> Self {
        let (name, directory, s3) = (String::new(), PathBuf::new(), S3Access::Off);
        Self { name, directory, s3, max_object_megabytes: 512, max_megabytes: 4096 }
    }
}
