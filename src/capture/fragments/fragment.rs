//! One frame as a fragment: `moof` and `mdat`.

use crate::capture::fragments::boxes::BoxWriter;
use crate::capture::fragments::decode_times::FrameTimes;

/// Sample flags (ISO/IEC 14496-12, 8.8.3.1): depends on no other frame; depends on others and is no sync sample.
const KEYFRAME: u32 = 0x0200_0000;
const OTHER: u32 = 0x0101_0000;

/// What is beside the NAL units of a fragment, at most.
const OVERHEAD_BYTES: usize = 128;

/// The fragment of a frame of these NAL units. `sequence` counts the fragments of a stream from 1.
pub(super) fn fragment(sequence: u32, times: FrameTimes, is_keyframe: bool, nal_units: &[&[u8]]) -> Vec<u8> {
    let sample_bytes: usize = nal_units.iter().map(|unit| 4 + unit.len()).sum();
    let mut out = BoxWriter::with_capacity(OVERHEAD_BYTES + sample_bytes);
    let mut data_offset_at = 0;
    out.boxed(b"moof", |out| {
        out.full(b"mfhd", (0, 0), |out| out.u32(sequence));
        out.boxed(b"traf", |out| {
            // Offsets count from the `moof`.
            out.full(b"tfhd", (0, 0x02_0000), |out| out.u32(1));
            out.full(b"tfdt", (1, 0), |out| out.u64(times.decode_us));
            // With data offset, duration, size, flags and composition offset; version 1: the last is signed.
            out.full(b"trun", (1, 0xf01), |out| {
                out.u32(1);
                data_offset_at = out.place();
                out.u32(0);
                out.u32(u32::try_from(times.duration_us).unwrap_or(u32::MAX));
                out.u32(u32::try_from(sample_bytes).unwrap_or(u32::MAX));
                out.u32(if is_keyframe { KEYFRAME } else { OTHER });
                out.i32(i32::try_from(times.show_us.saturating_sub(times.decode_us)).unwrap_or(i32::MAX));
            });
        });
    });
    out.set_u32(data_offset_at, out.place() + 8);
    out.boxed(b"mdat", |out| {
        for unit in nal_units {
            out.u32(u32::try_from(unit.len()).unwrap_or(u32::MAX));
            out.bytes(unit);
        }
    });
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_lies_where_the_fragment_says_and_has_its_times() {
        let times = FrameTimes { decode_us: 0x1_0000_0002, show_us: 0x1_0000_0102, duration_us: 40_000 };
        let made = fragment(7, times, true, &[&[0x67, 1], &[0x65, 2, 3]]);
        let word = |place: usize| u32::from_be_bytes(made[place..place + 4].try_into().unwrap());
        let at = |name: &[u8]| made.windows(4).position(|four| four == name).unwrap();
        let (trun, tfdt) = (at(b"trun") + 8, at(b"tfdt") + 8);
        assert_eq!((word(tfdt), word(tfdt + 4)), (1, 2));
        let offset = word(trun + 4) as usize;
        assert_eq!((word(trun), word(trun + 8), word(trun + 16), word(trun + 20)), (1, 40_000, KEYFRAME, 0x100));
        assert_eq!(word(trun + 12) as usize, made.len() - offset);
        assert_eq!(made[offset..], [0, 0, 0, 2, 0x67, 1, 0, 0, 0, 3, 0x65, 2, 3]);
        assert!(offset <= OVERHEAD_BYTES && offset == at(b"mdat") + 4);
        assert_eq!(word(0) as usize, at(b"mdat") - 4);
    }
}
