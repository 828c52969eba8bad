//! Begins clips, and reads what capture processes write of them.

use crate::clips::clip_entry::ClipEntry;
use crate::clips::recordings::{ClipId, ClipTimes, Noted, Recordings};
use crate::clips::ring::RingRules;
use crate::clips::settings::ClipSettings;
use crate::clips::shared::{FoundClip, Shared};
use crate::clips::writer::{Job, Writer};
use crate::ipc::live_packets::{LiveHead, LivePacket};
use crate::live::read_packet;
use crate::os::clock::{monotonic_now, wall_now_ms};
use crate::telemetry::clip_metrics::ClipResult;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::troubles::Troubles;
use crate::tracking::EventKind;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::unix::pipe;
use tokio::sync::{Semaphore, mpsc};

/// Clips that are to be begun. When the queue is full, an event has none.
const ORDERS: usize = 64;

/// What waits for the disk: when it is full, pipes are not read, and capture processes leave frames out.
const JOBS: usize = 256;
const WAITING_KIB: usize = 16 << 10;

/// How often it is looked whether a clip has ended, and whether one is old.
const LOOK: Duration = Duration::from_millis(100);
const TIDY: Duration = Duration::from_secs(600);

/// How long the last frames of streams that have ended may take at a stop.
const LAST_FRAMES: Duration = Duration::from_millis(500);

/// No clip begins so long before its event, whatever a capture process says.
const FARTHEST: Duration = Duration::from_secs(120);

/// Why nothing is written any more.
const STOPPED: &str = "the daemon stops";

/// The settings of all clips.
#[derive(Clone, Debug)]
pub struct ClipRules {
    before: Duration,
    times: ClipTimes,
    ring: RingRules,
}

impl ClipRules {
    /// `leave_bytes`: what is left to others on the disk.
    pub fn new(settings: &ClipSettings, leave_bytes: u64) -> Self {
        let before = Duration::from_secs_f32(settings.before_seconds);
        let longest = Duration::from_secs_f32(settings.longest_seconds).saturating_sub(before);
        let times = ClipTimes { after: Duration::from_secs_f32(settings.after_seconds), longest };
        let most_bytes = u64::from(settings.max_megabytes) * 1_000_000;
        let keep = Duration::from_secs(u64::from(settings.days) * 86_400);
        Self { before, times, ring: RingRules { most_bytes, keep, leave_bytes } }
    }
}

/// Makes clips. Clones are the same.
#[derive(Clone, Debug)]
pub struct Clips(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    shared: Arc<Shared>,
    before: Duration,
    orders: mpsc::Sender<ClipOrder>,
    jobs: mpsc::Sender<Job>,
    room: Arc<Semaphore>,
}

/// A clip of this camera is to be written into a pipe that is handed to [`Clips::connect`].
#[derive(Debug)]
pub struct ClipOrder {
    /// The camera.
    pub camera: CameraId,
    clip: ClipId,
}

/// What has come of a clip.
#[derive(Debug, Default)]
struct Progress {
    /// What its pictures are.
    init: Option<LiveHead>,
    frames: u64,
    dropped: u64,
}

