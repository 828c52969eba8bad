//! All settings: read from files and environment, checked, every mistake reported at once.
//!
//! Each section's struct sits beside the code that it sets; this folder only puts them together.

mod check;
mod load;
mod top_level;
mod url_credentials;

use crate::camera::settings::{CameraSettings, CaptureSettings, SnapshotSettings};
use crate::http::auth::access_keys::AccessKeySettings;
use crate::http::rekognition::settings::{BucketSettings, RekognitionSettings};
use crate::http::settings::HttpSettings;
use crate::os::sandbox::SandboxSettings;
use crate::publish::outbox::settings::OutboxSettings;
use crate::publish::sinks::mqtt::settings::MqttSettings;
use crate::supervisor::settings::{ModelSettings, UnitSettings, ZoneSettings};
use crate::telemetry::settings::LogSettings;
use crate::tracking::settings::TrackingSettings;

use std::path::PathBuf;

pub use load::{Mistake, SettingsErrors};

/// The settings of a box.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The box's id in topics; the host name if the settings do not say.
    pub box_id: String,
    /// Where inference hours and the desired state are kept.
    pub state_directory: PathBuf,
    /// `[log]`.
    pub log: LogSettings,
    /// `[http]`.
    pub http: HttpSettings,
    /// `[capture]`.
    pub capture: CaptureSettings,
    /// `[snapshots]`.
    pub snapshots: SnapshotSettings,
    /// `[[cameras]]`.
    pub cameras: Vec<CameraSettings>,
    /// `[units]`.
    pub units: UnitSettings,
    /// `[[models]]`; at least one.
    pub models: Vec<ModelSettings>,
    /// `[[zones]]`; none: the box decides.
    pub zones: Vec<ZoneSettings>,
    /// `[mqtt]`.
    pub mqtt: MqttSettings,
    /// `[tracking]`.
    pub tracking: TrackingSettings,
    /// `[outbox]`.
    pub outbox: OutboxSettings,
    /// `[sandbox]`.
    pub sandbox: SandboxSettings,
    /// `[rekognition]`.
    pub rekognition: RekognitionSettings,
    /// `[[access_keys]]`; none: calls need no signature, and none is taken from elsewhere.
    pub access_keys: Vec<AccessKeySettings>,
    /// `[[buckets]]`.
    pub buckets: Vec<BucketSettings>,
}

impl Settings {
    /// The model of cameras that name none: the first.
    pub fn default_model(&self) -> ModelSettings {
        self.models.first().cloned().unwrap_or_default()
    }
}
