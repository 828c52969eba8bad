//! Tells the capture processes how many frames are worth handing over.

use crate::admission::brown_out::{CameraDemand, allot};
use crate::appliance::event_loop::Appliance;
use crate::supervisor::ModelStatus;
use std::time::Duration;

/// How often the cameras' pace is looked at.
pub(super) const PACE_PERIOD: Duration = Duration::from_secs(2);

impl Appliance {
    /// Paces the cameras of each model that cannot look at all their frames, and lets them go when it can again.
    pub(super) fn pace_cameras(&mut self) {
        let models = self.fleet.status();
        let default = self.settings.default_model().name;
        for (name, model) in &models {
            let mut cameras = Vec::new();
            for (group, members) in self.groups.iter().enumerate() {
                for (position, camera) in members.cameras().enumerate() {
                    let is_its = camera.settings.model.as_ref().unwrap_or(&default) == name;
                    if let Some(wanted_fps) = camera.wanted_fps().filter(|_| is_its) {
                        let looks = f64::from(camera.settings.framing().transactions());
                        let demand = CameraDemand { weight: camera.settings.weight, wanted_tps: wanted_fps * looks };
                        cameras.push((group, position, looks, demand));
                    }
                }
            }
            let demands: Vec<CameraDemand> = cameras.iter().map(|(.., demand)| *demand).collect();
            let granted = allot(self.capacity_for_cameras(name, model), &demands);
            for (index, (group, position, looks, demand)) in cameras.into_iter().enumerate() {
                // Who gets all that it wants need not be paced.
                let tps = granted.as_ref().map(|granted| granted[index]).filter(|tps| *tps < demand.wanted_tps * 0.99);
                let fps = tps.map(|tps| tps / looks);
                let members = &mut self.groups[group];
                if let (Some(fps), Some(camera)) = (members.pace(position, fps), members.index_of(position)) {
                    self.captures.pace(group, camera, fps);
                }
            }
        }
    }

    /// Transactions a second of frames that the units can do beside those of images.
    fn capacity_for_cameras(&mut self, name: &str, model: &ModelStatus) -> f64 {
        let before = self.images_before.insert(name.to_owned(), model.image_transactions);
        let images = model.image_transactions.saturating_sub(before.unwrap_or(model.image_transactions));
        let units_for_images = images as f64 / PACE_PERIOD.as_secs_f64() / model.unit_image_tps.max(1e-6);
        ((model.in_service as f64 - units_for_images) * model.unit_frame_tps).max(0.0)
    }
}
