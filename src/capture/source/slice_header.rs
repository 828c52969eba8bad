//! What the first bits of a slice say of the picture that it belongs to. Clauses are those of ITU-T H.264 (08/2021) and
//! H.265 (08/2021).

use crate::capture::annex_b::after_start_code;
use crate::capture::decoder_choice::Codec;

/// What begins with an access unit, with `frame_num`, which all slices of a frame share, where it can be read (H.264).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Begins {
    /// A picture: a frame, or one field of it.
    Picture(Option<u32>, Option<Field>),
    /// A later slice of the picture before.
    LaterSlice(Option<u32>),
}

/// A field that is coded by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Field {
    is_bottom: bool,
    frame_number: u32,
}

impl Field {
    /// True if this one is the other half of the frame that `first` has begun (clauses 3.30 and 3.31).
    pub(super) fn completes(self, first: Self) -> bool {
        self.is_bottom != first.is_bottom && self.frame_number == first.frame_number
    }
}

/// What the sequence parameter set says of slice headers. A stream with several sets that differ in this has none: the
/// newest one is taken for all.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct SliceRules {
    frame_number_bits: u32,
    has_colour_planes: bool,
    may_have_fields: bool,
}

impl SliceRules {
    /// What begins with a unit that has start codes, and where its first slice does; `None` if there is no slice in it.
    /// Parameter sets in front of the slice are taken in.
    pub(super) fn read(&mut self, codec: Codec, unit: &[u8]) -> Option<(Begins, usize)> {
        let mut rest = unit;
        loop {
            rest = match codec {
                Codec::Mjpeg => return Some((Begins::Picture(None, None), 0)),
                Codec::H264 | Codec::H265 => after_start_code(rest)?,
            };
            let start_code = unit.len() - rest.len() - 3;
            let (header, content) = rest.split_first()?;
            match codec {
                // Table 7-1: 1 to 5 are slices, and 3 and 4 parts of one whose header is in 2.
                Codec::H264 => match header & 0x1f {
                    1 | 2 | 5 => return Some((self.read_slice(Bits::new(content)), start_code)),
                    3 | 4 => return Some((Begins::LaterSlice(None), start_code)),
                    7 => *self = read_sequence(Bits::new(content)).unwrap_or_default(),
                    _ => {}
                },
                // Table 7-1: below 32 are slices. Clause 7.3.6.1: `first_slice_segment_in_pic_flag` comes first, behind a
                // header of two bytes.
                _ if header >> 1 & 0x3f < 32 => {
                    let is_first = content.get(1).is_none_or(|byte| byte & 0x80 != 0);
                    let begins = if is_first { Begins::Picture(None, None) } else { Begins::LaterSlice(None) };
                    return Some((begins, start_code));
                }
                _ => {}
            }
        }
    }

    /// Clause 7.3.3. What cannot be read is taken for a frame.
    fn read_slice(self, mut bits: Bits<'_>) -> Begins {
        let is_later = bits.number().is_some_and(|first_macroblock| first_macroblock > 0);
        let number = self.read_number(&mut bits);
        if is_later {
            return Begins::LaterSlice(number);
        }
        let field = number.filter(|_| self.may_have_fields && bits.take(1) == Some(1));
        let field =
            field.zip(bits.take(1)).map(|(frame_number, bottom)| Field { is_bottom: bottom == 1, frame_number });
        Begins::Picture(number, field)
    }

    /// `frame_num`, which is behind `first_mb_in_slice`; `None` as long as its length is unknown.
    fn read_number(self, bits: &mut Bits<'_>) -> Option<u32> {
        let _slice_type = bits.number()?;
        let _picture_set = bits.number()?;
        if self.has_colour_planes {
            bits.take(2)?;
        }
        bits.take(self.frame_number_bits).filter(|_| self.frame_number_bits > 0)
    }
}

