//! Matches the detections of a frame with the tracked objects.
//!
//! The rounds are those of ByteTrack (Zhang et al. 2022). First, begun objects are matched with strong boxes. Then begun
//! objects that were seen just before are matched with weak boxes, which are mostly objects that are half hidden. ByteTrack
//! does not have the round after that: those that bear it are matched with faint boxes. Last, objects on trial are matched
//! with the remaining strong boxes. Each round is an optimal assignment.
//!
//! The similarity of two boxes is their overlap, after both were widened by the uncertainty of the object's position.
//! ByteTrack's plain overlap fails at 1 to 5 frames a second: between two frames a pedestrian moves by more than a body
//! width, in a direction that is not known yet. (Yang et al. 2023, C-BIoU, widen boxes by a constant.)

use crate::tracking::assignment::assign;
use crate::tracking::detections::ObjectDetection;
use crate::tracking::frame_pace::FramePace;
use crate::tracking::rules::{Strength, TrackingRules};
use crate::tracking::tracked_object::{Expected, TrackedObject};
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// The least similarity (0..=1) for a strong box: 1 minus ByteTrack's `match_thresh` of 0.8.
const MIN_SIMILARITY_STRONG: f32 = 0.2;

/// The least similarity for a weak box, as in ByteTrack. A weak box is more often two people in one, or nothing.
const MIN_SIMILARITY_WEAK: f32 = 0.5;

/// The least similarity for a faint box.
const MIN_SIMILARITY_FAINT: f32 = 0.6;

/// Weak and faint boxes continue what was seen so long ago, or in the frame before: where somebody was lost, such a box is
/// more often somebody else, or nothing.
const RECENT: Duration = Duration::from_millis(500);

/// So long, or for one frame, an object is followed by faint boxes alone. Longer, they lead away from who is hidden.
const FAINT_LASTS: Duration = Duration::from_millis(300);

/// Boxes are widened on each side by this many standard deviations of the object's position, ...
const DEVIATIONS: f32 = 1.0;

/// ... but by no more than this many of their own sides: beyond that, any neighbour would match.
const MAX_SIDES: f32 = 1.5;

/// Returns for each detection the index of its object in `objects`; `None` if it is new. The objects must have been
/// predicted to the frame's time `at`.
pub(super) fn associate(
    objects: &[TrackedObject],
    found: &[ObjectDetection<'_>],
    rules: &TrackingRules,
    at: Monotonic,
    pace: &FramePace,
) -> Vec<Option<usize>> {
    let expected: Vec<Expected<'_>> = objects.iter().map(TrackedObject::expected).collect();
    let mut rounds = Rounds {
        expected: &expected,
        found,
        object_of: vec![None; found.len()],
        is_matched: vec![false; objects.len()],
    };
    let has_begun = |object: &TrackedObject| object.history.track().is_some();
    let (recent, faint_lasts) = (pace.at_least_a_frame(RECENT), pace.at_least_a_frame(FAINT_LASTS));
    let is_recent = |object: &TrackedObject| has_begun(object) && at.since(object.history.last_seen()) <= recent;
    let is_clear = |object: &TrackedObject| is_recent(object) && at.since(object.clear_at()) <= faint_lasts;
    let is = |strength| move |_: usize, found: &ObjectDetection<'_>| found.strength == strength;
    let is_borne = |index: usize, found: &ObjectDetection<'_>| {
        found.strength == Strength::Faint && objects[index].bears(found, rules)
    };
    rounds.assign(|index| has_begun(&objects[index]), is(Strength::Strong), MIN_SIMILARITY_STRONG);
    rounds.assign(|index| is_recent(&objects[index]), is(Strength::Weak), MIN_SIMILARITY_WEAK);
    rounds.assign(|index| is_clear(&objects[index]), is_borne, MIN_SIMILARITY_FAINT);
    rounds.assign(|index| !has_begun(&objects[index]), is(Strength::Strong), MIN_SIMILARITY_STRONG);
    rounds.object_of
}

struct Rounds<'a> {
    expected: &'a [Expected<'a>],
    found: &'a [ObjectDetection<'a>],
    object_of: Vec<Option<usize>>,
    is_matched: Vec<bool>,
}

impl Rounds<'_> {
    /// Matches free boxes with unmatched objects that take part, where a box fits the object.
    fn assign(
        &mut self,
        takes_part: impl Fn(usize) -> bool,
        fits: impl Fn(usize, &ObjectDetection<'_>) -> bool,
        least: f32,
    ) {
        let objects: Vec<usize> =
            (0..self.expected.len()).filter(|&index| !self.is_matched[index] && takes_part(index)).collect();
        let is_free = |&index: &usize| self.object_of[index].is_none();
        let fits_one = |index: &usize| objects.iter().any(|object| fits(*object, &self.found[*index]));
        let boxes: Vec<usize> = (0..self.found.len()).filter(is_free).filter(fits_one).collect();
        let pairs = assign(objects.len(), boxes.len(), |row, column| {
            let (object, found) = (&self.expected[objects[row]], &self.found[boxes[column]]);
            let is_possible = object.group == found.group && fits(objects[row], found);
            if is_possible { similarity(object, &found.bounding_box) - least } else { 0.0 }
        });
        for (row, column) in pairs.into_iter().enumerate() {
            if let Some(column) = column {
                self.object_of[boxes[column]] = Some(objects[row]);
                self.is_matched[objects[row]] = true;
            }
        }
    }
}

/// Intersection over union (0..=1) of both boxes, widened by the uncertainty of the position.
fn similarity(object: &Expected<'_>, found: &NormalizedBox) -> f32 {
    let expected = &object.bounding_box;
    let across = (DEVIATIONS * object.deviation.0).min(MAX_SIDES * expected.width);
    let down = (DEVIATIONS * object.deviation.1).min(MAX_SIDES * expected.height);
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
