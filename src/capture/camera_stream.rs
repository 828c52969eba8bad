//! One connection to one camera, from the first packet to its loss.

use crate::capture::frame_copy;
use crate::capture::pipeline::{self, Chain, FrameHandler};
use crate::capture::sampler::Sampler;
use crate::capture::size_limit::fit_slot;
use crate::capture::slot_owner::SlotOwner;
use crate::capture::stream_loss::Loss;
use crate::ipc::channel::Channel;
use crate::ipc::messages::{CameraIndex, CameraSource, FromCapture, LossKind, StreamInfo};
use crate::os::clock::monotonic_now;
use crate::vision::frame::{Frame, Picture};
use crate::vision::monotonic::Monotonic;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_video as gst_video;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A running pipeline. Dropping it disconnects.
#[derive(Debug)]
pub(super) struct CameraStream {
    pipeline: gst::Pipeline,
    bus: gst::Bus,
    shared: Arc<Shared>,
}

/// What the streaming thread and the main thread both use.
#[derive(Debug)]
struct Shared {
    camera: CameraIndex,
    source: CameraSource,
    channel: Arc<Channel>,
    slots: Mutex<SlotOwner>,
    pace: Mutex<Pace>,
    decoded: AtomicU64,
    /// RTP packets, counted in front of everything that may hold back or drop: with keyframes only, and until the first
    /// keyframe, nothing is decoded for many seconds although the camera sends.
    received: AtomicU64,
    loss: Mutex<Option<Loss>>,
}

#[derive(Debug)]
struct Pace {
    sampler: Sampler,
    /// When the decoder handed over the frame that is on its way to the sink.
    captured_at: Monotonic,
    /// Told to the parent with the next frame.
    news: Option<StreamInfo>,
}

impl CameraStream {
    /// Begins to connect.
    pub(super) fn open(
        camera: CameraIndex,
        source: CameraSource,
        slots: SlotOwner,
        channel: Arc<Channel>,
    ) -> Result<Self, Loss> {
        let other = |error: &dyn std::fmt::Display| Loss::new(LossKind::Other, error.to_string());
        let pace =
            Pace { sampler: Sampler::new(source.frames_per_second), captured_at: Monotonic::default(), news: None };
        let element = pipeline::source(&source).map_err(|error| other(&error))?;
        let pipeline = gst::Pipeline::new();
        pipeline.add(&element).map_err(|error| other(&error))?;
        let bus = pipeline.bus().ok_or_else(|| other(&"the pipeline has no bus"))?;
        let shared = Arc::new(Shared {
            camera,
            source,
            channel,
            slots: Mutex::new(slots),
            pace: Mutex::new(pace),
            decoded: AtomicU64::new(0),
            received: AtomicU64::new(0),
            loss: Mutex::new(None),
        });
        let (weak_pipeline, on_pad) = (pipeline.downgrade(), Arc::clone(&shared));
        element.connect_pad_added(move |_, pad| {
            if let Some(pipeline) = weak_pipeline.upgrade()
                && let Err(detail) = Shared::connect(&on_pad, &pipeline, pad)
            {
                on_pad.lose(Loss::new(LossKind::Codec, detail));
            }
        });
        let stream = Self { pipeline, bus, shared };
        match stream.pipeline.set_state(gst::State::Playing) {
            Ok(_) => Ok(stream),
            Err(error) => Err(stream.take_loss().unwrap_or_else(|| other(&error))),
        }
    }

    /// Why the stream has ended, if it has.
    pub(super) fn take_loss(&self) -> Option<Loss> {
        while let Some(message) = self.bus.pop_filtered(&[gst::MessageType::Error, gst::MessageType::Eos]) {
            let loss = match message.view() {
                gst::MessageView::Error(error) => self.shared.explain(Loss::from_message(error)),
                _ => Loss::new(LossKind::Ended, "the stream ended"),
            };
            self.shared.lose(loss);
        }
        lock(&self.shared.loss).take()
    }

    /// The parent gives a slot back.
    pub(super) fn release(&self, slot: u16) {
        lock(&self.shared.slots).release(slot);
    }

    /// The frame in a slot that the parent has.
    pub(super) fn copy_of(&self, slot: u16, picture: Picture) -> Option<Vec<u8>> {
        lock(&self.shared.slots).lent_slot(slot)?.get(..picture.bytes()).map(<[u8]>::to_vec)
    }

    /// Hands over so many frames a second from now on.
    pub(super) fn pace(&self, frames_per_second: f32) {
        lock(&self.shared.pace).sampler.change_rate(frames_per_second, monotonic_now());
    }

    /// Frames decoded so far.
    pub(super) fn decoded(&self) -> u64 {
        self.shared.decoded.load(Ordering::Relaxed)
    }

    /// RTP packets received so far.
    pub(super) fn received(&self) -> u64 {
        self.shared.received.load(Ordering::Relaxed)
    }
}

impl Drop for CameraStream {
    fn drop(&mut self) {
        if let Err(error) = self.pipeline.set_state(gst::State::Null) {
            tracing::warn!(camera = self.shared.source.name, %error, "a pipeline does not stop cleanly");
        }
    }
}

