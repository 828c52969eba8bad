//! The status of the box.

use crate::camera::camera_state::Camera;
use crate::camera::connection::Connection;
use crate::control::status::MainStreamView;
use crate::control::{ApplianceStatus, CameraView};
use crate::core::apply::Core;
use crate::publish::state_message::{CameraStateMessage, MainStreamMessage, SCHEMA_CAMERA_STATE};
use crate::vision::camera_id::CameraId;

impl Core {
    /// The cameras of a capture process, by its group.
    pub fn cameras_of(&self, group: usize) -> Vec<CameraId> {
        self.cameras.of_group(group)
    }

    /// The status of the box, without the parts that the shell adds: who and when, publishing, files, rates, process ids and
    /// inference hours.
    pub fn status(&self) -> ApplianceStatus {
        let models = self.units.status();
        let view = |camera: &Camera| {
            let id = &camera.settings.id;
            let ledger = models.values().find_map(|model| model.ledgers.get(id));
            let view = CameraView {
                state: message(camera),
                since: camera.since(),
                model: self.units.model_of(id).unwrap_or_default().to_owned(),
                ledger: ledger.cloned().unwrap_or_default(),
                counts: camera.counts(),
                reconnects: camera.reconnects(),
                main: camera.main().map(main_view),
                rates: Default::default(),
                is_blacked_out: camera.settings.is_blacked_out(),
                unknown_labels: self.units.unknown_labels(&camera.settings),
                seen: Default::default(),
            };
            (id.clone(), view)
        };
        let cameras = self.cameras.all().map(view).collect();
        ApplianceStatus {
            cameras,
            capture_restarts: self.cameras.restarts(),
            in_flight: self.in_flight(),
            lent_slots: self.cameras.lent_slots(),
            degraded: self.degraded(models.values().flat_map(|model| model.degraded.clone()).collect()),
            models,
            ..ApplianceStatus::default()
        }
    }

    /// Problems, as texts for the operator. `reasons` are those of the models.
    fn degraded(&self, mut reasons: Vec<String>) -> Vec<String> {
        reasons.extend(self.cameras.degraded());
        reasons.extend(self.units.degraded());
        reasons
    }
}

fn message(camera: &Camera) -> CameraStateMessage {
    let info = camera.stream_info();
    CameraStateMessage {
        schema: SCHEMA_CAMERA_STATE,
        state: camera.status(),
        codec: info.map(|info| info.codec.clone()),
        width: info.map(|info| info.width),
        height: info.map(|info| info.height),
        fps: camera.fps(),
        reason: camera.reason().map(str::to_owned),
        main: camera.main().map(main_message),
        // Who publishes adds them.
        box_id: None,
        epoch: None,
        owner_uncertain: false,
    }
}

fn main_message(main: &Connection) -> MainStreamMessage {
    let info = main.stream_info();
    MainStreamMessage {
        state: main.status(),
        codec: info.map(|info| info.codec.clone()),
        width: info.map(|info| info.width),
        height: info.map(|info| info.height),
        reason: main.reason().map(str::to_owned),
    }
}

fn main_view(main: &Connection) -> MainStreamView {
    let (counts, rates) = (main.counts(), Default::default());
    MainStreamView { state: main_message(main), since: main.since(), counts, rates, reconnects: main.reconnects() }
}
