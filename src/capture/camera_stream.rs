//! One connection to one camera, from the first packet to its loss: a source, what waits between, and a decoder.

use crate::capture::arrival::Arrival;
use crate::capture::decode_ledger::DecodeLedger;
use crate::capture::decoder::{Decoder, DecoderUser};
use crate::capture::decoder_choice::Codec;
use crate::capture::frame_output::FrameOutput;
use crate::capture::gop_buffer::AccessUnit;
use crate::capture::hang_watch::HangWatch;
use crate::capture::lock::lock;
use crate::capture::slot_owner::SlotOwner;
use crate::capture::source::Source;
use crate::capture::source::source_user::SourceUser;
use crate::capture::stream_loss::Loss;
use crate::capture::unit_queue::UnitQueue;
use crate::ipc::channel::Channel;
use crate::ipc::messages::{CameraIndex, CameraSource, LossKind};
use crate::os::clock::{monotonic_now, wall_now_ms};
use crate::vision::frame::Picture;
use crate::vision::stream_counts::{SkippedFrames, StreamCounts};
use gstreamer as gst;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

/// An open connection. Dropping it disconnects.
#[derive(Debug)]
pub(super) struct CameraStream {
    /// `None` while it is dropped.
    source: Option<Source>,
    hang_watch: HangWatch,
    shared: Arc<Shared>,
}

/// What the threads of source and decoder and the main thread use.
#[derive(Debug)]
struct Shared {
    itself: Weak<Shared>,
    source: CameraSource,
    queue: Arc<UnitQueue>,
    output: FrameOutput,
    ledger: Mutex<DecodeLedger>,
    bytes: AtomicU64,
    clock_offset_ms: Mutex<Option<i64>>,
    decoding: Mutex<Option<Decoding>>,
    loss: Mutex<Option<Loss>>,
}

#[derive(Debug)]
struct Decoding {
    codec: Codec,
    decoder: Option<Decoder>,
}

impl CameraStream {
    /// Begins to connect. `file` is that of a `file://`.
    pub(super) fn open(
        camera: CameraIndex,
        source: CameraSource,
        file: Option<OwnedFd>,
        slots: SlotOwner,
        channel: Arc<Channel>,
    ) -> Result<Self, Loss> {
        let shared = Arc::new_cyclic(|itself| Shared {
            itself: itself.clone(),
            queue: Arc::new(UnitQueue::new(source.keyframes_only)),
            output: FrameOutput::new(camera, source.frames_per_second, slots, channel),
            ledger: Mutex::default(),
            bytes: AtomicU64::new(0),
            clock_offset_ms: Mutex::default(),
            decoding: Mutex::default(),
            loss: Mutex::default(),
            source,
        });
        let user: Arc<dyn SourceUser> = Arc::<Shared>::clone(&shared);
        match Source::open(&shared.source, file, user) {
            Ok(source) => Ok(Self { source: Some(source), hang_watch: HangWatch::default(), shared }),
            Err(detail) => Err(lock(&shared.loss).take().unwrap_or_else(|| Loss::new(LossKind::Other, detail))),
        }
    }

    /// Why the stream has ended, if it has.
    pub(super) fn take_loss(&self) -> Option<Loss> {
        if let Some(loss) = self.source.as_ref().and_then(Source::take_loss) {
            self.shared.lost(self.explain(loss));
        }
        let failure = lock(&self.shared.decoding).as_ref().and_then(|it| it.decoder.as_ref()?.failure());
        if let Some(detail) = failure {
            self.shared.lost(Loss::new(LossKind::Codec, detail));
        }
        lock(&self.shared.loss).take()
    }

    /// True if what comes instead of an answer fills the memory. It cannot be closed then.
    pub(super) fn is_flooded(&self, is_alone: bool) -> bool {
        self.source.as_ref().is_some_and(|source| source.is_flooded(is_alone))
    }

    /// The parent gives a slot back.
    pub(super) fn release(&self, slot: u16) {
        self.shared.output.release(slot);
    }

    /// The frame in a slot that the parent has.
    pub(super) fn copy_of(&self, slot: u16, picture: Picture) -> Option<Vec<u8>> {
        self.shared.output.copy_of(slot, picture)
    }

    /// Hands over so many frames a second from now on.
    pub(super) fn pace(&self, frames_per_second: f32) {
        self.shared.output.pace(frames_per_second, monotonic_now());
        if let Some(source) = &self.source {
            source.pace(frames_per_second);
        }
    }