impl Shared {
    /// Builds the chain for the codec that the camera sends and hooks itself in behind the decoder.
    fn connect(shared: &Arc<Self>, pipeline: &gst::Pipeline, pad: &gst::Pad) -> Result<(), String> {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        if pipeline::media_of(&caps).as_deref() != Some("video") {
            return Ok(());
        }
        let codec = pipeline::codec_of(&caps)?;
        let handler: Arc<dyn FrameHandler> = Arc::<Self>::clone(shared);
        let chain = Chain::build(pipeline, codec, &shared.source, handler)?;
        let decoder = chain.decoder.factory().map(|factory| factory.name().to_string()).unwrap_or_default();
        let decoded = chain.decoder.static_pad("src").ok_or("the decoder has no output")?;
        let probe = Arc::clone(shared);
        let size_filter = chain.size_filter.clone();
        let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
        decoded.add_probe(kinds, move |_, info| match &info.data {
            Some(gst::PadProbeData::Event(event)) => {
                if let gst::EventView::Caps(caps) = event.view() {
                    probe.caps_changed(caps.caps(), codec.name(), &decoder, &size_filter);
                }
                gst::PadProbeReturn::Ok
            }
            Some(gst::PadProbeData::Buffer(buffer)) if !probe.is_wanted(buffer) => gst::PadProbeReturn::Drop,
            _ => gst::PadProbeReturn::Ok,
        });
        let sink = chain.first.static_pad("sink").ok_or("the depayloader has no input")?;
        let counter = Arc::clone(shared);
        sink.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, info| {
            let packets = match &info.data {
                Some(gst::PadProbeData::BufferList(list)) => list.len(),
                _ => 1,
            };
            counter.received.fetch_add(packets as u64, Ordering::Relaxed);
            gst::PadProbeReturn::Ok
        });
        pad.link(&sink).map(|_| ()).map_err(|error| error.to_string())
    }

    /// The stream has a size now, or another one: frames above a slot's size are scaled from here on.
    fn caps_changed(&self, caps: &gst::CapsRef, codec: &str, decoder: &str, size_filter: &gst::Element) {
        let Ok(info) = gst_video::VideoInfo::from_caps(caps) else { return };
        let (width, height) = (info.width(), info.height());
        let (fit_width, fit_height) = fit_slot(width, height);
        let side = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
        let mut fitting = gst::Caps::builder("video/x-raw");
        if (fit_width, fit_height) != (width, height) {
            fitting = fitting.field("width", side(fit_width)).field("height", side(fit_height));
        }
        size_filter.set_property("caps", fitting.build());
        let rate = info.fps();
        let milli = if rate.denom() > 0 { i64::from(rate.numer()) * 1000 / i64::from(rate.denom()) } else { 0 };
        lock(&self.pace).news = Some(StreamInfo {
            codec: codec.to_owned(),
            decoder: decoder.to_owned(),
            width,
            height,
            frame_rate_milli: u32::try_from(milli).unwrap_or(0),
        });
    }

    /// Counts a decoded frame and says whether it goes on to scaling, conversion and a slot.
    fn is_wanted(&self, buffer: &gst::BufferRef) -> bool {
        self.decoded.fetch_add(1, Ordering::Relaxed);
        let now = monotonic_now();
        let mut pace = lock(&self.pace);
        if let Some(info) = pace.news.take() {
            self.send(&FromCapture::Streaming { camera: self.camera, info });
        }
        // A smeared picture shows what is not there.
        if buffer.flags().contains(gst::BufferFlags::CORRUPTED) || !pace.sampler.is_due(now) {
            return false;
        }
        pace.captured_at = now;
        true
    }

    /// A connection that had brought frames and is silent has stalled; one that never did is not reached.
    fn explain(&self, loss: Loss) -> Loss {
        let had_frames = self.decoded.load(Ordering::Relaxed) > 0;
        let kind = if loss.kind == LossKind::Unreachable && had_frames { LossKind::Stalled } else { loss.kind };
        Loss { kind, ..loss }
    }

    /// The first reason counts: what follows it is its consequence.
    fn lose(&self, loss: Loss) {
        lock(&self.loss).get_or_insert(loss);
    }

    fn send(&self, message: &FromCapture) {
        if let Err(error) = self.channel.send(message, None) {
            tracing::debug!(%error, "the parent cannot be told");
        }
    }

    fn hand_over(&self, sample: &gst::Sample) -> Result<(), String> {
        let caps = sample.caps().ok_or("a frame has no caps")?;
        let info = gst_video::VideoInfo::from_caps(caps).map_err(|error| error.to_string())?;
        let picture = frame_copy::picture_of(&info).map_err(|error| error.to_string())?;
        let buffer = sample.buffer().ok_or("a frame has no samples")?;
        let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, &info);
        let frame = frame.map_err(|error| error.to_string())?;

        let captured_at = lock(&self.pace).captured_at;
        let mut slots = lock(&self.slots);
        let sequence = slots.next_sequence();
        let Some((slot, bytes)) = slots.free_slot() else {
            self.send(&FromCapture::Dropped { camera: self.camera, sequence });
            return Ok(());
        };
        frame_copy::copy(&frame, picture, bytes).map_err(|error| error.to_string())?;
        slots.lend(slot);
        let frame = Frame { sequence, captured_at, slot, picture };
        self.send(&FromCapture::Frame { camera: self.camera, frame });
        Ok(())
    }
}

impl FrameHandler for Shared {
    fn frame(&self, sample: &gst::Sample) {
        if let Err(detail) = self.hand_over(sample) {
            self.lose(Loss::new(LossKind::Codec, detail));
        }
    }
}

/// A panic elsewhere has poisoned the lock; what it guards is plain counters and stays true.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
