//! A change of the settings of a running box: what is not named goes on as it is.

use crate::camera::settings::{CameraSettings, SnapshotSettings};
use crate::core::plan::{ModelPlan, ModelTerms};
use crate::supervisor::settings::ModelSettings;
use crate::tracking::settings::TrackingSettings;
use crate::vision::camera_id::CameraId;

/// A change of the settings.
#[derive(Debug, Default)]
pub struct BoxChange {
    /// Cameras that the settings do not name any more.
    pub removed_cameras: Vec<CameraId>,
    /// Cameras that the settings did not name before.
    pub added_cameras: Vec<CameraSettings>,
    /// Cameras with other settings.
    pub changed_cameras: Vec<CameraChange>,
    /// The tracking settings, if they changed. Each scene begins anew with them.
    pub tracking: Option<TrackingSettings>,
    /// The snapshot settings, if they changed.
    pub snapshots: Option<SnapshotSettings>,
    /// The models, if any of them changed.
    pub models: Option<ModelsChange>,
}

/// A camera with other settings.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraChange {
    /// All its settings.
    pub settings: CameraSettings,
    /// Its connection needs others: URL, login, transport or what is decoded.
    pub reconnects: bool,
    /// Other parts of its picture are black in snapshots: those of before must not be shown any more.
    pub is_blackout_new: bool,
    /// Its scene changed, so it begins anew: what was in view has ended.
    pub is_scene_new: bool,
}

/// Models that came, went or changed.
#[derive(Debug)]
pub struct ModelsChange {
    /// All models of the settings, the default one first.
    pub settings: Vec<ModelSettings>,
    /// Models whose units load their package in another way, such as on another device: they are replaced.
    pub renewed: Vec<String>,
    /// The number of units of a model whose minimum is 0.
    pub cores: usize,
    /// How each model handles work, by name.
    pub terms: Vec<(String, ModelTerms)>,
    /// How models that no settings name handle work.
    pub brought_in: ModelTerms,
    /// The models that are new, with their packages.
    pub added: Vec<ModelPlan>,
}
