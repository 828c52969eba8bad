//! Which detections of a scene are right: each goes to the annotated box that it lies on best, the most confident first.
//!
//! The rules are those of pycocotools 2.0 (`COCOeval.evaluateImg`), to the order in which equals are looked at. One
//! difference: there an annotation with the id 0 counts as missed even when it was found, here ids play no part.

use crate::evaluation::pixel_box::PixelBox;

/// The overlaps from which on a detection is right: 0.50 to 0.95.
pub(super) const THRESHOLDS: usize = 10;

/// Detections of one category in one image beyond the 100 most confident are not looked at.
pub(super) const MAX_DETECTIONS: usize = 100;

/// Bounds of the area in square pixels, both inclusive: all, small, medium and large.
pub(super) const AREA_RANGES: [(f64, f64); 4] = [(0.0, 1e10), (0.0, 1024.0), (1024.0, 9216.0), (9216.0, 1e10)];

/// What was annotated and what was found of one category in one image.
#[derive(Debug, Default)]
pub(super) struct Scene {
    /// In the order of the file.
    pub(super) truths: Vec<Truth>,
    /// In the order in which they came.
    pub(super) found: Vec<ScoredBox>,
}

/// One annotated object or crowd.
#[derive(Clone, Copy, Debug)]
pub(super) struct Truth {
    pub(super) bounding_box: PixelBox,
    /// Of its outline, in square pixels.
    pub(super) area: f64,
    pub(super) is_crowd: bool,
}

/// One detection.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScoredBox {
    /// Finite.
    pub(super) score: f64,
    pub(super) bounding_box: PixelBox,
}

/// What became of the detections of a category, for one range of areas. Scenes add to it in the order of their images.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// How many objects there were to be found.
    pub(super) objects: usize,
    pub(super) judged: Vec<Judged>,
}

/// One detection, looked at with each threshold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged {
    pub(super) score: f64,
    /// 0 for the most confident of its scene.
    pub(super) rank: usize,
    pub(super) verdicts: [Verdict; THRESHOLDS],
}

/// What a detection counts as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// It found an object.
    Right,
    /// There is no such object, or it was found before.
    Wrong,
    /// It counts as neither: it lies on a crowd or an object of another size, or is of another size and lies on nothing.
    Ignored,
}

/// The overlap from which on a detection is right, for each threshold. As numpy's `linspace` computes it, since boxes in
/// whole pixels overlap by such ratios exactly: the ninth is just below 0.9.
fn threshold(index: usize) -> f64 {
    0.5 + index as f64 * ((0.95 - 0.5) / 9.0)
}

/// Adds the scene to the tally of each of [`AREA_RANGES`]. Takes detections times truths steps.
pub(super) fn judge(scene: &Scene, tallies: &mut [Tally; AREA_RANGES.len()]) {
    let mut found = scene.found.clone();
    // Stable, and 0 and -0 are equal: of detections with one score the one that came first is first.
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
                // Any number of detections may lie on one crowd.
                is_taken[at] = !scene.truths[at].is_crowd;
                judged.verdicts[index] = if place < candidates.objects { Verdict::Right } else { Verdict::Ignored };
            }
        }
    }
}

/// The truths of a scene in the order in which detections try them.
struct Candidates {
    /// Indices of the truths: first the objects, then what is ignored.
    places: Vec<usize>,
    /// How many of the places are objects.
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

    /// The place that overlaps most and by at least `threshold`, of equals the last. What is ignored has its turn only
    /// when no object will do, however much better it overlaps.
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
