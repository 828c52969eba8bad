//! One time through a clip: `fdsrc [! demuxer] ! parser ! appsink`, as fast as its units are taken.

use crate::capture::decoder_choice::Codec;
use crate::capture::lock::lock;
use crate::capture::source::clip_clock::FileTimes;
use crate::capture::source::tracks::{Choice, Track, Tracks};
use crate::capture::source::unit_sink;
use crate::capture::stream_loss::Loss;
use crate::ipc::clip_format::ClipFormat;
use crate::ipc::messages::LossKind;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::{Arc, Mutex};

/// How long a unit is waited for before the thread looks whether it is still wanted.
const WAIT_MS: u64 = 100;

/// Units that are read ahead, so that reading never delays one.
const READ_AHEAD: u32 = 8;

/// What comes next.
#[derive(Debug)]
pub(super) enum Next {
    /// An access unit.
    Unit(gst::Sample),
    /// Nothing yet.
    Nothing,
    /// The clip has come to its end.
    End,
    /// It cannot be read any further.
    Lost(Loss),
}

/// A clip that is being read. Dropping it ends its threads.
#[derive(Debug)]
pub(super) struct ClipRound {
    pipeline: gst::Pipeline,
    bus: gst::Bus,
    sink: gst_app::AppSink,
    tracks: Arc<Mutex<Tracks>>,
}

impl ClipRound {
    /// Begins where `file` is, which must stay open for as long as this.
    ///
    /// # Errors
    /// In a person's words, when an element is missing.
    pub(super) fn start(format: ClipFormat, file: BorrowedFd<'_>, track: Option<u16>) -> Result<Self, String> {
        let pipeline = gst::Pipeline::new();
        let source = make("fdsrc")?;
        source.set_property("fd", file.as_raw_fd());
        let caps: gst::Caps = [Codec::H264, Codec::H265, Codec::Mjpeg].into_iter().map(Codec::unit_caps).collect();
        let sink = gst_app::AppSink::builder().caps(&caps).sync(false).max_buffers(READ_AHEAD).build();
        let tracks = Arc::new(Mutex::new(Tracks::new(track, false)));
        let last = sink.clone().upcast();
        add(&pipeline, &[&source, &last])?;
        match format {
            ClipFormat::H264 => link_raw(&pipeline, &source, Codec::H264, &last)?,
            ClipFormat::H265 => link_raw(&pipeline, &source, Codec::H265, &last)?,
            ClipFormat::Mp4 => link_demuxer(&pipeline, &source, "qtdemux", last, &tracks)?,
            ClipFormat::Matroska => link_demuxer(&pipeline, &source, "matroskademux", last, &tracks)?,
        }
        let bus = pipeline.bus().ok_or("the pipeline has no bus")?;
        let round = Self { pipeline, bus, sink, tracks };
        round.pipeline.set_state(gst::State::Playing).map_err(|error| error.to_string())?;
        Ok(round)
    }

    /// Waits a moment for the next unit.
    pub(super) fn next(&self) -> Next {
        if let Some(unit) = self.sink.try_pull_sample(gst::ClockTime::from_mseconds(WAIT_MS)) {
            return Next::Unit(unit);
        }
        let Some(message) = self.bus.pop_filtered(&[gst::MessageType::Error]) else {
            return if self.sink.is_eos() { Next::End } else { Next::Nothing };
        };
        match message.view() {
            gst::MessageView::Error(error) => Next::Lost(Loss::from_message(error)),
            _ => Next::Nothing,
        }
    }

    /// Why there was no unit at all, from what the file offers and what reading it has brought.
    pub(super) fn why_empty(&self, error: Option<&Loss>) -> Loss {
        let tracks = lock(&self.tracks);
        match (tracks.missing().filter(|_| tracks.has_offer()), error) {
            (Some(missing), _) => Loss::new(missing.kind(), format!("the file: {missing}")),
            (None, Some(error)) => {
                let detail = format!("the file holds no video that can be read: {}", error.detail);
                Loss::new(LossKind::NoVideo, detail)
            }
            (None, None) => Loss::new(LossKind::NoVideo, "the file holds no video"),
        }
    }
}

