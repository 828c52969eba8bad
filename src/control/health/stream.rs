//! The stream of a camera as clients are shown it.

use crate::control::frame_rates::FrameRates;
use crate::control::status::MainStreamView;
use crate::publish::state_message::MainStreamMessage;
use crate::vision::attention::Attention;
use crate::vision::camera_status::CameraStatus;
use crate::vision::stream_counts::StreamCounts;
use crate::vision::stream_signal::SignalUse;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a camera sends, and what becomes of it before a unit sees it. Rates are those of the last ten seconds, counts
/// those since the daemon started: `received = decoded + skipped + waiting`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StreamHealth {
    /// Encoded frames a second that arrived.
    pub received_fps: f64,
    /// Thousands of bits a second of encoded frames.
    pub kilobits_per_second: f64,
    /// Seconds between the two newest keyframes; 0 until there are two.
    pub keyframe_interval_seconds: f64,
    /// Seconds by which the camera's clock is ahead of the box's; absent unless the camera tells its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_offset_seconds: Option<f64>,
    /// What is decoded at the moment: `followed`: every frame; `watched`: keyframes, because nothing moves; `catching_up`: what
    /// came shortly before something moved.
    pub attention: Attention,
    /// Whether the sizes of frames tell that something moves: `sizes`, `none`, or `learning`. Absent for a camera that is not
    /// watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<SignalUse>,
    /// How often frames are larger where something moves (AUC), 0..=1, 0.5 by chance; absent until both were seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal_auc: Option<f64>,
    /// Messages of the camera itself that something moves; 0 unless `motion_events` asks for them.
    #[serde(default)]
    pub motion_events: u64,
    /// Encoded frames that arrived.
    pub received: u64,
    /// Frames that were not decoded, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Frames that wait for the decoder or are in it.
    pub waiting: u64,
    /// RTP packets that arrived.
    pub packets: u64,
    /// RTP packets that are missing in the camera's numbering.
    pub packets_lost: u64,
}

impl StreamHealth {
    pub(super) fn of(counts: &StreamCounts, rates: &FrameRates) -> Self {
        let skipped = counts.skipped.by_reason().map(|(reason, count)| (reason.to_owned(), count));
        Self {
            received_fps: rounded(rates.received),
            kilobits_per_second: rounded(rates.bits / 1000.0),
            keyframe_interval_seconds: rounded(f64::from(counts.keyframe_interval_ms) / 1000.0),
            clock_offset_seconds: counts.clock_offset_ms.map(|ms| rounded(ms as f64 / 1000.0)),
            attention: counts.attention,
            signal: counts.signal.map(|signal| signal.used),
            signal_auc: counts.signal.and_then(|signal| Some(f64::from(signal.auc_percent?) / 100.0)),
            motion_events: counts.motion_events,
            received: counts.received,
            skipped: skipped.into(),
            waiting: counts.waiting,
            packets: counts.packets,
            packets_lost: counts.packets_lost,
        }
    }
}

/// The main stream of a camera whose other one is analysed. Only what snapshots show is decoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MainStreamHealth {
    /// The state of its connection.
    pub state: CameraStatus,
    /// Why it is not streaming; snapshots show the analysed stream then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its codec; absent unless streaming.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// Pixels as the camera sends them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels as the camera sends them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// How long it has been streaming, or not.
    pub since_seconds: u64,
    /// Frames decoded for snapshots since the daemon started.
    pub decoded: u64,
    /// What became of everything that came over it.
    pub stream: StreamHealth,
    /// Connections lost since the daemon started.
    pub reconnects: u64,
}

impl MainStreamHealth {
    pub(super) fn of(view: &MainStreamView, since_seconds: u64) -> Self {
        let MainStreamMessage { state, codec, width, height, reason } = view.state.clone();
        let stream = StreamHealth::of(&view.counts, &view.rates);
        let (decoded, reconnects) = (view.counts.decoded, view.reconnects);
        Self { state, reason, codec, width, height, since_seconds, decoded, stream, reconnects }
    }
}

/// Rounds to tenths, for a person.
pub(super) fn rounded(rate: f64) -> f64 {
    // Plus zero, so that nothing is -0.
    (rate * 10.0).round() / 10.0 + 0.0
}
