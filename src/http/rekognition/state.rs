//! What all calls share.

use crate::catalog::arn::Resource;
use crate::catalog::{CatalogStore, Stage, Version};
use crate::control::Control;
use crate::http::auth::access_keys::AccessKey;
use crate::http::auth::chunk_signer::ChunkSigner;
use crate::http::auth::clock_rule::ClockRule;
use crate::http::auth::signed_time_floor::{self, SignedTimeFloor};
use crate::http::auth::sigv4::{Presented, Service, SignatureError};
use crate::http::cpu_turns::CpuTurns;
use crate::http::rekognition::settings::{BucketSettings, RekognitionSettings};
use crate::os::clock::{monotonic_now, wall_clock, wall_now_ms};
use crate::telemetry::metrics::Metrics;
use crate::vision::line_limit::LineLimit;
use axum::http::request::Parts;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// Objects read from buckets at a time.
const MAX_DOWNLOADS: usize = 8;

/// What a reload of the settings may change.
#[derive(Clone, Debug, Default)]
pub struct EndpointRules {
    /// Who may call. Without keys, calls need no signature.
    pub keys: Vec<AccessKey>,
    /// The directories that calls may name.
    pub buckets: Vec<BucketSettings>,
    /// The model of `DetectLabels`.
    pub default_model: String,
}

/// State of all calls. Clones share it.
#[derive(Clone, Debug)]
pub struct RekognitionState {
    pub(super) control: Control,
    settings: Arc<RekognitionSettings>,
    rules: watch::Receiver<EndpointRules>,
    /// Also while there are no keys: other hosts reach these calls.
    must_be_signed: bool,
    pub(in crate::http) metrics: Arc<Metrics>,
    /// A permit for each object that is being read from a bucket.
    pub(super) downloads: Arc<Semaphore>,
    /// Held by the call that changes projects, versions or models: one at a time.
    pub(super) in_order: Arc<tokio::sync::Mutex<()>>,
    /// For large bodies.
    pub(super) cpu_turns: CpuTurns,
    clock_rule: Arc<Mutex<ClockRule>>,
    /// Where the newest signed time is kept; `None`: nowhere.
    state_directory: Option<PathBuf>,
    /// Of the lines about signatures that are refused.
    lines: Arc<Mutex<LineLimit>>,
}

impl RekognitionState {
    /// A change of the `rules` applies to the calls that follow.
    pub fn new(
        control: Control,
        settings: RekognitionSettings,
        rules: watch::Receiver<EndpointRules>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let most_skew = Duration::from_secs(settings.max_clock_skew_seconds.into());
        let clock_rule = ClockRule::new(most_skew, settings.accept_without_clock);
        Self {
            control,
            settings: Arc::new(settings),
            rules,
            must_be_signed: false,
            metrics,
            downloads: Arc::new(Semaphore::new(MAX_DOWNLOADS)),
            in_order: Arc::default(),
            cpu_turns: CpuTurns::default(),
            clock_rule: Arc::new(Mutex::new(clock_rule)),
            state_directory: None,
            lines: Arc::default(),
        }
    }

    /// Keeps the newest signed time there, and goes on from that of the run before.
    #[must_use]
    pub fn keeping_time_in(self, state_directory: &Path) -> Self {
        let most_skew = Duration::from_secs(self.settings.max_clock_skew_seconds.into());
        let rule = ClockRule::new(most_skew, self.settings.accept_without_clock);
        let rule = rule.from_floor(SignedTimeFloor::read(state_directory));
        Self { clock_rule: Arc::new(Mutex::new(rule)), state_directory: Some(state_directory.to_owned()), ..self }
    }

    /// The same state with CPU turns of its own.
    pub(in crate::http) fn for_strangers(&self) -> Self {
        Self { cpu_turns: CpuTurns::default(), must_be_signed: true, ..self.clone() }
    }

    /// False when the endpoint is switched off.
    pub(in crate::http) fn is_enabled(&self) -> bool {
        self.settings.enabled
    }

    /// How long an answer may be held.
    pub(super) fn longest_hold(&self) -> Duration {
        Duration::from_secs_f32(self.settings.hold_seconds)
    }

    pub(super) fn catalog(&self) -> &CatalogStore {
        &self.control.catalog
    }

