//! One camera: the state that it is in, and why.

use crate::camera::reconnect_policy::ReconnectPolicy;
use crate::camera::settings::CameraSettings;
use crate::ipc::messages::{LossKind, StreamInfo};
use crate::publish::message::{CameraStateMessage, CameraStatus};
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
        progress_at: Monotonic,
        decoded: u64,
    },
}

/// A camera and its history.
#[derive(Debug)]
pub struct Camera {
    /// As configured.
    pub settings: CameraSettings,
    state: State,
    policy: ReconnectPolicy,
    reason: Option<String>,
    reconnects: u64,
    decoded_before: u64,
}

/// What a tick asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CameraWish {
    /// Nothing.
    Wait,
    /// Connect.
    Open,
    /// It has been silent for too long: close it.
    Close,
}

impl Camera {
    /// A camera that connects at the first tick, unless it is disabled.
    pub fn new(settings: CameraSettings, now: Monotonic) -> Self {
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
        Self { settings, state, policy, reason: None, reconnects: 0, decoded_before: 0 }
    }

    /// What is to be done by `now`. `stall` is how long a stream may be without a decoded frame and
    /// `connect` how long a connection may take; the latter gets the stall limit on top, so that the
    /// capture process, which knows the reason, reports first.
    pub fn wish(&self, stall: Duration, connect: Duration, now: Monotonic) -> CameraWish {
        match &self.state {
            State::Waiting { until, .. } if now >= *until => CameraWish::Open,
            State::Opening { since } if now.since(*since) > connect + stall => CameraWish::Close,
            State::Streaming { progress_at, .. } if now.since(*progress_at) > stall => CameraWish::Close,
            _ => CameraWish::Wait,
        }
    }

    /// The capture process was told to connect. Waiting -> Opening
    pub fn opened(&mut self, now: Monotonic) {
        self.state = State::Opening { since: now };
    }

    /// The first frame was decoded, or the stream changed its size. Opening | Streaming -> Streaming
    pub fn streaming(&mut self, info: StreamInfo, now: Monotonic) {
        let (since, decoded) = match &self.state {
            State::Streaming { since, decoded, .. } => (*since, *decoded),
            _ => (now, 0),
        };
        self.reason = None;
        self.state = State::Streaming { info, since, progress_at: now, decoded };
    }

    /// The capture process lives and has decoded `total` frames of this connection.
    pub fn progress(&mut self, total: u64, now: Monotonic) {
        if let State::Streaming { progress_at, decoded, .. } = &mut self.state
            && total > *decoded
        {
            *decoded = total;
            *progress_at = now;
        }
    }

    /// The connection is gone, or was closed for being silent. Opening | Streaming -> Waiting
    pub fn lost(&mut self, kind: LossKind, detail: String, now: Monotonic) {
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

    /// True while a connection is open or being made.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Opening { .. } | State::Streaming { .. })
    }

    /// When it is tried again, while it waits.
    pub fn next_try(&self) -> Option<Monotonic> {
        match self.state {
            State::Waiting { until, .. } => Some(until),
            _ => None,
        }
    }

    /// Connections lost since the daemon started.
    pub fn reconnects(&self) -> u64 {
        self.reconnects
    }

    /// Frames decoded since the daemon started.
    pub fn decoded(&self) -> u64 {
        match &self.state {
            State::Streaming { decoded, .. } => self.decoded_before + decoded,
            _ => self.decoded_before,
        }
    }

    /// What is published. A camera that is tried again after a failure keeps its status until frames come,
    /// so that a subscriber does not see it flicker.
    pub fn message(&self) -> CameraStateMessage {
        let (status, info) = match &self.state {
            State::Disabled => (CameraStatus::Disabled, None),
            State::Waiting { status, .. } => (*status, None),
            State::Opening { .. } => (CameraStatus::Connecting, None),
            State::Streaming { info, .. } => (CameraStatus::Streaming, Some(info)),
        };
        CameraStateMessage {
            state: status,
            codec: info.map(|info| info.codec.clone()),
            width: info.map(|info| info.width),
            height: info.map(|info| info.height),
            fps: self.settings.fps,
            reason: self.reason.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALL: Duration = Duration::from_secs(10);
    const CONNECT: Duration = Duration::from_secs(5);

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    fn camera() -> Camera {
        let json = serde_json::json!({"id": "yard", "url": "rtsp://127.0.0.1/"});
        Camera::new(serde_json::from_value(json).unwrap(), at(0))
    }

    fn info() -> StreamInfo {
        StreamInfo { codec: "h264".into(), decoder: "avdec_h264".into(), width: 640, height: 480, frame_rate_milli: 0 }
    }

    #[test]
    fn a_camera_connects_streams_and_is_tried_again_after_a_loss() {
        let mut camera = camera();
        assert_eq!(camera.wish(STALL, CONNECT, at(0)), CameraWish::Open);
        camera.opened(at(0));
        assert_eq!(camera.message().state, CameraStatus::Connecting);
        camera.streaming(info(), at(1));
        assert_eq!(camera.message().width, Some(640));
        camera.lost(LossKind::Ended, "the stream ended".into(), at(2));
        assert_eq!(camera.message().state, CameraStatus::Offline);
        assert_eq!(camera.message().reason.as_deref(), Some("the stream ended"));
        assert_eq!(camera.wish(STALL, CONNECT, at(2)), CameraWish::Wait);
        assert_eq!(camera.wish(STALL, CONNECT, at(4)), CameraWish::Open);
    }

    #[test]
    fn ten_seconds_without_a_decoded_frame_are_a_stall_even_if_the_process_lives() {
        let mut camera = camera();
        camera.opened(at(0));
        camera.streaming(info(), at(1));
        camera.progress(5, at(8));
        camera.progress(5, at(17));
        assert_eq!(camera.wish(STALL, CONNECT, at(18)), CameraWish::Wait);
        assert_eq!(camera.wish(STALL, CONNECT, at(19)), CameraWish::Close);
        camera.lost(LossKind::Stalled, String::new(), at(19));
        assert_eq!(camera.message().state, CameraStatus::Stalled);
        assert_eq!(camera.decoded(), 5);
    }

    #[test]
    fn a_connection_that_never_answers_is_closed() {
        let mut camera = camera();
        camera.opened(at(0));
        assert_eq!(camera.wish(STALL, CONNECT, at(15)), CameraWish::Wait);
        assert_eq!(camera.wish(STALL, CONNECT, at(16)), CameraWish::Close);
    }
}
