//! Starts capture processes and sends them messages, as the capture groups decide.

use crate::camera::clip_file::{self, ClipError};
use crate::camera::network_guard::NetworkGuard;
use crate::camera::settings::{CameraSettings, CameraTlsSettings, CaptureSettings, Transport, WatchMode};
use crate::ipc::camera_source::{RtpTransport, TlsTrust};
use crate::ipc::channel::ChannelError;
use crate::ipc::child_process::{ChildEvent, ChildHandle, ChildSpec, Spawner};
use crate::ipc::frame_slots::Region;
use crate::ipc::messages::{CameraIndex, CameraSource, FromCapture, Sight, ToCapture, WatchOrder};
use crate::ipc::snapshot_messages::SnapshotOrder;
use crate::secret::Secret;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Keyframes that are farther apart show too little of what happens.
const LONGEST_INTERVAL_MS: u32 = 12_000;

/// A message of a capture process, or its end.
#[derive(Debug)]
pub(crate) struct CaptureEvent {
    /// The group that the process belongs to.
    pub group: usize,
    /// Tells the processes of a group apart: a restart gets a new number.
    pub generation: u64,
    /// The message, or the end of the process.
    pub event: ChildEvent<FromCapture>,
}

#[derive(Debug)]
struct Running {
    handle: ChildHandle,
    generation: u64,
    guard: Arc<NetworkGuard>,
}

/// The capture processes of all groups, at most one each.
#[derive(Debug)]
pub(crate) struct CaptureProcesses {
    spawner: Spawner,
    program: PathBuf,
    environment: BTreeMap<String, String>,
    running: Vec<Option<Running>>,
    generations: u64,
    events: mpsc::Sender<CaptureEvent>,
}

impl CaptureProcesses {
    /// Starts no process yet. `environment` is the whole environment of the processes.
    pub(crate) fn new(
        spawner: Spawner,
        program: PathBuf,
        environment: BTreeMap<String, String>,
        events: mpsc::Sender<CaptureEvent>,
    ) -> Self {
        Self { spawner, program, environment, running: Vec::new(), generations: 0, events }
    }

    /// Gives this environment to the processes that start from now on.
    pub(crate) fn set_environment(&mut self, environment: BTreeMap<String, String>) {
        self.environment = environment;
    }

    /// Starts the process of a group with these cameras.
    ///
    /// # Errors
    /// When the process cannot be started. No event follows then.
    pub(crate) fn start(&mut self, group: usize, cameras: &[CameraId]) -> std::io::Result<()> {
        self.generations += 1;
        let generation = self.generations;
        let spec = ChildSpec {
            program: self.program.clone(),
            arguments: vec!["capture".into()],
            environment: self.environment.clone(),
            title: title(cameras),
        };
        let guard = Arc::new(NetworkGuard::default());
        let of_lost = Arc::clone(&guard);
        let wrap = move |event| {
            if let ChildEvent::Message(FromCapture::Lost { camera, .. }) = &event {
                of_lost.close(*camera);
            }
            CaptureEvent { group, generation, event }
        };
        let judge = Arc::<NetworkGuard>::clone(&guard);
        let handle = self.spawner.spawn_judged(&spec, judge, self.events.clone(), wrap)?;
        if self.running.len() <= group {
            self.running.resize_with(group + 1, || None);
        }
        self.running[group] = Some(Running { handle, generation, guard });
        Ok(())
    }

    /// True if the event comes from the process that is running now.
    pub(crate) fn is_current(&self, event: &CaptureEvent) -> bool {
        self.running(event.group).is_some_and(|running| running.generation == event.generation)
    }

    /// Tells the process to connect a camera, whose frames go into `region`.
    ///
    /// # Errors
    /// When its URL names a file that cannot be opened.
    pub(crate) fn open(
        &self,
        group: usize,
        index: CameraIndex,
        source: CameraSource,
        region: &Region,
    ) -> Result<(), ClipError> {
        self.allow(group, index, &source);
        if let Some(file) = clip_file::open(&source.url)? {
            self.send(group, |handle| handle.send(&ToCapture::File { camera: index }, Some(file.as_fd())));
        }
        let message = ToCapture::Open { camera: index, source: Box::new(source), slots: region.slots() };
        self.send(group, |handle| handle.send(&message, Some(region.writable().as_fd())));
        Ok(())
    }