impl Clips {
    /// Starts the thread that writes, and finds the clips of earlier runs. Clips are made of no camera yet. To be called in
    /// a runtime.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(
        rules: &ClipRules,
        state_directory: &Path,
        metrics: Arc<Metrics>,
        troubles: Troubles,
    ) -> std::io::Result<(Self, mpsc::Receiver<ClipOrder>)> {
        let recordings = Recordings::new(rules.times);
        let shared = Arc::new(Shared::new(state_directory.join("clips"), recordings, metrics, troubles));
        let (jobs, queue) = mpsc::channel(JOBS);
        let (orders, ordered) = mpsc::channel(ORDERS);
        let writer = Writer::new(Arc::clone(&shared), rules.ring);
        std::thread::Builder::new().name("clips".into()).spawn(move || writer.run(queue))?;
        let tidy = jobs.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(TIDY).await;
                if tidy.send(Job::Tidy).await.is_err() {
                    return;
                }
            }
        });
        let room = Arc::new(Semaphore::new(WAITING_KIB));
        Ok((Self(Arc::new(Parts { shared, before: rules.before, orders, jobs, room })), ordered))
    }

    /// The cameras of which clips are made from now on, and those whose clips, also those of before, nobody may see.
    pub fn set_cameras(&self, cameras: BTreeSet<CameraId>, withheld: BTreeSet<CameraId>) {
        let is_none = cameras.is_empty();
        let mut inner = self.0.shared.lock();
        inner.cameras = cameras;
        inner.withheld.set(withheld);
        drop(inner);
        if is_none {
            self.0.shared.are_not_wanted();
        }
    }

    /// How many milliseconds of a camera's video its capture process is to keep for clips; 0: none are made of it.
    pub fn keep_ms(&self, camera: &CameraId) -> u32 {
        let is_meant = self.0.shared.lock().cameras.contains(camera);
        let ms = u32::try_from(self.0.before.as_millis()).unwrap_or(u32::MAX).max(1);
        if is_meant { ms } else { 0 }
    }

    /// An event has happened. `event`: its id. True if a clip of it is being made.
    pub fn event(&self, camera: &CameraId, track: u64, kind: EventKind, event: &str, now: Monotonic) -> bool {
        let Parts { shared, orders, .. } = &*self.0;
        let mut inner = shared.lock();
        if !inner.cameras.contains(camera) {
            inner.withheld.note(camera, event);
            return false;
        }
        let is_begun = match inner.recordings.event(camera, track, kind, event, now) {
            Noted::Without => return false,
            Noted::Shares => return true,
            Noted::Busy => false,
            Noted::Begins(clip) => {
                let is_begun = orders.try_send(ClipOrder { camera: camera.clone(), clip }).is_ok();
                if !is_begun {
                    inner.recordings.forget(clip);
                }
                is_begun
            }
        };
        if !is_begun {
            shared.metrics.live().clips().ended(ClipResult::Busy);
        }
        is_begun
    }

    /// Reads a clip from this pipe, into which the camera's capture process writes.
    ///
    /// # Errors
    /// When it is no pipe, or the daemon has no more descriptors. There is no clip then.
    pub fn connect(&self, order: ClipOrder, pipe: OwnedFd) -> std::io::Result<()> {
        match pipe::Receiver::from_owned_fd(pipe) {
            Ok(pipe) => {
                tokio::spawn(self.clone().record(order, pipe));
                Ok(())
            }
            Err(error) => {
                self.cannot_begin(&order);
                Err(error)
            }
        }
    }

    /// There is no capture process that could write it.
    pub fn cannot_begin(&self, order: &ClipOrder) {
        self.0.shared.metrics.live().clips().ended(ClipResult::NoVideo);
        self.0.shared.lock().recordings.forget(order.clip);
    }

    /// The clip of an event.
    pub fn of(&self, event: &str) -> Option<FoundClip> {
        self.0.shared.find(event)
    }

    /// Ends all clips, and waits until they are on the disk. What their streams have brought by now is read first: those of
    /// capture processes that have ended end by themselves.
    pub async fn flush(&self) {
        if tokio::time::timeout(LAST_FRAMES, self.until_written()).await.is_err() {
            self.0.shared.lock().recordings.stop_all();
            self.until_written().await;
        }
    }

    async fn until_written(&self) {
        while self.0.shared.lock().recordings.len() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn record(self, order: ClipOrder, mut pipe: pipe::Receiver) {
        let Parts { shared, jobs, .. } = &*self.0;
        let mut progress = Progress::default();
        // A packet that is read in part when the clip ends is of no use.
        let why = tokio::select! {
            why = self.read(&order, &mut pipe, &mut progress) => why,
            () = self.until_over(order.clip) => "its events are over, or it is as long as may be, or the disk refuses it",
        };
        drop(pipe);
        tracing::debug!(camera = %order.camera, frames = progress.frames, why, "a clip ends");
        shared.lock().recordings.stop(order.clip);
        shared.metrics.live().clips().dropped(progress.dropped);
        let clip = order.clip;
        let job = if progress.frames > 0 {
            Job::Finish { clip, end_ms: wall_now_ms(), dropped: progress.dropped }
        } else {
            shared.metrics.live().clips().ended(ClipResult::NoVideo);
            self.tell_of_no_video(&order.camera);
            Job::Abandon(clip)
        };
        if jobs.send(job).await.is_err() {
            shared.lock().recordings.forget(clip);
        }
    }

    /// Such a camera may have an event each second.
    fn tell_of_no_video(&self, camera: &CameraId) {
        if let Some(left_out) = self.0.shared.lock().lines.admit(monotonic_now()) {
            tracing::warn!(%camera, left_out = left_out.count(), "a clip has no video that can be played{left_out}");
        }
    }

    async fn until_over(&self, clip: ClipId) {
        while !self.0.shared.lock().recordings.is_over(clip, monotonic_now()) {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Passes on what comes until the stream ends, or goes on as one that does not fit into the same file.
    async fn read(&self, order: &ClipOrder, pipe: &mut pipe::Receiver, progress: &mut Progress) -> &'static str {
        let mut begins = None;
        while let Ok(LivePacket { head, body }) = read_packet(pipe).await {
            match head {
                LiveHead::Begins { media_us } => begins = Some(media_us),
                LiveHead::Unplayable { .. } => return "the camera sends none that is played",
                // Its parameter sets lie in the frames, where they may change; pictures of another size do not fit.
                LiveHead::Init { .. } if progress.init.as_ref() == Some(&head) => continue,
                LiveHead::Init { .. } if progress.init.is_some() => return "the camera sends other pictures",
                LiveHead::Init { .. } => {
                    progress.init = Some(head);
                    let entry = ClipEntry::new(order.camera.clone(), start_ms(begins));
                    if self.0.jobs.send(Job::Begin(order.clip, entry)).await.is_err() {
                        return STOPPED;
                    }
                }
                LiveHead::Fragment { dropped, .. } => {
                    if progress.init.is_none() {
                        continue;
                    }
                    progress.frames += 1;
                    progress.dropped += u64::from(dropped);
                }
            }
            if !body.is_empty() && !self.write(order.clip, body).await {
                return STOPPED;
            }
        }
        "its stream has ended"
    }

    async fn write(&self, clip: ClipId, body: Arc<[u8]>) -> bool {
        let kib = u32::try_from(body.len().div_ceil(1024)).unwrap_or(u32::MAX);
        let Ok(permit) = Arc::clone(&self.0.room).acquire_many_owned(kib).await else { return false };
        self.0.jobs.send(Job::Write(clip, body, permit)).await.is_ok()
    }
}

/// The wall time of a frame at this place on the monotonic clock.
fn start_ms(media_us: Option<u64>) -> i64 {
    let now_us = monotonic_now().as_nanos() / 1000;
    let ago = Duration::from_micros(media_us.map_or(0, |us| now_us.saturating_sub(us))).min(FARTHEST);
    wall_now_ms() - i64::try_from(ago.as_millis()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
