//! What a stream says of itself: its parameter sets, and what follows from them for a reader.

use crate::capture::annex_b::payload_start;
use crate::capture::fragments::boxes::BoxWriter;
use crate::capture::fragments::video_format::VideoFormat;

/// A codec whose frames can be written as fragments.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::capture) enum VideoCodec {
    /// H.264.
    Avc,
    /// H.265.
    Hevc,
}

/// Parameter sets of a kind are rarely more than one; a stream of thousands is an attack.
const MOST_SETS: usize = 16;

/// The profile, tier and level of H.265 lie here in a parameter set, behind its header of two bytes and one more.
const PROFILE_AT: usize = 3;
const PROFILE_BYTES: usize = 12;

/// The parameter sets of a stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct ParameterSets {
    codec: VideoCodec,
    /// Of H.265 only.
    video: Vec<Vec<u8>>,
    sequence: Vec<Vec<u8>>,
    picture: Vec<Vec<u8>>,
}

/// The kinds of NAL units that matter here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum NalKind {
    VideoSet,
    SequenceSet,
    PictureSet,
    Other,
}

impl VideoCodec {
    /// The sample entry whose parameter sets lie in the frames, and its configuration record.
    pub(super) fn box_names(self) -> (&'static [u8; 4], &'static [u8; 4]) {
        match self {
            Self::Avc => (b"avc3", b"avcC"),
            Self::Hevc => (b"hev1", b"hvcC"),
        }
    }

    fn kind(self, unit: &[u8]) -> NalKind {
        let first = unit.first().copied().unwrap_or_default();
        match (self, if self == Self::Avc { first & 0x1f } else { first >> 1 & 0x3f }) {
            (Self::Hevc, 32) => NalKind::VideoSet,
            (Self::Avc, 7) | (Self::Hevc, 33) => NalKind::SequenceSet,
            (Self::Avc, 8) | (Self::Hevc, 34) => NalKind::PictureSet,
            _ => NalKind::Other,
        }
    }
}

impl ParameterSets {
    /// Those among the NAL units of a frame. `None` if it has no sequence and picture parameter set.
    pub(super) fn among(codec: VideoCodec, units: &[&[u8]]) -> Option<Self> {
        let of = |kind| {
            let sets = units.iter().filter(|unit| codec.kind(unit) == kind && unit.len() <= usize::from(u16::MAX));
            // The first frame of a stream often has one twice: from its description too.
            let mut different: Vec<Vec<u8>> = Vec::new();
            for set in sets.take(MOST_SETS) {
                if !different.iter().any(|other| other == set) {
                    different.push(set.to_vec());
                }
            }
            different
        };
        let (video, sequence) = (of(NalKind::VideoSet), of(NalKind::SequenceSet));
        let sets = Self { codec, video, sequence, picture: of(NalKind::PictureSet) };
        (!sets.sequence.is_empty() && !sets.picture.is_empty()).then_some(sets)
    }

    pub(super) fn codec(&self) -> VideoCodec {
        self.codec
    }

    /// The name of the codec as browsers take it (RFC 6381): `avc3.64001f`, `hev1.1.6.L93.B0`.
    pub(super) fn codec_name(&self) -> Option<String> {
        let first = self.sequence.first()?;
        match self.codec {
            VideoCodec::Avc => {
                let [profile, constraints, level] = first.get(1..4)?.try_into().ok()?;
                Some(format!("avc3.{profile:02x}{constraints:02x}{level:02x}"))
            }
            VideoCodec::Hevc => {
                let profile = profile_of(first)?;
                let space = ["", "A", "B", "C"][usize::from(profile[0] >> 6)];
                let tier = if profile[0] >> 5 & 1 == 0 { 'L' } else { 'H' };
                let flags = u32::from_be_bytes([profile[1], profile[2], profile[3], profile[4]]).reverse_bits();
                let used = profile[5..11].iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                let constraints: String = profile[5..5 + used].iter().map(|byte| format!(".{byte:X}")).collect();
                Some(format!("hev1.{space}{}.{flags:X}.{tier}{}{constraints}", profile[0] & 0x1f, profile[11]))
            }
        }
    }

