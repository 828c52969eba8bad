//! From the frames of a stream to an init segment and fragments.

use crate::capture::annex_b::nal_units;
use crate::capture::fragments::decode_times::DecodeTimes;
use crate::capture::fragments::fragment::fragment;
use crate::capture::fragments::init_segment::init_segment;
use crate::capture::fragments::parameter_sets::{ParameterSets, VideoCodec};
use crate::capture::fragments::video_format::VideoFormat;

/// One whole frame, in the order of decoding.
#[derive(Clone, Copy, Debug)]
pub(in crate::capture) struct EncodedFrame<'a> {
    /// With start codes; a keyframe has the parameter sets in front.
    pub(in crate::capture) data: &'a [u8],
    /// True if decoding can begin with it.
    pub(in crate::capture) is_keyframe: bool,
    /// When it is shown, in microseconds on the timeline of its stream.
    pub(in crate::capture) media_us: u64,
    /// What its picture is.
    pub(in crate::capture) format: VideoFormat,
}

/// What a reader is given next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::capture) enum Piece {
    /// Comes before the first fragment, and when the parameter sets or the size have changed.
    Init {
        /// The codec's name as browsers take it.
        codec: String,
        /// `ftyp` and `moov`.
        bytes: Vec<u8>,
    },
    /// One frame.
    Fragment(Vec<u8>),
}

/// Writes one stream. Nothing comes before the first keyframe that has its parameter sets.
#[derive(Debug)]
pub(in crate::capture) struct FragmentWriter {
    codec: VideoCodec,
    written: Option<(ParameterSets, VideoFormat)>,
    times: DecodeTimes,
    sequence: u32,
}

impl FragmentWriter {
    pub(in crate::capture) fn new(codec: VideoCodec) -> Self {
        Self { codec, written: None, times: DecodeTimes::default(), sequence: 0 }
    }

    /// The pieces of the next frame: a fragment, and before it an init segment if it needs one.
    pub(in crate::capture) fn write(&mut self, frame: EncodedFrame<'_>) -> Vec<Piece> {
        let units = nal_units(frame.data);
        let mut pieces = Vec::with_capacity(2);
        if frame.is_keyframe {
            pieces.extend(self.renew(&units, frame.format));
        }
        if self.written.is_none() || units.is_empty() {
            return pieces;
        }
        self.sequence = self.sequence.wrapping_add(1);
        let times = self.times.next(frame.media_us);
        pieces.push(Piece::Fragment(fragment(self.sequence, times, frame.is_keyframe, &units)));
        pieces
    }

    /// The init segment, if this keyframe needs another than the one before.
    fn renew(&mut self, units: &[&[u8]], format: VideoFormat) -> Option<Piece> {
        // A keyframe without sets goes on with those that were there before.
        let sets = ParameterSets::among(self.codec, units)?;
        if self.written.as_ref().is_some_and(|(before, size)| *before == sets && *size == format) {
            return None;
        }
        let (codec, bytes) = sets.codec_name().zip(init_segment(&sets, format))?;
        self.written = Some((sets, format));
        Some(Piece::Init { codec, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: VideoFormat = VideoFormat { width: 640, height: 480, chroma: 1, bit_depth: 8 };
    const KEY: [u8; 17] = [0, 0, 1, 0x67, 77, 0, 30, 0, 0, 1, 0x68, 7, 0, 0, 1, 0x65, 9];
    const OTHER: [u8; 5] = [0, 0, 1, 0x41, 5];

    fn frame(data: &[u8], is_keyframe: bool, media_us: u64) -> EncodedFrame<'_> {
        EncodedFrame { data, is_keyframe, media_us, format: FORMAT }
    }

    fn kinds(pieces: &[Piece]) -> String {
        pieces.iter().map(|piece| if matches!(piece, Piece::Init { .. }) { 'i' } else { 'f' }).collect()
    }

    #[test]
    fn a_stream_begins_with_a_keyframe_and_its_init_segment() {
        let mut writer = FragmentWriter::new(VideoCodec::Avc);
        assert_eq!(kinds(&writer.write(frame(&OTHER, false, 0))), "");
        let first = writer.write(frame(&KEY, true, 40_000));
        assert_eq!(kinds(&first), "if");
        let Piece::Init { codec, bytes } = &first[0] else { panic!("{first:?}") };
        assert_eq!(codec, "avc3.4d001e");
        assert!(bytes.windows(4).any(|four| four == b"avc3") && bytes[4..8] == *b"ftyp");
        assert_eq!(kinds(&writer.write(frame(&OTHER, false, 80_000))), "f");
        assert_eq!(kinds(&writer.write(frame(&KEY, true, 120_000))), "f");
    }

    #[test]
    fn changed_sets_or_sizes_bring_a_new_init_segment() {
        let mut writer = FragmentWriter::new(VideoCodec::Avc);
        writer.write(frame(&KEY, true, 0));
        let mut changed = KEY;
        changed[6] = 31;
        assert_eq!(kinds(&writer.write(frame(&changed, true, 40_000))), "if");
        let smaller = EncodedFrame { format: VideoFormat { width: 320, ..FORMAT }, ..frame(&changed, true, 80_000) };
        assert_eq!(kinds(&writer.write(smaller)), "if");
        // One that has its sets twice goes on too.
        let twice = [&changed[..12], &changed[..]].concat();
        assert_eq!(kinds(&writer.write(EncodedFrame { data: &twice, ..smaller })), "f");
        // One that lost its sets goes on.
        let bare = [0, 0, 1, 0x65, 9];
        assert_eq!(kinds(&writer.write(EncodedFrame { data: &bare, ..smaller })), "f");
    }
}
