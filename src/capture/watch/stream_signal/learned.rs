//! What groups of pictures were like in which nothing moved, and in which something did.
//!
//! The limit comes from still groups alone, as low as they allow, and not from those that moved: what was seen to move was
//! large enough to be seen. These only show whether the limit keeps its promise.

use crate::vision::stream_signal::{SignalUse, StreamSignal};
use std::collections::VecDeque;

/// Groups that are remembered: some minutes of stillness, and movement of a day or of weeks.
const MOST_STILL: usize = 120;
const MOST_MOVING: usize = 60;

/// Fewer say too little. If none of thirty was missed, less than a tenth is, with 95 % confidence (rule of three).
const ENOUGH_STILL: usize = 40;
const ENOUGH_MOVING: usize = 30;

/// Times at which something moved that they must be of: one long passage is one example.
const ENOUGH_PASSAGES: usize = 4;

/// So many per cent of still groups are below the limit: the others cost a keyframe each.
const BELOW: usize = 90;

/// The least spread, as a share of the size of a still frame: frames of a perfect still are as good as equal.
const LEAST_SPREAD: f32 = 0.05;

/// What moves must rise above the limit by this factor before the signal is used. Once it is, what stays below the limit itself
/// was missed.
const MARGIN: f32 = 2.0;

/// Of so many moving groups one may be lower.
const ONE_MISSED_IN: usize = 50;

/// A rise that is looked into at once is so much more than the highest of a still scene: it costs a group of pictures.
const ABOVE_HIGHEST: f32 = 1.25;

/// Rises over the size of frames of a still scene, in units of what these vary by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    /// Up to this a group is quiet.
    pub(super) quiet: f32,
    /// From this on it is looked into at once.
    pub(super) raised: f32,
}

/// The mean size of the frames in some half seconds of a group, by their place in it, in bytes.
pub(super) type Means = Vec<(usize, f32)>;

/// A half second of still groups.
#[derive(Clone, Copy, Debug)]
struct Base {
    median: f32,
    /// From the median to where [`BELOW`] of them are.
    spread: f32,
}

#[derive(Clone, Debug)]
struct Moving {
    /// By how much it was above the median: what moves takes as many bytes when the noise changes.
    excess: Means,
    is_new_passage: bool,
}

/// What is known of a camera's frame sizes.
#[derive(Debug, Default)]
pub(super) struct Learned {
    still: VecDeque<Means>,
    moving: VecDeque<Moving>,
    base: Vec<Base>,
    limits: Option<Limits>,
    is_used: bool,
    auc: Option<f32>,
}

impl Learned {
    /// By how much a group rises above a still one where it rises most. `None` while no still one is known.
    pub(super) fn rise(&self, means: &[(usize, f32)]) -> Option<f32> {
        means.iter().filter_map(|(slot, mean)| self.rise_in(*slot, *mean)).reduce(f32::max)
    }

    /// The same of one half second.
    pub(super) fn rise_in(&self, slot: usize, mean: f32) -> Option<f32> {
        let base = self.base_of(slot)?;
        Some((mean - base.median) / base.spread)
    }

    /// Of what a longer group has more, the last is taken.
    fn base_of(&self, slot: usize) -> Option<&Base> {
        self.base.get(slot).or(self.base.last())
    }

    /// Where the signal separates still from moving, what is still.
    pub(super) fn limits(&self) -> Option<Limits> {
        self.limits.filter(|_| self.is_used)
    }

    /// For the camera's state.
    pub(super) fn state(&self) -> StreamSignal {
        let used = match self.has_enough() {
            false => SignalUse::Learning,
            true if self.is_used => SignalUse::Sizes,
            true => SignalUse::None,
        };
        let percent = |auc: f32| (0..=100).rev().find(|percent| f32::from(*percent) <= auc * 100.0).unwrap_or(0);
        StreamSignal { used, auc_percent: self.auc.map(percent) }
    }

    /// Nothing moved in this group.
    pub(super) fn was_still(&mut self, means: Means) {
        if self.still.len() == MOST_STILL {
            self.still.pop_front();
        }
        self.still.push_back(means);
        self.base = base(&self.still);
        self.judge();
    }

    /// Something moved in this group. `is_new_passage`: and nothing had shortly before.
    pub(super) fn moved(&mut self, means: &[(usize, f32)], is_new_passage: bool) {
        if self.moving.len() == MOST_MOVING {
            self.moving.pop_front();
        }
        let above = means.iter().filter_map(|(slot, mean)| Some((*slot, mean - self.base_of(*slot)?.median)));
        self.moving.push_back(Moving { excess: above.collect(), is_new_passage });
        self.judge();
    }

    fn has_enough(&self) -> bool {
        let passages = self.moving.iter().filter(|group| group.is_new_passage).count();
        self.still.len() >= ENOUGH_STILL && self.moving.len() >= ENOUGH_MOVING && passages >= ENOUGH_PASSAGES
    }

    fn judge(&mut self) {
        let mut still: Vec<f32> = self.still.iter().filter_map(|group| self.rise(group)).collect();
        still.sort_unstable_by(f32::total_cmp);
        let rise = |(slot, excess): &(usize, f32)| Some(excess / self.base_of(*slot)?.spread);
        let rises = self.moving.iter().filter_map(|group| group.excess.iter().filter_map(rise).reduce(f32::max));
        let moving: Vec<f32> = rises.collect();
        let Some(highest) = still.last() else { return };
        let quiet = percentile(&still, BELOW).max(1.0);
        let raised = (highest * ABOVE_HIGHEST).max(quiet * MARGIN);
        let least = if self.is_used { quiet } else { quiet * MARGIN };
        let missed = moving.iter().filter(|rise| **rise < least).count();
        self.is_used = self.has_enough() && missed * ONE_MISSED_IN <= moving.len();
        self.auc = auc(&still, &moving);
        self.limits = Some(Limits { quiet, raised });
    }
}

/// Each half second that at least half of the groups have.
fn base(still: &VecDeque<Means>) -> Vec<Base> {
    let slots = still.iter().flatten().map(|(slot, _)| slot + 1).max().unwrap_or(0);
    let each = (0..slots).map_while(|place| {
        let here = still.iter().flatten().filter(|(slot, _)| *slot == place);
        let mut means: Vec<f32> = here.map(|(_, mean)| *mean).collect();
        means.sort_unstable_by(f32::total_cmp);
        (!means.is_empty() && 2 * means.len() >= still.len()).then(|| {
            let median = percentile(&means, 50);
            // A frame is a byte at least, so nothing is divided by zero.
            Base { median, spread: (percentile(&means, BELOW) - median).max(median * LEAST_SPREAD).max(1.0) }
        })
    });
    each.collect()
}

/// Of sorted values, of which there is one at least.
fn percentile(sorted: &[f32], percent: usize) -> f32 {
    sorted[(sorted.len() - 1) * percent / 100]
}

/// The area under the curve of detection against false alarms: the share of pairs in which the moving group rises more. `None`
/// without a pair. `still` is sorted.
fn auc(still: &[f32], moving: &[f32]) -> Option<f32> {
    let below =
        |rise: f32| still.partition_point(|still| *still < rise) + still.partition_point(|still| *still <= rise);
    let pairs = still.len() * moving.len();
    let higher: usize = moving.iter().map(|rise| below(*rise)).sum();
    (pairs > 0).then(|| higher as f32 / (2 * pairs) as f32)
}
