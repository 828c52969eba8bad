//! The cameras that share one capture process, and that process.
//!
//! A camera that is opened gets a new [`CameraIndex`], so whatever an earlier connection still
//! says is recognised and ignored. A process that does not speak at all is killed.

use crate::camera::camera_state::{Camera, CameraWish};
use crate::ipc::messages::{CameraIndex, LossKind, StreamInfo};
use crate::ipc::restart_policy::RestartPolicy;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// What the shell is to do for a group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CaptureAction {
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

#[derive(Debug)]
enum Process {
    Down { until: Monotonic },
    Up { since: Monotonic, heard_at: Monotonic, frames: u64 },
    Dying,
}

#[derive(Debug)]
struct Member {
    camera: Camera,
    index: Option<CameraIndex>,
}

/// The cameras of one capture process.
#[derive(Debug)]
pub struct CaptureGroup {
    members: Vec<Member>,
    process: Process,
    restart_policy: RestartPolicy,
    restarts: u64,
    next_index: u64,
    stall: Duration,
    connect: Duration,
}

impl CaptureGroup {
    /// A group whose process is started by the first [`Self::tick`].
    pub fn new(cameras: Vec<Camera>, stall: Duration, connect: Duration, now: Monotonic) -> Self {
        Self {
            members: cameras.into_iter().map(|camera| Member { camera, index: None }).collect(),
            process: Process::Down { until: now },
            restart_policy: RestartPolicy::default(),
            restarts: 0,
            next_index: 0,
            stall,
            connect,
        }
    }

    /// Its cameras.
    pub fn cameras(&self) -> impl Iterator<Item = &Camera> {
        self.members.iter().map(|member| &member.camera)
    }

    /// The camera at a position.
    pub fn camera(&self, camera: usize) -> &Camera {
        &self.members[camera].camera
    }

    /// The position of the camera that is open under this name; `None` for an earlier connection.
    pub fn find(&self, index: CameraIndex) -> Option<usize> {
        self.members.iter().position(|member| member.index == Some(index))
    }

    /// The name of the open connection of a camera.
    pub fn index_of(&self, camera: usize) -> Option<CameraIndex> {
        self.members[camera].index
    }

