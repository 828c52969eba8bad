//! The state of one connection to a camera, and the reason for it.
//!
//! ```text
//!              switch_on                opened                 streaming
//!  Disabled ───────────────▶ Waiting ──────────▶ Opening ────────────────────▶ Streaming ──┐ progress,
//!      ▲                      ▲   ▲                 │                           │     ▲     │ streaming
//!      │ switch_off           │   └──── lost ───────┘                           │     └─────┘
//!   any state                 └──────────────────── lost, reconnect ────────────┘
//! ```
//!
//! A connection that is enabled starts in `Waiting`, with its first try due at once.
//!
//! * `Disabled -> Waiting`: the operator switched the camera on; the first try is due at once.
//! * `Waiting -> Opening`: the backoff is over and the capture process was told to connect.
//! * `Opening -> Streaming`: the first frame was decoded; of a main stream, the first keyframe has come. A connection alone
//!   proves nothing.
//! * `Streaming -> Streaming`: the counts of the connection came, or the picture changed its size.
//! * `Opening | Streaming -> Waiting`: the capture process reported the loss, died, or delivered nothing for too long. The
//!   reason decides the backoff ([`ReconnectPolicy`]) and the published status.
//! * `Opening | Streaming | Waiting -> Waiting`: the settings of its connection changed; the next try is due at once.
//! * `any -> Disabled`: the operator switched the camera off. A loss that is reported afterwards changes nothing.

use crate::camera::camera_due::CameraDue;
use crate::camera::reconnect_policy::{Logins, ReconnectPolicy};
use crate::camera::stream_life::StreamLife;
use crate::ipc::messages::{LossKind, StreamInfo};
use crate::vision::camera_status::CameraStatus;
use crate::vision::monotonic::Monotonic;
use crate::vision::stream_counts::StreamCounts;
use std::time::Duration;

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

/// A connection: state and counters.
#[derive(Debug)]
pub(crate) struct Connection {
    state: State,
    /// Since when it has been streaming, or not, or switched off.
    since: Monotonic,
    /// Seeds the jitter of its tries.
    name: String,
    policy: ReconnectPolicy,
    reason: Option<String>,
    reconnects: u64,
    /// Of all connections before the open one.
    counts_before: StreamCounts,
}

impl Connection {
    /// One that is due at once, unless it is disabled. `name` differs from that of all others.
    pub(super) fn new(name: String, is_enabled: bool, now: Monotonic) -> Self {
        let state = match is_enabled {
            true => State::Waiting { until: now, status: CameraStatus::Connecting },
            false => State::Disabled,
        };
        let (policy, counts_before) = (ReconnectPolicy::of(&name), StreamCounts::default());
        Self { state, since: now, name, policy, reason: None, reconnects: 0, counts_before }
    }

    /// Returns what is due by `now`. An open connection may bring nothing for `stall`. Its first packet may take
    /// `connect` plus `stall`: the capture process applies `connect` itself and knows the reason, so it must be first.
    pub(super) fn due(&self, stall: Duration, connect: Duration, now: Monotonic) -> CameraDue {
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
    pub(super) fn opened(&mut self, now: Monotonic) {
        self.state = State::Opening { since: now, life: StreamLife::new(now), status: self.status() };
    }

    /// Records the first decoded frame, or a new picture size. Opening | Streaming -> Streaming
    pub(super) fn streaming(&mut self, info: StreamInfo, now: Monotonic) {
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
    pub(super) fn progress(&mut self, counts: StreamCounts, now: Monotonic) {
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
    pub(super) fn paused(&mut self, gap: Duration) {
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
    pub(super) fn lost(&mut self, kind: LossKind, detail: String, logins: &mut Logins, now: Monotonic) {
        let began = match &self.state {
            State::Streaming { since, .. } => {
                self.since = now;
                Some(*since)
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
        let until = self.policy.lost(kind, began, logins, now);
        let status = match kind {
            LossKind::AuthFailed => CameraStatus::AuthFailed,
            LossKind::Stalled => CameraStatus::Stalled,
            _ => CameraStatus::Offline,
        };
        self.reconnects += 1;
        self.reason = Some(detail);
        self.state = State::Waiting { until, status };
    }

    /// Makes a new connection due at once, without the backoff of the last one. Opening | Streaming | Waiting -> Waiting
    pub(super) fn reconnect(&mut self, now: Monotonic) {
        if self.state == State::Disabled {
            return;
        }
        if self.is_streaming() {
            self.since = now;
        }
        self.counts_before = self.counts().closed();
        (self.policy, self.reason) = (ReconnectPolicy::of(&self.name), None);
        self.state = State::Waiting { until: now, status: CameraStatus::Connecting };
    }

    /// Keeps it closed until it is switched on. Any -> Disabled
    pub(super) fn switch_off(&mut self, now: Monotonic) {
        if self.state != State::Disabled {
            self.since = now;
        }
        self.counts_before = self.counts().closed();
        (self.state, self.reason) = (State::Disabled, None);
    }

    /// Makes a connection due at once. Disabled -> Waiting
    pub(super) fn switch_on(&mut self, now: Monotonic) {
        if self.state == State::Disabled {
            self.since = now;
            self.state = State::Waiting { until: now, status: CameraStatus::Connecting };
        }
    }

    /// True while the operator has its camera switched off.
    pub(super) fn is_disabled(&self) -> bool {
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

    /// Frames a second that can be decoded; `None` while it does not stream or its rate is unknown.
    pub(super) fn rate(&self) -> Option<f64> {
        let State::Streaming { life, .. } = &self.state else { return None };
        life.rate()
    }

    /// Connections lost since the daemon started.
    pub(crate) fn reconnects(&self) -> u64 {
        self.reconnects
    }

    /// What became of everything that it brought since the daemon started.
    pub(crate) fn counts(&self) -> StreamCounts {
        let mut counts = self.counts_before;
        if let State::Opening { life, .. } | State::Streaming { life, .. } = &self.state {
            counts += life.counts();
        }
        counts
    }

    /// The published status. Until a further try has succeeded, it keeps the status of its failure, so that the
    /// retained message does not change with each try.
    pub(crate) fn status(&self) -> CameraStatus {
        match &self.state {
            State::Disabled => CameraStatus::Disabled,
            State::Waiting { status, .. } | State::Opening { status, .. } => *status,
            State::Streaming { .. } => CameraStatus::Streaming,
        }
    }

    /// What it brings, while it streams.
    pub(crate) fn stream_info(&self) -> Option<&StreamInfo> {
        if let State::Streaming { info, .. } = &self.state { Some(info) } else { None }
    }

    /// Why it is not streaming, for the operator.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}
