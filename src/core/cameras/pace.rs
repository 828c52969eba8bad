//! Which share of the units each camera is granted.

use super::Cameras;
use crate::admission::brown_out::{CameraDemand, allot};
use crate::core::effect::Effect;
use crate::vision::camera_id::CameraId;

impl Cameras {
    /// Throttles the cameras of a model that cannot process all their frames, and ends throttling when it can.
    pub(in crate::core) fn pace(
        &mut self,
        is_its: impl Fn(&CameraId) -> bool,
        capacity_tps: Option<f64>,
        effects: &mut Vec<Effect>,
    ) {
        let mut cameras = Vec::new();
        for (group, members) in self.groups.iter().enumerate() {
            for (position, camera) in members.cameras().enumerate() {
                if let Some(wanted_fps) = camera.wanted_fps().filter(|_| is_its(&camera.settings.id)) {
                    let looks = f64::from(camera.settings.framing().transactions());
                    let demand = CameraDemand { weight: camera.settings.weight, wanted_tps: wanted_fps * looks };
                    cameras.push((group, position, looks, demand));
                }
            }
        }
        let demands: Vec<CameraDemand> = cameras.iter().map(|(.., demand)| *demand).collect();
        let granted = allot(capacity_tps, &demands);
        for (number, (group, position, looks, demand)) in cameras.into_iter().enumerate() {
            // A camera whose full demand is granted is not throttled.
            let tps = granted.as_ref().map(|granted| granted[number]).filter(|tps| *tps < demand.wanted_tps * 0.99);
            let members = &mut self.groups[group];
            if let (Some(fps), Some(index)) =
                (members.pace(position, tps.map(|tps| tps / looks)), members.index_of(position))
            {
                let wanted = members.camera(position).settings.fps;
                effects.push(Effect::PaceCamera { group, index, fps, wanted });
            }
        }
    }
}
