//! Whether an engine answers right. The truth is what the float model sees on ONNX Runtime's CPU provider.

use crate::evaluation::agreement::Comparison;
use crate::model::manifest::Manifest;
use crate::vision::detection::Detection;

/// Boxes are asked for from this confidence on.
pub(super) const LEAST_CONFIDENCE: f32 = 0.03;

/// Weaker boxes need no partner: it may lie below [`LEAST_CONFIDENCE`].
const COUNTED_CONFIDENCE: f32 = LEAST_CONFIDENCE + MOST_SCORE;

/// The least IoU of a box with its partner, of float models.
const LEAST_IOU: f32 = 0.95;

/// The greatest difference of two confidences, of float models.
const MOST_SCORE: f32 = 0.02;

/// The bars of a model in 8 bits whose manifest names none: those of `ocelli model quantize`.
const LEAST_AGREEMENT: f64 = 0.97;
const MOST_AP_LOSS: f64 = 0.01;

/// What is seen in each picture.
pub(super) type Seen = Vec<Vec<Detection>>;

/// Why nothing can be compared with what the reference sees: it sees nothing.
pub(super) fn nothing_to_compare(manifest: &Manifest, reference: &[Vec<Detection>]) -> Option<String> {
    let counted = |seen: &Vec<Detection>| seen.iter().any(|one| one.confidence >= floor(manifest, seen));
    let is_nothing = !reference.iter().any(counted);
    is_nothing.then(|| "the float model sees nothing in the pictures that are compared: add a `[canary]`".to_owned())
}

/// Why a float engine computes something else than the reference.
pub(super) fn float_mismatch(
    manifest: &Manifest,
    reference: &[Vec<Detection>],
    seen: &[Vec<Detection>],
) -> Option<String> {
    let pairs = reference.iter().zip(seen);
    pairs.enumerate().find_map(|(number, (reference, seen))| {
        let floor = floor(manifest, reference).max(floor(manifest, seen));
        let lacking = without_partner(reference, seen, floor).map(|one| ("does not have", one));
        let found = lacking.or_else(|| without_partner(seen, reference, floor).map(|one| ("has instead", one)));
        let (what, Detection { class, confidence, .. }) = found?;
        Some(format!("it answers wrongly: in picture {number} it {what} a box of class {} at {confidence:.3}", class.0))
    })
}

/// Why an engine with the 8-bit model is below the bars.
pub(super) fn int8_mismatch(
    manifest: &Manifest,
    reference: &[Vec<Detection>],
    seen: &[Vec<Detection>],
) -> Option<String> {
    if !manifest.output.has_boxes() {
        return Some("only detectors are judged in 8 bits".to_owned());
    }
    let judged = manifest.model.int8.as_ref().and_then(|int8| int8.judged);
    let (least_agreement, most_ap_loss) =
        judged.map_or((LEAST_AGREEMENT, MOST_AP_LOSS), |judged| (judged.least_agreement, judged.most_ap_loss));
    let mut comparison = Comparison::new(manifest.thresholds.confidence);
    reference.iter().zip(seen).for_each(|(reference, seen)| comparison.add(reference, seen));
    let found = comparison.agreement();
    if found.boxes == 0 {
        return Some("neither model sees anything at its threshold: add a `[canary]`".to_owned());
    }
    let is_below = found.agreement < least_agreement || found.ap_loss > most_ap_loss;
    is_below.then(|| {
        format!(
            "it answers wrongly: agreement {:.3} with the float model (at least {least_agreement}), AP loss {:.3} (at most \
             {most_ap_loss})",
            found.agreement, found.ap_loss
        )
    })
}

/// The least confidence that needs a partner. A list that is full ends where another one may go on.
fn floor(manifest: &Manifest, seen: &[Detection]) -> f32 {
    let last = seen.last().filter(|_| seen.len() >= manifest.thresholds.max_detections);
    last.map_or(COUNTED_CONFIDENCE, |last| (last.confidence + MOST_SCORE).max(COUNTED_CONFIDENCE))
}

