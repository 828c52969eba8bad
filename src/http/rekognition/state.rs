//! What every call is answered from.

use crate::catalog::arn::Resource;
use crate::catalog::{CatalogStore, Stage, Version};
use crate::control::Control;
use crate::http::auth::access_keys::AccessKey;
use crate::http::auth::replay_window::ReplayWindow;
use crate::http::auth::sigv4::{Presented, SignatureError};
use crate::http::rekognition::settings::{BucketSettings, RekognitionSettings};
use crate::os::clock::rfc3339_utc;
use crate::os::clock::{WallClock, monotonic_now, unix_ms_of_basic_time, wall_clock, wall_now_ms};
use crate::telemetry::metrics::Metrics;
use axum::http::request::Parts;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Objects that are read out of buckets at a time.
const MAX_DOWNLOADS: usize = 8;

/// Shared by all calls.
#[derive(Clone, Debug)]
pub struct RekognitionState {
    pub(super) control: Control,
    settings: Arc<RekognitionSettings>,
    keys: Arc<[AccessKey]>,
    buckets: Arc<[BucketSettings]>,
    /// The model of DetectLabels.
    pub(super) default_model: Arc<str>,
    pub(super) metrics: Arc<Metrics>,
    /// Objects that are read out of buckets at a time.
    pub(super) downloads: Arc<Semaphore>,
    /// Whoever changes projects, versions or what runs has its turn.
    pub(super) in_order: Arc<tokio::sync::Mutex<()>>,
    /// While the box does not know the time.
    seen: Arc<Mutex<ReplayWindow>>,
}

impl RekognitionState {
    /// Without keys no signature is asked for.
    pub fn new(
        control: Control,
        settings: RekognitionSettings,
        keys: Vec<AccessKey>,
        buckets: Vec<BucketSettings>,
        default_model: &str,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            control,
            settings: Arc::new(settings),
            keys: keys.into(),
            buckets: buckets.into(),
            default_model: default_model.into(),
            metrics,
            downloads: Arc::new(Semaphore::new(MAX_DOWNLOADS)),
            in_order: Arc::default(),
            seen: Arc::default(),
        }
    }

    /// False: the endpoint is switched off.
    pub(in crate::http) fn is_enabled(&self) -> bool {
        self.settings.enabled
    }

    pub(super) fn catalog(&self) -> &CatalogStore {
        &self.control.catalog
    }

    /// The name under which a version runs, or would.
    pub(super) fn model_name(&self, resource: &Resource, version: &Version) -> String {
        match version.stage {
            Stage::Configured => resource.project.clone(),
            _ => CatalogStore::model_name(resource),
        }
    }

    /// The directory of a bucket.
    pub(super) fn bucket(&self, name: &str) -> Option<&Path> {
        self.buckets.iter().find(|bucket| bucket.name == name).map(|bucket| bucket.directory.as_path())
    }

    /// The signature of a request, if one is asked for. Nothing of the body is needed yet.
    pub(super) fn presented(&self, parts: &Parts) -> Result<Option<Presented>, SignatureError> {
        if self.keys.is_empty() { Ok(None) } else { Presented::of(parts).map(Some) }
    }

    /// Whose signature it is. An unknown key takes as long as a known one.
    pub(super) fn verify(
        &self,
        presented: &Presented,
        parts: &Parts,
        body: &[u8],
    ) -> Result<&AccessKey, SignatureError> {
        let key = self.keys.iter().find(|key| key.id == presented.access_key_id);
        let secret = key.map_or("no such key", |key| key.secret.reveal());
        let verified = presented.verify(parts, body, secret);
        let key = key.ok_or(SignatureError::UnknownKey)?;
        verified?;
        // After the signature: only who holds the key is told the box's time.
        self.check_time(presented)?;
        Ok(key)
    }

    fn check_time(&self, presented: &Presented) -> Result<(), SignatureError> {
        let limit = Duration::from_secs(self.settings.max_clock_skew_seconds.into());
        if wall_clock() == WallClock::Unsynchronized {
            if !self.settings.accept_without_clock {
                return Err(SignatureError::NoClock);
            }
            // What a panic elsewhere has left behind is whole signatures.
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let is_admitted = seen.admits(presented.signature(), limit, monotonic_now());
            return if is_admitted { Ok(()) } else { Err(SignatureError::Replayed) };
        }
        let now = wall_now_ms();
        let skew = unix_ms_of_basic_time(presented.time()).map(|signed| (signed - now).unsigned_abs());
        match skew {
            Some(skew) if u128::from(skew) <= limit.as_millis() => Ok(()),
            _ => Err(SignatureError::Skewed { signed: presented.time().to_owned(), here: rfc3339_utc(now) }),
        }
    }
}
