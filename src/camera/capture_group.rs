//! The cameras that share one capture process, and that process.
//!
//! ```text
//!                      ┌──────────────── kill ─────────────────┐
//!                      │                                       ▼
//!  Down ── start ──▶ Starting ── initialized ──▶ Up ── kill ─▶ Dying
//!   ▲                  │                         │             │
//!   └──────────────────┴───── process_ended ─────┴─────────────┘
//! ```
//!
//! * `Down -> Starting`: the backoff is over and a camera is due to connect. A process without work is not started.
//! * `Starting -> Up`: GStreamer is initialized. It may scan its plugins first, which takes a minute on a slow box, so this
//!   state has a long limit of its own.
//! * `Starting | Up -> Dying`: the process is killed because GStreamer took too long, the main loop sent no heartbeat for too
//!   long, or the process announced a slot that it does not own. Only messages of the main loop are a sign of life:
//!   streaming threads go on announcing frames when it hangs.
//! * `any -> Down`: the process ended or could not be started. All its cameras are lost, and the next start waits for the
//!   backoff of [`RestartPolicy`].
//! * `Dying -> Down` also happens after `DEATH_LIMIT`: a process that a driver holds in the kernel may never end. It is
//!   given up and counted as `undead`.
//!
//! Each connection to a camera gets a new [`CameraIndex`], so that late messages of an earlier connection are recognised
//! and ignored.

use crate::camera::camera_state::{Camera, CameraDue};
use crate::ipc::heartbeat::{INITIALIZATION_LIMIT, SHORTEST_SILENCE};
use crate::ipc::messages::{CameraIndex, LossKind, StreamInfo};
use crate::ipc::restart_policy::RestartPolicy;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// A killed process that has not ended after this time hangs in the kernel. It is replaced.
const DEATH_LIMIT: Duration = Duration::from_secs(10);

/// An action that the shell performs for a group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum CaptureAction {
    /// Start the capture process.
    Start,
    /// Kill the capture process.
    Kill {
        /// The reason, for the log.
        why: &'static str,
    },
    /// Give a camera a region and connect it.
    Open {
        /// Its position in [`CaptureGroup::cameras`].
        camera: usize,
        /// Identifies this connection in messages.
        index: CameraIndex,
    },
    /// Disconnect a camera.
    Close {
        /// Its position in [`CaptureGroup::cameras`].
        camera: usize,
        /// Identifies this connection in messages.
        index: CameraIndex,
    },
}

/// How long a process has been up, and how many frames it announced: it decides the backoff after its end.
#[derive(Clone, Copy, Debug)]
struct Uptime {
    since: Monotonic,
    frames: u64,
}

#[derive(Debug)]
enum Process {
    Down { until: Monotonic },
    Starting { since: Monotonic },
    Up { uptime: Uptime, heartbeat_at: Monotonic },
    Dying { since: Monotonic, uptime: Option<Uptime> },
}

#[derive(Debug)]
struct Member {
    camera: Camera,
    index: Option<CameraIndex>,
}

/// The cameras of one capture process, and the state of that process.
#[derive(Debug)]
pub(crate) struct CaptureGroup {
    members: Vec<Member>,
    process: Process,
    restart_policy: RestartPolicy,
    restarts: u64,
    next_index: u64,
    /// Killed processes that were given up because they did not end.
    undead: u32,
    stall: Duration,
    connect: Duration,
}