    /// Tells the process to connect the main stream of a camera.
    pub(crate) fn open_main(&self, group: usize, index: CameraIndex, source: CameraSource) {
        self.allow(group, index, &source);
        let message = ToCapture::OpenMain { camera: index, source: Box::new(source) };
        self.send(group, |handle| handle.send(&message, None));
    }

    /// Tells the process to disconnect a camera.
    pub(crate) fn close(&self, group: usize, index: CameraIndex) {
        if let Some(running) = self.running(group) {
            running.guard.close(index);
        }
        self.send(group, |handle| handle.send(&ToCapture::Close { camera: index }, None));
    }

    /// Returns a slot to the process, which may fill it again.
    pub(crate) fn release(&self, group: usize, index: CameraIndex, slot: u16) {
        self.send(group, |handle| handle.send(&ToCapture::Release { camera: index, slot }, None));
    }

    /// Tells the process how many frames of a camera to deliver a second, and how many the settings want; 0: every frame.
    pub(crate) fn pace(&self, group: usize, index: CameraIndex, frames_per_second: f32, wanted: f32) {
        self.send(group, |handle| handle.send(&ToCapture::Pace { camera: index, frames_per_second, wanted }, None));
    }

    /// Tells the process what a unit saw in a frame of a camera that is watched.
    pub(crate) fn seen(&self, group: usize, index: CameraIndex, sight: Sight) {
        let message = ToCapture::Seen { camera: index, sight };
        self.send(group, |handle| handle.send(&message, None));
    }

    /// Tells the process to write the live video of a camera into a pipe. It closes the pipe if the camera is not open.
    pub(crate) fn live(&self, group: usize, index: CameraIndex, pipe: BorrowedFd<'_>) {
        self.send(group, |handle| handle.send(&ToCapture::Live { camera: index }, Some(pipe)));
    }

    /// Tells the process to write a clip of a camera into a pipe. It closes the pipe if the camera is not open.
    pub(crate) fn clip(&self, group: usize, index: CameraIndex, pipe: BorrowedFd<'_>) {
        self.send(group, |handle| handle.send(&ToCapture::Clip { camera: index }, Some(pipe)));
    }

    /// Tells the process to make a JPEG of a frame, into `region`. The slot of the frame must not have been returned yet.
    pub(crate) fn snapshot(&self, group: usize, order: SnapshotOrder, region: &Region) {
        let message = ToCapture::Snapshot(Box::new(order));
        self.send(group, |handle| handle.send(&message, Some(region.writable().as_fd())));
    }

    /// Lets the process connect to a camera.
    fn allow(&self, group: usize, index: CameraIndex, source: &CameraSource) {
        if let Some(running) = self.running(group) {
            running.guard.open(index, source);
        }
    }

    /// The process of a group, while it runs.
    fn running(&self, group: usize) -> Option<&Running> {
        self.running.get(group)?.as_ref()
    }

    /// Tells a process to end.
    pub(crate) fn stop(&self, group: usize) {
        self.send(group, |handle| handle.send(&ToCapture::Stop, None));
    }

    /// Tells all processes to end.
    pub(crate) fn stop_all(&self) {
        for group in 0..self.running.len() {
            self.stop(group);
        }
    }

    /// Kills a process. An event will report its end.
    pub(crate) fn kill(&self, group: usize) {
        if let Some(running) = self.running(group) {
            running.handle.kill();
        }
    }

    /// Removes a process that has ended.
    pub(crate) fn ended(&mut self, group: usize) {
        if let Some(running) = self.running.get_mut(group) {
            *running = None;
        }
    }

    /// The process ids, each with its group.
    pub(crate) fn pids(&self) -> impl Iterator<Item = (usize, u32)> {
        let running = self.running.iter().enumerate();
        running.filter_map(|(group, running)| Some((group, running.as_ref()?.handle.pid())))
    }