    /// The name of the model that a version runs as.
    pub(super) fn model_name(&self, resource: &Resource, version: &Version) -> String {
        match version.stage {
            Stage::Configured => resource.project.clone(),
            _ => CatalogStore::model_name(resource),
        }
    }

    /// The directory of a bucket.
    pub(super) fn bucket(&self, name: &str) -> Option<PathBuf> {
        self.bucket_settings(name).map(|bucket| bucket.directory)
    }

    /// The settings of a bucket.
    pub(in crate::http) fn bucket_settings(&self, name: &str) -> Option<BucketSettings> {
        self.rules.borrow().buckets.iter().find(|bucket| bucket.name == name).cloned()
    }

    /// All buckets.
    pub(in crate::http) fn buckets(&self) -> Vec<BucketSettings> {
        self.rules.borrow().buckets.clone()
    }

    /// `[rekognition]`.
    pub(in crate::http) fn settings(&self) -> &RekognitionSettings {
        &self.settings
    }

    /// The model of `DetectLabels`.
    pub(super) fn default_model(&self) -> String {
        self.rules.borrow().default_model.clone()
    }

    /// True if calls need a signature.
    pub(in crate::http) fn must_be_signed(&self) -> bool {
        self.must_be_signed || !self.rules.borrow().keys.is_empty()
    }

    /// Parses the signature of a request and looks up its key. `None` if calls need no signature. Needs no body.
    pub(in crate::http) fn presented(
        &self,
        parts: &Parts,
        service: Service,
    ) -> Result<Option<(Presented, AccessKey)>, SignatureError> {
        match self.must_be_signed() {
            true => self.find_key(parts, service).map(Some).inspect_err(|error| self.count_refusal(error)),
            false => Ok(None),
        }
    }

    fn find_key(&self, parts: &Parts, service: Service) -> Result<(Presented, AccessKey), SignatureError> {
        let rules = self.rules.borrow();
        let presented = Presented::of(parts, service)?;
        let key = rules.keys.iter().find(|key| key.id == presented.access_key_id);
        let key = key.ok_or(SignatureError::UnknownKey)?.clone();
        Ok((presented, key))
    }

    /// Checks that the signature was made with this key, and its age.
    pub(super) fn verify(
        &self,
        presented: &Presented,
        key: &AccessKey,
        parts: &Parts,
        body: &[u8],
    ) -> Result<(), SignatureError> {
        let verified = presented.verify(parts, body, key.secret.reveal());
        verified.and_then(|()| self.check_age(presented)).inspect_err(|error| self.count_refusal(error))
    }

    /// Checks the head of a request and what it says of its body (`payload`), as [`Self::verify`] does with a whole one.
    /// Returns what checks the chunks of its body.
    pub(in crate::http) fn verify_payload(
        &self,
        presented: &Presented,
        key: &AccessKey,
        parts: &Parts,
        payload: &str,
    ) -> Result<ChunkSigner, SignatureError> {
        let verified = presented.verify_payload(parts, payload, key.secret.reveal());
        let checked = verified.and_then(|signer| self.check_age(presented).map(|()| signer));
        checked.inspect_err(|error| self.count_refusal(error))
    }

    /// The age comes after the signature, because its error tells the box's time.
    fn check_age(&self, presented: &Presented) -> Result<(), SignatureError> {
        // A panic elsewhere leaves the rule valid.
        let mut rule = self.clock_rule.lock().unwrap_or_else(PoisonError::into_inner);
        rule.check((presented.signature(), presented.time()), (wall_clock(), wall_now_ms()), monotonic_now())?;
        if let (Some(directory), Some(newest_ms)) = (self.state_directory.clone(), rule.take_due_floor()) {
            // A disk may hang, and the answer does not wait for it.
            tokio::task::spawn_blocking(move || signed_time_floor::write(&directory, newest_ms));
        }
        Ok(())
    }

    fn count_refusal(&self, error: &SignatureError) {
        self.metrics.strangers().refused("signature");
        let admitted = self.lines.lock().unwrap_or_else(PoisonError::into_inner).admit(monotonic_now());
        if let Some(left_out) = admitted {
            tracing::warn!(left_out = left_out.count(), "the signature of a call is refused: {error}{left_out}");
        }
    }
}
