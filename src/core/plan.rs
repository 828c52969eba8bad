//! The settings and stored state that a box starts with, read and checked by the shell.

use crate::camera::settings::{CameraSettings, CaptureSettings, SnapshotSettings};
use crate::core::camera_switches::CameraSwitches;
use crate::core::desired_models::DesiredModels;
use crate::core::loaded_package::LoadedPackage;
use crate::supervisor::pool::{TpsQuota, UnitDeadlines};
use crate::supervisor::{BoxLimits, ZonePlacement};
use crate::tracking::settings::TrackingSettings;
use crate::vision::framing::Framing;
use std::time::Duration;

/// How a model handles its work.
#[derive(Clone, Copy, Debug)]
pub struct ModelTerms {
    /// The images' share of the units while frames are waiting too, 0..=1.
    pub image_share: f64,
    /// The limit of images; `None`: no limit but the queue's.
    pub quota: Option<TpsQuota>,
    /// The region and tiles of every image.
    pub image_framing: Framing,
}

/// A model of the settings.
#[derive(Debug)]
pub struct ModelPlan {
    /// The name that cameras and commands use.
    pub name: String,
    /// Its package's directory under `units.models_directory`.
    pub package: String,
    /// How it handles work.
    pub terms: ModelTerms,
    /// Its package, or why it cannot be used: then this model is FAILED and the others run.
    pub loaded: Result<LoadedPackage, String>,
}

/// The settings that all units and cameras share.
#[derive(Clone, Debug)]
pub struct BoxTerms {
    /// The time limits of units.
    pub deadlines: UnitDeadlines,
    /// A waiting frame that is older than this is shed.
    pub max_frame_age: Duration,
    /// The longest time that an image may wait in the queue.
    pub max_queue_time: Duration,
    /// How models that no settings name handle work.
    pub brought_in: ModelTerms,
    /// The capture settings.
    pub capture: CaptureSettings,
    /// The tracking settings.
    pub tracking: TrackingSettings,
    /// The snapshot settings.
    pub snapshots: SnapshotSettings,
}

/// Everything that a box starts with.
#[derive(Debug)]
pub struct BoxPlan {
    /// The zones, at least one.
    pub zones: Vec<ZonePlacement>,
    /// The time until a zone that is out is probed.
    pub zone_probe: Duration,
    /// The limits of the box.
    pub limits: BoxLimits,
    /// The settings that all units and cameras share.
    pub terms: BoxTerms,
    /// The models of the settings, the default one first.
    pub models: Vec<ModelPlan>,
    /// The desired state of the models, with stored changes.
    pub desired: DesiredModels,
    /// The cameras of the settings.
    pub cameras: Vec<CameraSettings>,
    /// The cameras that commands have switched on or off.
    pub switches: CameraSwitches,
    /// The prefix of event ids, new at each start of the daemon.
    pub boot_id: String,
}
