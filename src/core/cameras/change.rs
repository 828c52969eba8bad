//! Cameras that come, go, change or are switched while the box runs.

use super::Cameras;
use crate::camera::camera_state::Camera;
use crate::camera::settings::CameraSettings;
use crate::core::effect::Effect;
use crate::core::event::CommandTicket;
use crate::ipc::messages::CameraIndex;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;

impl Cameras {
    /// Adds a camera to the first capture process with room for it, or to a new one. It connects at the next tick.
    pub(in crate::core) fn add(&mut self, settings: &CameraSettings, now: Monotonic) {
        self.place(settings, self.all().count() + 1, now);
    }

    /// The same for a camera of a box that has or will have `cameras` of them.
    pub(super) fn place(&mut self, settings: &CameraSettings, cameras: usize, now: Monotonic) {
        self.configured.insert(settings.id.clone(), settings.enabled);
        let camera = Camera::new(self.switches.apply(settings), now);
        match self.group_with_room(cameras) {
            Some(group) => self.groups[group].add(camera),
            None => self.add_group(camera, now),
        }
    }

    /// Removes a camera and closes its connection. A capture process without cameras exits.
    pub(in crate::core) fn remove(&mut self, id: &CameraId, effects: &mut Vec<Effect>) {
        let Some((group, camera)) = self.find_place(id.as_str()) else { return };
        let open = self.groups[group].remove(camera);
        self.close(group, open, effects);
        self.configured.remove(id);
        self.forget_switch(id, effects);
    }

    /// Forgets, for good, what a command had switched.
    fn forget_switch(&mut self, id: &CameraId, effects: &mut Vec<Effect>) {
        if self.switches.remove(id) {
            effects.push(Effect::KeepCameras { cameras: Box::new(self.switches.clone()), ticket: None });
        }
    }

    /// Gives a camera other settings. Its connection stays open unless `reconnects`.
    pub(in crate::core) fn change(
        &mut self,
        settings: &CameraSettings,
        reconnects: bool,
        now: Monotonic,
        effects: &mut Vec<Effect>,
    ) {
        let Some((group, camera)) = self.find_place(settings.id.as_str()) else { return };
        if self.configured.insert(settings.id.clone(), settings.enabled) != Some(settings.enabled) {
            self.forget_switch(&settings.id, effects);
        }
        let settings = self.switches.apply(settings);
        let (enabled, fps) = (settings.enabled, settings.fps);
        let is_other_rate = self.groups[group].change(camera, settings);
        if reconnects {
            let open = self.groups[group].reconnect(camera, now);
            self.close(group, open, effects);
        } else if let Some(index) = self.groups[group].index_of(camera).filter(|_| is_other_rate) {
            effects.push(Effect::PaceCamera { group, index, fps, wanted: fps });
        }
        if enabled == self.groups[group].camera(camera).is_disabled() {
            self.enable(group, camera, enabled, now, effects);
        }
    }

    /// Switches a camera on or off. This survives restarts until the settings change. Returns false if there is no such
    /// camera.
    pub(in crate::core) fn switch(
        &mut self,
        id: &str,
        enabled: bool,
        ticket: CommandTicket,
        now: Monotonic,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let Some((group, camera)) = self.find_place(id) else { return false };
        self.enable(group, camera, enabled, now, effects);
        let id = &self.groups[group].camera(camera).settings.id;
        self.switches.set(id, self.configured.get(id).copied().unwrap_or(true), enabled);
        effects.push(Effect::KeepCameras { cameras: Box::new(self.switches.clone()), ticket: Some(ticket) });
        true
    }

    /// The group of a camera, and its position there.
    fn find_place(&self, id: &str) -> Option<(usize, usize)> {
        self.groups.iter().enumerate().find_map(|(group, members)| {
            Some((group, members.cameras().position(|camera| camera.settings.id.as_str() == id)?))
        })
    }

    fn enable(&mut self, group: usize, camera: usize, enabled: bool, now: Monotonic, effects: &mut Vec<Effect>) {
        if enabled {
            self.groups[group].switch_on(camera, now);
        } else {
            let open = self.groups[group].switch_off(camera, now);
            self.close(group, open, effects);
        }
    }

    /// Closes connections that the daemon does not want any more.
    fn close(&mut self, group: usize, open: Vec<CameraIndex>, effects: &mut Vec<Effect>) {
        for index in open {
            effects.push(Effect::CloseCamera { group, index, silent: None });
            self.close_connections(group, Some(index), effects);
        }
    }
}
