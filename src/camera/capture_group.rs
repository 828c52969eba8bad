//! The cameras that share one capture process, and that process.
//!
//! ```text
//!          start              GStreamer is ready          silence
//!  Down ─────────▶ Starting ─────────────────────▶ Up ─────────────┐
//!   ▲                  │ takes too long                            ▼
//!   │                  └───────────────────────────────────────▶ Dying
//!   └──────────────── the process has ended, or does not end ◀─────┘
//! ```
//!
//! * `Starting`: GStreamer may be scanning its plugins, which takes a minute on a slow box. A long limit of its own.
//! * `Up`: the main loop of the process sends a heartbeat, with and without cameras. Only what the main loop sends is a sign
//!   of life: streaming threads go on announcing frames when it hangs.
//! * `Dying`: killed. A process that a driver holds in the kernel may never end, so this state has a limit too.
//!
//! Each connection to a camera gets a new [`CameraIndex`], so a late message of an earlier connection is recognised and
//! ignored.

use crate::camera::camera_state::{Camera, CameraWish};
use crate::ipc::heartbeat::{INITIALIZATION_LIMIT, SHORTEST_SILENCE};
use crate::ipc::messages::{CameraIndex, LossKind, StreamInfo};
use crate::ipc::restart_policy::RestartPolicy;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// A killed process that has not ended after this time hangs in the kernel; another one takes its place.
const DEATH_LIMIT: Duration = Duration::from_secs(10);

/// What the shell is to do for a group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum CaptureAction {
    /// Start the capture process.
    Start,
    /// End it at once.
    Kill {
        /// For the log.
        why: &'static str,
    },
    /// Give a camera a region and have it connected.
    Open {
        /// Position in [`CaptureGroup::cameras`].
        camera: usize,
        /// Its name in messages for this connection.
        index: CameraIndex,
    },
    /// Have it disconnected.
    Close {
        /// Position in [`CaptureGroup::cameras`].
        camera: usize,
        /// Its name in messages for this connection.
        index: CameraIndex,
    },
}

/// A healthy life so far: when it began, and how many frames it gave.
#[derive(Clone, Copy, Debug)]
struct Life {
    since: Monotonic,
    frames: u64,
}

#[derive(Debug)]
enum Process {
    Down { until: Monotonic },
    Starting { since: Monotonic },
    Up { life: Life, heard_at: Monotonic },
    Dying { since: Monotonic, life: Option<Life> },
}

#[derive(Debug)]
struct Member {
    camera: Camera,
    index: Option<CameraIndex>,
}

/// The cameras of one capture process.
#[derive(Debug)]
pub(crate) struct CaptureGroup {
    members: Vec<Member>,
    process: Process,
    restart_policy: RestartPolicy,
    restarts: u64,
    next_index: u64,
    /// Killed processes that were given up because they do not end.
    undead: u32,
    stall: Duration,
    connect: Duration,
}

impl CaptureGroup {
    /// A group whose process is started by the first [`Self::tick`].
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

    /// Its cameras.
    pub(crate) fn cameras(&self) -> impl Iterator<Item = &Camera> {
        self.members.iter().map(|member| &member.camera)
    }

    /// The camera at a position.
    pub(crate) fn camera(&self, camera: usize) -> &Camera {
        &self.members[camera].camera
    }

    /// The position of the camera that is open under this name; `None` for an earlier connection.
    pub(crate) fn find(&self, index: CameraIndex) -> Option<usize> {
        self.members.iter().position(|member| member.index == Some(index))
    }

    /// The name of the open connection of a camera.
    pub(crate) fn index_of(&self, camera: usize) -> Option<CameraIndex> {
        self.members[camera].index
    }

    /// Processes started again since the daemon started.
    pub(crate) fn restarts(&self) -> u64 {
        self.restarts
    }

    /// Killed processes of this group that do not end, because a driver hangs.
    pub(crate) fn undead(&self) -> u32 {
        self.undead
    }

    /// How long the process may send nothing. Half a stall's time, so that a hung process is found before its cameras
    /// count as stalled, but never less than a few heartbeats.
    fn longest_silence(&self) -> Duration {
        (self.stall / 2).max(SHORTEST_SILENCE)
    }

    /// Does what is due by `now`.
    pub(crate) fn tick(&mut self, now: Monotonic) -> Vec<CaptureAction> {
        let wish = |member: &Member| member.camera.wish(self.stall, self.connect, now);
        match self.process {
            Process::Down { until } => {
                if now < until || !self.members.iter().any(|member| wish(member) == CameraWish::Open) {
                    return Vec::new();
                }
                self.process = Process::Starting { since: now };
                vec![CaptureAction::Start]
            }
            Process::Starting { since } if now.since(since) > INITIALIZATION_LIMIT => {
                self.kill("GStreamer did not start in time", now)
            }
            Process::Up { heard_at, .. } if now.since(heard_at) > self.longest_silence() => {
                self.kill("it has sent no heartbeat for too long", now)
            }
            Process::Up { .. } => self.tick_cameras(now),
            Process::Dying { since, .. } if now.since(since) > DEATH_LIMIT => {
                self.undead += 1;
                self.process_ended("the capture process was killed and does not end: a driver hangs", now);
                Vec::new()
            }
            Process::Starting { .. } | Process::Dying { .. } => Vec::new(),
        }
    }