    /// The content of `avcC` or `hvcC` (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1).
    pub(super) fn configuration_record(&self, format: VideoFormat) -> Option<Vec<u8>> {
        let mut out = BoxWriter::default();
        let first = self.sequence.first()?;
        // Reserved bits are ones.
        let depth = 0xf8 | format.bit_depth.saturating_sub(8).min(7);
        let chroma = 0xfc | format.chroma & 3;
        match self.codec {
            VideoCodec::Avc => {
                let profile = first.get(1..4)?;
                out.u8(1);
                out.bytes(profile);
                // Lengths of four bytes.
                out.u8(0xff);
                out.u8(0xe0 | count(&self.sequence));
                write_sets(&mut out, &self.sequence);
                out.u8(count(&self.picture));
                write_sets(&mut out, &self.picture);
                if !matches!(profile[0], 66 | 77 | 88) {
                    out.bytes(&[chroma, depth, depth, 0]);
                }
            }
            VideoCodec::Hevc => {
                out.u8(1);
                out.bytes(&profile_of(first)?);
                out.bytes(&[0xf0, 0, 0xfc, chroma, depth, depth]);
                out.u16(0);
                // One temporal layer, and lengths of four bytes.
                out.u8(1 << 3 | 3);
                let kinds = [(32, &self.video), (33, &self.sequence), (34, &self.picture)];
                let kinds: Vec<_> = kinds.into_iter().filter(|(_, sets)| !sets.is_empty()).collect();
                out.u8(u8::try_from(kinds.len()).unwrap_or(0));
                for (kind, sets) in kinds {
                    out.u8(kind);
                    out.u16(u16::from(count(sets)));
                    write_sets(&mut out, sets);
                }
            }
        }
        Some(out.into_bytes())
    }
}

/// Profile, tier, compatibility, constraints and level of H.265, as they lie in the parameter set and in `hvcC`.
fn profile_of(sequence_set: &[u8]) -> Option<[u8; PROFILE_BYTES]> {
    let start = payload_start(sequence_set, PROFILE_AT + PROFILE_BYTES);
    start.get(PROFILE_AT..)?.try_into().ok()
}

fn count(sets: &[Vec<u8>]) -> u8 {
    u8::try_from(sets.len()).unwrap_or(u8::MAX)
}

fn write_sets(out: &mut BoxWriter, sets: &[Vec<u8>]) {
    for set in sets {
        out.u16(u16::try_from(set.len()).unwrap_or(u16::MAX));
        out.bytes(set);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: VideoFormat = VideoFormat { width: 640, height: 480, chroma: 1, bit_depth: 8 };

    #[test]
    fn the_names_are_those_that_browsers_know() {
        let avc = ParameterSets::among(VideoCodec::Avc, &[&[0x67, 0x64, 0, 0x1f, 9], &[0x68, 1], &[0x65, 1]]).unwrap();
        assert_eq!(avc.codec_name().unwrap(), "avc3.64001f");
        // As x265 writes it: main profile, level 3.1, with bytes against start codes.
        let sps = [0x42, 1, 1, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 0x5d, 0xa0];
        let hevc = ParameterSets::among(VideoCodec::Hevc, &[&[0x40, 1, 2], &sps, &[0x44, 1, 3]]).unwrap();
        assert_eq!(hevc.codec_name().unwrap(), "hev1.1.6.L93.90");
        let record = hevc.configuration_record(FORMAT).unwrap();
        assert_eq!(record[..13], [1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 0x5d]);
        assert_eq!(record[21..27], [0x0b, 3, 32, 0, 1, 0]);
    }

    #[test]
    fn the_record_of_h264_has_its_sets_and_for_high_profiles_what_its_pictures_are() {
        let record = |profile| {
            let sets = ParameterSets::among(VideoCodec::Avc, &[&[0x67, profile, 0, 30], &[0x68, 7]]).unwrap();
            sets.configuration_record(FORMAT).unwrap()
        };
        let main = [1, 77, 0, 30, 0xff, 0xe1, 0, 4, 0x67, 77, 0, 30, 1, 0, 2, 0x68, 7];
        assert_eq!(record(77), main);
        assert_eq!(record(100)[main.len()..], [0xfd, 0xf8, 0xf8, 0]);
    }

    #[test]
    fn sets_that_are_missing_or_cut_off_make_no_record() {
        assert_eq!(ParameterSets::among(VideoCodec::Avc, &[&[0x65, 1], &[0x68, 1]]), None);
        let cut = ParameterSets::among(VideoCodec::Avc, &[&[0x67, 1], &[0x68, 1]]).unwrap();
        assert_eq!((cut.codec_name(), cut.configuration_record(FORMAT)), (None, None));
        let cut = ParameterSets::among(VideoCodec::Hevc, &[&[0x42, 1, 1, 1], &[0x44, 1]]).unwrap();
        assert_eq!((cut.codec_name(), cut.configuration_record(FORMAT)), (None, None));
    }
}
