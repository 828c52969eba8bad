//! One look at one camera, for `ocelli check` and `ocelli plan`: connects as the daemon does, in a capture process of its own, until the first
//! frame has come. It then says goodbye: a camera that does not hear it keeps the session for a minute.

use crate::camera::clip_file;
use crate::camera::network_guard::NetworkGuard;
use crate::ipc::channel::ChannelError;
use crate::ipc::child_process::{ChildEvent, ChildHandle, ChildSpec, Spawner};
use crate::ipc::frame_slots::Region;
use crate::ipc::heartbeat::{HEARTBEAT, INITIALIZATION_LIMIT};
use crate::ipc::messages::{CameraIndex, CameraSource, FromCapture, LossKind, StreamInfo, ToCapture};
use crate::os::processor_time;
use crate::vision::stream_counts::StreamCounts;
use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// How long the process may take to disconnect.
const GOODBYE_LIMIT: Duration = Duration::from_secs(3);

/// The fewest slots a camera may have.
const SLOTS: u16 = 3;

const CAMERA: CameraIndex = CameraIndex(0);

/// What the camera sends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    /// Codec, size and declared rate.
    pub(crate) info: StreamInfo,
    /// What was measured from then on; `None` if nothing came any more.
    pub(crate) measured: Option<Measured>,
}

/// A stream over some seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Measured {
    /// Frames a second; keyframes a second if only those are decoded.
    pub(crate) frames_per_second: f64,
    /// Processor time of the capture process, as a share of one core.
    pub(crate) cores: f64,
    /// Thousands of bits a second.
    pub(crate) kilobits_per_second: f64,
    /// Seconds between two keyframes; `None` if there were no two.
    pub(crate) keyframe_seconds: Option<f64>,
    /// Seconds by which the clock of the camera is ahead; `None` if it does not tell its time.
    pub(crate) clock_offset_seconds: Option<f64>,
}

