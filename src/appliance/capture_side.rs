//! The loop's part that deals with cameras and their capture processes.

use crate::admission::FrameWork;
use crate::appliance::event_loop::Appliance;
use crate::camera::capture_group::CaptureAction;
use crate::camera::capture_process::{CaptureEvent, camera_source};
use crate::control::ControlError;
use crate::ipc::child_process::ChildEvent;
use crate::ipc::frame_slots::Region;
use crate::ipc::messages::{CameraIndex, FromCapture, LossKind, RegionId};
use crate::os::clock::monotonic_now;
use crate::os::pidfd::ExitStatus;
use crate::vision::camera_id::CameraId;

impl Appliance {
    pub(super) fn capture_event(&mut self, event: CaptureEvent) {
        if !self.captures.is_current(&event) {
            return;
        }
        let (group, now) = (event.group, monotonic_now());
        match event.event {
            ChildEvent::Message(message) => {
                self.groups[group].heard(now);
                self.capture_message(group, message);
            }
            ChildEvent::Ended { status, violation } => {
                match status {
                    ExitStatus::Code(0) => tracing::debug!(group, "a capture process stopped as it was told"),
                    _ => tracing::warn!(group, %status, violation, "a capture process ended; it will be started again"),
                }
                self.captures.ended(group);
                self.close_connections(group, None);
                self.snapshots_lost(group);
                self.groups[group].process_ended(&format!("the capture process ended: {status}"), now);
                self.reporter.capture_restarted();
            }
        }
    }

    fn capture_message(&mut self, group: usize, message: FromCapture) {
        let now = monotonic_now();
        let members = &mut self.groups[group];
        match message {
            FromCapture::Hello { pid } => tracing::debug!(group, pid, "a capture process has started"),
            FromCapture::Initialized | FromCapture::Alive => {}
            FromCapture::Streaming { camera, info } => {
                let Some(position) = members.find(camera) else { return };
                let id = &members.camera(position).settings.id;
                tracing::info!(camera = %id, codec = info.codec, decoder = info.decoder, width = info.width, height = info.height, "a camera streams");
                members.streaming(position, info, now);
            }
            FromCapture::Progress { camera, decoded, .. } => {
                let Some(position) = members.find(camera) else { return };
                members.progress(position, decoded, now);
            }
            FromCapture::Frame { camera, frame } => {
                let Some(position) = members.find(camera) else { return };
                members.frame_announced();
                let settings = &members.camera(position).settings;
                let (id, framing) = (settings.id.clone(), settings.framing());
                let Some(region) = self.slots.of_connection(group, camera) else { return };
                if let Err(error) = self.slots.lend(region, frame.slot) {
                    tracing::error!(group, %error, "a capture process broke the protocol and is killed");
                    self.captures.kill(group);
                    return;
                }
                let number = self.next_number(&id);
                self.reporter.frame_captured(&id);
                let work = FrameWork { camera: id, number, frame, region, framing, attempts: 0, failed_in: None };
                let actions = self.fleet.frame_captured(work, now);
                self.carry_out(actions);
            }
            FromCapture::Dropped { camera, .. } => {
                let Some(position) = members.find(camera) else { return };
                let id = members.camera(position).settings.id.clone();
                self.next_number(&id);
                self.fleet.frame_without_slot(&id);
                self.reporter.frame_without_slot(&id);
            }
            FromCapture::Snapshot(answer) => self.snapshot_answered(group, answer),
            FromCapture::Lost { camera, kind, detail } => {
                let Some(position) = members.find(camera) else { return };
                let id = &members.camera(position).settings.id;
                tracing::warn!(camera = %id, ?kind, detail, "a camera is lost; it will be tried again");
                members.lost(position, kind, detail, now);
                self.close_connections(group, Some(camera));
            }
        }
    }

    pub(super) fn capture_action(&mut self, group: usize, action: &CaptureAction) {
        let now = monotonic_now();
        match *action {
            CaptureAction::Start => match self.captures.start(group) {
                Ok(()) => self.groups[group].process_started(now),
                Err(error) => {
                    tracing::error!(group, %error, "a capture process could not be started");
                    self.groups[group].process_ended("the capture process could not be started", now);
                }
            },
            CaptureAction::Kill { why } => {
                tracing::warn!(group, why, "a capture process is killed");
                self.captures.kill(group);
            }
            CaptureAction::Open { camera, index } => self.open(group, camera, index),
            CaptureAction::Close { camera, index } => {
                let id = &self.groups[group].camera(camera).settings.id;
                tracing::warn!(camera = %id, "a camera has been silent for too long and is connected anew");
                self.captures.close(group, index);
                self.close_connections(group, Some(index));
            }
        }
    }

    fn open(&mut self, group: usize, camera: usize, index: CameraIndex) {
        let settings = &self.groups[group].camera(camera).settings;
        match Region::create("ocelli-frames", self.settings.capture.slots_per_camera) {
            Ok(region) => {
                let source = camera_source(settings, self.passwords.get(&settings.id), &self.settings.capture);
                self.captures.open(group, index, source, &region);
                self.slots.add(region, group, index);
            }
            Err(error) => {
                tracing::error!(camera = %settings.id, %error, "there is no shared memory for a camera");
                let detail = format!("no shared memory: {error}");
                self.groups[group].lost(camera, LossKind::Other, detail, monotonic_now());
            }
        }
    }

    /// Somebody wants frames of a camera, or none. It stays so over a restart, until the settings say something else.
    pub(super) fn switch_camera(&mut self, id: &str, enabled: bool) -> Result<(), ControlError> {
        let place = self.groups.iter().enumerate().find_map(|(group, members)| {
            Some((group, members.cameras().position(|camera| camera.settings.id.as_str() == id)?))
        });
        let (group, camera) = place.ok_or_else(|| ControlError::NoSuchCamera(id.to_owned()))?;
        if enabled {
            self.groups[group].switch_on(camera, monotonic_now());
        } else if let Some(index) = self.groups[group].switch_off(camera) {
            self.captures.close(group, index);
            self.close_connections(group, Some(index));
        }
        if let Some(configured) = self.settings.cameras.iter().find(|camera| camera.id.as_str() == id) {
            self.switches.set(configured, enabled);
        }
        Ok(())
    }

    fn close_connections(&mut self, group: usize, index: Option<CameraIndex>) {
        let retired: Vec<RegionId> = self.slots.close(group, index);
        for region in retired {
            self.units.detach(region);
        }
    }

    fn next_number(&mut self, camera: &CameraId) -> u64 {
        let number = self.frame_numbers.entry(camera.clone()).or_default();
        *number += 1;
        *number
    }
}