impl Drop for ClipRound {
    fn drop(&mut self) {
        if let Err(error) = self.pipeline.set_state(gst::State::Null) {
            tracing::warn!(%error, "a clip does not end cleanly");
        }
    }
}

/// What the file says of a unit's times.
pub(super) fn times_of(unit: &gst::Sample) -> FileTimes {
    let Some(buffer) = unit.buffer() else { return FileTimes::default() };
    let [decode, show, duration] =
        [buffer.dts(), buffer.pts(), buffer.duration()].map(|time| time.map(std::time::Duration::from));
    FileTimes { decode, show, duration }
}

/// The codec that its caps name.
pub(super) fn codec_of(unit: &gst::Sample) -> Option<Codec> {
    Codec::from_encoding_name(&track_of(unit.caps()?).encoding)
}

/// A stream of a file as a track of a camera, with the names that RTP has for codecs.
fn track_of(caps: &gst::CapsRef) -> Track {
    let name = caps.structure(0).map(|structure| structure.name().as_str()).unwrap_or_default();
    let (media, encoding) = match name {
        "image/jpeg" => ("video", "JPEG".to_owned()),
        _ => {
            let (media, encoding) = name.split_once('/').unwrap_or((name, ""));
            (media, encoding.trim_start_matches("x-").to_ascii_uppercase())
        }
    };
    Track { media: media.to_owned(), encoding }
}

fn make(name: &str) -> Result<gst::Element, String> {
    gst::ElementFactory::make(name).build().map_err(|error| error.to_string())
}

fn add(pipeline: &gst::Pipeline, elements: &[&gst::Element]) -> Result<(), String> {
    pipeline.add_many(elements).map_err(|error| error.to_string())
}

fn link_raw(pipeline: &gst::Pipeline, source: &gst::Element, codec: Codec, last: &gst::Element) -> Result<(), String> {
    let parser = unit_sink::parser(codec)?;
    add(pipeline, &[&parser])?;
    gst::Element::link_many([source, &parser, last]).map_err(|error| error.to_string())
}

fn link_demuxer(
    pipeline: &gst::Pipeline,
    source: &gst::Element,
    name: &str,
    last: gst::Element,
    tracks: &Arc<Mutex<Tracks>>,
) -> Result<(), String> {
    let demuxer = make(name)?;
    add(pipeline, &[&demuxer])?;
    source.link(&demuxer).map_err(|error| error.to_string())?;
    let (weak_pipeline, tracks) = (pipeline.downgrade(), Arc::clone(tracks));
    demuxer.connect_pad_added(move |_, pad| {
        let Some(pipeline) = weak_pipeline.upgrade() else { return };
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let track = track_of(&caps);
        let codec = Codec::from_encoding_name(&track.encoding);
        let choice = lock(&tracks).offer(&track, codec.is_some());
        if let (Choice::Take, Some(codec)) = (choice, codec)
            && let Err(error) = link_track(&pipeline, pad, codec, &last)
        {
            gst::element_error!(pipeline, gst::CoreError::Failed, ("{error}"));
        }
    });
    Ok(())
}

fn link_track(pipeline: &gst::Pipeline, pad: &gst::Pad, codec: Codec, last: &gst::Element) -> Result<(), String> {
    let parser = unit_sink::parser(codec)?;
    add(pipeline, &[&parser])?;
    parser.link(last).map_err(|error| error.to_string())?;
    parser.sync_state_with_parent().map_err(|error| error.to_string())?;
    let input = parser.static_pad("sink").ok_or("the parser has no input")?;
    pad.link(&input).map(|_| ()).map_err(|error| error.to_string())
}
