//! One camera: the state that it is in, and why.

use crate::camera::reconnect_policy::ReconnectPolicy;
use crate::camera::settings::CameraSettings;
use crate::ipc::messages::{LossKind, StreamInfo};
use crate::vision::camera_status::CameraStatus;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// Where a camera is.
#[derive(Clone, Debug, PartialEq)]
enum State {
    Disabled,
    /// Tried again at `until`; the status says what went wrong.
    Waiting {
        until: Monotonic,
        status: CameraStatus,
    },
    Opening {
        since: Monotonic,
    },
    Streaming {
        info: StreamInfo,
        since: Monotonic,
        /// When the stream last showed that it lives.
        progress_at: Monotonic,
        /// When a frame was decoded last.
        decoded_at: Monotonic,
        decoded: u64,
        /// Packets of this connection.
        received: u64,
        /// Frames a second that the stream has, as they were decoded of late.
        rate: Option<f64>,
    },
}

/// A camera and its history.
#[derive(Debug)]
pub(crate) struct Camera {
    /// As configured.
    pub settings: CameraSettings,
    state: State,
    policy: ReconnectPolicy,
    reason: Option<String>,
    reconnects: u64,
    decoded_before: u64,
    /// Frames a second that it is paced down to.
    granted: Option<f64>,
}

/// What a tick asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CameraWish {
    /// Nothing.
    Wait,
    /// Connect.
    Open,
    /// It has been silent for too long: close it.
    Close,
}

impl Camera {
    /// A camera that connects at the first tick, unless it is disabled.
    pub(crate) fn new(settings: CameraSettings, now: Monotonic) -> Self {
        let seed = settings.id.as_str().bytes().fold(14_695_981_039_346_656_037, |hash: u64, byte| {
            // FNV-1a: any function of the id will do, this one is short.
            (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211)
        });
        let state = if settings.enabled {
            State::Waiting { until: now, status: CameraStatus::Connecting }
        } else {
            State::Disabled
        };
        let policy = ReconnectPolicy::new(seed);
        Self { settings, state, policy, reason: None, reconnects: 0, decoded_before: 0, granted: None }
    }

    /// What is to be done by `now`. `stall` is how long a stream may be without a decoded frame and
    /// `connect` how long a connection may take; the latter gets the stall limit on top, so that the
    /// capture process, which knows the reason, reports first.
    pub(crate) fn wish(&self, stall: Duration, connect: Duration, now: Monotonic) -> CameraWish {
        match &self.state {
            State::Waiting { until, .. } if now >= *until => CameraWish::Open,
            State::Opening { since } if now.since(*since) > connect + stall => CameraWish::Close,
            State::Streaming { progress_at, .. } if now.since(*progress_at) > stall => CameraWish::Close,
            _ => CameraWish::Wait,
        }
    }

    /// The capture process was told to connect. Waiting -> Opening
    pub(crate) fn opened(&mut self, now: Monotonic) {
        self.state = State::Opening { since: now };
        // A new connection begins at the rate of the settings.
        self.granted = None;
    }

    /// The first frame was decoded, or the stream changed its size. Opening | Streaming -> Streaming
    pub(crate) fn streaming(&mut self, info: StreamInfo, now: Monotonic) {
        let (since, decoded, received, rate) = match &self.state {
            State::Streaming { since, decoded, received, rate, .. } => (*since, *decoded, *received, *rate),
            _ => (now, 0, 0, None),
        };
        self.reason = None;
        self.state = State::Streaming { info, since, progress_at: now, decoded, received, rate, decoded_at: now };
    }