    /// Processes started again since the daemon started.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// What time alone brings.
    pub fn tick(&mut self, now: Monotonic) -> Vec<CaptureAction> {
        let any_open = self.members.iter().any(|member| member.camera.is_open());
        let wish = |member: &Member| member.camera.wish(self.stall, self.connect, now);
        let any_to_open = self.members.iter().any(|member| wish(member) == CameraWish::Open);
        match self.process {
            Process::Down { until } if any_to_open && now >= until => vec![CaptureAction::Start],
            // Progress is reported each second. Half a stall's time of silence is a hung process, which is told
            // from a silent camera by being found first.
            Process::Up { heard_at, .. } if any_open && now.since(heard_at) > self.stall / 2 => {
                self.process = Process::Dying;
                vec![CaptureAction::Kill { why: "it has said nothing for too long" }]
            }
            Process::Up { .. } => self.tick_cameras(now),
            Process::Down { .. } | Process::Dying => Vec::new(),
        }
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
                    // A process without open cameras reports nothing; the silence counts from here.
                    if let Process::Up { heard_at, .. } = &mut self.process {
                        *heard_at = now;
                    }
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

    /// The process was started. Down -> Up
    pub fn process_started(&mut self, now: Monotonic) {
        self.process = Process::Up { since: now, heard_at: now, frames: 0 };
    }

    /// The process said something.
    pub fn heard(&mut self, now: Monotonic) {
        if let Process::Up { heard_at, .. } = &mut self.process {
            *heard_at = now;
        }
    }

    /// A frame was announced; counts as healthy work.
    pub fn frame_announced(&mut self) {
        if let Process::Up { frames, .. } = &mut self.process {
            *frames += 1;
        }
    }

    /// The process is gone, or could not be started: all its cameras are lost. Any -> Down
    pub fn process_ended(&mut self, detail: &str, now: Monotonic) {
        let (since, frames) = match self.process {
            Process::Up { since, frames, .. } => (Some(since), frames),
            Process::Down { .. } | Process::Dying => (None, 0),
        };
        self.restarts += 1;
        self.process = Process::Down { until: self.restart_policy.died(since, frames, now) };
        for member in &mut self.members {
            member.index = None;
            member.camera.lost(LossKind::ProcessDied, detail.to_owned(), now);
        }
    }

    /// A connection streams.
    pub fn streaming(&mut self, camera: usize, info: StreamInfo, now: Monotonic) {
        self.members[camera].camera.streaming(info, now);
    }

    /// A connection has decoded so many frames.
    pub fn progress(&mut self, camera: usize, decoded: u64, now: Monotonic) {
        self.members[camera].camera.progress(decoded, now);
    }

    /// Paces a camera; returns the rate to tell its capture process, if that changes.
    pub fn pace(&mut self, camera: usize, fps: Option<f64>) -> Option<f32> {
        self.members[camera].camera.pace(fps)
    }

    /// Switches a camera off; the connection that is to be closed then.
    pub fn switch_off(&mut self, camera: usize) -> Option<CameraIndex> {
        self.members[camera].camera.switch_off();
        self.members[camera].index.take()
    }

    /// Switches a camera on.
    pub fn switch_on(&mut self, camera: usize, now: Monotonic) {
        self.members[camera].camera.switch_on(now);
    }

    /// A connection ended.
    pub fn lost(&mut self, camera: usize, kind: LossKind, detail: String, now: Monotonic) {
        self.members[camera].index = None;
        self.members[camera].camera.lost(kind, detail, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    fn info() -> StreamInfo {
        StreamInfo { codec: "h264".into(), decoder: "test".into(), width: 64, height: 48, frame_rate_milli: 0 }
    }

    fn group(cameras: &[&str]) -> CaptureGroup {
        let cameras = cameras.iter().map(|id| {
            let json = serde_json::json!({"id": id, "url": "rtsp://127.0.0.1/"});
            Camera::new(serde_json::from_value(json).unwrap(), at(0))
        });
        CaptureGroup::new(cameras.collect(), Duration::from_secs(10), Duration::from_secs(5), at(0))
    }

    #[test]
    fn the_process_is_started_and_each_camera_opened() {
        let mut group = group(&["a", "b"]);
        assert_eq!(group.tick(at(0)), [CaptureAction::Start]);
        group.process_started(at(0));
        let opened = group.tick(at(0));
        assert_eq!(opened.len(), 2);
        assert_eq!(group.find(CameraIndex(1)), Some(1));
    }

    #[test]
    fn what_an_earlier_connection_says_is_not_taken_for_the_new_one() {
        let mut group = group(&["a"]);
        group.process_started(at(0));
        group.tick(at(0));
        group.lost(0, LossKind::Ended, String::new(), at(1));
        assert_eq!(group.find(CameraIndex(0)), None);
        assert_eq!(group.tick(at(3)), [CaptureAction::Open { camera: 0, index: CameraIndex(1) }]);
    }

    #[test]
    fn a_camera_that_is_opened_again_and_again_never_gets_the_name_of_one_that_stays_open() {
        let mut group = group(&["stays", "flaps"]);
        group.process_started(at(0));
        group.tick(at(0));
        let stays = group.index_of(0).unwrap();
        for attempt in 1..=u64::from(u16::MAX) + 10 {
            let (lost_at, now) = (at(200 * attempt), at(200 * attempt + 199));
            group.lost(1, LossKind::Unreachable, String::new(), lost_at);
            group.heard(now);
            group.streaming(0, info(), now);
            group.tick(now);
            let opened = group.index_of(1).expect("it is tried again");
            assert_ne!(opened, stays, "after {attempt} connections");
        }
        assert_eq!(group.find(stays), Some(0));
    }

    #[test]
    fn a_silent_process_is_killed_and_started_again_and_its_cameras_are_lost() {
        let mut group = group(&["a"]);
        group.process_started(at(0));
        group.tick(at(0));
        assert!(group.tick(at(5)).is_empty());
        assert!(matches!(group.tick(at(6))[..], [CaptureAction::Kill { .. }]));
        group.process_ended("killed", at(6));
        assert_eq!(group.restarts(), 1);
        assert!(group.find(CameraIndex(0)).is_none());
        assert_eq!(group.tick(at(8)), [CaptureAction::Start]);
    }

    #[test]
    fn a_process_whose_cameras_all_wait_is_left_alone() {
        let mut group = group(&["a"]);
        group.process_started(at(0));
        group.tick(at(0));
        for second in 0..3 {
            group.lost(0, LossKind::AuthFailed, String::new(), at(second));
            group.tick(at(second));
        }
        assert!(group.tick(at(500)).iter().all(|action| !matches!(action, CaptureAction::Kill { .. })));
    }
}
