//! Watching a camera while its scene is still: what differs from what is known, and what is decoded because of it.
//!
//! [`Scene`] compares pictures, [`Attention`] decides what follows from that, and [`Watch`] holds both for one connection.

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
mod scene;
mod tamper;
mod tolerance;
mod unrest;

use crate::capture::watch::attention::{Attention, AttentionRules};
use crate::capture::watch::cells::Cells;
use crate::capture::watch::scene::Scene;
use crate::ipc::messages::{Sight, WatchOrder};
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

pub(super) use crate::capture::watch::attention::Verdict;
pub(super) use crate::capture::watch::luma::cells;

/// What is known of one connection's scene.
#[derive(Debug)]
pub(super) struct Watch {
    scene: Scene,
    pub(super) attention: Attention,
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
        Self { scene: Scene::new(order.sensitivity, order.ignore.clone()), attention: Attention::new(rules) }
    }

    /// The verdict on a picture that is due, or on a keyframe that was decoded alone (`is_glance`), whose frame arrived at
    /// `at`. A picture without `cells` cannot be compared, and counts as different.
    pub(super) fn judge(&mut self, cells: Option<&Cells>, at: Monotonic, is_glance: bool) -> Verdict {
        let change = cells.map(|cells| self.scene.compare(cells, at));
        let differs = change.as_ref().is_none_or(|change| change.moved);
        let verdict = self.attention.judge(at, differs, is_glance);
        tracing::trace!(?verdict, ?change, is_glance, "a picture was compared");
        // What differs is what later pictures are compared with, so that something slow differs again after a while.
        if let Some(cells) = cells.filter(|_| differs && verdict == Verdict::Look) {
            self.scene.accept(cells, at);
        }
        verdict
    }

    /// A unit has looked at a picture.
    pub(super) fn seen(&mut self, sight: &Sight) {
        self.scene.learn(&sight.boxes);
        if sight.moves {
            self.attention.saw_movement(sight.captured_at);
        }
    }
}
