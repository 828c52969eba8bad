//! One connection to one camera, from the first packet to its loss: a source, what waits between, and a decoder.

mod feed;

use crate::capture::arrival::Arrival;
use crate::capture::decode_ledger::DecodeLedger;
use crate::capture::decoder::Decoder;
use crate::capture::decoder_choice::Codec;
use crate::capture::frame_output::FrameOutput;
use crate::capture::gop_buffer::GopBuffer;
use crate::capture::hang_watch::HangWatch;
use crate::capture::live_output::LiveOutput;
use crate::capture::lock::lock;
use crate::capture::media_clock::MediaClock;
use crate::capture::ration::Ration;
use crate::capture::recent_groups::Kept;
use crate::capture::slot_owner::SlotOwner;
use crate::capture::source::Source;
use crate::capture::source::source_user::SourceUser;
use crate::capture::stream_loss::Loss;
use crate::capture::unit_queue::UnitQueue;
use crate::capture::watch::Watch;
use crate::ipc::channel::Channel;
use crate::ipc::messages::{CameraIndex, CameraSource, LossKind, Sight};
use crate::os::clock::{monotonic_now, wall_now_ms};
use crate::vision::attention::Attention;
use crate::vision::frame::Picture;
use crate::vision::stream_counts::{SkippedFrames, StreamCounts};
use gstreamer as gst;
use gstreamer_video as gst_video;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

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
    /// `None`: the camera is not to be watched.
    watch: Option<Mutex<Watch>>,
    ration: Mutex<Ration>,
    /// The decoder may hold back the picture of the unit that was given to it last.
    is_to_drain: AtomicBool,
    /// What the decoder gives.
    pictures: Mutex<Option<gst_video::VideoInfo>>,
    ledger: Mutex<DecodeLedger>,
    bytes: AtomicU64,
    motion_events: AtomicU64,
    clock_offset_ms: Mutex<Option<i64>>,
    media_clock: Mutex<MediaClock>,
    live: LiveOutput,
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
        let mut ration = Ration::default();
        ration.grant(None, source.frames_per_second);
        let shared = Arc::new_cyclic(|itself| Shared {
            itself: itself.clone(),
            queue: Arc::new(UnitQueue::new(source.keyframes_only)),
            output: FrameOutput::new(camera, source.frames_per_second, slots, channel),
            watch: source.watch.as_ref().map(|order| Mutex::new(Watch::new(order))),
            ration: Mutex::new(ration),
            is_to_drain: AtomicBool::new(false),
            pictures: Mutex::default(),
            ledger: Mutex::default(),
            bytes: AtomicU64::new(0),
            motion_events: AtomicU64::new(0),
            clock_offset_ms: Mutex::default(),
            media_clock: Mutex::default(),
            live: LiveOutput::new(kept_of(&source)),
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
        // Decoding may wait for it.
        self.shared.queue.wake();
    }

    /// A unit has looked at a frame.
    pub(super) fn seen(&self, sight: &Sight) {
        let Some(watch) = &self.shared.watch else { return };
        lock(watch).seen(sight);
        self.shared.queue.wake();
    }

    /// The polygons that are black in its snapshots.
    pub(super) fn blackout(&self) -> &[Vec<[f32; 2]>] {
        &self.shared.source.blackout
    }

    /// Writes the frames into this pipe, from the newest keyframe on, until nobody reads it. Video that shows more than snapshots
    /// may is not written.
    pub(super) fn show(&self, pipe: OwnedFd) {
        if self.blackout().is_empty() {
            self.shared.live.show(pipe);
        }
    }

    /// The same for a clip.
    pub(super) fn record(&self, pipe: OwnedFd) {
        if self.blackout().is_empty() {
            self.shared.live.record(pipe);
        }
    }

    /// What is decoded at the moment.
    fn attention(&self) -> Attention {
        let Some(watch) = &self.shared.watch else { return Attention::Followed };
        let (newest, catches_up) =
            self.shared.queue.read(|buffer| (buffer.keyframe_at(), buffer.catches_up_from().is_some()));
        let is_watching = {
            let mut watch = lock(watch);
            watch.attention.tick(newest, monotonic_now());
            watch.attention.is_watching()
        };
        // What the decoder's thread may take has changed with time alone, which wakes nobody.
        self.shared.queue.wake();
        match (is_watching, catches_up) {
            (true, _) => Attention::Watched,
            (false, true) => Attention::CatchingUp,
            (false, false) => Attention::Followed,
        }
    }

    /// The frame in a slot that the parent has.
    pub(super) fn copy_of(&self, slot: u16, picture: Picture) -> Option<Vec<u8>> {
        self.shared.output.copy_of(slot, picture)
    }

    /// Hands over so many frames a second from now on, where the settings want `wanted`; 0: every frame.
    pub(super) fn pace(&self, frames_per_second: f32, wanted: f32) {
        let shared = &self.shared;
        let interval = shared.queue.read(GopBuffer::keyframe_interval);
        lock(&shared.ration).grant((frames_per_second != wanted).then_some(frames_per_second), wanted);
        shared.share(interval);
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
            attention: self.attention(),
            tampered: shared.watch.as_ref().and_then(|watch| lock(watch).tampered()),
            signal: shared.watch.as_ref().map(|watch| lock(watch).signal()),
            motion_events: shared.motion_events.load(Ordering::Relaxed),
            keyframe_interval_ms: u32::try_from(interval).unwrap_or(u32::MAX),
        };
        debug_assert!(counts.closes(), "{counts:?}");
        counts
    }

    /// Called with each heartbeat. True once the decoder hangs.
    pub(super) fn is_hung(&mut self) -> bool {
        let taken = self.shared.queue.taken_of_waiting();
        self.hang_watch.round(taken.filter(|_| self.shared.output.lent() == 0))
    }

    /// A connection that had brought frames and is silent has stalled; one that never did is not reached.
    fn explain(&self, loss: Loss) -> Loss {
        let had_frames = lock(&self.shared.ledger).decoded() > 0;
        let kind = if loss.kind == LossKind::Unreachable && had_frames { LossKind::Stalled } else { loss.kind };
        Loss { kind, ..loss }
    }
}