impl CaptureGroup {
    /// A group whose first [`Self::tick`] starts the process.
    pub(crate) fn new(cameras: Vec<Camera>, stall: Duration, connect: Duration, now: Monotonic) -> Self {
        Self {
            members: cameras.into_iter().map(|camera| Member { camera, index: None }).collect(),
            process: Process::Down { until: now },
            restart_policy: RestartPolicy::default(),
            restarts: 0,
            next_index: 0,
            undead: 0,
            stall,
            connect,
        }
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

    /// The open connection of a camera.
    pub(crate) fn index_of(&self, camera: usize) -> Option<CameraIndex> {
        self.members[camera].index
    }

    /// Restarts of the process since the daemon started.
    pub(crate) fn restarts(&self) -> u64 {
        self.restarts
    }

    /// Killed processes of this group that have not ended, because a driver hangs.
    pub(crate) fn undead(&self) -> u32 {
        self.undead
    }

    /// How long the main loop may send nothing. Half the stall limit, so that a hung process is found before its cameras
    /// count as stalled, but never less than a few heartbeats.
    fn longest_silence(&self) -> Duration {
        (self.stall / 2).max(SHORTEST_SILENCE)
    }

    /// Returns the actions that are due by `now`.
    pub(crate) fn tick(&mut self, now: Monotonic) -> Vec<CaptureAction> {
        let due = |member: &Member| member.camera.due(self.stall, self.connect, now);
        match self.process {
            Process::Down { until } => {
                if now < until || !self.members.iter().any(|member| due(member) == CameraDue::Open) {
                    return Vec::new();
                }
                self.process = Process::Starting { since: now };
                vec![CaptureAction::Start]
            }
            Process::Starting { since } if now.since(since) > INITIALIZATION_LIMIT => {
                self.kill("GStreamer did not start in time", now)
            }
            Process::Up { heartbeat_at, .. } if now.since(heartbeat_at) > self.longest_silence() => {
                self.kill("it sent no heartbeat for too long", now)
            }
            Process::Up { .. } => self.tick_cameras(now),
            Process::Dying { since, .. } if now.since(since) > DEATH_LIMIT => {
                self.undead += 1;
                self.process_ended("the capture process was killed but does not end: a driver hangs", now);
                Vec::new()
            }
            Process::Starting { .. } | Process::Dying { .. } => Vec::new(),
        }
    }

    /// Kills the process. Starting | Up -> Dying
    pub(crate) fn kill(&mut self, why: &'static str, now: Monotonic) -> Vec<CaptureAction> {
        let uptime = match self.process {
            Process::Up { uptime, .. } => Some(uptime),
            Process::Starting { .. } => None,
            Process::Down { .. } | Process::Dying { .. } => return Vec::new(),
        };
        self.process = Process::Dying { since: now, uptime };
        vec![CaptureAction::Kill { why }]
    }

    /// Records that a process that was given up has ended after all.
    pub(crate) fn undead_ended(&mut self) {
        self.undead = self.undead.saturating_sub(1);
    }

    /// Moves the deadlines by `gap`, for which the daemon was suspended: what the process did meanwhile is unknown.
    pub(crate) fn paused(&mut self, gap: Duration) {
        match &mut self.process {
            Process::Starting { since } | Process::Dying { since, .. } => *since = *since + gap,
            Process::Up { heartbeat_at, .. } => *heartbeat_at = *heartbeat_at + gap,
            Process::Down { .. } => {}
        }
        self.members.iter_mut().for_each(|member| member.camera.paused(gap));
    }

    fn tick_cameras(&mut self, now: Monotonic) -> Vec<CaptureAction> {
        let mut actions = Vec::new();
        for (position, member) in self.members.iter_mut().enumerate() {
            match member.camera.due(self.stall, self.connect, now) {
                CameraDue::Wait => {}
                CameraDue::Open => {
                    let index = CameraIndex(self.next_index);
                    self.next_index += 1;
                    member.index = Some(index);
                    member.camera.opened(now);
                    actions.push(CaptureAction::Open { camera: position, index });
                }
                CameraDue::Close => {
                    let detail = format!("no frame was decoded for {:.0} s", self.stall.as_secs_f64());
                    member.camera.lost(LossKind::Stalled, detail, now);
                    if let Some(index) = member.index.take() {
                        actions.push(CaptureAction::Close { camera: position, index });
                    }
                }
            }
        }
        actions
    }

    /// Records that GStreamer is initialized. Starting -> Up
    pub(crate) fn initialized(&mut self, now: Monotonic) {
        if let Process::Starting { .. } = self.process {
            self.process = Process::Up { uptime: Uptime { since: now, frames: 0 }, heartbeat_at: now };
        }
    }

    /// Records a message of the main loop: a sign of life.
    pub(crate) fn alive(&mut self, now: Monotonic) {
        if let Process::Up { heartbeat_at, .. } = &mut self.process {
            *heartbeat_at = now;
        }
    }

    /// Counts a frame that the process announced.
    pub(crate) fn frame_announced(&mut self) {
        if let Process::Up { uptime, .. } = &mut self.process {
            uptime.frames += 1;
        }
    }

    /// Records that the process ended or could not be started, which loses all its cameras. Any -> Down
    pub(crate) fn process_ended(&mut self, detail: &str, now: Monotonic) {
        // One that was given up, and whose successor was not started yet.
        if matches!(self.process, Process::Down { .. }) && self.undead > 0 {
            return self.undead_ended();
        }
        let uptime = match self.process {
            Process::Up { uptime, .. } => Some(uptime),
            Process::Dying { uptime, .. } => uptime,
            Process::Starting { .. } | Process::Down { .. } => None,
        };
        self.restarts += 1;
        let (since, frames) = (uptime.map(|uptime| uptime.since), uptime.map_or(0, |uptime| uptime.frames));
        self.process = Process::Down { until: self.restart_policy.died(since, frames, now) };
        for member in &mut self.members {
            member.index = None;
            member.camera.lost(LossKind::ProcessDied, detail.to_owned(), now);
        }
    }

    /// Records that a connection delivered its first frame, or a new picture size.
    pub(crate) fn streaming(&mut self, camera: usize, info: StreamInfo, now: Monotonic) {
        self.members[camera].camera.streaming(info, now);
    }

    /// Records the totals of decoded frames and received packets of a connection.
    pub(crate) fn progress(&mut self, camera: usize, decoded: u64, received: u64, now: Monotonic) {
        self.members[camera].camera.progress(decoded, received, now);
    }

    /// Throttles a camera. Returns the rate for its capture process if it changes.
    pub(crate) fn pace(&mut self, camera: usize, fps: Option<f64>) -> Option<f32> {
        self.members[camera].camera.pace(fps)
    }

    /// Switches a camera off. Returns the connection to close, if one is open.
    pub(crate) fn switch_off(&mut self, camera: usize) -> Option<CameraIndex> {
        self.members[camera].camera.switch_off();
        self.members[camera].index.take()
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
}

#[cfg(test)]
mod tests;
