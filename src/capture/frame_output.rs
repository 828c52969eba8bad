//! From decoded pictures to frames in slots: pace, size and the one copy.

use crate::capture::arrival::Arrival;
use crate::capture::frame_copy;
use crate::capture::lock::lock;
use crate::capture::sampler::Sampler;
use crate::capture::size_limit::fit_slot;
use crate::capture::slot_owner::SlotOwner;
use crate::ipc::channel::Channel;
use crate::ipc::messages::{CameraIndex, FromCapture, StreamInfo};
use crate::os::clock::monotonic_now;
use crate::vision::frame::{Frame, Picture};
use crate::vision::monotonic::Monotonic;
use gstreamer as gst;
use gstreamer_video as gst_video;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Hands the frames of one connection to the parent.
#[derive(Debug)]
pub(super) struct FrameOutput {
    camera: CameraIndex,
    channel: Arc<Channel>,
    slots: Mutex<SlotOwner>,
    pace: Mutex<Pace>,
}

#[derive(Debug)]
struct Pace {
    sampler: Sampler,
    /// The times of the frame that is on its way to the sink.
    arrival: Arrival,
    /// Told to the parent with the next frame.
    news: Option<StreamInfo>,
}

impl FrameOutput {
    pub(super) fn new(camera: CameraIndex, frames_per_second: f32, slots: SlotOwner, channel: Arc<Channel>) -> Self {
        let (sampler, arrival) = (Sampler::new(frames_per_second), Arrival::default());
        let pace = Mutex::new(Pace { sampler, arrival, news: None });
        Self { camera, channel, slots: Mutex::new(slots), pace }
    }

    /// The parent gives a slot back.
    pub(super) fn release(&self, slot: u16) {
        lock(&self.slots).release(slot);
    }

    /// The frame in a slot that the parent has.
    pub(super) fn copy_of(&self, slot: u16, picture: Picture) -> Option<Vec<u8>> {
        lock(&self.slots).lent_slot(slot)?.get(..picture.bytes()).map(<[u8]>::to_vec)
    }

    /// Hands over so many frames a second from `now` on.
    pub(super) fn pace(&self, frames_per_second: f32, now: Monotonic) {
        lock(&self.pace).sampler.change_rate(frames_per_second, now);
    }

    /// True if a frame that arrived at this time is to be handed over.
    pub(super) fn is_due(&self, arrived_at: Monotonic) -> bool {
        lock(&self.pace).sampler.is_due(arrived_at)
    }

    /// What [`Self::is_due`] would say, without a change.
    pub(super) fn would_be_due(&self, arrived_at: Monotonic) -> bool {
        lock(&self.pace).sampler.would_be_due(arrived_at)
    }

    /// Frames of this connection that the parent has.
    pub(super) fn lent(&self) -> usize {
        lock(&self.slots).lent()
    }

    /// A frame that was due shows what is known: the parent is told instead of given it.
    pub(super) fn still(&self, arrival: Arrival) {
        let sequence = lock(&self.slots).next_sequence();
        self.send(&FromCapture::Still { camera: self.camera, sequence, captured_at: arrival.at });
    }

    /// Pictures have this size from here on, which the parent is told with the next one. Returns the size that fits a slot
    /// if they are larger.
    pub(super) fn size_changed(&self, caps: &gst::CapsRef, codec: &str, decoder: &str) -> Option<(u32, u32)> {
        let info = gst_video::VideoInfo::from_caps(caps).ok()?;
        let rate = info.fps();
        let milli = if rate.denom() > 0 { i64::from(rate.numer()) * 1000 / i64::from(rate.denom()) } else { 0 };
        let size = (info.width(), info.height());
        lock(&self.pace).news = Some(StreamInfo {
            codec: codec.to_owned(),
            decoder: decoder.to_owned(),
            width: size.0,
            height: size.1,
            frame_rate_milli: u32::try_from(milli).unwrap_or(0),
        });
        let fitting = fit_slot(size.0, size.1);
        (fitting != size).then_some(fitting)
    }

    /// A picture of this connection was decoded: the first one tells the parent that the camera streams.
    pub(super) fn tell_news(&self) {
        let news = lock(&self.pace).news.take();
        if let Some(info) = news {
            self.send(&FromCapture::Streaming { camera: self.camera, info });
        }
    }

    /// The next picture at the sink has these times.
    pub(super) fn expect(&self, arrival: Arrival) {
        let mut pace = lock(&self.pace);
        // Pictures come in the order in which they are shown, their packets in the order of decoding.
        let at = arrival.at.max(pace.arrival.at + Duration::from_nanos(1));
        pace.arrival = Arrival { at, ..arrival };
    }

    /// Copies a picture into a free slot and announces it.
    ///
    /// # Errors
    /// In a person's words, when it is no picture that ocelli reads.
    pub(super) fn hand_over(&self, sample: &gst::Sample) -> Result<(), String> {
        let caps = sample.caps().ok_or("a frame has no caps")?;
        let info = gst_video::VideoInfo::from_caps(caps).map_err(|error| error.to_string())?;
        let picture = frame_copy::picture_of(&info).map_err(|error| error.to_string())?;
        let buffer = sample.buffer().ok_or("a frame has no samples")?;
        let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, &info);
        let frame = frame.map_err(|error| error.to_string())?;

        let Arrival { at: captured_at, camera_ms, media_us } = lock(&self.pace).arrival;
        let mut slots = lock(&self.slots);
        let sequence = slots.next_sequence();
        let Some((slot, bytes)) = slots.free_slot() else {
            self.send(&FromCapture::Dropped { camera: self.camera, sequence });
            return Ok(());
        };
        frame_copy::copy(&frame, picture.layout(), bytes).map_err(|error| error.to_string())?;
        slots.lend(slot);
        let frame = Frame { sequence, captured_at, decoded_at: monotonic_now(), camera_ms, media_us, slot, picture };
        self.send(&FromCapture::Frame { camera: self.camera, frame });
        Ok(())
    }

    fn send(&self, message: &FromCapture) {
        if let Err(error) = self.channel.send(message, None) {
            tracing::debug!(%error, "the parent cannot be told");
        }
    }
}
