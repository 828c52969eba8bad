//! How coarsely an encoder stores a frame, and what the frame would take at a fixed coarseness.
//!
//! Where the bit rate is constant, the encoder gives a frame of a moving scene as many bytes as any other, and stores it more
//! coarsely. The step of the quantiser doubles with each six of QP (ITU-T H.264, clause 8.5.9), and bytes fall about as it
//! grows, so bytes times 2^(QP/6) tell what the bytes alone do not.

use crate::capture::annex_b::{after_start_code, first_unit};
use h264_reader::Context;
use h264_reader::nal::pps::PicParameterSet;
use h264_reader::nal::slice::SliceHeader;
use h264_reader::nal::sps::SeqParameterSet;
use h264_reader::nal::{Nal, NalHeader, RefNal, UnitType};

/// A frame is weighed as if it had this QP: the middle of the range of 8 bit streams.
const USUAL_QP: i32 = 26;

/// So much of a slice is read: far more than its header has, up to its QP.
const SLICE_HEADER_BYTES: usize = 256;

/// The parameter sets of an H.264 stream.
#[derive(Debug, Default)]
pub(super) struct Quantiser {
    parameter_sets: Context,
}

impl Quantiser {
    /// The bytes that an H.264 frame with start codes would have at QP 26, and its own bytes if its QP cannot be read.
    /// Parameter sets in front of it are taken in.
    pub(super) fn weigh(&mut self, unit: &[u8]) -> f32 {
        let steps = self.qp(unit).map_or(0, |qp| qp - USUAL_QP);
        unit.len() as f32 * (steps as f32 / 6.0).exp2()
    }

    /// The QP of the first slice (clause 7.4.3); encoders vary it little within a frame. What follows its header is not read.
    fn qp(&mut self, unit: &[u8]) -> Option<i32> {
        let mut rest = after_start_code(unit)?;
        loop {
            match NalHeader::new(*rest.first()?).ok()?.nal_unit_type() {
                UnitType::SliceLayerWithoutPartitioningNonIdr | UnitType::SliceLayerWithoutPartitioningIdr => {
                    return self.qp_of_slice(&rest[..rest.len().min(SLICE_HEADER_BYTES)]);
                }
                UnitType::SeqParameterSet => {
                    if let Ok(set) = SeqParameterSet::from_bits(RefNal::new(first_unit(rest).0, &[], true).rbsp_bits())
                    {
                        self.parameter_sets.put_seq_param_set(set);
                    }
                }
                UnitType::PicParameterSet => {
                    let nal = RefNal::new(first_unit(rest).0, &[], true);
                    if let Ok(set) = PicParameterSet::from_bits(&self.parameter_sets, nal.rbsp_bits()) {
                        self.parameter_sets.put_pic_param_set(set);
                    }
                }
                _ => {}
            }
            rest = after_start_code(rest)?;
        }
    }

    fn qp_of_slice(&self, slice: &[u8]) -> Option<i32> {
        let nal = RefNal::new(slice, &[], false);
        let (header, _, set) =
            SliceHeader::from_bits(&self.parameter_sets, &mut nal.rbsp_bits(), nal.header().ok()?, None).ok()?;
        26_i32.checked_add(set.pic_init_qp_minus26)?.checked_add(header.slice_qp_delta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_the_bytes_are_nothing_panics_and_the_weight_is_a_number(
            nals in proptest::collection::vec((0_u8..=255, proptest::collection::vec(any::<u8>(), 0..60)), 0..6)
        ) {
            let mut quantiser = Quantiser::default();
            for (header, bytes) in nals {
                let unit = [&[0, 0, 0, 1, header][..], &bytes].concat();
                let weight = quantiser.weigh(&unit);
                prop_assert!(weight.is_finite() && weight >= 0.0);
            }
        }
    }
}
