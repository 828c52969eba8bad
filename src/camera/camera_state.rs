//! One camera: its state, and the reason for it.
//!
//! ```text
//!              switch_on                opened                 streaming
//!  Disabled ───────────────▶ Waiting ──────────▶ Opening ────────────────────▶ Streaming ──┐ progress,
//!      ▲                      ▲   ▲                 │                           │     ▲     │ streaming
//!      │ switch_off           │   └──── lost ───────┘                           │     └─────┘
//!   any state                 └──────────────────── lost, reconnect ────────────┘
//! ```
//!
//! A camera that is enabled starts in `Waiting`, with its first try due at once.
//!
//! * `Disabled -> Waiting`: the operator switched the camera on; the first try is due at once.
//! * `Waiting -> Opening`: the backoff is over and the capture process was told to connect.
//! * `Opening -> Streaming`: the first frame was decoded. A connection alone proves nothing.
//! * `Streaming -> Streaming`: the counts of the connection came, or the picture changed its size.
//! * `Opening | Streaming -> Waiting`: the capture process reported the loss, died, or delivered nothing for too long. The
//!   reason decides the backoff ([`ReconnectPolicy`]) and the published status.
//! * `Opening | Streaming | Waiting -> Waiting`: the settings of its connection changed; the next try is due at once.
//! * `any -> Disabled`: the operator switched the camera off. A loss that is reported afterwards changes nothing.

use crate::camera::camera_due::CameraDue;
use crate::camera::reconnect_policy::ReconnectPolicy;
use crate::camera::settings::CameraSettings;
use crate::camera::stream_life::StreamLife;
use crate::ipc::messages::{LossKind, StreamInfo};
use crate::vision::attention::Attention;
use crate::vision::camera_status::CameraStatus;
use crate::vision::monotonic::Monotonic;
use crate::vision::stream_counts::StreamCounts;
use std::time::Duration;

/// About so many frames a second of a still scene are analysed.
const WATCHED_FPS: f64 = 0.1;

/// The state, with what is known in it.
#[derive(Clone, Debug, PartialEq)]
enum State {
    Disabled,
    /// The next try is at `until`. The status says what went wrong.
    Waiting {
        until: Monotonic,
        status: CameraStatus,
    },
    Opening {
        since: Monotonic,
        life: StreamLife,
        /// The status until this try has succeeded or failed: that of the try before.
        status: CameraStatus,
    },
    Streaming {
        info: StreamInfo,
        since: Monotonic,
        life: StreamLife,
    },
}

/// A camera: settings, state and counters.
#[derive(Debug)]
pub(crate) struct Camera {
    /// Its settings, with the operator's switch applied.
    pub settings: CameraSettings,
    state: State,
    /// Since when it has been streaming, or not, or switched off.
    since: Monotonic,
    policy: ReconnectPolicy,
    reason: Option<String>,
    reconnects: u64,
    /// Of all connections before the open one.
    counts_before: StreamCounts,
    /// Frames a second that it is throttled to.
    granted: Option<f64>,
}

impl Camera {
    /// A camera that is due to connect at once, unless it is disabled.
    pub(crate) fn new(settings: CameraSettings, now: Monotonic) -> Self {
        let state = if settings.enabled {
            State::Waiting { until: now, status: CameraStatus::Connecting }
        } else {
            State::Disabled
        };
        let (policy, counts_before) = (ReconnectPolicy::of(&settings.id), StreamCounts::default());
        Self { settings, state, since: now, policy, reason: None, reconnects: 0, counts_before, granted: None }
    }

    /// Returns what is due by `now`. An open connection may bring nothing for `stall`. Its first packet may take
    /// `connect` plus `stall`: the capture process applies `connect` itself and knows the reason, so it must be first. The
    /// camera's own settings take precedence over both.
    pub(crate) fn due(&self, stall: Duration, connect: Duration, now: Monotonic) -> CameraDue {
        let own = |seconds: Option<f32>, of_all| seconds.map_or(of_all, Duration::from_secs_f32);
        let stall = own(self.settings.stall_seconds, stall);
        let connect = own(self.settings.connect_timeout_seconds, connect);
        match &self.state {
            State::Waiting { until, .. } if now >= *until => CameraDue::Open,
            State::Opening { since, life, .. } if !life.has_begun() => {
                let limit = connect + stall;
                let why = || format!("nothing came from it within {:.0} s", limit.as_secs_f64());
                if now.since(*since) > limit { CameraDue::Close { why: why() } } else { CameraDue::Wait }
            }
            State::Opening { life, .. } | State::Streaming { life, .. } => {
                life.stalled(stall, now).map_or(CameraDue::Wait, |why| CameraDue::Close { why })
            }
            State::Waiting { .. } | State::Disabled => CameraDue::Wait,
        }
    }

    /// Records that the capture process was told to connect. Waiting -> Opening
    pub(crate) fn opened(&mut self, now: Monotonic) {
        self.state = State::Opening { since: now, life: StreamLife::new(now), status: self.status() };
        // A new connection starts at the rate of the settings.
        self.granted = None;
    }

    /// Records the first decoded frame, or a new picture size. Opening | Streaming -> Streaming
    pub(crate) fn streaming(&mut self, info: StreamInfo, now: Monotonic) {
        let (since, mut life) = match &self.state {
            State::Streaming { since, life, .. } => (*since, life.clone()),
            State::Opening { life, .. } => (now, life.clone()),
            State::Disabled | State::Waiting { .. } => (now, StreamLife::new(now)),
        };
        if !self.is_streaming() {
            self.since = now;
        }
        life.decoded(now);
        self.reason = None;
        self.state = State::Streaming { info, since, life };
    }

