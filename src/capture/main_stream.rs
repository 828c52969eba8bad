//! The main stream of a camera whose other one is analysed: it is received, and its newest keyframes are kept. One of them is
//! decoded when a snapshot is ordered.

use crate::capture::decoder_choice::Codec;
use crate::capture::keyframe_decoder;
use crate::capture::keyframes::{Keyframes, Taken};
use crate::capture::lock::lock;
use crate::capture::source::Source;
use crate::capture::source::source_user::SourceUser;
use crate::capture::stream_loss::Loss;
use crate::ipc::channel::Channel;
use crate::ipc::messages::{CameraIndex, CameraSource, FromCapture, LossKind, StreamInfo};
use crate::os::clock::{monotonic_now, wall_now_ms};
use crate::vision::frame::PictureLayout;
use crate::vision::monotonic::Monotonic;
use crate::vision::stream_counts::StreamCounts;
use gstreamer as gst;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// An open connection. Dropping it disconnects.
#[derive(Debug)]
pub(super) struct MainStream {
    source: Source,
    shared: Arc<Shared>,
}

/// What the threads of the source, of the snapshots and the main thread use.
#[derive(Debug)]
struct Shared {
    camera: CameraIndex,
    channel: Arc<Channel>,
    keyframes: Mutex<Keyframes<gst::Sample>>,
    codec: Mutex<Option<Codec>>,
    /// Of the newest keyframe, as the parent knows them.
    caps: Mutex<Option<gst::Caps>>,
    clock_offset_ms: Mutex<Option<i64>>,
    loss: Mutex<Option<Loss>>,
}

/// A keyframe that was taken for a snapshot. Dropped, it tells the counts what became of it.
#[derive(Debug)]
pub(super) struct Keyframe {
    shared: Arc<Shared>,
    codec: Codec,
    unit: gst::Sample,
    number: u64,
    taken: Taken,
    /// Milliseconds from the arrival of the frame to its own.
    pub(super) offset_ms: i64,
}

impl MainStream {
    /// Begins to connect.
    pub(super) fn open(camera: CameraIndex, source: &CameraSource, channel: Arc<Channel>) -> Result<Self, Loss> {
        let (codec, caps, clock_offset_ms, loss) = Default::default();
        let keyframes = Mutex::new(Keyframes::new());
        let shared = Arc::new(Shared { camera, channel, keyframes, codec, caps, clock_offset_ms, loss });
        let user: Arc<dyn SourceUser> = Arc::<Shared>::clone(&shared);
        match Source::open(source, None, user) {
            Ok(source) => Ok(Self { source, shared }),
            Err(detail) => Err(lock(&shared.loss).take().unwrap_or_else(|| Loss::new(LossKind::Other, detail))),
        }
    }

    /// Why the stream has ended, if it has. A connection that had brought frames and is silent has stalled.
    pub(super) fn take_loss(&self) -> Option<Loss> {
        if let Some(loss) = self.source.take_loss() {
            let had_frames = lock(&self.shared.keyframes).counts().received > 0;
            let is_stalled = loss.kind == LossKind::Unreachable && had_frames;
            self.shared.lost(Loss { kind: if is_stalled { LossKind::Stalled } else { loss.kind }, ..loss });
        }
        lock(&self.shared.loss).take()
    }

    /// True if what comes instead of an answer fills the memory. It cannot be closed then.
    pub(super) fn is_flooded(&self, is_alone: bool) -> bool {
        self.source.is_flooded(is_alone)
    }

    /// What became of everything that was received so far.
    pub(super) fn counts(&self) -> StreamCounts {
        let (packets, packets_lost) = self.source.packets();
        let clock_offset_ms = *lock(&self.shared.clock_offset_ms);
        StreamCounts { packets, packets_lost, clock_offset_ms, ..lock(&self.shared.keyframes).counts() }
    }

    /// The keyframe that arrived nearest to a frame, at most so far from it, or why there is none.
    pub(super) fn keyframe_near(&self, captured_at: Monotonic, most: Duration) -> Result<Keyframe, String> {
        let codec = *lock(&self.shared.codec);
        let mut keyframes = lock(&self.shared.keyframes);
        // Units come after their track.
        let Some((codec, near)) = codec.and_then(|codec| Some((codec, keyframes.take_near(captured_at, most)?))) else {
            return Err(match keyframes.age(monotonic_now()) {
                Some(age) => format!("its newest keyframe came {:.1} s ago", age.as_secs_f64()),
                None => "no keyframe of it has come yet".to_owned(),
            });
        };
        drop(keyframes);
        let (shared, taken) = (Arc::clone(&self.shared), Taken::Unused);
        Ok(Keyframe { shared, codec, unit: near.data, number: near.number, taken, offset_ms: near.offset_ms })
    }
}

impl Keyframe {
    /// Its picture, or why it gives none.
    pub(super) fn decode(&mut self) -> Result<(PictureLayout, Vec<u8>), String> {
        let decoded = keyframe_decoder::decode(self.codec, &self.unit);
        self.taken = if decoded.is_ok() { Taken::Decoded } else { Taken::Undecodable };
        decoded
    }
}

impl Drop for Keyframe {
    fn drop(&mut self) {
        lock(&self.shared.keyframes).settle(self.number, self.taken);
    }
}

impl Shared {
    /// Tells the parent what comes, with the first keyframe and with each of another kind.
    fn tell_news(&self, unit: &gst::Sample) {
        let Some(caps) = unit.caps_owned() else { return };
        if lock(&self.caps).replace(caps.clone()).as_ref() == Some(&caps) {
            return;
        }
        let (Some(fields), Some(codec)) = (caps.structure(0), *lock(&self.codec)) else { return };
        let pixels = |name: &str| fields.get::<i32>(name).ok().and_then(|side| u32::try_from(side).ok()).unwrap_or(0);
        let rate = fields.get::<gst::Fraction>("framerate").ok().filter(|rate| rate.denom() > 0);
        let milli = rate.map_or(0, |rate| i64::from(rate.numer()) * 1000 / i64::from(rate.denom()));
        let info = StreamInfo {
            codec: codec.name().to_owned(),
            decoder: String::new(),
            width: pixels("width"),
            height: pixels("height"),
            frame_rate_milli: u32::try_from(milli).unwrap_or(0),
        };
        if let Err(error) = self.channel.send(&FromCapture::Streaming { camera: self.camera, info }, None) {
            tracing::debug!(%error, "the parent cannot be told");
        }
    }
}

impl SourceUser for Shared {
    fn track(&self, codec: Codec) -> Result<(), String> {
        *lock(&self.codec) = Some(codec);
        Ok(())
    }

    fn unit(&self, unit: gst::Sample, camera_ms: Option<i64>) {
        if let Some(camera_ms) = camera_ms {
            *lock(&self.clock_offset_ms) = Some(camera_ms - wall_now_ms());
        }
        let Some(buffer) = unit.buffer() else { return };
        let (is_keyframe, bytes) = (!buffer.flags().contains(gst::BufferFlags::DELTA_UNIT), buffer.size());
        if is_keyframe {
            self.tell_news(&unit);
        }
        lock(&self.keyframes).push(is_keyframe, monotonic_now(), bytes, unit);
    }

    /// The first reason counts: what follows it is its consequence.
    fn lost(&self, loss: Loss) {
        lock(&self.loss).get_or_insert(loss);
    }
}