/// What is kept of its encoded video for clips and viewers.
fn kept_of(source: &CameraSource) -> Kept {
    match source.keep_ms {
        0 if source.has_live_view => Kept::NewestGroup,
        0 => Kept::Nothing,
        ms => Kept::Last { us: u64::from(ms) * 1000 },
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
        self.live.begin(codec);
        let decoder = Decoder::start(codec, &self.source, Arc::clone(&self.queue), user)?;
        *lock(&self.decoding) = Some(Decoding { codec, decoder: Some(decoder) });
        Ok(())
    }

    fn unit(&self, unit: gst::Sample, camera_ms: Option<i64>) {
        self.bytes.fetch_add(unit.buffer().map_or(0, gst::BufferRef::size) as u64, Ordering::Relaxed);
        if let Some(camera_ms) = camera_ms {
            *lock(&self.clock_offset_ms) = Some(camera_ms - wall_now_ms());
        }
        let at = monotonic_now();
        let Some(buffer) = unit.buffer() else { return };
        let is_keyframe = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
        let media_us = lock(&self.media_clock).place(buffer.pts().map(Duration::from), is_keyframe, at);
        // Before it can be taken: what it tells of its group is known then.
        let changes_what_is_decoded = self.watch.as_ref().is_some_and(|watch| {
            let (codec, bytes) = (self.codec(), buffer.map_readable().ok());
            codec.zip(bytes).is_some_and(|(codec, bytes)| lock(watch).take_in(is_keyframe, at, codec, &bytes))
        });
        self.live.take_in(&unit, is_keyframe, media_us);
        self.queue.put(unit, Arrival { at, camera_ms, media_us });
        if changes_what_is_decoded {
            self.queue.wake();
        }
    }

    fn motion_event(&self) {
        self.motion_events.fetch_add(1, Ordering::Relaxed);
        let Some(watch) = &self.watch else { return };
        if lock(watch).told_of_motion(monotonic_now()) {
            self.queue.wake();
        }
    }

    /// The first reason counts: what follows it is its consequence.
    fn lost(&self, loss: Loss) {
        lock(&self.loss).get_or_insert(loss);
    }
}