    /// Sends a message. A process that does not read is hung, and is killed; an event will report its end.
    fn send(&self, group: usize, send: impl Fn(&ChildHandle) -> Result<(), ChannelError>) {
        let Some(running) = self.running(group) else { return };
        if let Err(error) = send(&running.handle) {
            tracing::warn!(group, %error, "a capture process does not take messages and is killed");
            running.handle.kill();
        }
    }
}

/// What `ps` and the log call a capture process: the ids of its cameras.
fn title(cameras: &[CameraId]) -> String {
    let ids: Vec<&str> = cameras.iter().map(CameraId::as_str).collect();
    format!("{} {}", if ids.len() == 1 { "camera" } else { "cameras" }, ids.join(", "))
}

/// What a capture process needs to know to connect a camera.
pub(crate) fn camera_source(
    camera: &CameraSettings,
    password: Option<&Secret>,
    capture: &CaptureSettings,
) -> CameraSource {
    let connect_timeout = camera.connect_timeout(capture);
    CameraSource {
        name: camera.id.to_string(),
        url: camera.url.clone(),
        user: camera.credentials.user.clone(),
        password: password.map(|password| password.reveal().to_owned()),
        transport: match camera.transport {
            Transport::Auto => RtpTransport::Auto,
            Transport::Tcp => RtpTransport::Tcp,
            Transport::Udp => RtpTransport::Udp,
        },
        basic_auth: camera.basic_auth,
        follow_redirects: camera.follow_redirects,
        video_track: camera.video_track,
        motion_events: camera.motion_events && camera.watched(capture).is_some(),
        tls: trust(&camera.tls),
        frames_per_second: camera.fps,
        keyframes_only: camera.keyframes_only,
        watch: watch_order(camera, capture),
        latency_ms: camera.latency_ms,
        connect_timeout_ms: u32::try_from(connect_timeout.as_millis()).unwrap_or(u32::MAX),
        hardware_decoders: capture.hardware_decoders,
        keep_ms: 0,
        has_live_view: camera.has_live_view(),
        blackout: camera.blackout.clone(),
    }
}

fn watch_order(camera: &CameraSettings, capture: &CaptureSettings) -> Option<WatchOrder> {
    let ms = |seconds: f32| u32::try_from(Duration::from_secs_f32(seconds).as_millis()).unwrap_or(u32::MAX);
    let longest_interval_ms = match camera.watched(capture)? {
        WatchMode::Keyframes => u32::MAX,
        WatchMode::Auto | WatchMode::Off => LONGEST_INTERVAL_MS,
        // No keyframes are near enough, so all frames are decoded and compared.
        WatchMode::DetectStream => 0,
    };
    Some(WatchOrder {
        sensitivity: camera.watch_sensitivity.unwrap_or(capture.watch_sensitivity),
        still_for_ms: ms(capture.still_seconds),
        look_every_ms: ms(capture.look_seconds),
        longest_interval_ms,
        tamper_after_ms: ms(capture.tamper_seconds),
        ignore: camera.watch_ignore.clone(),
    })
}

/// What a capture process needs to know to connect a main stream. Where pictures have to be asked for, one in two seconds is
/// enough.
pub(crate) fn main_source(main: &CameraSettings, password: Option<&Secret>, capture: &CaptureSettings) -> CameraSource {
    CameraSource { frames_per_second: 0.5, motion_events: false, ..camera_source(main, password, capture) }
}

/// Whom a capture process trusts. It may not read the file itself: others may lie beside it.
fn trust(tls: &CameraTlsSettings) -> TlsTrust {
    if !tls.verify {
        return TlsTrust::Anybody;
    }
    if let Some(fingerprint) = tls.fingerprint_bytes() {
        return TlsTrust::Fingerprint(fingerprint);
    }
    let Some(file) = &tls.ca_file else { return TlsTrust::System };
    let pem = std::fs::read_to_string(file).unwrap_or_else(|error| {
        tracing::warn!(file = %file.display(), %error, "the authorities of a camera cannot be read, so none is trusted");
        String::new()
    });
    TlsTrust::Authorities(pem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_process_is_called_after_its_cameras() {
        let id = |id: &str| CameraId::new(id).unwrap();
        assert_eq!(title(&[id("yard")]), "camera yard");
        assert_eq!(title(&[id("yard"), id("gate")]), "cameras yard, gate");
    }
}
