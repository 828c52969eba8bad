//! One camera: its settings, the connection whose frames are analysed, and that of its main stream, if it has one.

use crate::camera::camera_due::CameraDue;
use crate::camera::connection::Connection;
use crate::camera::reconnect_policy::Logins;
use crate::camera::settings::CameraSettings;
use crate::ipc::messages::{LossKind, StreamInfo};
use crate::vision::attention::Attention;
use crate::vision::camera_status::CameraStatus;
use crate::vision::monotonic::Monotonic;
use crate::vision::stream_counts::StreamCounts;
use std::time::Duration;

/// About so many frames a second of a still scene are analysed.
const WATCHED_FPS: f64 = 0.1;

/// A camera. What is not said to be of its main stream is of the analysed one.
#[derive(Debug)]
pub(crate) struct Camera {
    /// Its settings, with the operator's switch applied.
    pub settings: CameraSettings,
    analysed: Connection,
    /// For pictures in full size. It never disturbs the other one.
    main: Option<Connection>,
    logins: Logins,
    /// Frames a second that it is throttled to.
    granted: Option<f64>,
}

impl Camera {
    /// A camera that is due to connect at once, unless it is disabled.
    pub(crate) fn new(settings: CameraSettings, now: Monotonic) -> Self {
        let analysed = Connection::new(settings.id.to_string(), settings.enabled, now);
        let main = main_of(&settings, settings.enabled, now);
        Self { settings, analysed, main, logins: Logins::default(), granted: None }
    }

    /// Returns what is due by `now`. The camera's own settings take precedence over `stall` and `connect`, the longest times
    /// without a packet and before the first one.
    pub(crate) fn due(&self, stall: Duration, connect: Duration, now: Monotonic) -> CameraDue {
        let (stall, connect) = self.limits(stall, connect);
        self.analysed.due(stall, connect, now)
    }

    /// The same for the main stream. It connects only while the analysed one streams: by then the camera is there and takes
    /// the login, so a camera that is away or refuses it is not asked twice.
    pub(crate) fn main_due(&self, stall: Duration, connect: Duration, now: Monotonic) -> CameraDue {
        let (stall, connect) = self.limits(stall, connect);
        let due = self.main.as_ref().map_or(CameraDue::Wait, |main| main.due(stall, connect, now));
        if due == CameraDue::Open && !self.is_streaming() { CameraDue::Wait } else { due }
    }

    fn limits(&self, stall: Duration, connect: Duration) -> (Duration, Duration) {
        let own = |seconds: Option<f32>, of_all| seconds.map_or(of_all, Duration::from_secs_f32);
        (own(self.settings.stall_seconds, stall), own(self.settings.connect_timeout_seconds, connect))
    }

    /// Records that the capture process was told to connect.
    pub(crate) fn opened(&mut self, now: Monotonic) {
        self.analysed.opened(now);
        // A new connection starts at the rate of the settings.
        self.granted = None;
    }

    /// Records that the capture process was told to connect the main stream.
    pub(crate) fn main_opened(&mut self, now: Monotonic) {
        if let Some(main) = &mut self.main {
            main.opened(now);
        }
    }

    /// Records the first decoded frame, or a new picture size.
    pub(crate) fn streaming(&mut self, info: StreamInfo, now: Monotonic) {
        self.analysed.streaming(info, now);
    }

    /// Records the counts of this connection.
    pub(crate) fn progress(&mut self, counts: StreamCounts, now: Monotonic) {
        self.analysed.progress(counts, now);
    }

    /// Moves the deadlines by `gap`, for which the daemon was suspended.
    pub(crate) fn paused(&mut self, gap: Duration) {
        self.connections().for_each(|connection| connection.paused(gap));
    }

    /// Records that the connection was lost or closed.
    pub(crate) fn lost(&mut self, kind: LossKind, detail: String, now: Monotonic) {
        self.analysed.lost(kind, detail, &mut self.logins, now);
    }

    /// Records that the main stream was lost or closed.
    pub(crate) fn main_lost(&mut self, kind: LossKind, detail: String, now: Monotonic) {
        if let Some(main) = &mut self.main {
            main.lost(kind, detail, &mut self.logins, now);
        }
    }

    /// Changes the settings; those of the connections apply with [`Self::reconnect`]. Returns true if frames a second
    /// changed, which an open connection must be told.
    pub(crate) fn change(&mut self, settings: CameraSettings) -> bool {
        let is_other_rate = settings.fps != self.settings.fps;
        self.settings = settings;
        if is_other_rate {
            self.granted = None;
        }
        is_other_rate
    }

