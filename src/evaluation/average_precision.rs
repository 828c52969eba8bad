//! Computes average precision and recall of a category from the verdicts on its detections.
//!
//! The formulas and the order of rounding follow pycocotools 2.0 (`COCOeval.accumulate` and `summarize`).

use crate::evaluation::figures::Figures;
use crate::evaluation::matching::{AREA_RANGES, Judged, MAX_DETECTIONS, THRESHOLDS, Tally, Verdict};

/// The number of recalls at which precision is sampled: 0, 0.01, ... 1.
const RECALL_POINTS: usize = 101;

/// The indices of 0.50 and 0.75 among the thresholds.
const AT_50: usize = 0;
const AT_75: usize = 5;

/// The figures of one category from its tallies by size: all, small, medium, large.
pub(super) fn figures(tallies: &mut [Tally; AREA_RANGES.len()]) -> Figures {
    let mut precisions = [None; AREA_RANGES.len()];
    let mut recalls = [None; AREA_RANGES.len()];
    for (range, tally) in tallies.iter_mut().enumerate() {
        sort(tally);
        precisions[range] = at_each_threshold(tally, |threshold| average_precision(tally, threshold));
        recalls[range] = mean_recall(tally, MAX_DETECTIONS);
    }
    let [all, small, medium, large] = precisions;
    let [ar100, ar_small, ar_medium, ar_large] = recalls;
    Figures {
        ap: all.map(mean),
        ap50: all.map(|precisions| precisions[AT_50]),
        ap75: all.map(|precisions| precisions[AT_75]),
        ap_small: small.map(mean),
        ap_medium: medium.map(mean),
        ap_large: large.map(mean),
        ar1: mean_recall(&tallies[0], 1),
        ar10: mean_recall(&tallies[0], 10),
        ar100,
        ar_small,
        ar_medium,
        ar_large,
    }
}

/// Average precision of one category, as the mean over the thresholds; `None` if no object was annotated.
pub(super) fn mean_precision(tally: &mut Tally) -> Option<f64> {
    sort(tally);
    at_each_threshold(tally, |threshold| average_precision(tally, threshold)).map(mean)
}

/// Stable: detections with equal scores stay in the order of their images.
fn sort(tally: &mut Tally) {
    tally.judged.sort_by(|a, b| b.score.partial_cmp(&a.score).unwrap_or(std::cmp::Ordering::Equal));
}

/// One value per threshold; `None` if no object was annotated.
fn at_each_threshold(tally: &Tally, value: impl Fn(usize) -> f64) -> Option<[f64; THRESHOLDS]> {
    (tally.objects > 0).then(|| std::array::from_fn(value))
}

/// Recall with the `most` best detections of each image, averaged over the thresholds.
fn mean_recall(tally: &Tally, most: usize) -> Option<f64> {
    let recall = |threshold: usize| {
        let is_hit = |judged: &&Judged| judged.rank < most && judged.verdicts[threshold] == Verdict::Right;
        tally.judged.iter().filter(is_hit).count() as f64 / tally.objects as f64
    };
    at_each_threshold(tally, recall).map(mean)
}

/// The area under the precision-recall curve of a tally that is sorted by score. The precision at each of 101 recalls
/// is the maximum at this recall or above, or 0 if the recall is never reached.
fn average_precision(tally: &Tally, threshold: usize) -> f64 {
    let mut curve: Vec<(f64, f64)> = Vec::new();
    let (mut right, mut wrong) = (0.0, 0.0);
    for judged in &tally.judged {
        match judged.verdicts[threshold] {
            Verdict::Right => right += 1.0,
            Verdict::Wrong => wrong += 1.0,
            Verdict::Ignored => continue,
        }
        // As pycocotools, which adds the epsilon to prevent 0 / 0.
        curve.push((right / tally.objects as f64, right / (wrong + right + f64::EPSILON)));
    }
    let mut best = 0.0_f64;
    for (_, precision) in curve.iter_mut().rev() {
        best = best.max(*precision);
        *precision = best;
    }
    let mut sum = 0.0;
    for point in 0..RECALL_POINTS {
        // Not `point / 100`: numpy's `linspace` multiplies, and the two differ for recalls such as 0.07 and 0.29.
        let wanted = point as f64 * 0.01;
        let at = curve.partition_point(|(recall, _)| *recall < wanted);
        sum += curve.get(at).map_or(0.0, |(_, precision)| *precision);
    }
    sum / RECALL_POINTS as f64
}

fn mean(values: [f64; THRESHOLDS]) -> f64 {
    values.iter().sum::<f64>() / THRESHOLDS as f64
}
