//! All settings: reads them from files and the environment, and checks them. Every mistake is reported at once.
//!
//! The struct of each section is in the folder that uses it; this folder combines the sections.

mod advice;
mod after_reload;
mod check;
mod cluster_camera;
pub mod editor;
mod entry_names;
mod files;
mod hints;
mod in_force;
mod load;
mod merged;
mod mistake;
mod named_files;
mod near_word;
mod packages;
mod place;
mod places;
mod reference;
mod remark;
mod sections;
mod serde_words;
mod strict_types;
mod toml_text;
mod toml_values;
mod top_level;
mod url_credentials;

use crate::camera::settings::{CameraSettings, CaptureSettings, SnapshotSettings};
use crate::clips::settings::ClipSettings;
use crate::cluster::settings::ClusterSettings;
use crate::http::auth::access_keys::AccessKeySettings;
use crate::http::login::viewer::ViewerSettings;
use crate::http::rekognition::settings::{BucketSettings, RekognitionSettings};
use crate::http::settings::HttpSettings;
use crate::os::sandbox::SandboxSettings;
use crate::publish::outbox::settings::OutboxSettings;
use crate::publish::sinks::mqtt::settings::MqttSettings;
use crate::supervisor::settings::{ModelSettings, UnitSettings, ZoneSettings};
use crate::telemetry::settings::LogSettings;
use crate::tracking::settings::TrackingSettings;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeSet;
use std::path::PathBuf;

pub(crate) use advice::BoxFacts;
pub(crate) use cluster_camera::cluster_camera_text;
pub use in_force::InForce;
pub use merged::environment;
pub use mistake::{Mistake, SettingsErrors};
pub(crate) use named_files::{FileKind, NamedFile};
pub(crate) use packages::KnownLabels;
pub use place::Place;
pub use places::Places;
pub use reference::REFERENCE;
pub(crate) use remark::{Remark, Subject};

/// The settings of a box.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Settings {
    /// The box's id in topics: the host name, unless the settings give another.
    pub box_id: String,
    /// The directory of state that must survive a restart.
    pub state_directory: PathBuf,
    /// `[log]`.
    pub log: LogSettings,
    /// `[http]`.
    pub http: HttpSettings,
    /// `[capture]`.
    pub capture: CaptureSettings,
    /// `[snapshots]`.
    pub snapshots: SnapshotSettings,
    /// `[clips]`.
    pub clips: ClipSettings,
    /// `[[cameras]]`.
    pub cameras: Vec<CameraSettings>,
    /// `[units]`.
    pub units: UnitSettings,
    /// `[[models]]`; at least one.
    pub models: Vec<ModelSettings>,
    /// `[[zones]]`; empty: the daemon chooses zones from the hardware.
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
    /// `[[access_keys]]`; empty: requests need no signature, and requests from other hosts are refused.
    pub access_keys: Vec<AccessKeySettings>,
    /// `[[buckets]]`.
    pub buckets: Vec<BucketSettings>,
    /// `[cluster]`; without a name the box is on its own.
    pub cluster: ClusterSettings,
    /// `[[viewers]]`; empty: nobody can log in with a password.
    pub viewers: Vec<ViewerSettings>,
}

impl Settings {
    /// The cameras of which clips are made.
    pub fn cameras_with_clips(&self) -> BTreeSet<CameraId> {
        self.cameras_that(|camera| camera.has_clips(self.clips.enabled))
    }

    /// The cameras that nobody can watch.
    pub fn private_cameras(&self) -> BTreeSet<CameraId> {
        self.cameras_that(|camera| !camera.has_live_view())
    }

    /// The cameras with parts that are black in their snapshots, so that nobody gets their video.
    pub fn blacked_out_cameras(&self) -> BTreeSet<CameraId> {
        self.cameras_that(CameraSettings::is_blacked_out)
    }

    fn cameras_that(&self, are_so: impl Fn(&CameraSettings) -> bool) -> BTreeSet<CameraId> {
        self.cameras.iter().filter(|camera| are_so(camera)).map(|camera| camera.id.clone()).collect()
    }

    /// The model of cameras that do not name one: the first.
    pub fn default_model(&self) -> ModelSettings {
        self.models.first().cloned().unwrap_or_default()
    }

    /// The default model's settings for a package that may be another one. Its precision is that of the model that has the
    /// package: not every package has a second one.
    pub fn default_model_for(&self, package: &str) -> ModelSettings {
        let owner = self.models.iter().find(|model| model.package() == package);
        let variant = owner.and_then(|model| model.variant);
        ModelSettings { variant, ..self.default_model() }
    }
}

#[cfg(test)]
pub(crate) mod tests;