/// The first detection from `floor` on that has no like among `others`.
fn without_partner<'a>(detections: &'a [Detection], others: &[Detection], floor: f32) -> Option<&'a Detection> {
    let is_like = |one: &Detection, other: &Detection| {
        one.class == other.class
            && (one.confidence - other.confidence).abs() <= MOST_SCORE
            && match (&one.bounding_box, &other.bounding_box) {
                (Some(one), Some(other)) => one.iou(other) >= LEAST_IOU,
                (None, None) => true,
                _ => false,
            }
    };
    let mut counted = detections.iter().filter(|one| one.confidence >= floor);
    counted.find(|one| !others.iter().any(|other| is_like(one, other)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::detection::ClassIndex;
    use crate::vision::geometry::NormalizedBox;

    fn manifest() -> Manifest {
        Manifest::parse(include_str!("../../models/coco-ssd/manifest.toml"), "m".as_ref()).unwrap()
    }

    fn seen(class: u16, confidence: f32, left: f32) -> Detection {
        let bounding_box = Some(NormalizedBox { left, top: 0.1, width: 0.2, height: 0.2 });
        Detection { class: ClassIndex(class), confidence, bounding_box }
    }

    fn float(reference: &[Detection], other: &[Detection]) -> Option<String> {
        float_mismatch(&manifest(), &[vec![], reference.to_vec()], &[vec![], other.to_vec()])
    }

    #[test]
    fn a_float_engine_may_differ_by_rounding_and_by_no_more() {
        let truth = [seen(1, 0.9, 0.1), seen(2, 0.3, 0.5)];
        assert_eq!(float(&truth, &truth), None);
        assert_eq!(float(&truth, &[seen(1, 0.885, 0.102), seen(2, 0.3, 0.5)]), None);
        for other in [
            vec![],
            vec![truth[0]],
            vec![seen(1, 0.87, 0.1), truth[1]],
            vec![seen(1, 0.9, 0.12), truth[1]],
            vec![seen(3, 0.9, 0.1), truth[1]],
            vec![truth[0], truth[1], seen(1, 0.2, 0.7)],
        ] {
            assert!(float(&truth, &other).is_some_and(|why| why.contains("picture 1")), "{other:?}");
        }
        assert_eq!(float(&truth, &[truth[0], truth[1], seen(1, 0.04, 0.7)]), None, "its partner may be too weak");
    }

    #[test]
    fn a_full_list_ends_where_another_may_go_on() {
        let mut full: Vec<Detection> = Vec::new();
        while full.len() < manifest().thresholds.max_detections {
            full.push(seen(1, 0.5, full.len() as f32 / 1000.0));
        }
        let other: Vec<Detection> = full.iter().map(|one| Detection { class: ClassIndex(9), ..*one }).collect();
        assert_eq!(float(&full, &other), None, "each is as weak as what is left out");
    }

    #[test]
    fn a_comparison_with_nothing_is_none() {
        let manifest = manifest();
        assert!(nothing_to_compare(&manifest, &[vec![], vec![seen(1, 0.04, 0.1)]]).is_some());
        assert_eq!(nothing_to_compare(&manifest, &[vec![], vec![seen(1, 0.2, 0.1)]]), None);
    }

    #[test]
    fn the_model_in_8_bits_must_reach_the_bars_on_boxes_that_count() {
        let manifest = manifest();
        let int8 = |reference: &[Detection], other: &[Detection]| {
            int8_mismatch(&manifest, &[reference.to_vec()], &[other.to_vec()])
        };
        let truth = [seen(1, 0.9, 0.1), seen(2, 0.8, 0.5)];
        assert_eq!(int8(&truth, &[seen(1, 0.8, 0.11), seen(2, 0.9, 0.52)]), None);
        let why = int8(&truth, &truth[..1]).unwrap();
        assert!(why.contains("agreement 0.667 with the float model (at least 0.97), AP loss 0.500"), "{why}");
        let weak = [seen(1, 0.1, 0.1)];
        assert!(int8(&weak, &weak).unwrap().contains("sees anything at its threshold"));
    }
}
