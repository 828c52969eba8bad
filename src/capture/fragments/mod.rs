//! Encoded frames as fragmented MP4 (ISO/IEC 14496-12, -15), as Media Source Extensions play it: one fragment a frame, so
//! that a frame waits for no other one.
//!
//! Written by hand: `mp4mux` of GStreamer 1.22 cuts fragments at keyframes only, and `mp4-atom` knows no `avc3`. With `avc3` and
//! `hev1` parameter sets stay in the frames, where a camera may change them; a new init segment follows when it does.
//!
//! Knows neither GStreamer nor who reads the bytes.

mod boxes;
mod decode_times;
mod fragment;
mod init_segment;
mod parameter_sets;
mod video_format;
mod writer;

pub(in crate::capture) use self::decode_times::LEAD_US;
pub(in crate::capture) use self::parameter_sets::VideoCodec;
pub(in crate::capture) use self::video_format::VideoFormat;
pub(in crate::capture) use self::writer::{EncodedFrame, FragmentWriter, Piece};

/// The ticks of a second on all timelines here: microseconds, as browsers count them.
const TIMESCALE: u32 = 1_000_000;