    /// Records the counts of this connection.
    pub(crate) fn progress(&mut self, counts: StreamCounts, now: Monotonic) {
        match &mut self.state {
            State::Opening { life, .. } => {
                life.progress(counts, now);
                if let Some(what) = life.waits_for(now) {
                    self.reason = Some(what.to_owned());
                }
            }
            State::Streaming { life, .. } => life.progress(counts, now),
            State::Disabled | State::Waiting { .. } => {}
        }
    }

    /// Moves the deadlines by `gap`, for which the daemon was suspended.
    pub(crate) fn paused(&mut self, gap: Duration) {
        match &mut self.state {
            State::Opening { since, life, .. } => {
                *since = *since + gap;
                life.paused(gap);
            }
            State::Streaming { life, .. } => life.paused(gap),
            State::Disabled | State::Waiting { .. } => {}
        }
    }

    /// Records that the connection was lost or closed. Opening | Streaming -> Waiting
    pub(crate) fn lost(&mut self, kind: LossKind, detail: String, now: Monotonic) {
        let streamed_for = match &self.state {
            State::Streaming { since, .. } => {
                self.since = now;
                Some(now.since(*since))
            }
            State::Opening { .. } => None,
            // Its process cannot be started, so it was never opened.
            State::Waiting { until, status: CameraStatus::Connecting } if kind == LossKind::ProcessDied => {
                self.reason = Some(detail);
                self.state = State::Waiting { until: *until, status: CameraStatus::Offline };
                return;
            }
            State::Disabled | State::Waiting { .. } => return,
        };
        self.counts_before = self.counts().closed();
        let until = self.policy.lost(kind, streamed_for, now);
        let status = match kind {
            LossKind::AuthFailed => CameraStatus::AuthFailed,
            LossKind::Stalled => CameraStatus::Stalled,
            _ => CameraStatus::Offline,
        };
        self.reconnects += 1;
        self.reason = Some(detail);
        self.state = State::Waiting { until, status };
    }

    /// Changes the settings; those of the connection apply with [`Self::reconnect`]. Returns true if frames a second
    /// changed, which an open connection must be told.
    pub(crate) fn change(&mut self, settings: CameraSettings) -> bool {
        let is_other_rate = settings.fps != self.settings.fps;
        self.settings = settings;
        if is_other_rate {
            self.granted = None;
        }
        is_other_rate
    }

    /// Makes a new connection due at once, without the backoff of the last one. Opening | Streaming | Waiting -> Waiting
    pub(crate) fn reconnect(&mut self, now: Monotonic) {
        if self.state == State::Disabled {
            return;
        }
        if self.is_streaming() {
            self.since = now;
        }
        self.counts_before = self.counts().closed();
        (self.policy, self.reason) = (ReconnectPolicy::of(&self.settings.id), None);
        self.state = State::Waiting { until: now, status: CameraStatus::Connecting };
    }

    /// Keeps the camera disconnected until it is switched on. Any -> Disabled
    pub(crate) fn switch_off(&mut self, now: Monotonic) {
        if self.state != State::Disabled {
            self.since = now;
        }
        self.counts_before = self.counts().closed();
        (self.state, self.reason) = (State::Disabled, None);
    }

    /// Makes a connection due at once. Disabled -> Waiting
    pub(crate) fn switch_on(&mut self, now: Monotonic) {
        if self.state == State::Disabled {
            self.since = now;
            self.state = State::Waiting { until: now, status: CameraStatus::Connecting };
        }
    }

    /// True while the operator has it switched off.
    pub(crate) fn is_disabled(&self) -> bool {
        self.state == State::Disabled
    }

    /// Since when it has been streaming, or not, or switched off.
    pub(crate) fn since(&self) -> Monotonic {
        self.since
    }

    /// True while frames arrive.
    pub(crate) fn is_streaming(&self) -> bool {
        matches!(self.state, State::Streaming { .. })
    }

    /// Frames a second that the camera would deliver without throttling; `None` while its rate is unknown.
    pub(crate) fn wanted_fps(&self) -> Option<f64> {
        let State::Streaming { life, .. } = &self.state else { return None };
        if life.counts().attention == Attention::Watched {
            return Some(WATCHED_FPS);
        }
        let (wanted, rate) = (f64::from(self.settings.fps), life.rate()?);
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
        self.reconnects
    }

    /// What became of everything that it sent since the daemon started.
    pub(crate) fn counts(&self) -> StreamCounts {
        let mut counts = self.counts_before;
        if let State::Opening { life, .. } | State::Streaming { life, .. } = &self.state {
            counts += life.counts();
        }
        counts
    }

    /// The published status. Until a further try has succeeded, a camera keeps the status of its failure, so that the
    /// retained message does not change with each try.
    pub(crate) fn status(&self) -> CameraStatus {
        match &self.state {
            State::Disabled => CameraStatus::Disabled,
            State::Waiting { status, .. } | State::Opening { status, .. } => *status,
            State::Streaming { .. } => CameraStatus::Streaming,
        }
    }

    /// What the camera sends, while it streams.
    pub(crate) fn stream_info(&self) -> Option<&StreamInfo> {
        if let State::Streaming { info, .. } = &self.state { Some(info) } else { None }
    }

    /// Why it is not streaming, for the operator.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Frames a second that are analysed: the setting, or the throttled rate.
    pub(crate) fn fps(&self) -> f32 {
        self.granted.map_or(self.settings.fps, rounded)
    }
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
