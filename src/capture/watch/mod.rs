//! Watching a camera while its scene is still: what differs from what is known, and what is decoded because of it.
//!
//! [`Scene`] compares pictures, [`Signal`] the sizes of frames, [`Attention`] decides what follows from that, and [`Watch`] holds
//! them for one connection.

mod attention;
mod blobs;
mod cells;
mod change;
mod jitter;
mod known;
mod light;
mod luma;
mod masks;
#[cfg(test)]
mod nuisances;
mod quantiser;
mod scene;
mod stream_signal;
mod tamper;
mod tolerance;
mod unrest;

use crate::capture::decoder_choice::Codec;
use crate::capture::watch::attention::{Attention, AttentionRules};
use crate::capture::watch::cells::Cells;
use crate::capture::watch::quantiser::Quantiser;
use crate::capture::watch::scene::Scene;
use crate::capture::watch::stream_signal::{Found, Signal};
use crate::capture::watch::tamper::Tamper;
use crate::ipc::messages::{Sight, WatchOrder};
use crate::vision::monotonic::Monotonic;
use crate::vision::stream_signal::StreamSignal;
use crate::vision::tamper::TamperKind;
use std::time::Duration;

pub(super) use crate::capture::watch::attention::Verdict;
pub(super) use crate::capture::watch::luma::cells;

/// Pictures closer together say nothing more about a camera that is covered.
const TAMPER_STEP: Duration = Duration::from_secs(1);

/// So far apart are the keyframes that are decoded at most, however quiet the frames between them are: what their sizes do not
/// show is seen then.
const LONGEST_QUIET: Duration = Duration::from_secs(10);

/// What is known of one connection's scene.
#[derive(Debug)]
pub(super) struct Watch {
    scene: Scene,
    pub(super) attention: Attention,
    signal: Signal,
    quantiser: Quantiser,
    longest_quiet: Duration,
    /// True once the scene was known well enough to be watched: what differed before says nothing.
    knows_scene: bool,
    /// `None`: it is not to be told.
    tamper: Option<Tamper>,
    tampered: Option<TamperKind>,
    tamper_judged_at: Option<Monotonic>,
    /// The newest picture that was accepted and goes to a unit.
    accepted_at: Option<Monotonic>,
}

impl Watch {
    /// Nothing is known yet.
    pub(super) fn new(order: &WatchOrder) -> Self {
        let ms = |ms: u32| Duration::from_millis(ms.into());
        let rules = AttentionRules {
            still_for: ms(order.still_for_ms),
            look_every: ms(order.look_every_ms),
            longest_interval: ms(order.longest_interval_ms),
        };
        Self {
            scene: Scene::new(order.sensitivity, order.ignore.clone()),
            attention: Attention::new(rules),
            signal: Signal::default(),
            quantiser: Quantiser::default(),
            longest_quiet: LONGEST_QUIET.min(rules.look_every),
            knows_scene: false,
            tamper: (order.tamper_after_ms > 0).then(|| Tamper::new(ms(order.tamper_after_ms))),
            tampered: None,
            tamper_judged_at: None,
            accepted_at: None,
        }
    }

    /// Takes in a frame that has arrived. True if what is decoded changes with it.
    pub(super) fn take_in(&mut self, is_keyframe: bool, at: Monotonic, codec: Codec, unit: &[u8]) -> bool {
        self.knows_scene |= self.attention.is_watching();
        let bytes = match codec {
            Codec::H264 => self.quantiser.weigh(unit),
            Codec::H265 | Codec::Mjpeg => unit.len() as f32,
        };
        self.signal.take_in(is_keyframe, at, bytes) && self.attention.suspect(at)
    }

    /// The camera says that something moves. True if what is decoded changes with it.
    pub(super) fn told_of_motion(&mut self, at: Monotonic) -> bool {
        self.attention.suspect(at)
    }

    /// True if the keyframe that arrived at `at` need not be decoded: the frames since the last one are known to be as those of
    /// a still scene, and so long as until the next one, in `interval`, nothing else is to be looked for.
    pub(super) fn may_pass(&self, at: Monotonic, interval: Duration) -> bool {
        let Some(still_at) = self.attention.still_at().filter(|_| self.tampered.is_none()) else { return false };
        (at + interval).since(still_at) <= self.longest_quiet && self.signal.is_quiet_since(still_at)
    }

    /// Whether frames between keyframes tell that something moves.
    pub(super) fn signal(&self) -> StreamSignal {
        self.signal.state()
    }

    /// The verdict on a picture that is due, or on a keyframe that was decoded alone (`is_glance`), whose frame arrived at
    /// `at`. A picture without `cells` cannot be compared, and counts as different.
    pub(super) fn judge(&mut self, cells: Option<&Cells>, at: Monotonic, is_glance: bool) -> Verdict {
        let change = cells.map(|cells| self.scene.compare(cells, at));
        let differs = change.as_ref().is_none_or(|change| change.moved);
        if self.knows_scene {
            self.signal.found(if differs { Found::Differs } else { Found::Same }, at);
        }
        let verdict = self.attention.judge(at, differs, is_glance);
        if let Some(cells) = cells {
            self.judge_tamper(cells, at);
        }
        tracing::trace!(?verdict, ?change, is_glance, "a picture was compared");
        // What differs is what later pictures are compared with, so that something slow differs again after a while.
        if let Some(cells) = cells.filter(|_| differs && verdict == Verdict::Look) {
            self.scene.accept(cells, at);
            self.accepted_at = Some(at);
        }
        verdict
    }

    /// What was done to the camera.
    pub(super) fn tampered(&self) -> Option<TamperKind> {
        self.tampered
    }

    /// What has begun or ended is followed, so that there is a picture of it.
    fn judge_tamper(&mut self, cells: &Cells, at: Monotonic) {
        let Some(tamper) = &mut self.tamper else { return };
        if self.tamper_judged_at.is_some_and(|before| at.since(before) < TAMPER_STEP) {
            return;
        }
        self.tamper_judged_at = Some(at);
        let tampered = tamper.judge(cells, at);
        if tampered.is_some() != self.tampered.is_some() {
            self.attention.saw_movement(at);
        }
        self.tampered = tampered;
    }

    /// A unit has looked at a picture.
    pub(super) fn seen(&mut self, sight: &Sight) {
        // While units are slow, another picture was accepted meanwhile: what changed there is not what was seen here.
        if self.accepted_at == Some(sight.captured_at) {
            self.scene.learn(&sight.boxes);
        }
        if sight.moves {
            if self.knows_scene {
                self.signal.found(Found::Movement, sight.captured_at);
            }
            self.attention.saw_movement(sight.captured_at);
        }
    }
}
