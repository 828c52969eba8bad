//! The cameras that share one capture process, and that process.
//!
//! ```text
//!                      ┌──────────────── kill ─────────────────┐
//!                      │                                       ▼
//!  Down ── start ──▶ Starting ── initialized ──▶ Up ── kill ─▶ Dying
//!   ▲                  │                         │             │
//!   ├──────────────────┴───── process_ended ─────┼─────────────┘
//!   │                                            └─ no cameras ─▶ Leaving ── kill ─▶ Dying
//!   └───────────────────────── process_ended ────────────────────┘
//! ```
//!
//! * `Down -> Starting`: the backoff is over and a camera is due to connect. A process without work is not started.
//! * `Starting -> Up`: GStreamer is initialized. It may scan its plugins first, which takes a minute on a slow box, so this
//!   state has a long limit of its own.
//! * `Starting | Up -> Dying`: the process is killed because GStreamer took too long, the main loop sent no heartbeat for too
//!   long, or the process announced a slot that it does not own. Only messages of the main loop are a sign of life:
//!   streaming threads go on announcing frames when it hangs.
//! * `Up -> Leaving`: the settings have none of its cameras any more, so it is asked to exit; it is killed if it takes too
//!   long. A camera that is added meanwhile waits for the next process.
//! * `any -> Down`: the process ended or could not be started. All its cameras are lost, and the next start waits for the
//!   backoff of [`RestartPolicy`].
//! * `Dying -> Down` also happens after `DEATH_LIMIT`: a process that a driver holds in the kernel may never end. It is
//!   given up and counted as `undead`.
//!
//! Each connection to a camera gets a new [`CameraIndex`](crate::ipc::messages::CameraIndex), so that late messages of an earlier connection are recognised
//! and ignored.

mod member;
mod members;

use crate::camera::camera_due::CameraDue;
use crate::camera::camera_state::Camera;
use crate::camera::capture_action::CaptureAction;
use crate::camera::capture_group::member::{Member, next_index};
use crate::ipc::heartbeat::{INITIALIZATION_LIMIT, SHORTEST_SILENCE};
use crate::ipc::messages::LossKind;
use crate::ipc::restart_policy::RestartPolicy;
use crate::vision::camera_id::CameraId;
use crate::vision::camera_status::CameraStatus;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// A killed process that has not ended after this time hangs in the kernel. It is replaced.
const DEATH_LIMIT: Duration = Duration::from_secs(10);

/// How long a process may take to exit.
const EXIT_LIMIT: Duration = Duration::from_secs(5);

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
    Leaving { since: Monotonic },
    Dying { since: Monotonic, uptime: Option<Uptime> },
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
    /// Its camera shares the process with no other, because an earlier process of it died.
    alone_since: Option<Monotonic>,
    stall: Duration,
    connect: Duration,
}

impl CaptureGroup {
    /// The cameras that it has now: some may have come or gone since its process started.
    pub(crate) fn ids(&self) -> Vec<CameraId> {
        self.members.iter().map(|member| member.camera.settings.id.clone()).collect()
    }

    /// A group whose first [`Self::tick`] starts the process.
    pub(crate) fn new(cameras: Vec<Camera>, stall: Duration, connect: Duration, now: Monotonic) -> Self {
        Self {
            members: cameras.into_iter().map(Member::new).collect(),
            process: Process::Down { until: now },
            restart_policy: RestartPolicy::default(),
            restarts: 0,
            next_index: 0,
            undead: 0,
            alone_since: None,
            stall,
            connect,
        }
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
            Process::Up { .. } if self.members.is_empty() => {
                self.process = Process::Leaving { since: now };
                vec![CaptureAction::Stop]
            }
            Process::Up { .. } => self.tick_cameras(now),
            Process::Leaving { since } if now.since(since) > EXIT_LIMIT => self.kill("it did not exit", now),
            Process::Dying { since, .. } if now.since(since) > DEATH_LIMIT => {
                self.undead += 1;
                self.process_ended("the capture process was killed but does not end: a driver hangs", now);
                Vec::new()
            }
            Process::Starting { .. } | Process::Leaving { .. } | Process::Dying { .. } => Vec::new(),
        }
    }

    /// True if every camera streams or is switched off, and the process neither starts nor ends.
    pub(crate) fn is_at_rest(&self) -> bool {
        let is_settled = matches!(self.process, Process::Up { .. } | Process::Down { .. });
        let streams =
            |member: &Member| matches!(member.camera.status(), CameraStatus::Streaming | CameraStatus::Disabled);
        is_settled && self.members.iter().all(streams)
    }

    /// Kills the process. Starting | Up | Leaving -> Dying
    pub(crate) fn kill(&mut self, why: &'static str, now: Monotonic) -> Vec<CaptureAction> {
        let uptime = match self.process {
            Process::Up { uptime, .. } => Some(uptime),
            Process::Starting { .. } | Process::Leaving { .. } => None,
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
            Process::Starting { since } | Process::Leaving { since } | Process::Dying { since, .. } => {
                *since = *since + gap;
            }
            Process::Up { heartbeat_at, .. } => *heartbeat_at = *heartbeat_at + gap,
            Process::Down { .. } => {}
        }
        self.members.iter_mut().for_each(|member| member.camera.paused(gap));
    }

    fn tick_cameras(&mut self, now: Monotonic) -> Vec<CaptureAction> {
        let (mut actions, limits) = (Vec::new(), (self.stall, self.connect));
        for (position, member) in self.members.iter_mut().enumerate() {
            match member.camera.due(self.stall, self.connect, now) {
                CameraDue::Wait => {}
                CameraDue::Open => {
                    let index = next_index(&mut self.next_index);
                    member.index = Some(index);
                    member.camera.opened(now);
                    actions.push(CaptureAction::Open { camera: position, index });
                }
                CameraDue::Close { why } => {
                    member.camera.lost(LossKind::Stalled, why, now);
                    if let Some(index) = member.index.take() {
                        actions.push(CaptureAction::Close { camera: position, index });
                    }
                }
            }
            actions.extend(member.tick_main(position, limits, &mut self.next_index, now));
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

    /// Records that the process ended or could not be started, which loses all its cameras. Any -> Down. Returns true
    /// unless it was asked to exit.
    pub(crate) fn process_ended(&mut self, detail: &str, now: Monotonic) -> bool {
        if matches!(self.process, Process::Leaving { .. }) {
            self.process = Process::Down { until: now };
            return false;
        }
        // One that was given up, and whose successor was not started yet.
        if matches!(self.process, Process::Down { .. }) && self.undead > 0 {
            self.undead_ended();
            return true;
        }
        let uptime = match self.process {
            Process::Up { uptime, .. } => Some(uptime),
            Process::Dying { uptime, .. } => uptime,
            Process::Starting { .. } | Process::Leaving { .. } | Process::Down { .. } => None,
        };
        self.restarts += 1;
        let (since, frames) = (uptime.map(|uptime| uptime.since), uptime.map_or(0, |uptime| uptime.frames));
        self.process = Process::Down { until: self.restart_policy.died(since, frames, now) };
        for member in &mut self.members {
            member.take_open();
            member.camera.lost(LossKind::ProcessDied, detail.to_owned(), now);
            member.camera.main_lost(LossKind::ProcessDied, detail.to_owned(), now);
        }
        true
    }
}

#[cfg(test)]
mod tests;
