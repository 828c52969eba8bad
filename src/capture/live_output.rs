//! The live video of one connection: what a viewer who comes is given at once, and while somebody watches its frames as fragments.

use crate::capture::decoder_choice::Codec;
use crate::capture::fragments::{EncodedFrame, FragmentWriter, Piece, VideoCodec, VideoFormat};
use crate::capture::live_pipe::LivePipe;
use crate::capture::lock::lock;
use crate::capture::newest_group::{GroupUnit, NewestGroup};
use crate::ipc::live_packets::{LiveHead, LivePacket};
use gstreamer as gst;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

/// Takes in what is received, decoded or not.
#[derive(Debug, Default)]
pub(super) struct LiveOutput(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    codec: Option<Codec>,
    group: NewestGroup<gst::Sample>,
    /// `None` while nobody watches.
    shown: Option<Shown>,
}

#[derive(Debug)]
struct Shown {
    pipe: LivePipe,
    /// `None` until the codec is known, and of a codec that is not played.
    writer: Option<FragmentWriter>,
}

impl LiveOutput {
    /// The units that follow are of this codec.
    pub(super) fn begin(&self, codec: Codec) {
        let mut inner = lock(&self.0);
        inner.codec = Some(codec);
        inner.group.clear();
        if let Some(shown) = &mut inner.shown {
            shown.begin(codec);
        }
    }

    /// Writes what is received into this pipe, from the newest keyframe on.
    pub(super) fn show(&self, pipe: OwnedFd) {
        let pipe = match LivePipe::start(pipe) {
            Ok(pipe) => pipe,
            Err(error) => return tracing::warn!(%error, "no thread for live video"),
        };
        let mut shown = Shown { pipe, writer: None };
        let mut inner = lock(&self.0);
        if let Some(codec) = inner.codec {
            shown.begin(codec);
        }
        for unit in inner.group.units() {
            shown.write(&unit.data, unit.is_keyframe, unit.media_us);
        }
        inner.shown = Some(shown);
    }

    /// Takes in the next unit.
    pub(super) fn take_in(&self, unit: &gst::Sample, is_keyframe: bool, media_us: u64) {
        let mut inner = lock(&self.0);
        // Of what is not played no group is needed.
        if inner.codec.and_then(video_codec).is_none() {
            return;
        }
        let bytes = unit.buffer().map_or(0, gst::BufferRef::size);
        inner.group.push(GroupUnit { is_keyframe, media_us, data: unit.clone() }, bytes);
        if let Some(shown) = inner.shown.take_if(|shown| shown.pipe.is_closed()) {
            drop(shown);
        }
        if let Some(shown) = &mut inner.shown {
            shown.write(unit, is_keyframe, media_us);
        }
    }
}

impl Shown {
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
        for piece in writer.write(EncodedFrame { data: &data, is_keyframe, media_us, format }) {
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
