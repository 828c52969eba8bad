//! What requests for objects share beside the keys and buckets, which are those of the AWS-compatible API.

use crate::http::rekognition::RekognitionState;
use crate::http::rekognition::settings::{BucketSettings, S3Access};
use crate::http::s3::error::S3Error;
use crate::http::s3::usage::Usage;
use crate::os::clock::monotonic_now;
use crate::os::object_directory::ObjectDirectory;
use crate::vision::line_limit::LineLimit;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Objects that are sent at a time: each holds 256 KiB.
const MAX_READS: usize = 32;
/// Listings at a time: each has a thread.
const MAX_LISTS: usize = 4;
/// Objects that are received at a time: each has a thread, and holds what has arrived and is not on the disk yet.
const MAX_UPLOADS: usize = 4;

/// State of all requests at one address. Clones share it.
#[derive(Clone, Debug)]
pub(in crate::http) struct S3State {
    reads: Arc<Semaphore>,
    lists: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
    pub(super) usage: Usage,
    lines: Arc<Mutex<LineLimit>>,
}

impl Default for S3State {
    fn default() -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        let (reads, lists, uploads) = (places(MAX_READS), places(MAX_LISTS), places(MAX_UPLOADS));
        Self { reads, lists, uploads, usage: Usage::default(), lines: Arc::default() }
    }
}

impl S3State {
    /// The same state with places of its own.
    pub(in crate::http) fn for_strangers(&self) -> Self {
        let own = Self::default();
        Self { usage: self.usage.clone(), ..own }
    }

    /// A place for an object that is sent.
    pub(super) fn read_place(&self) -> Result<OwnedSemaphorePermit, S3Error> {
        take(&self.reads)
    }

    /// A place for a listing.
    pub(super) fn list_place(&self) -> Result<OwnedSemaphorePermit, S3Error> {
        take(&self.lists)
    }

    /// A place for an object that is received.
    pub(super) fn upload_place(&self) -> Result<OwnedSemaphorePermit, S3Error> {
        take(&self.uploads)
    }

    /// Says in the log who has changed a bucket.
    pub(super) fn log_change(&self, what: &str, caller: &str, bucket: &str, key: &str) {
        let admitted = self.lines.lock().unwrap_or_else(PoisonError::into_inner).admit(monotonic_now());
        if let Some(left_out) = admitted {
            tracing::info!(caller, bucket, key, left_out = left_out.count(), "an object was {what}{left_out}");
        }
    }
}

fn take(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, S3Error> {
    Arc::clone(places).try_acquire_owned().map_err(|_| S3Error::slow_down())
}

/// Removes what an earlier run was receiving when it died. Reads the disk.
pub(in crate::http) fn remove_left_uploads(rekognition: &RekognitionState) {
    for BucketSettings { name, directory, .. } in
        rekognition.buckets().into_iter().filter(|bucket| bucket.s3 == S3Access::ReadWrite)
    {
        match ObjectDirectory::open(&directory).and_then(|root| root.remove_left_uploads()) {
            Ok(0) => {}
            Ok(files) => tracing::info!(bucket = name, files, "unfinished uploads of an earlier run were removed"),
            Err(error) => {
                tracing::warn!(bucket = name, %error, "unfinished uploads of an earlier run cannot be removed");
            }
        }
    }
}
