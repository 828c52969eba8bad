//! The simulated boxes: two models in two zones and eight cameras, with settings drawn from a seed.

use crate::camera::settings::{CameraSettings, CaptureSettings, SnapshotSettings};
use crate::core::camera_switches::CameraSwitches;
use crate::core::desired_models::DesiredModels;
use crate::core::loaded_package::LoadedPackage;
use crate::core::plan::{BoxPlan, BoxTerms, ModelTerms};
use crate::core::simulation::dice::Dice;
use crate::core::simulation::wanted::{Wanted, camera, model};
use crate::ipc::messages::LoadModel;
use crate::model::package::Package;
use crate::supervisor::pool::{TpsQuota, UnitDeadlines};
use crate::supervisor::{BoxLimits, ZonePlacement};
use crate::tracking::settings::TrackingSettings;
use crate::vision::framing::Framing;
use std::sync::Arc;
use std::time::Duration;

/// The memory of a new unit in bytes.
pub(super) const UNIT_BYTES: u64 = 100 << 20;

/// The settings of a box that are drawn from the seed.
#[derive(Clone, Debug)]
pub(super) struct BoxSettings {
    pub(super) cameras: usize,
    pub(super) fps: f32,
    pub(super) cameras_per_process: u16,
    pub(super) slots_per_camera: u16,
    pub(super) stall_seconds: f32,
    pub(super) connect_timeout_seconds: f32,
    /// Minimum and maximum units of the two models; a maximum of 0 fixes the number.
    pub(super) units: [(u16, u16); 2],
    /// The most units of the box.
    pub(super) limit: usize,
    pub(super) load_timeout_seconds: f32,
    pub(super) inference_timeout_seconds: f32,
    pub(super) max_frame_age_seconds: f32,
    pub(super) max_queue_seconds: f32,
    pub(super) zone_probe_seconds: f32,
    pub(super) image_share: f32,
    /// Milliseconds of an inference.
    pub(super) service_ms: u64,
}

impl BoxSettings {
    /// A usual box, with or without room for a spare unit.
    pub(super) fn draw(dice: &mut Dice, fps: f32) -> Self {
        let units = [(1, 0), (2, 0), (1, 3), (2, 4)];
        let units = [dice.pick(&units), dice.pick(&units)];
        let most = units.iter().map(|(min, max)| usize::from((*min).max(*max))).sum::<usize>();
        Self {
            cameras: 8,
            fps,
            cameras_per_process: dice.pick(&[1, 1, 4]),
            slots_per_camera: dice.pick(&[3, 6]),
            stall_seconds: dice.pick(&[3.0, 10.0]),
            connect_timeout_seconds: 5.0,
            units,
            limit: most + dice.index(3),
            load_timeout_seconds: 60.0,
            inference_timeout_seconds: 10.0,
            max_frame_age_seconds: 1.0,
            max_queue_seconds: 1.0,
            zone_probe_seconds: 60.0,
            image_share: 0.5,
            service_ms: dice.between(10, 40),
        }
    }

    /// Each setting at either end of its allowed range, or in between.
    pub(super) fn extreme(dice: &mut Dice) -> Self {
        let any = |dice: &mut Dice, ends: [f32; 3]| dice.pick(&ends);
        Self {
            fps: any(dice, [0.1, 5.0, 30.0]),
            cameras_per_process: dice.pick(&[1, 16]),
            slots_per_camera: dice.pick(&[3, 64]),
            stall_seconds: any(dice, [3.0, 10.0, 600.0]),
            connect_timeout_seconds: any(dice, [1.0, 5.0, 60.0]),
            load_timeout_seconds: any(dice, [5.0, 60.0, 3600.0]),
            inference_timeout_seconds: any(dice, [2.0, 10.0, 600.0]),
            max_frame_age_seconds: any(dice, [0.1, 1.0, 60.0]),
            max_queue_seconds: any(dice, [0.1, 1.0, 60.0]),
            zone_probe_seconds: any(dice, [1.0, 60.0, 3600.0]),
            image_share: any(dice, [0.0, 0.5, 1.0]),
            service_ms: dice.pick(&[1, 30, 200]),
            ..Self::draw(dice, 5.0)
        }
    }

    /// How the models handle work.
    pub(super) fn terms(&self) -> ModelTerms {
        ModelTerms {
            image_share: f64::from(self.image_share),
            quota: Some(TpsQuota::Measured),
            image_framing: Framing::default(),
        }
    }

    /// Cameras and models at the start.
    pub(super) fn wanted(&self) -> Wanted {
        let camera = |nth: usize| {
            let model = if nth.is_multiple_of(2) { "first" } else { "second" };
            (nth, CameraSettings { fps: self.fps, ..camera(nth, model) })
        };
        Wanted {
            cameras: (0..self.cameras).map(camera).collect(),
            models: ["first", "second"].into_iter().zip(self.units).map(|(name, units)| model(name, units)).collect(),
            tracking: TrackingSettings::default(),
            snapshots: SnapshotSettings::default(),
        }
    }

    /// The plan that a daemon with these settings would start with.
    pub(super) fn plan(&self, wanted: &Wanted) -> BoxPlan {
        let (models, terms) = (&wanted.models, self.terms());
        let zone = |core: u16| ZonePlacement { name: format!("zone-{core}"), cores: vec![core], ..Default::default() };
        BoxPlan {
            zones: vec![zone(0), zone(1)],
            zone_probe: Duration::from_secs_f32(self.zone_probe_seconds),
            limits: BoxLimits { units: self.limit, models: 3, reserve_bytes: UNIT_BYTES },
            terms: BoxTerms {
                deadlines: UnitDeadlines {
                    load: Duration::from_secs_f32(self.load_timeout_seconds),
                    inference: Duration::from_secs_f32(self.inference_timeout_seconds),
                },
                max_frame_age: Duration::from_secs_f32(self.max_frame_age_seconds),
                max_queue_time: Duration::from_secs_f32(self.max_queue_seconds),
                brought_in: terms,
                capture: CaptureSettings {
                    cameras_per_process: self.cameras_per_process,
                    slots_per_camera: self.slots_per_camera,
                    stall_seconds: self.stall_seconds,
                    connect_timeout_seconds: self.connect_timeout_seconds,
                    ..CaptureSettings::default()
                },
                tracking: wanted.tracking.clone(),
                snapshots: wanted.snapshots.clone(),
            },
            models: Wanted::plans(models, terms),
            desired: DesiredModels::new(models, &DesiredModels::default(), 1),
            cameras: wanted.cameras.values().cloned().collect(),
            switches: CameraSwitches::default(),
            boot_id: "boot".into(),
        }
    }
}

/// A package on the simulated disk. Its name determines the behaviour of its units.
pub(super) fn package(model: &str, name: &str) -> LoadedPackage {
    let (model, name, version) = (model.to_owned(), name.to_owned(), name.to_owned());
    let load = LoadModel { directory: name.clone().into(), ..LoadModel::default() };
    LoadedPackage { package: Arc::new(Package { model, name, version, ..Package::default() }), load }
}
