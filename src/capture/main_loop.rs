//! What a capture process does: opens and closes cameras as it is told, and reports.

use crate::capture::camera_stream::CameraStream;
use crate::capture::main_stream::MainStream;
use crate::capture::open_stream::OpenStream;
use crate::capture::plugin_registry;
use crate::capture::slot_owner::SlotOwner;
use crate::capture::snapshot::Wanted;
use crate::capture::snapshot_thread::{self, Job, MainJob, SnapshotThread};
use crate::capture::stream_loss::Loss;
use crate::ipc::channel::{Channel, ChannelError};
use crate::ipc::frame_slots::SlotWriter;
use crate::ipc::heartbeat::HEARTBEAT;
use crate::ipc::messages::{CameraIndex, CameraSource, FromCapture, LossKind, ToCapture};
use crate::ipc::snapshot_messages::SnapshotOrder;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the streams are asked whether they have ended.
const POLL: Duration = Duration::from_millis(100);

/// Why a capture process ends.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The parent cannot be talked to.
    #[error("the parent cannot be talked to")]
    Channel(#[from] ChannelError),
    /// GStreamer does not start.
    #[error("GStreamer cannot be started: install gstreamer1.0-plugins-base, -good, -bad and gstreamer1.0-libav")]
    GStreamer(#[from] gstreamer::glib::Error),
    /// No thread can be had.
    #[error("the thread for snapshots cannot be started")]
    Thread(#[from] std::io::Error),
    /// A snapshot has been encoded for too long.
    #[error("the JPEG encoder hangs")]
    EncoderHung,
    /// Frames wait for a decoder that takes none.
    #[error("a decoder hangs")]
    DecoderHung,
    /// What a camera sends instead of an answer has no end.
    #[error("what a camera answers has no end")]
    Flooded,
}

/// Serves the parent, who was greeted, until it says `Stop` or is gone.
///
/// # Errors
/// [`CaptureError`]; the process is then to end, for the parent will start another.
pub fn run(channel: Channel) -> Result<(), CaptureError> {
    let channel = Arc::new(channel);
    plugin_registry::start_gstreamer()?;
    channel.send(&FromCapture::Initialized, None)?;
    let snapshots = SnapshotThread::start(Arc::clone(&channel))?;
    let mut streams =
        Streams { channel: Arc::clone(&channel), open: BTreeMap::new(), files: BTreeMap::new(), snapshots };
    let mut heartbeat_at = Instant::now() + HEARTBEAT;
    loop {
        match channel.receive_within::<ToCapture>(POLL) {
            Ok((ToCapture::Stop, _)) | Err(ChannelError::Closed) => return Ok(()),
            Ok((message, descriptor)) => streams.obey(message, descriptor)?,
            Err(ChannelError::Empty) => {}
            Err(error) => return Err(error.into()),
        }
        streams.report_losses()?;
        if streams.report_flood()? {
            // Its connection would be waited for, while it fills the memory.
            std::mem::forget(streams);
            return Err(CaptureError::Flooded);
        }
        if streams.snapshots.is_hung(Instant::now()) {
            return Err(CaptureError::EncoderHung);
        }
        if Instant::now() >= heartbeat_at {
            heartbeat_at = Instant::now() + HEARTBEAT;
            // From this thread alone: another one would go on while this one hangs.
            channel.send(&FromCapture::Alive, None)?;
            streams.report_progress()?;
            if streams.is_a_decoder_hung() {
                return Err(CaptureError::DecoderHung);
            }
        }
    }
}

struct Streams {
    channel: Arc<Channel>,
    open: BTreeMap<CameraIndex, OpenStream>,
    /// Files of cameras that are about to be opened.
    files: BTreeMap<CameraIndex, OwnedFd>,
    snapshots: SnapshotThread,
}

impl Streams {
    fn obey(&mut self, message: ToCapture, descriptor: Option<OwnedFd>) -> Result<(), ChannelError> {
        match message {
            ToCapture::File { camera } => drop(descriptor.and_then(|file| self.files.insert(camera, file))),
            ToCapture::Open { camera, source, slots } => {
                self.open.remove(&camera);
                match self.start(camera, *source, slots, descriptor) {
                    Ok(stream) => drop(self.open.insert(camera, OpenStream::Analysed(Box::new(stream)))),
                    Err(loss) => self.report(camera, loss)?,
                }
            }
            ToCapture::OpenMain { camera, source } => {
                self.open.remove(&camera);
                match MainStream::open(camera, &source, Arc::clone(&self.channel)) {
                    Ok(stream) => drop(self.open.insert(camera, OpenStream::Main(stream))),
                    Err(loss) => self.report(camera, loss)?,
                }
            }
            ToCapture::Release { camera, slot } => {
                if let Some(stream) = self.analysed(camera) {
                    stream.release(slot);
                }
            }
            ToCapture::Pace { camera, frames_per_second, wanted } => {
                if let Some(stream) = self.analysed(camera) {
                    stream.pace(frames_per_second, wanted);
                }
            }
            ToCapture::Seen { camera, sight } => {
                if let Some(stream) = self.analysed(camera) {
                    stream.seen(&sight);
                }
            }
            // Of a camera that is not open the pipe is closed here, which tells the parent.
            ToCapture::Live { camera } => {
                if let Some((stream, pipe)) = self.analysed(camera).zip(descriptor) {
                    stream.show(pipe);
                }
            }
            ToCapture::Clip { camera } => {
                if let Some((stream, pipe)) = self.analysed(camera).zip(descriptor) {
                    stream.record(pipe);
                }
            }
            ToCapture::Snapshot(order) => {
                let id = order.id;
                if let Err(reason) = self.take_snapshot(*order, descriptor) {
                    snapshot_thread::answer(&self.channel, id, Err(reason));
                }
            }
            ToCapture::Close { camera } => drop(self.open.remove(&camera)),
            ToCapture::Stop => {}
        }
        Ok(())
    }

    fn analysed(&self, camera: CameraIndex) -> Option<&CameraStream> {
        self.open.get(&camera)?.analysed()
    }

    fn start(
        &mut self,
        camera: CameraIndex,
        source: CameraSource,
        slots: u16,
        descriptor: Option<OwnedFd>,
    ) -> Result<CameraStream, Loss> {
        let file = self.files.remove(&camera);
        let descriptor = descriptor.ok_or_else(|| Loss::new(LossKind::Other, "no slots came with the camera"))?;
        let writer = SlotWriter::new(&descriptor, slots);
        let writer = writer.map_err(|error| Loss::new(LossKind::Other, format!("the slots: {error}")))?;
        CameraStream::open(camera, source, file, SlotOwner::new(writer, slots), Arc::clone(&self.channel))
    }

    /// Takes the frame out of its slot, which costs a millisecond: behind this message the slot may be given back.
    fn take_snapshot(&self, order: SnapshotOrder, region: Option<OwnedFd>) -> Result<(), String> {
        let region = region.ok_or("no region came with the order")?;
        let stream = self.analysed(order.camera);
        let copied = stream.and_then(|stream| Some((stream, stream.copy_of(order.slot, order.picture)?)));
        let (stream, samples) = copied.ok_or("the frame is no longer there")?;
        // Those of the connection, which the frame came over: an order cannot forget them.
        let blackout = stream.blackout().to_vec();
        let main = order.main.map(|main| {
            let most = Duration::from_millis(u64::from(main.max_offset_ms));
            let stream = self.open.get(&main.camera).and_then(OpenStream::main).ok_or("it is no longer connected");
            let keyframe = stream.map_err(str::to_owned);
            let keyframe = keyframe.and_then(|stream| stream.keyframe_near(order.captured_at, most));
            MainJob { keyframe, max_width_px: main.max_width_px }
        });
        let SnapshotOrder { id, picture, boxes, max_width_px, quality, max_bytes, .. } = order;
        let (picture, max_bytes) = (picture.layout(), max_bytes as usize);
        let wanted = Wanted { picture, blackout, boxes, max_width_px, quality, max_bytes };
        self.snapshots.take(Job { id, wanted, samples, main, region })
    }

    fn report_losses(&mut self) -> Result<(), ChannelError> {
        let lost: Vec<(CameraIndex, Loss)> =
            self.open.iter().filter_map(|(camera, stream)| Some((*camera, stream.take_loss()?))).collect();
        for (camera, loss) in lost {
            // Disconnect first: the parent may open the camera again as soon as it hears of the loss.
            if let Some(stream) = self.open.remove(&camera) {
                let counts = stream.counts();
                drop(stream);
                self.channel.send(&FromCapture::Progress { camera, counts }, None)?;
            }
            self.report(camera, loss)?;
        }
        Ok(())
    }

    /// Says of a camera that it fills the memory; true if one does.
    fn report_flood(&self) -> Result<bool, ChannelError> {
        let is_alone = self.open.len() == 1;
        let flooded = self.open.iter().find(|(_, stream)| stream.is_flooded(is_alone));
        let Some((camera, _)) = flooded else { return Ok(false) };
        let detail = format!("{}: its answer has no end", LossKind::NotRtsp.words());
        self.report(*camera, Loss::new(LossKind::NotRtsp, detail))?;
        Ok(true)
    }

    fn report(&self, camera: CameraIndex, Loss { kind, detail }: Loss) -> Result<(), ChannelError> {
        self.channel.send(&FromCapture::Lost { camera, kind, detail }, None)
    }

    fn report_progress(&self) -> Result<(), ChannelError> {
        for (camera, stream) in &self.open {
            self.channel.send(&FromCapture::Progress { camera: *camera, counts: stream.counts() }, None)?;
        }
        Ok(())
    }

    fn is_a_decoder_hung(&mut self) -> bool {
        self.open.values_mut().any(OpenStream::is_hung)
    }
}