    /// Ends the process. Starting | Up -> Dying
    pub(crate) fn kill(&mut self, why: &'static str, now: Monotonic) -> Vec<CaptureAction> {
        let life = match self.process {
            Process::Up { life, .. } => Some(life),
            Process::Starting { .. } => None,
            Process::Down { .. } | Process::Dying { .. } => return Vec::new(),
        };
        self.process = Process::Dying { since: now, life };
        vec![CaptureAction::Kill { why }]
    }

    /// A process that was given up has ended after all.
    pub(crate) fn undead_ended(&mut self) {
        self.undead = self.undead.saturating_sub(1);
    }

    /// The daemon was suspended for `gap`: what children did meanwhile is unknown, so deadlines move by it.
    pub(crate) fn paused(&mut self, gap: Duration) {
        match &mut self.process {
            Process::Starting { since } | Process::Dying { since, .. } => *since = *since + gap,
            Process::Up { heard_at, .. } => *heard_at = *heard_at + gap,
            Process::Down { .. } => {}
        }
        self.members.iter_mut().for_each(|member| member.camera.paused(gap));
    }

    fn tick_cameras(&mut self, now: Monotonic) -> Vec<CaptureAction> {
        let mut actions = Vec::new();
        for (position, member) in self.members.iter_mut().enumerate() {
            match member.camera.wish(self.stall, self.connect, now) {
                CameraWish::Wait => {}
                CameraWish::Open => {
                    let index = CameraIndex(self.next_index);
                    self.next_index += 1;
                    member.index = Some(index);
                    member.camera.opened(now);
                    actions.push(CaptureAction::Open { camera: position, index });
                }
                CameraWish::Close => {
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

    /// GStreamer runs in the process. Starting -> Up
    pub(crate) fn initialized(&mut self, now: Monotonic) {
        if let Process::Starting { .. } = self.process {
            self.process = Process::Up { life: Life { since: now, frames: 0 }, heard_at: now };
        }
    }

    /// The main loop of the process sent a message.
    pub(crate) fn alive(&mut self, now: Monotonic) {
        if let Process::Up { heard_at, .. } = &mut self.process {
            *heard_at = now;
        }
    }

    /// A frame was announced; counts as healthy work.
    pub(crate) fn frame_announced(&mut self) {
        if let Process::Up { life, .. } = &mut self.process {
            life.frames += 1;
        }
    }

    /// The process is gone, or could not be started: all its cameras are lost. Any -> Down
    pub(crate) fn process_ended(&mut self, detail: &str, now: Monotonic) {
        let life = match self.process {
            Process::Up { life, .. } => Some(life),
            Process::Dying { life, .. } => life,
            Process::Starting { .. } | Process::Down { .. } => None,
        };
        self.restarts += 1;
        let (since, frames) = (life.map(|life| life.since), life.map_or(0, |life| life.frames));
        self.process = Process::Down { until: self.restart_policy.died(since, frames, now) };
        for member in &mut self.members {
            member.index = None;
            member.camera.lost(LossKind::ProcessDied, detail.to_owned(), now);
        }
    }

    /// A connection streams.
    pub(crate) fn streaming(&mut self, camera: usize, info: StreamInfo, now: Monotonic) {
        self.members[camera].camera.streaming(info, now);
    }

    /// A connection has received so many packets and decoded so many frames.
    pub(crate) fn progress(&mut self, camera: usize, decoded: u64, received: u64, now: Monotonic) {
        self.members[camera].camera.progress(decoded, received, now);
    }

    /// Paces a camera; returns the rate to tell its capture process, if that changes.
    pub(crate) fn pace(&mut self, camera: usize, fps: Option<f64>) -> Option<f32> {
        self.members[camera].camera.pace(fps)
    }

    /// Switches a camera off; the connection that is to be closed then.
    pub(crate) fn switch_off(&mut self, camera: usize) -> Option<CameraIndex> {
        self.members[camera].camera.switch_off();
        self.members[camera].index.take()
    }

    /// Switches a camera on.
    pub(crate) fn switch_on(&mut self, camera: usize, now: Monotonic) {
        self.members[camera].camera.switch_on(now);
    }

    /// A connection ended.
    pub(crate) fn lost(&mut self, camera: usize, kind: LossKind, detail: String, now: Monotonic) {
        self.members[camera].index = None;
        self.members[camera].camera.lost(kind, detail, now);
    }
}

#[cfg(test)]
mod tests;
