//! Encodes snapshots beside the streams: on a thread of its own, one at a time.
//!
//! The main loop takes the frame out of its slot and goes on; a frame's slot is never held for a snapshot. What is
//! asked for while two wait is refused at once: it would be an old picture by then. Keyframes of main streams are decoded
//! here as well, so one at a time.

use crate::capture::lock::lock;
use crate::capture::main_stream::Keyframe;
use crate::capture::snapshot::{self, Wanted};
use crate::ipc::channel::Channel;
use crate::ipc::frame_slots::SlotWriter;
use crate::ipc::messages::FromCapture;
use crate::ipc::snapshot_messages::{SnapshotAnswer, SnapshotId, SnapshotMade};
use crate::vision::picture_source::PictureSource;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Snapshots that wait, each up to 4 MiB.
const QUEUE: usize = 2;

/// An encoder that takes so long will not end any more: the slowest box needs a second.
const HUNG: Duration = Duration::from_secs(30);

/// A frame that is to become a snapshot.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: SnapshotId,
    pub(super) wanted: Wanted,
    /// The frame, out of its slot.
    pub(super) samples: Vec<u8>,
    /// What is shown instead of the frame, if that can be had.
    pub(super) main: Option<MainJob>,
    /// Where the JPEG goes.
    pub(super) region: OwnedFd,
}

/// A picture of the main stream.
#[derive(Debug)]
pub(super) struct MainJob {
    /// The keyframe, or why there is none.
    pub(super) keyframe: Result<Keyframe, String>,
    pub(super) max_width_px: u32,
}

/// The thread, and when it began what it does.
#[derive(Debug)]
pub(super) struct SnapshotThread {
    jobs: SyncSender<Job>,
    busy_since: Arc<Mutex<Option<Instant>>>,
}

impl SnapshotThread {
    /// Starts the thread; it ends with the value.
    pub(super) fn start(channel: Arc<Channel>) -> std::io::Result<Self> {
        let (jobs, inbox) = sync_channel::<Job>(QUEUE);
        let busy_since = Arc::new(Mutex::new(None));
        let busy = Arc::clone(&busy_since);
        std::thread::Builder::new().name("snapshots".into()).spawn(move || {
            while let Ok(job) = inbox.recv() {
                *lock(&busy) = Some(Instant::now());
                answer(&channel, job.id, write(job));
                *lock(&busy) = None;
            }
        })?;
        Ok(Self { jobs, busy_since })
    }

    /// Hands a frame over, or says why not.
    pub(super) fn take(&self, job: Job) -> Result<(), String> {
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => "the encoder has enough to do with others".to_owned(),
            TrySendError::Disconnected(_) => "the encoder has ended".to_owned(),
        })
    }

    /// True once it has been at one frame for too long. Nothing but the end of the process ends it.
    pub(super) fn is_hung(&self, now: Instant) -> bool {
        lock(&self.busy_since).is_some_and(|since| now.saturating_duration_since(since) > HUNG)
    }
}

/// Tells the parent how a snapshot ended.
pub(super) fn answer(channel: &Channel, id: SnapshotId, result: Result<SnapshotMade, String>) {
    if let Err(error) = channel.send(&FromCapture::Snapshot(SnapshotAnswer { id, result }), None) {
        tracing::debug!(%error, "the parent cannot be told");
    }
}

/// Encodes, and writes the JPEG to where the parent reads it.
fn write(Job { wanted, samples, main, region, .. }: Job) -> Result<SnapshotMade, String> {
    let of_main = main.map(|main| encode_main(main, &wanted));
    let (jpeg, source) = match of_main {
        Some(Ok(made)) => made,
        Some(Err(why)) => (encode(samples, &wanted)?, PictureSource::FrameInstead { why }),
        None => (encode(samples, &wanted)?, PictureSource::Frame),
    };
    let mut region = SlotWriter::new(&region, 1).map_err(|error| format!("the region: {error}"))?;
    let target = region.bytes_mut().get_mut(..jpeg.len()).ok_or("the region is too short")?;
    target.copy_from_slice(&jpeg);
    let bytes = u32::try_from(jpeg.len()).map_err(|error| error.to_string())?;
    Ok(SnapshotMade { bytes, source })
}

/// The JPEG of the main stream's keyframe, with the boxes of the frame: both streams show the same.
fn encode_main(
    MainJob { keyframe, max_width_px }: MainJob,
    wanted: &Wanted,
) -> Result<(Vec<u8>, PictureSource), String> {
    let mut keyframe = keyframe?;
    let (picture, samples) = keyframe.decode()?;
    let jpeg = encode(samples, &Wanted { picture, max_width_px, ..wanted.clone() })?;
    Ok((jpeg, PictureSource::Main { offset_ms: keyframe.offset_ms }))
}

fn encode(samples: Vec<u8>, wanted: &Wanted) -> Result<Vec<u8>, String> {
    snapshot::encode(samples, wanted).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::frame_slots::Region;
    use crate::vision::frame::{Colorimetry, Picture, PixelFormat};

    #[test]
    fn each_order_has_one_answer_whether_it_is_encoded_or_refused() {
        let (ours, theirs) = Channel::pair().unwrap();
        let theirs = Arc::new(theirs);
        let thread = SnapshotThread::start(Arc::clone(&theirs)).unwrap();
        // Each order has a region of its own: the first writer of one is its last.
        let regions: Vec<Region> = (0..20).map(|_| Region::create("test", 1).unwrap()).collect();
        let picture = Picture::new(PixelFormat::I420, 1920, 1080, Colorimetry::default()).unwrap();
        let jobs = (0..20).map(|id| Job {
            id: SnapshotId(id),
            wanted: Wanted {
                picture: picture.layout(),
                blackout: Vec::new(),
                boxes: Vec::new(),
                max_width_px: 1280,
                quality: 80,
                max_bytes: 100_000,
            },
            samples: vec![128; picture.bytes()],
            main: None,
            region: regions[usize::try_from(id).unwrap()].writable().try_clone().unwrap(),
        });
        // All at once: made one by one, each might find the encoder idle.
        for job in jobs.collect::<Vec<_>>() {
            let id = job.id;
            if let Err(reason) = thread.take(job) {
                answer(&theirs, id, Err(reason));
            }
        }
        let answers: Vec<SnapshotAnswer> = (0..20)
            .map(|_| match ours.receive::<FromCapture>().unwrap().0 {
                FromCapture::Snapshot(answer) => answer,
                other => panic!("{other:?}"),
            })
            .collect();
        let encoded = answers.iter().filter_map(|answer| Some((answer.id, answer.result.as_ref().ok()?)));
        let encoded: Vec<(SnapshotId, &SnapshotMade)> = encoded.collect();
        assert!((QUEUE..20).contains(&encoded.len()), "{answers:?}");
        let (SnapshotId(id), made) = encoded[0];
        let jpeg = regions[usize::try_from(id).unwrap()].copy_start(made.bytes as usize).unwrap();
        assert_eq!(image::load_from_memory(&jpeg).unwrap().width(), 1280);
    }

    #[test]
    fn an_encoder_that_does_not_come_to_an_end_is_hung() {
        let (_ours, theirs) = Channel::pair().unwrap();
        let thread = SnapshotThread::start(Arc::new(theirs)).unwrap();
        let now = Instant::now();
        assert!(!thread.is_hung(now + 2 * HUNG), "it has nothing to do");
        *lock(&thread.busy_since) = Some(now);
        assert!(!thread.is_hung(now + HUNG));
        assert!(thread.is_hung(now + 2 * HUNG));
    }
}
