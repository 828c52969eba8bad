//! What the event loop, the tasks that read pipes, the writing thread and HTTP know of clips.

use crate::clips::library::Library;
use crate::clips::recordings::{ClipId, Recordings};
use crate::clips::withheld::Withheld;
use crate::os::clock::rfc3339_utc;
use crate::telemetry::clip_metrics::ClipResult;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::troubles::Troubles;
use crate::vision::camera_id::CameraId;
use crate::vision::line_limit::LineLimit;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The part of the daemon that has the trouble.
const PART: &str = "clips";

/// The clip of an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FoundClip {
    /// It is in this file.
    In(PathBuf),
    /// It can be seen once it is whole.
    BeingMade,
    /// Nobody may see video of its camera: it would show what is black in snapshots.
    Withheld,
}

/// All that is known.
#[derive(Debug)]
pub(super) struct Shared {
    /// `<state directory>/clips`.
    pub(super) directory: PathBuf,
    inner: Mutex<Inner>,
    pub(super) metrics: Arc<Metrics>,
    troubles: Troubles,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) recordings: Recordings,
    pub(super) library: Library,
    /// Of which clips are made.
    pub(super) cameras: BTreeSet<CameraId>,
    /// Of which nobody may see clips.
    pub(super) withheld: Withheld,
    /// Of the lines about clips without video.
    pub(super) lines: LineLimit,
}

impl Shared {
    pub(super) fn new(directory: PathBuf, recordings: Recordings, metrics: Arc<Metrics>, troubles: Troubles) -> Self {
        let (library, cameras, withheld, lines) = Default::default();
        let inner = Inner { recordings, library, cameras, withheld, lines };
        Self { directory, inner: Mutex::new(inner), metrics, troubles }
    }

    /// The state is whole after each step, also after a panic elsewhere.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clip of an event.
    pub(super) fn find(&self, event: &str) -> Option<FoundClip> {
        let inner = self.lock();
        if inner.withheld.has_event(event) {
            return Some(FoundClip::Withheld);
        }
        let on_disk = |(start_ms, camera): &(i64, CameraId)| match inner.withheld.has_camera(camera) {
            true => FoundClip::Withheld,
            false => FoundClip::In(video_file(&self.directory.join(camera.as_str()), *start_ms)),
        };
        let being_made = || inner.recordings.has(event).then_some(FoundClip::BeingMade);
        inner.library.of(event).map(on_disk).or_else(being_made)
    }

    /// A clip that is being made has been lost.
    pub(super) fn lost(&self, clip: ClipId, result: ClipResult) {
        self.metrics.live().clips().ended(result);
        self.lock().recordings.stop(clip);
    }

    /// The disk does not take clips.
    pub(super) fn is_refused(&self, why: &str) {
        let trouble = format!("clips of events are not kept: {why}");
        if self.troubles.set(PART, trouble.clone()) {
            tracing::warn!("{trouble}");
        }
    }

    /// Nobody wants clips any more, so that it does not matter whether the disk takes them.
    pub(super) fn are_not_wanted(&self) {
        self.troubles.clear(PART);
    }

    /// The disk has taken a clip.
    pub(super) fn is_taken(&self) {
        if self.troubles.clear(PART) {
            tracing::info!("clips of events are kept again");
        }
    }
}

/// The name of a clip's files: when it begins, as all file systems take it.
pub(super) fn stem(start_ms: i64) -> String {
    rfc3339_utc(start_ms).replace(':', "-")
}

/// The video of a clip in the directory of its camera.
pub(super) fn video_file(directory: &Path, start_ms: i64) -> PathBuf {
    directory.join(format!("{}.mp4", stem(start_ms)))
}

/// What is kept beside it.
pub(super) fn entry_file(directory: &Path, start_ms: i64) -> PathBuf {
    directory.join(format!("{}.json", stem(start_ms)))
}
