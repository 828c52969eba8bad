//! The cameras of a group: which they are, and what happens to each.

use super::{CaptureGroup, Process};
use crate::camera::camera_state::Camera;
use crate::camera::capture_group::member::Member;
use crate::camera::settings::CameraSettings;
use crate::ipc::messages::{CameraIndex, LossKind, StreamInfo};
use crate::ipc::restart_policy::RestartPolicy;
use crate::vision::monotonic::Monotonic;
use crate::vision::stream_counts::StreamCounts;

impl CaptureGroup {
    /// Adds a camera. The crashes of one that was there before are not its own: it does not wait for them.
    pub(crate) fn add(&mut self, camera: Camera) {
        if self.is_unused() {
            self.restart_policy = RestartPolicy::default();
            self.process = Process::Down { until: Monotonic::default() };
        }
        self.members.push(Member::new(camera));
    }

    /// Removes a camera; those behind it move up. Returns the open connections, which are to be closed.
    pub(crate) fn remove(&mut self, camera: usize) -> Vec<CameraIndex> {
        self.members.remove(camera).take_open()
    }

    /// Since when its camera may not share the process with another.
    pub(crate) fn alone_since(&self) -> Option<Monotonic> {
        self.alone_since
    }

    /// Lets its camera share the process with no other, or with others again.
    pub(crate) fn set_alone(&mut self, since: Option<Monotonic>) {
        self.alone_since = since;
    }

    /// True if the process is up, or was until it was killed.
    pub(crate) fn has_worked(&self) -> bool {
        matches!(self.process, Process::Up { .. } | Process::Dying { uptime: Some(_), .. })
    }

    /// True without cameras and process.
    pub(crate) fn is_unused(&self) -> bool {
        self.members.is_empty() && matches!(self.process, Process::Down { .. })
    }

    /// True if no camera has an open connection.
    pub(crate) fn is_disconnected(&self) -> bool {
        self.members.iter().all(|member| member.index.is_none() && member.main.is_none())
    }

    /// Removes all cameras from the position `from` on, which must not be connected.
    pub(crate) fn take_from(&mut self, from: usize) -> Vec<Camera> {
        self.members.drain(from.min(self.members.len())..).map(|member| member.camera).collect()
    }

    /// Changes the settings of a camera. Returns true if an open connection must be told its frames a second.
    pub(crate) fn change(&mut self, camera: usize, settings: CameraSettings) -> bool {
        self.members[camera].camera.change(settings)
    }

    /// Makes new connections of a camera due at once. Returns the open ones, which are to be closed.
    pub(crate) fn reconnect(&mut self, camera: usize, now: Monotonic) -> Vec<CameraIndex> {
        self.members[camera].camera.reconnect(now);
        self.members[camera].take_open()
    }

    /// The cameras of the group.
    pub(crate) fn cameras(&self) -> impl Iterator<Item = &Camera> {
        self.members.iter().map(|member| &member.camera)
    }

    /// The camera at a position.
    pub(crate) fn camera(&self, camera: usize) -> &Camera {
        &self.members[camera].camera
    }

    /// The position of the camera with this connection; `None` if the connection is an earlier one.
    pub(crate) fn find(&self, index: CameraIndex) -> Option<usize> {
        self.members.iter().position(|member| member.index == Some(index))
    }

    /// The position of the camera whose main stream has this connection.
    pub(crate) fn find_main(&self, index: CameraIndex) -> Option<usize> {
        self.members.iter().position(|member| member.main == Some(index))
    }

    /// The open connection of a camera.
    pub(crate) fn index_of(&self, camera: usize) -> Option<CameraIndex> {
        self.members[camera].index
    }

    /// Records that a connection delivered its first frame, or a new picture size.
    pub(crate) fn streaming(&mut self, camera: usize, info: StreamInfo, now: Monotonic) {
        self.members[camera].camera.streaming(info, now);
    }

    /// Records the counts of a connection.
    pub(crate) fn progress(&mut self, camera: usize, counts: StreamCounts, now: Monotonic) {
        self.members[camera].camera.progress(counts, now);
    }

    /// Throttles a camera. Returns the rate for its capture process if it changes.
    pub(crate) fn pace(&mut self, camera: usize, fps: Option<f64>) -> Option<f32> {
        self.members[camera].camera.pace(fps)
    }

    /// Switches a camera off. Returns the open connections, which are to be closed.
    pub(crate) fn switch_off(&mut self, camera: usize, now: Monotonic) -> Vec<CameraIndex> {
        self.members[camera].camera.switch_off(now);
        self.members[camera].take_open()
    }

    /// Switches a camera on: it is due to connect at once.
    pub(crate) fn switch_on(&mut self, camera: usize, now: Monotonic) {
        self.members[camera].camera.switch_on(now);
    }

    /// Records that a connection was lost.
    pub(crate) fn lost(&mut self, camera: usize, kind: LossKind, detail: String, now: Monotonic) {
        self.members[camera].index = None;
        self.members[camera].camera.lost(kind, detail, now);
    }
    /// The open connection of a camera's main stream.
    pub(crate) fn main_of(&self, camera: usize) -> Option<CameraIndex> {
        self.members[camera].main
    }

    /// Records that the first keyframe of a main stream has come, or one of a new size.
    pub(crate) fn main_streaming(&mut self, camera: usize, info: StreamInfo, now: Monotonic) {
        if let Some(main) = self.members[camera].camera.main_mut() {
            main.streaming(info, now);
        }
    }

    /// Records the counts of a main stream.
    pub(crate) fn main_progress(&mut self, camera: usize, counts: StreamCounts, now: Monotonic) {
        if let Some(main) = self.members[camera].camera.main_mut() {
            main.progress(counts, now);
        }
    }

    /// Records that a main stream was lost.
    pub(crate) fn main_lost(&mut self, camera: usize, kind: LossKind, detail: String, now: Monotonic) {
        self.members[camera].main = None;
        self.members[camera].camera.main_lost(kind, detail, now);
    }
}