/// Profiles whose sequence parameter set says more of its samples (clause 7.3.2.1.1).
const HIGH_PROFILES: [u32; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// Clause 7.3.2.1.1, as far as to `frame_mbs_only_flag`.
fn read_sequence(mut bits: Bits<'_>) -> Option<SliceRules> {
    let profile = bits.take(8)?;
    bits.take(16)?;
    let _id = bits.number()?;
    let mut has_colour_planes = false;
    if HIGH_PROFILES.contains(&profile) {
        let chroma = bits.number()?;
        has_colour_planes = chroma == 3 && bits.take(1)? == 1;
        let _depths = (bits.number()?, bits.number()?);
        bits.take(1)?;
        if bits.take(1)? == 1 {
            for list in 0..if chroma == 3 { 12 } else { 8 } {
                if bits.take(1)? == 1 {
                    skip_scaling_list(&mut bits, if list < 6 { 16 } else { 64 })?;
                }
            }
        }
    }
    let frame_number_bits = bits.number().filter(|bits| *bits <= 12)? + 4;
    match bits.number()? {
        0 => drop(bits.number()?),
        1 => {
            bits.take(1)?;
            let _offsets = (bits.number()?, bits.number()?);
            for _ in 0..bits.number().filter(|count| *count < 256)? {
                bits.number()?;
            }
        }
        _ => {}
    }
    let _references = bits.number()?;
    bits.take(1)?;
    let _size = (bits.number()?, bits.number()?);
    Some(SliceRules { frame_number_bits, has_colour_planes, may_have_fields: bits.take(1)? == 0 })
}

/// Clause 7.3.2.1.1.1.
fn skip_scaling_list(bits: &mut Bits<'_>, size: usize) -> Option<()> {
    let (mut last, mut next) = (8_i64, 8_i64);
    for _ in 0..size {
        if next != 0 {
            let code = i64::from(bits.number()?);
            // Clause 9.1.1: odd codes are positive.
            let delta = if code % 2 == 1 { code / 2 + 1 } else { -(code / 2) };
            next = (last + delta).rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Some(())
}

/// The bits of a NAL unit, without the bytes that keep start codes out of it (clause 7.4.1.1).
struct Bits<'a> {
    bytes: &'a [u8],
    zeros: usize,
    byte: u8,
    left: u32,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, zeros: 0, byte: 0, left: 0 }
    }

    /// So many bits, 32 at most.
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            if self.left == 0 {
                self.byte = self.next_byte()?;
                self.left = 8;
            }
            self.left -= 1;
            value = value << 1 | u32::from(self.byte >> self.left & 1);
        }
        Some(value)
    }

    /// An unsigned exp-Golomb code (clause 9.1).
    fn number(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.take(zeros)?)
    }

    fn next_byte(&mut self) -> Option<u8> {
        let mut byte = self.bytes.split_off_first()?;
        if self.zeros >= 2 && *byte == 3 {
            self.zeros = 0;
            byte = self.bytes.split_off_first()?;
        }
        self.zeros = if *byte == 0 { self.zeros + 1 } else { 0 };
        Some(*byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits as text, blanks left out, behind a start code and a header.
    fn nal(header: &[u8], bits: &str) -> Vec<u8> {
        let digits: Vec<u8> = bits.bytes().filter(|digit| *digit != b' ').map(|digit| digit - b'0').collect();
        let mut bytes = [&[0, 0, 1], header].concat();
        bytes.extend(
            digits.chunks(8).map(|chunk| chunk.iter().fold(0, |byte, bit| byte << 1 | bit) << (8 - chunk.len())),
        );
        bytes
    }

    /// Main profile, 4 bits of `frame_num`, order 0, one reference, 16 x 32, fields if `fields`.
    fn sequence(fields: bool) -> Vec<u8> {
        let only_frames = if fields { "0" } else { "1" };
        nal(&[0x67], &format!("01001101 00000000 00011110 1 1 1 1 010 0 1 1 {only_frames} 0 1 0 0 1"))
    }

    fn read(rules: &mut SliceRules, nals: &[Vec<u8>]) -> Option<Begins> {
        rules.read(Codec::H264, &nals.concat()).map(|(begins, _)| begins)
    }

    #[test]
    fn the_first_slice_of_a_picture_is_told_from_later_ones_in_both_codecs() {
        for (codec, header, bits, expected) in [
            (Codec::H264, &[0x65][..], "1 011 1", Some(Begins::Picture(None, None))),
            (Codec::H264, &[0x41], "00101 1 1", Some(Begins::LaterSlice(None))),
            (Codec::H264, &[0x09], "1", None),
            (Codec::H264, &[0x68], "1", None),
            (Codec::H265, &[0x26, 1], "1", Some(Begins::Picture(None, None))),
            (Codec::H265, &[0x02, 1], "0", Some(Begins::LaterSlice(None))),
            (Codec::H265, &[0x40, 1], "0", None),
            (Codec::H265, &[0x4e, 1], "1", None),
            (Codec::Mjpeg, &[0], "0", Some(Begins::Picture(None, None))),
        ] {
            assert_eq!(
                SliceRules::default().read(codec, &nal(header, bits)),
                expected.map(|it| (it, 0)),
                "{codec:?} {header:?}"
            );
        }
    }

    #[test]
    fn fields_are_found_where_the_sequence_allows_them_and_two_of_a_frame_belong_together() {
        let field = |number: &str, bottom: &str| nal(&[0x41], &format!("1 1 1 {number} 1 {bottom} 111"));
        let mut rules = SliceRules::default();
        let mut of = |nals: &[Vec<u8>]| match read(&mut rules, nals) {
            Some(Begins::Picture(_, field)) => field,
            other => panic!("{other:?}"),
        };
        let top = of(&[sequence(true), field("0101", "0")]).unwrap();
        let bottom = of(&[field("0101", "1")]).unwrap();
        assert!(bottom.completes(top) && top.completes(bottom) && !top.completes(top));
        assert!(!of(&[field("0110", "1")]).unwrap().completes(top), "it belongs to another frame");
        assert_eq!(of(&[nal(&[0x41], "1 1 1 0101 0 1111")]), None, "a frame among fields");
        assert_eq!(of(&[sequence(false), field("0101", "1")]), None, "no fields in this sequence");
        let later = read(&mut rules, &[nal(&[0x41], "010 1 1 0101 1 1")]);
        assert_eq!(later, Some(Begins::LaterSlice(Some(5))));
    }

    #[test]
    fn a_sequence_of_a_high_profile_is_read_to_its_end_through_scaling_lists() {
        // 4:4:4 with colour planes, twelve lists of which the first and the last are there: 16 deltas of 0, and one that ends it.
        let lists = format!("1 {} {} 1 000010001 ", "1".repeat(16), "0".repeat(10));
        let text = format!("11110100 {} 1 00100 1 1 1 0 1 {lists} 1 010 1 1 1 011 1 010 1 0 1 1 0", "0".repeat(16));
        let rules = read_sequence(Bits::new(&nal(&[], &text)[3..]));
        let expected = SliceRules { frame_number_bits: 4, has_colour_planes: true, may_have_fields: true };
        assert_eq!(rules, Some(expected));
    }

    #[test]
    fn whatever_the_bytes_are_nothing_panics_and_bytes_against_start_codes_are_left_out() {
        let mut bits = Bits::new(&[0, 0, 3, 1, 0, 0, 3]);
        assert_eq!((bits.take(24), bits.take(16), bits.take(1)), (Some(1), Some(0), None));
        assert_eq!(Bits::new(&[0; 40]).number(), None);
        let mut state = 7_u32;
        for _ in 0..20_000 {
            let bytes: Vec<u8> = (0..24)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    state.to_be_bytes()[0]
                })
                .collect();
            let mut rules = SliceRules::default();
            for header in [0x67, 0x41, 0x65] {
                rules.read(Codec::H264, &[&[0, 0, 1, header][..], &bytes].concat());
            }
        }
    }
}
