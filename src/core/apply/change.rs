//! Applies a change of the settings to the parts of the core.

use crate::camera::settings::CameraSettings;
use crate::control::Accepted;
use crate::core::apply::Core;
use crate::core::change::{BoxChange, CameraChange};
use crate::core::effect::Effect;
use crate::core::event::CommandTicket;
use crate::vision::monotonic::Monotonic;

impl Core {
    /// Applies a change. New models come first, because cameras may move to them; models that are gone are removed once
    /// their units have stopped.
    pub(super) fn change(&mut self, ticket: CommandTicket, change: BoxChange, now: Monotonic, out: &mut Vec<Effect>) {
        let BoxChange { removed_cameras, added_cameras, changed_cameras, tracking, snapshots, models } = change;
        if let Some(models) = models {
            self.units.change(models, now, out);
        }
        for camera in removed_cameras {
            let actions = self.units.remove_camera(&camera);
            self.follow(actions, now, out);
            self.cameras.remove(&camera, out);
            self.scenes.remove(&camera, now, out);
            self.snapshots.remove(&camera, now, out);
        }
        let is_tracking_new = tracking.is_some();
        self.tracking = tracking.unwrap_or_else(|| self.tracking.clone());
        for CameraChange { settings, reconnects, is_blackout_new, is_scene_new } in changed_cameras {
            self.cameras.change(&settings, reconnects, now, out);
            if is_blackout_new {
                self.snapshots.forget_pictures(&settings.id, now, out);
            }
            if is_scene_new {
                self.scenes.begin(&self.tracking, &settings, now, out);
            }
        }
        for settings in added_cameras {
            self.cameras.add(&settings, now);
            self.scenes.begin(&self.tracking, &settings, now, out);
        }
        let cameras: Vec<CameraSettings> = self.cameras.all().map(|camera| camera.settings.clone()).collect();
        for settings in cameras {
            if is_tracking_new {
                self.scenes.begin(&self.tracking, &settings, now, out);
            }
            // The default model may be another.
            let actions = self.units.place_camera(&settings);
            self.follow(actions, now, out);
        }
        if let Some(snapshots) = snapshots {
            self.snapshots.change(snapshots);
        }
        out.push(Effect::AnswerCommand { ticket, result: Ok(Accepted::default()) });
    }
}