    /// This connection has decoded and received so much in total. Where keyframes alone are decoded, received packets show
    /// that the stream lives: smart codecs put 10 to 20 s between keyframes.
    pub(crate) fn progress(&mut self, total_decoded: u64, total_received: u64, now: Monotonic) {
        let keyframes_only = self.settings.keyframes_only;
        let State::Streaming { progress_at, decoded_at, decoded, received, rate, .. } = &mut self.state else { return };
        if total_decoded > *decoded {
            let latest = (total_decoded - *decoded) as f64 / now.since(*decoded_at).as_secs_f64().max(0.1);
            *rate = Some(rate.map_or(latest, |rate| rate + 0.3 * (latest - rate)));
            (*decoded, *decoded_at, *progress_at) = (total_decoded, now, now);
        }
        if total_received > *received {
            *received = total_received;
            if keyframes_only {
                *progress_at = now;
            }
        }
    }

    /// The daemon was suspended for `gap`: deadlines move by it.
    pub(crate) fn paused(&mut self, gap: Duration) {
        match &mut self.state {
            State::Opening { since } => *since = *since + gap,
            State::Streaming { progress_at, .. } => *progress_at = *progress_at + gap,
            State::Disabled | State::Waiting { .. } => {}
        }
    }

    /// The connection is gone, or was closed for being silent. Opening | Streaming -> Waiting
    pub(crate) fn lost(&mut self, kind: LossKind, detail: String, now: Monotonic) {
        let streamed_for = match &self.state {
            State::Streaming { since, decoded, .. } => {
                self.decoded_before += decoded;
                Some(now.since(*since))
            }
            State::Opening { .. } => None,
            State::Disabled | State::Waiting { .. } => return,
        };
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

    /// It is left alone until it is switched on. Any -> Disabled
    pub(crate) fn switch_off(&mut self) {
        self.decoded_before = self.decoded();
        (self.state, self.reason) = (State::Disabled, None);
    }

    /// It is connected at the next tick. Disabled -> Waiting
    pub(crate) fn switch_on(&mut self, now: Monotonic) {
        if self.state == State::Disabled {
            self.state = State::Waiting { until: now, status: CameraStatus::Connecting };
        }
    }

    /// True while frames come.
    pub(crate) fn is_streaming(&self) -> bool {
        matches!(self.state, State::Streaming { .. })
    }

    /// Frames a second that it would hand over if nobody paced it; `None` while that is not known.
    pub(crate) fn wanted_fps(&self) -> Option<f64> {
        let State::Streaming { rate: Some(rate), .. } = &self.state else { return None };
        let wanted = f64::from(self.settings.fps);
        Some(if wanted > 0.0 { wanted.min(*rate) } else { *rate })
    }

    /// Paces it down, or (`None`) lets it go. Returns the rate that its capture process is to be told, if that changes.
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

    /// For a person, while it is paced down.
    pub(crate) fn brown_out(&self) -> Option<String> {
        let (granted, wanted) = (self.granted?, self.wanted_fps()?);
        Some(format!("camera {}: {granted:.0} of {wanted:.0} frames a second are looked at", self.settings.id))
    }

    /// Connections lost since the daemon started.
    pub(crate) fn reconnects(&self) -> u64 {
        self.reconnects
    }

    /// Frames decoded since the daemon started.
    pub(crate) fn decoded(&self) -> u64 {
        match &self.state {
            State::Streaming { decoded, .. } => self.decoded_before + decoded,
            _ => self.decoded_before,
        }
    }

    /// What it is doing. A camera that is retried after a failure keeps its status until frames arrive, so that
    /// subscribers do not see it flicker.
    pub(crate) fn status(&self) -> CameraStatus {
        match &self.state {
            State::Disabled => CameraStatus::Disabled,
            State::Waiting { status, .. } => *status,
            State::Opening { .. } => CameraStatus::Connecting,
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

    /// Frames a second that are looked at: the setting, or the throttled rate.
    pub(crate) fn fps(&self) -> f32 {
        self.granted.map_or(self.settings.fps, rounded)
    }
}

/// So coarse that a retained message does not change with each measurement.
#[expect(clippy::cast_possible_truncation, reason = "a rate of one camera")]
fn rounded(fps: f64) -> f32 {
    fps.round().max(1.0) as f32
}

#[cfg(test)]
mod tests;