    /// What became of everything that was received so far.
    pub(super) fn counts(&self) -> StreamCounts {
        let (packets, packets_lost) = self.source.as_ref().map_or((0, 0), Source::packets);
        let shared = &self.shared;
        // Both locks at once, in the order of the decoding thread: between them a unit would be in neither.
        let (received, queued, skipped, interval, decoded, undecodable, inside) = shared.queue.read(|buffer| {
            let ledger = lock(&shared.ledger);
            let (decoded, undecodable, inside) = (ledger.decoded(), ledger.undecodable(), ledger.inside());
            let interval = buffer.keyframe_interval().as_millis();
            (buffer.received(), buffer.len() as u64, buffer.skipped(), interval, decoded, undecodable, inside)
        });
        let counts = StreamCounts {
            packets,
            packets_lost,
            bytes: shared.bytes.load(Ordering::Relaxed),
            received,
            decoded,
            skipped: SkippedFrames { undecodable, ..skipped },
            waiting: queued + inside,
            clock_offset_ms: *lock(&shared.clock_offset_ms),
            keyframe_interval_ms: u32::try_from(interval).unwrap_or(u32::MAX),
        };
        debug_assert!(counts.closes(), "{counts:?}");
        counts
    }

    /// Called with each heartbeat. True once the decoder hangs.
    pub(super) fn is_hung(&mut self) -> bool {
        self.hang_watch.round(self.shared.queue.taken_of_waiting())
    }

    /// A connection that had brought frames and is silent has stalled; one that never did is not reached.
    fn explain(&self, loss: Loss) -> Loss {
        let had_frames = lock(&self.shared.ledger).decoded() > 0;
        let kind = if loss.kind == LossKind::Unreachable && had_frames { LossKind::Stalled } else { loss.kind };
        Loss { kind, ..loss }
    }
}

impl Drop for CameraStream {
    fn drop(&mut self) {
        // The source first, for it may be about to start the decoder, which holds what holds it.
        drop(self.source.take());
        let decoding = lock(&self.shared.decoding).take();
        drop(decoding);
    }
}

impl Shared {
    /// True if each unit that is decoded is decoded on its own, so that one that is not due need not be decoded.
    fn is_each_alone(&self) -> bool {
        self.source.keyframes_only || self.codec() == Some(Codec::Mjpeg)
    }

    fn codec(&self) -> Option<Codec> {
        lock(&self.decoding).as_ref().map(|decoding| decoding.codec)
    }
}

impl SourceUser for Shared {
    fn track(&self, codec: Codec) -> Result<(), String> {
        let Some(user) = self.itself.upgrade() else { return Ok(()) };
        // What is replaced is dropped without the lock: its thread may wait for it.
        let before = lock(&self.decoding).replace(Decoding { codec, decoder: None });
        drop(before);
        let decoder = Decoder::start(codec, &self.source, Arc::clone(&self.queue), user)?;
        *lock(&self.decoding) = Some(Decoding { codec, decoder: Some(decoder) });
        Ok(())
    }

    fn unit(&self, unit: gst::Sample, camera_ms: Option<i64>) {
        self.bytes.fetch_add(unit.buffer().map_or(0, gst::BufferRef::size) as u64, Ordering::Relaxed);
        if let Some(camera_ms) = camera_ms {
            *lock(&self.clock_offset_ms) = Some(camera_ms - wall_now_ms());
        }
        self.queue.put(unit, Arrival { at: monotonic_now(), camera_ms });
    }

    /// The first reason counts: what follows it is its consequence.
    fn lost(&self, loss: Loss) {
        lock(&self.loss).get_or_insert(loss);
    }
}

impl DecoderUser for Shared {
    fn next_unit(&self) -> Option<AccessUnit<gst::Sample>> {
        let is_each_alone = self.is_each_alone();
        let is_due = |arrival: Arrival| !is_each_alone || self.output.is_due(arrival.at);
        self.queue.wait(is_due, |unit| lock(&self.ledger).went_in(unit.number, unit.arrival))
    }

    fn size_changed(&self, caps: &gst::CapsRef, decoder: &str) -> Option<(u32, u32)> {
        self.output.size_changed(caps, self.codec().map_or("", Codec::name), decoder)
    }

    fn is_wanted(&self, number: Option<u64>, picture: &gst::BufferRef) -> bool {
        // A smeared picture shows what is not there.
        let is_damaged = picture.flags().contains(gst::BufferFlags::CORRUPTED);
        let Some(arrival) = lock(&self.ledger).came_out(number, is_damaged) else { return false };
        if is_damaged {
            return false;
        }
        self.output.tell_news();
        let is_wanted = self.is_each_alone() || self.output.is_due(arrival.at);
        if is_wanted {
            self.output.expect(arrival);
        }
        is_wanted
    }

    fn frame(&self, sample: &gst::Sample) {
        if let Err(detail) = self.output.hand_over(sample) {
            self.lost(Loss::new(LossKind::Codec, detail));
        }
    }
}
