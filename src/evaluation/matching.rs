//! Matches detections to annotations, most confident first: each gets the free box with the highest overlap.
//!
//! Follows pycocotools 2.0 (`COCOeval.evaluateImg`) including the order of ties. One difference: there, an annotation
//! with the id 0 counts as missed even if it was found. Here ids have no influence.

use crate::evaluation::pixel_box::PixelBox;

/// The number of IoU thresholds: 0.50, 0.55, ... 0.95.
pub(super) const THRESHOLDS: usize = 10;

/// Only the 100 most confident detections per category and image count.
pub(super) const MAX_DETECTIONS: usize = 100;

/// Ranges of the area in square pixels, both ends inclusive: all, small, medium and large.
pub(super) const AREA_RANGES: [(f64, f64); 4] = [(0.0, 1e10), (0.0, 1024.0), (1024.0, 9216.0), (9216.0, 1e10)];

/// The annotations and detections of one category in one image.
#[derive(Debug, Default)]
pub(super) struct Scene {
    /// In the order of the file.
    pub(super) truths: Vec<Truth>,
    /// In the order in which they were added.
    pub(super) found: Vec<ScoredBox>,
}

/// One annotated object or crowd.
#[derive(Clone, Copy, Debug)]
pub(super) struct Truth {
    pub(super) bounding_box: PixelBox,
    /// Area of its outline in square pixels.
    pub(super) area: f64,
    pub(super) is_crowd: bool,
}

/// One detection.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScoredBox {
    /// The confidence; finite.
    pub(super) score: f64,
    pub(super) bounding_box: PixelBox,
}

/// The verdicts on the detections of a category, for one range of areas. Scenes are added in the order of their images.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The number of annotated objects.
    pub(super) objects: usize,
    pub(super) judged: Vec<Judged>,
}

/// One detection, judged at each threshold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged {
    pub(super) score: f64,
    /// 0 for the most confident of its scene.
    pub(super) rank: usize,
    pub(super) verdicts: [Verdict; THRESHOLDS],
}

/// How a detection counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// True positive.
    Right,
    /// False positive: it matches no object, or one that another detection has already matched.
    Wrong,
    /// Not counted: it matches a crowd or an object outside of the size range, or matches nothing and is itself
    /// outside.
    Ignored,
}

/// The minimum IoU of a true positive. Computed as by numpy's `linspace`, because boxes in whole pixels have exactly
/// such ratios: the ninth is slightly below 0.9.
fn threshold(index: usize) -> f64 {
    0.5 + index as f64 * ((0.95 - 0.5) / 9.0)
}

/// Adds the scene to the tally of each of [`AREA_RANGES`]. The time is proportional to detections times truths.
pub(super) fn judge(scene: &Scene, tallies: &mut [Tally; AREA_RANGES.len()]) {
    let mut found = scene.found.clone();
    // Stable, and 0 equals -0: of equal scores, the detection that was added first ranks first.
    found.sort_by(|a, b| b.score.partial_cmp(&a.score).unwrap_or(std::cmp::Ordering::Equal));
    found.truncate(MAX_DETECTIONS);
    let overlaps: Vec<Vec<f64>> = found
        .iter()
        .map(|one| {
            scene.truths.iter().map(|truth| one.bounding_box.overlap(&truth.bounding_box, truth.is_crowd)).collect()
        })
        .collect();
    for (tally, (least, most)) in tallies.iter_mut().zip(AREA_RANGES) {
        let is_outside = |area: f64| area < least || area > most;
        let candidates = Candidates::new(&scene.truths, is_outside);
        tally.objects += candidates.objects;
        let first = tally.judged.len();
        tally.judged.extend(found.iter().enumerate().map(|(rank, one)| {
            let unmatched = if is_outside(one.bounding_box.area()) { Verdict::Ignored } else { Verdict::Wrong };
            Judged { score: one.score, rank, verdicts: [unmatched; THRESHOLDS] }
        }));
        for index in 0..THRESHOLDS {
            let mut is_taken = vec![false; scene.truths.len()];
            for (judged, overlaps) in tally.judged[first..].iter_mut().zip(&overlaps) {
                let Some(place) = candidates.best(overlaps, threshold(index), &is_taken) else { continue };
                let at = candidates.places[place];
                // A crowd can match any number of detections.
                is_taken[at] = !scene.truths[at].is_crowd;
                judged.verdicts[index] = if place < candidates.objects { Verdict::Right } else { Verdict::Ignored };
            }
        }
    }
}

/// The truths of a scene in the order in which they are matched.
struct Candidates {
    /// Indices of the truths: first the objects, then the ignored ones.
    places: Vec<usize>,
    /// The number of objects at the start of `places`.
    objects: usize,
}

impl Candidates {
    fn new(truths: &[Truth], is_outside: impl Fn(f64) -> bool) -> Self {
        let is_ignored = |at: &usize| truths[*at].is_crowd || is_outside(truths[*at].area);
        let (ignored, mut places): (Vec<usize>, Vec<usize>) = (0..truths.len()).partition(is_ignored);
        let objects = places.len();
        places.extend(ignored);
        Self { places, objects }
    }

    /// The free place with the highest overlap of at least `threshold`, of equal ones the last. Ignored truths match
    /// only if no object does, even if they overlap more.
    fn best(&self, overlaps: &[f64], threshold: f64, is_taken: &[bool]) -> Option<usize> {
        let mut best = None;
        let mut most = threshold;
        for (place, &at) in self.places.iter().enumerate() {
            if place == self.objects && best.is_some() {
                break;
            }
            if !is_taken[at] && overlaps[at] >= most {
                most = overlaps[at];
                best = Some(place);
            }
        }
        best
    }
}