    /// Makes new connections due at once, without the backoff of the last ones.
    pub(crate) fn reconnect(&mut self, now: Monotonic) {
        self.logins = Logins::default();
        match (&self.main, self.settings.detect_url.is_some()) {
            (None, true) => self.main = main_of(&self.settings, !self.is_disabled(), now),
            (Some(_), false) => self.main = None,
            _ => {}
        }
        self.connections().for_each(|connection| connection.reconnect(now));
    }

    /// Keeps the camera disconnected until it is switched on.
    pub(crate) fn switch_off(&mut self, now: Monotonic) {
        self.connections().for_each(|connection| connection.switch_off(now));
    }

    /// Makes connections due at once.
    pub(crate) fn switch_on(&mut self, now: Monotonic) {
        self.connections().for_each(|connection| connection.switch_on(now));
    }

    fn connections(&mut self) -> impl Iterator<Item = &mut Connection> {
        std::iter::once(&mut self.analysed).chain(&mut self.main)
    }

    /// The connection for pictures in full size, if the camera has two.
    pub(crate) fn main(&self) -> Option<&Connection> {
        self.main.as_ref()
    }

    /// The same, to be changed.
    pub(super) fn main_mut(&mut self) -> Option<&mut Connection> {
        self.main.as_mut()
    }

    /// True while the operator has it switched off.
    pub(crate) fn is_disabled(&self) -> bool {
        self.analysed.is_disabled()
    }

    /// Since when it has been streaming, or not, or switched off.
    pub(crate) fn since(&self) -> Monotonic {
        self.analysed.since()
    }

    /// True while frames arrive.
    pub(crate) fn is_streaming(&self) -> bool {
        self.analysed.is_streaming()
    }

    /// Frames a second that the camera would deliver without throttling; `None` while its rate is unknown.
    pub(crate) fn wanted_fps(&self) -> Option<f64> {
        if self.counts().attention == Attention::Watched && self.is_streaming() {
            return Some(WATCHED_FPS);
        }
        let (wanted, rate) = (f64::from(self.settings.fps), self.analysed.rate()?);
        Some(if wanted > 0.0 { wanted.min(rate) } else { rate })
    }

    /// Throttles the camera, or (`None`) stops throttling it. Returns the rate for its capture process if it changes.
    pub(crate) fn pace(&mut self, fps: Option<f64>) -> Option<f32> {
        let is_same = match (self.granted, fps) {
            (None, None) => true,
            (Some(before), Some(now)) => (now - before).abs() < 0.05 * before,
            _ => false,
        };
        if is_same {
            return None;
        }
        self.granted = fps;
        #[expect(clippy::cast_possible_truncation, reason = "a rate of one camera")]
        Some(fps.map_or(self.settings.fps, |fps| fps as f32))
    }

    /// What to tell the operator while the camera is throttled.
    pub(crate) fn brown_out(&self) -> Option<String> {
        let (granted, wanted) = (self.granted?, self.wanted_fps()?);
        Some(format!("camera {}: {granted:.0} of {wanted:.0} frames a second are analysed", self.settings.id))
    }

    /// Connections lost since the daemon started.
    pub(crate) fn reconnects(&self) -> u64 {
        self.analysed.reconnects()
    }

    /// What became of everything that it sent since the daemon started.
    pub(crate) fn counts(&self) -> StreamCounts {
        self.analysed.counts()
    }

    /// The published status.
    pub(crate) fn status(&self) -> CameraStatus {
        self.analysed.status()
    }

    /// What the camera sends, while it streams.
    pub(crate) fn stream_info(&self) -> Option<&StreamInfo> {
        self.analysed.stream_info()
    }

    /// Why it is not streaming, for the operator.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.analysed.reason()
    }

    /// Frames a second that are analysed: the setting, or the throttled rate.
    pub(crate) fn fps(&self) -> f32 {
        self.granted.map_or(self.settings.fps, rounded)
    }
}

fn main_of(settings: &CameraSettings, is_enabled: bool, now: Monotonic) -> Option<Connection> {
    // No id has a colon.
    let name = format!("{}:main", settings.id);
    settings.detect_url.is_some().then(|| Connection::new(name, is_enabled, now))
}

/// Rounds a throttled rate, so that the retained message does not change with each measurement.
#[expect(clippy::cast_possible_truncation, reason = "a rate of one camera")]
fn rounded(fps: f64) -> f32 {
    fps.round().max(1.0) as f32
}

#[cfg(test)]
mod day_and_night;
#[cfg(test)]
mod tests;
