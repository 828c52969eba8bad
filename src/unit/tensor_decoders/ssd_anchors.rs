//! SSD with its anchors as an output: offsets and anchors `[1,N,4]`, scores `[1,N,C]`.
//!
//! Sources: for centres, `FasterRcnnBoxCoder` of the TensorFlow Object Detection API with scales 10, 10, 5, 5; for
//! corners, the object detection post-processing of ST's model zoo.

use super::candidates::{Candidates, around};
use super::ssd::{each_class, left_first};
use super::tensor::{Tensor, TensorError, all_finite};
use crate::model::output_layout::{AnchorEncoding, Corners};

pub(super) fn decode(
    [offsets, anchors, scores]: [Tensor<'_>; 3],
    (encoding, corners, background): (AnchorEncoding, Corners, bool),
    found: &mut Candidates<'_>,
) -> Result<(), TensorError> {
    let [_, places, _] = anchors.expect([Some(1), None, Some(4)])?;
    offsets.expect([Some(1), Some(places), Some(4)])?;
    let (offsets, anchors) = (offsets.values.as_chunks::<4>().0, anchors.values.as_chunks::<4>().0);
    each_class(scores, places, background, found, |found, place, class, score| {
        let (offset, anchor) = (left_first(offsets[place], corners), left_first(anchors[place], corners));
        all_finite(&offset)?;
        found.push_ratios(class, score, moved(anchor, offset, encoding))
    })
}

fn moved([left, top, right, bottom]: [f32; 4], [a, b, c, d]: [f32; 4], encoding: AnchorEncoding) -> [f32; 4] {
    let (width, height) = (right - left, bottom - top);
    match encoding {
        AnchorEncoding::Corners => [left + a * width, top + b * height, right + c * width, bottom + d * height],
        AnchorEncoding::Centers => {
            let (center_x, center_y) = (left + width / 2.0, top + height / 2.0);
            around(
                center_x + a / 10.0 * width,
                center_y + b / 10.0 * height,
                (c / 5.0).exp() * width,
                (d / 5.0).exp() * height,
            )
        }
    }
}