/// Why no frame has come.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrialError {
    /// The process or its memory could not be made.
    #[error("a capture process could not be started")]
    Start(#[from] std::io::Error),
    /// The process takes no messages.
    #[error("the capture process takes no messages")]
    Channel(#[from] ChannelError),
    /// GStreamer was not ready in time.
    #[error("GStreamer did not start within {} s", INITIALIZATION_LIMIT.as_secs())]
    Initialization,
    /// The capture process reported the loss of the connection.
    #[error("{detail}")]
    Lost {
        /// The kind of the loss.
        kind: LossKind,
        /// In a person's words.
        detail: String,
    },
    /// The camera is connected, but no frame was decoded in time.
    #[error("no frame was decoded within {:.0} s; {packets} packets came", .limit.as_secs_f64())]
    NoFrame {
        /// RTP packets that came.
        packets: u64,
        /// The time limit.
        limit: Duration,
    },
    /// The process has ended.
    #[error("the capture process ended: {0}")]
    Ended(String),
}

/// Connects to a camera and waits for its first frame, `limit` at most once GStreamer is ready, then measures for `seconds`.
/// `program` and `environment` are those of a capture process.
///
/// # Errors
/// [`TrialError`].
pub(crate) async fn look_once(
    spawner: &Spawner,
    program: PathBuf,
    environment: BTreeMap<String, String>,
    source: CameraSource,
    limit: Duration,
    seconds: u32,
) -> Result<Seen, TrialError> {
    let (title, arguments) = (format!("camera {}", source.name), vec!["capture".into()]);
    let (sender, events) = mpsc::channel(64);
    let guard = Arc::new(NetworkGuard::default());
    guard.open(CAMERA, &source);
    let spec = ChildSpec { program, arguments, environment, title };
    let handle = spawner.spawn_judged(&spec, guard, sender, |event| event)?;
    let mut trial = Trial { handle, events, seconds };
    let seen = trial.look(source, limit).await;
    trial.say_goodbye().await;
    seen
}

fn measured(before: &StreamCounts, after: &StreamCounts, used: Duration, time: Duration) -> Option<Measured> {
    let rate = |before: u64, after: u64| after.saturating_sub(before) as f64 / time.as_secs_f64().max(0.1);
    let interval = after.keyframe_interval_ms;
    let measured = Measured {
        cores: used.as_secs_f64() / time.as_secs_f64().max(0.1),
        frames_per_second: rate(before.wanted(), after.wanted()),
        kilobits_per_second: rate(before.bytes, after.bytes) * 8.0 / 1000.0,
        keyframe_seconds: (interval > 0).then(|| f64::from(interval) / 1000.0),
        clock_offset_seconds: after.clock_offset_ms.map(|ms| ms as f64 / 1000.0),
    };
    (after.received > before.received).then_some(measured)
}

struct Trial {
    handle: ChildHandle,
    events: mpsc::Receiver<ChildEvent<FromCapture>>,
    seconds: u32,
}

impl Trial {
    async fn look(&mut self, source: CameraSource, limit: Duration) -> Result<Seen, TrialError> {
        let started = Instant::now() + INITIALIZATION_LIMIT;
        while self.next(started).await?.ok_or(TrialError::Initialization)? != FromCapture::Initialized {}
        let region = Region::create("ocelli-trial", SLOTS)?;
        let file = clip_file::open(&source.url);
        let file = file.map_err(|error| TrialError::Lost { kind: error.kind(), detail: error.to_string() })?;
        if let Some(file) = file {
            self.handle.send(&ToCapture::File { camera: CAMERA }, Some(file.as_fd()))?;
        }
        let open = ToCapture::Open { camera: CAMERA, source: Box::new(source), slots: region.slots() };
        self.handle.send(&open, Some(region.writable().as_fd()))?;
        let deadline = Instant::now() + limit;
        let (mut info, mut packets) = (None, 0);
        loop {
            match self.next(deadline).await? {
                None => return Err(TrialError::NoFrame { packets, limit }),
                Some(FromCapture::Streaming { info: found, .. }) => info = Some(found),
                Some(FromCapture::Progress { counts, .. }) => packets = counts.packets,
                Some(FromCapture::Lost { kind, detail, .. }) => return Err(TrialError::Lost { kind, detail }),
                Some(FromCapture::Frame { .. }) => {
                    if let Some(info) = info.take() {
                        return Ok(Seen { info, measured: self.measure().await });
                    }
                }
                Some(_) => {}
            }
        }
    }

    /// Rates from the counts that come with the heartbeats. The slots are full by then: frames are only counted.
    async fn measure(&mut self) -> Option<Measured> {
        let time = Duration::from_secs(u64::from(self.seconds));
        let deadline = Instant::now() + time + HEARTBEAT * 2;
        let mut first = None;
        while let Ok(Some(message)) = self.next(deadline).await {
            let FromCapture::Progress { counts, .. } = message else { continue };
            let used = processor_time::of_process(self.handle.pid()).unwrap_or_default();
            let (begun, before, used_before) = *first.get_or_insert((Instant::now(), counts, used));
            if begun.elapsed() + HEARTBEAT / 2 > time {
                return measured(&before, &counts, used.saturating_sub(used_before), begun.elapsed());
            }
        }
        None
    }

    /// The next message; `None` at the deadline.
    async fn next(&mut self, deadline: Instant) -> Result<Option<FromCapture>, TrialError> {
        match timeout_at(deadline, self.events.recv()).await {
            Err(_) => Ok(None),
            Ok(Some(ChildEvent::Message(message))) => Ok(Some(message)),
            Ok(Some(ChildEvent::Ended { status, .. })) => Err(TrialError::Ended(status.to_string())),
            Ok(None) => Err(TrialError::Ended("its status is unknown".into())),
        }
    }

    async fn say_goodbye(mut self) {
        let is_told = self.handle.send(&ToCapture::Close { camera: CAMERA }, None).is_ok()
            && self.handle.send(&ToCapture::Stop, None).is_ok();
        if is_told {
            let ended = async { while !matches!(self.events.recv().await, Some(ChildEvent::Ended { .. }) | None) {} };
            drop(timeout(GOODBYE_LIMIT, ended).await);
        }
    }
}
