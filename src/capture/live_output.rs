//! The received video of one connection as fragments, while somebody watches it or a clip of it is made; with what a viewer who
//! comes is given at once, and what a clip has before its event.

use crate::capture::decoder_choice::Codec;
use crate::capture::fragments::{EncodedFrame, FragmentWriter, LEAD_US, Piece, VideoCodec, VideoFormat};
use crate::capture::live_pipe::LivePipe;
use crate::capture::lock::lock;
use crate::capture::recent_groups::{GroupUnit, Kept, RecentGroups};
use crate::ipc::live_packets::{LiveHead, LivePacket};
use gstreamer as gst;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

/// Takes in what is received, decoded or not.
#[derive(Debug)]
pub(super) struct LiveOutput(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    codec: Option<Codec>,
    recent: RecentGroups<gst::Sample>,
    /// It was said that clips begin too late.
    is_told: bool,
    /// `None` while nobody watches.
    shown: Option<Shown>,
    /// `None` while no clip is made.
    recorded: Option<Shown>,
}

#[derive(Debug)]
struct Shown {
    pipe: LivePipe,
    /// `None` until the codec is known, and of a codec that is not played.
    writer: Option<FragmentWriter>,
    timeline: Timeline,
}

/// Where the frames of a pipe lie.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Timeline {
    /// On that of the live video.
    Live,
    /// From the beginning of a file on, which is set by its first frame.
    OfFile { first_us: Option<u64> },
}

impl LiveOutput {
    /// `kept`: of what was received, for those who come later.
    pub(super) fn new(kept: Kept) -> Self {
        let recent = RecentGroups::new(kept);
        Self(Mutex::new(Inner { codec: None, recent, is_told: false, shown: None, recorded: None }))
    }

    /// The units that follow are of this codec.
    pub(super) fn begin(&self, codec: Codec) {
        let mut inner = lock(&self.0);
        let Inner { recent, shown, recorded, .. } = &mut *inner;
        recent.clear();
        shown.iter_mut().chain(recorded).for_each(|shown| shown.begin(codec));
        inner.codec = Some(codec);
    }

    /// Writes what is received into this pipe, from the newest keyframe on.
    pub(super) fn show(&self, pipe: OwnedFd) {
        let mut inner = lock(&self.0);
        let started = Shown::start(LivePipe::start(pipe), Timeline::Live, inner.codec, inner.recent.newest());
        inner.shown = started.or(inner.shown.take());
    }

    /// Writes what is received into this pipe, and before it what is kept for clips.
    pub(super) fn record(&self, pipe: OwnedFd) {
        let mut inner = lock(&self.0);
        if inner.recent.is_cut() && !std::mem::replace(&mut inner.is_told, true) {
            tracing::warn!("clips begin later than `clips.before_seconds` says: the camera's stream is too large");
        }
        let timeline = Timeline::OfFile { first_us: None };
        let pipe = LivePipe::start_for_clip(pipe);
        inner.recorded = Shown::start(pipe, timeline, inner.codec, inner.recent.units());
    }

    /// Takes in the next unit.
    pub(super) fn take_in(&self, unit: &gst::Sample, is_keyframe: bool, media_us: u64) {
        let mut inner = lock(&self.0);
        let Inner { codec, recent, shown, recorded, .. } = &mut *inner;
        for place in [&mut *shown, &mut *recorded] {
            drop(place.take_if(|shown| shown.pipe.is_closed()));
        }
        // Of what is not played no group is needed.
        if codec.and_then(video_codec).is_none() {
            return;
        }
        let bytes = unit.buffer().map_or(0, gst::BufferRef::size);
        recent.push(GroupUnit { is_keyframe, media_us, data: unit.clone() }, bytes);
        for shown in [shown, recorded].into_iter().flatten() {
            shown.write(unit, is_keyframe, media_us);
        }
    }
}

impl Shown {
    /// Writes what was there before. `None` without a thread.
    fn start<'a>(
        pipe: std::io::Result<LivePipe>,
        timeline: Timeline,
        codec: Option<Codec>,
        before: impl Iterator<Item = &'a GroupUnit<gst::Sample>>,
    ) -> Option<Self> {
        let pipe = pipe.inspect_err(|error| tracing::warn!(%error, "no thread for live video")).ok()?;
        let mut shown = Self { pipe, writer: None, timeline };
        if let Some(codec) = codec {
            shown.begin(codec);
        }
        before.for_each(|unit| shown.write(&unit.data, unit.is_keyframe, unit.media_us));
        Some(shown)
    }

    fn begin(&mut self, codec: Codec) {
        self.writer = video_codec(codec).map(FragmentWriter::new);
        if self.writer.is_none() {
            let head = LiveHead::Unplayable { codec: codec.name().to_owned() };
            self.pipe.push(LivePacket { head, body: Arc::from([]) });
        }
    }

    fn write(&mut self, unit: &gst::Sample, is_keyframe: bool, media_us: u64) {
        let Some(writer) = &mut self.writer else { return };
        let (Some(data), Some(format)) = (unit.buffer().and_then(|it| it.map_readable().ok()), format_of(unit)) else {
            return;
        };
        let placed_us = match &mut self.timeline {
            Timeline::Live => media_us,
            Timeline::OfFile { first_us } => {
                if first_us.is_none() {
                    let head = LiveHead::Begins { media_us };
                    self.pipe.push(LivePacket { head, body: Arc::from([]) });
                }
                // Of B-frames some lie before the keyframe; and a frame is decoded before it is shown.
                (media_us + LEAD_US).saturating_sub(*first_us.get_or_insert(media_us))
            }
        };
        for piece in writer.write(EncodedFrame { data: &data, is_keyframe, media_us: placed_us, format }) {
            let (head, body) = match piece {
                Piece::Init { codec, bytes } => {
                    (LiveHead::Init { codec, width: format.width, height: format.height }, bytes)
                }
                Piece::Fragment(bytes) => (LiveHead::Fragment { is_keyframe, dropped: 0 }, bytes),
            };
            self.pipe.push(LivePacket { head, body: body.into() });
        }
    }
}

/// The codec as fragments have it. JPEGs are not played by any browser's video.
fn video_codec(codec: Codec) -> Option<VideoCodec> {
    match codec {
        Codec::H264 => Some(VideoCodec::Avc),
        Codec::H265 => Some(VideoCodec::Hevc),
        Codec::Mjpeg => None,
    }
}

/// What the parser says of the pictures; `None` until it has seen parameter sets.
fn format_of(unit: &gst::Sample) -> Option<VideoFormat> {
    let structure = unit.caps()?.structure(0)?;
    let side = |name: &str| structure.get::<i32>(name).ok().and_then(|side| u16::try_from(side).ok());
    let chroma = match structure.get::<&str>("chroma-format") {
        Ok("4:0:0") => 0,
        Ok("4:2:2") => 2,
        Ok("4:4:4") => 3,
        _ => 1,
    };
    let bit_depth = structure.get::<u32>("bit-depth-luma").ok().and_then(|depth| u8::try_from(depth).ok());
    Some(VideoFormat { width: side("width")?, height: side("height")?, chroma, bit_depth: bit_depth.unwrap_or(8) })
}
