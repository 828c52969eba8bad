//! Which cameras share a capture process, and what happens when a shared one dies.
//!
//! ```text
//!            its shared process died, and few cameras are alone
//!  shared ────────────────────────────────────────────────────────▶ alone
//!    ▲                                                                │ its process dies: the hour begins anew
//!    └──────── not connected, and an hour without such a death ───────┘
//! ```
//!
//! Nothing in a crash tells whose stream was the cause, so all cameras of the process are separated: the next crash shows it,
//! and costs that camera only. They return when they have to connect anyway, so that no stream is interrupted for it.

use super::Cameras;
use crate::camera::camera_state::Camera;
use crate::camera::capture_group::CaptureGroup;
use crate::camera::process_sharing::FEW_CAMERAS;
use crate::core::effect::Effect;
use crate::core::report::Report;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// The most cameras that are alone after crashes: each costs the memory of a process. Further shared processes that die
/// are restarted as they are.
const MOST_ALONE: usize = FEW_CAMERAS;

/// A camera whose process did not die for so long is not the cause of a crash.
const ALONE_FOR: Duration = Duration::from_secs(3_600);

impl Cameras {
    /// The cameras of a capture process.
    pub(in crate::core) fn of_group(&self, group: usize) -> Vec<CameraId> {
        self.groups.get(group).map(CaptureGroup::ids).unwrap_or_default()
    }

    /// The first group that a camera may join, on a box with this many cameras.
    pub(super) fn group_with_room(&self, cameras: usize) -> Option<usize> {
        let most = usize::from(self.capture.most_per_process(cameras));
        self.groups.iter().position(|group| group.alone_since().is_none() && group.cameras().count() < most)
    }

    /// Adds a group with this camera alone.
    pub(super) fn add_group(&mut self, camera: Camera, now: Monotonic) {
        let stall = Duration::from_secs_f32(self.capture.stall_seconds);
        let connect = Duration::from_secs_f32(self.capture.connect_timeout_seconds);
        self.groups.push(CaptureGroup::new(vec![camera], stall, connect, now));
    }

    /// The process of a group has died at work: each of its cameras gets one of its own, if not too many have already.
    pub(super) fn separate(&mut self, group: usize, now: Monotonic, effects: &mut Vec<Effect>) {
        if self.groups[group].alone_since().is_some() {
            return self.groups[group].set_alone(Some(now));
        }
        let together = self.groups[group].cameras().count();
        let alone = self.groups.iter().filter(|group| group.alone_since().is_some()).count();
        if together < 2 || alone + together > MOST_ALONE {
            return;
        }
        let cameras = self.groups[group].cameras().map(|camera| camera.settings.id.clone()).collect();
        effects.push(Effect::Report(Report::CamerasSeparated { cameras }));
        self.groups[group].set_alone(Some(now));
        for camera in self.groups[group].take_from(1) {
            // A group of an earlier separation has a process that was asked to exit, or none.
            let empty = self.groups.iter().position(|group| group.is_unused());
            let at = empty.unwrap_or(self.groups.len());
            match empty {
                Some(group) => self.groups[group].add(camera),
                None => self.add_group(camera, now),
            }
            self.groups[at].set_alone(Some(now));
        }
    }

    /// Moves cameras that have been alone for long enough, and are not connected, to processes with room for them.
    pub(super) fn end_separations(&mut self, now: Monotonic) {
        let cameras = self.all().count();
        for group in 0..self.groups.len() {
            let members = &mut self.groups[group];
            let is_over = members.alone_since().is_some_and(|since| now.since(since) >= ALONE_FOR);
            if !is_over || !members.is_disconnected() {
                continue;
            }
            members.set_alone(None);
            for camera in members.take_from(0) {
                // At worst its own group has room.
                match self.group_with_room(cameras) {
                    Some(room) => self.groups[room].add(camera),
                    None => self.add_group(camera, now),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
