//! What a box starts with: settings and what was kept, read and checked by the shell.

use crate::camera::settings::{CameraSettings, CaptureSettings, SnapshotSettings};
use crate::core::camera_switches::CameraSwitches;
use crate::core::desired_models::DesiredModels;
use crate::core::event::LoadedPackage;
use crate::supervisor::pool::{TpsQuota, UnitDeadlines};
use crate::supervisor::{BoxLimits, ZonePlacement};
use crate::tracking::settings::TrackingSettings;
use crate::vision::framing::Framing;
use std::time::Duration;

/// How a model treats the work that is given to it.
#[derive(Clone, Copy, Debug)]
pub struct ModelTerms {
    /// The units' share for images while cameras want more than the rest, 0..=1.
    pub image_share: f64,
    /// Limit of images from outside.
    pub quota: Option<TpsQuota>,
    /// What of an image is looked at.
    pub image_framing: Framing,
}

/// A model of the settings.
#[derive(Debug)]
pub struct ModelPlan {
    /// The name that cameras and commands use.
    pub name: String,
    /// Its package's directory under `units.models_directory`.
    pub package: String,
    /// How it treats work.
    pub terms: ModelTerms,
    /// Its package, or why it cannot be used: the model is FAILED then, and everything else runs.
    pub loaded: Result<LoadedPackage, String>,
}

/// What all units and all cameras share.
#[derive(Clone, Debug)]
pub struct BoxTerms {
    /// Time limits of units.
    pub deadlines: UnitDeadlines,
    /// A waiting frame older than this is not looked at.
    pub max_frame_age: Duration,
    /// No image waits longer than this.
    pub max_queue_time: Duration,
    /// How models treat work that no settings name.
    pub brought_in: ModelTerms,
    /// What all cameras share.
    pub capture: CaptureSettings,
    /// How objects are tracked.
    pub tracking: TrackingSettings,
    /// How pictures are taken.
    pub snapshots: SnapshotSettings,
}

/// All that a box starts with.
#[derive(Debug)]
pub struct BoxPlan {
    /// Zones, at least one.
    pub zones: Vec<ZonePlacement>,
    /// Time until a zone that is out is tried again.
    pub zone_probe: Duration,
    /// What the box can carry.
    pub limits: BoxLimits,
    /// What all units and cameras share.
    pub terms: BoxTerms,
    /// The models of the settings, the default one first.
    pub models: Vec<ModelPlan>,
    /// What commands have made of them.
    pub desired: DesiredModels,
    /// The cameras of the settings.
    pub cameras: Vec<CameraSettings>,
    /// Which of them commands have switched on or off.
    pub switches: CameraSwitches,
    /// New at each start of the daemon; ids of events begin with it.
    pub boot_id: String,
}
