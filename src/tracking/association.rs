//! Which of the objects that are known is which of the boxes that were found.
//!
//! ByteTrack's rounds (Zhang et al. 2022): known objects take from the strong boxes first; those that were seen lately
//! then take from the weak ones, which are mostly objects half hidden; only then do objects on trial get what is left.
//! Each round is an optimal assignment.
//!
//! Alike is what overlaps, after both boxes have been widened by what is uncertain of the object's place. ByteTrack's
//! plain overlap is of no use at 1 to 5 frames a second: who walks past is a whole width farther on, and nobody knows
//! yet which way he goes. (Widened boxes: Yang et al. 2023, C-BIoU, there by a constant.)

use crate::tracking::assignment::assign;
use crate::tracking::found::FoundObject;
use crate::tracking::rules::Strength;
use crate::tracking::tracked_object::{Expected, TrackedObject};
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// How alike a strong box must be (0..=1); 1 minus ByteTrack's `match_thresh` of 0.8.
const LEAST_LIKE_STRONG: f32 = 0.2;

/// How alike a weak one must be, as in ByteTrack: it is more often two people in one box, or none at all.
const LEAST_LIKE_WEAK: f32 = 0.5;

/// Boxes are widened on each side by so many standard deviations of where the object is, ...
const DEVIATIONS: f32 = 1.0;

/// ... but by no more than so many of their own sides, since then anybody near would do.
const MOST_SIDES: f32 = 1.5;

/// Gives each box the place of its object in `objects`, `None` to one that is new. Objects have been predicted to the
/// frame; those unseen for longer than `recent` before it (at `at`) take no weak boxes.
pub(super) fn associate(
    objects: &[TrackedObject],
    found: &[FoundObject<'_>],
    at: Monotonic,
    recent: Duration,
) -> Vec<Option<usize>> {
    let expected: Vec<Expected<'_>> = objects.iter().map(TrackedObject::expected).collect();
    let mut rounds =
        Rounds { expected: &expected, found, object_of: vec![None; found.len()], is_found: vec![false; objects.len()] };
    let is_known = |object: &TrackedObject| object.history.track().is_some();
    let is_recent = |object: &TrackedObject| is_known(object) && at.since(object.history.last_seen()) <= recent;
    rounds.play(|index| is_known(&objects[index]), Strength::Strong, LEAST_LIKE_STRONG);
    rounds.play(|index| is_recent(&objects[index]), Strength::Weak, LEAST_LIKE_WEAK);
    rounds.play(|index| !is_known(&objects[index]), Strength::Strong, LEAST_LIKE_STRONG);
    rounds.object_of
}

struct Rounds<'a> {
    expected: &'a [Expected<'a>],
    found: &'a [FoundObject<'a>],
    object_of: Vec<Option<usize>>,
    is_found: Vec<bool>,
}

impl Rounds<'_> {
    /// Assigns boxes of this strength to the objects that may play, among those that are still free.
    fn play(&mut self, may_play: impl Fn(usize) -> bool, strength: Strength, least: f32) {
        let objects: Vec<usize> =
            (0..self.expected.len()).filter(|&index| !self.is_found[index] && may_play(index)).collect();
        let is_free = |&index: &usize| self.object_of[index].is_none() && self.found[index].strength == strength;
        let boxes: Vec<usize> = (0..self.found.len()).filter(is_free).collect();
        let pairs = assign(objects.len(), boxes.len(), |row, column| {
            let (object, found) = (&self.expected[objects[row]], &self.found[boxes[column]]);
            if object.group == found.group { likeness(object, &found.bounding_box) - least } else { 0.0 }
        });
        for (row, column) in pairs.into_iter().enumerate() {
            if let Some(column) = column {
                self.object_of[boxes[column]] = Some(objects[row]);
                self.is_found[objects[row]] = true;
            }
        }
    }
}

/// 0..=1: intersection over union of both boxes, widened by what is uncertain.
fn likeness(object: &Expected<'_>, found: &NormalizedBox) -> f32 {
    let expected = &object.bounding_box;
    let across = (DEVIATIONS * object.deviation.0).min(MOST_SIDES * expected.width);
    let down = (DEVIATIONS * object.deviation.1).min(MOST_SIDES * expected.height);
    widened(expected, across, down).iou(&widened(found, across, down))
}

fn widened(from: &NormalizedBox, across: f32, down: f32) -> NormalizedBox {
    NormalizedBox {
        left: from.left - across,
        top: from.top - down,
        width: from.width + 2.0 * across,
        height: from.height + 2.0 * down,
    }
}
