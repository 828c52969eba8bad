//! The stream of a camera as clients are shown it.

use crate::control::status::CameraView;
use crate::vision::attention::Attention;
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
    pub(super) fn of(CameraView { counts, rates, .. }: &CameraView) -> Self {
        let skipped = counts.skipped.by_reason().map(|(reason, count)| (reason.to_owned(), count));
        Self {
            received_fps: rounded(rates.received),
            kilobits_per_second: rounded(rates.bits / 1000.0),
            keyframe_interval_seconds: rounded(f64::from(counts.keyframe_interval_ms) / 1000.0),
            clock_offset_seconds: counts.clock_offset_ms.map(|ms| rounded(ms as f64 / 1000.0)),
            attention: counts.attention,
            received: counts.received,
            skipped: skipped.into(),
            waiting: counts.waiting,
            packets: counts.packets,
            packets_lost: counts.packets_lost,
        }
    }
}

/// Rounds to tenths, for a person.
pub(super) fn rounded(rate: f64) -> f64 {
    // Plus zero, so that nothing is -0.
    (rate * 10.0).round() / 10.0 + 0.0
}
