//! What the core reports: it is published, counted or logged.

use crate::admission::FrameWork;
use crate::control::snapshots::Snapshot;
use crate::model::package::Package;
use crate::publish::label_counts::LabelCount;
use crate::supervisor::Answer;
use crate::supervisor::autoscaler::ScaleReason;
use crate::tracking::{TrackEvent, TrackedFrame};
use crate::vision::camera_id::CameraId;
use crate::vision::outcome::{Outcome, ShedReason};
use crate::vision::picture_source::PictureSource;
use std::sync::Arc;

/// The unit's result for a frame, and what the tracker makes of it.
#[derive(Debug)]
pub struct FrameResult {
    /// The unit's result.
    pub answer: Answer,
    /// The package that produced it.
    pub package: Arc<Package>,
    /// The tracks of its detections, and which of them the camera's rules keep.
    pub tracked: TrackedFrame,
}

/// Something to publish, count or log.
#[derive(Debug)]
pub enum Report {
    /// A frame was announced.
    FrameCaptured(CameraId),
    /// A capture process kept a frame that was due to itself.
    FrameKeptBack(CameraId, ShedReason),
    /// A frame has its outcome.
    FrameEnded {
        /// The frame.
        work: FrameWork,
        /// How it ended.
        outcome: Outcome,
        /// The result, if the frame was detected.
        result: Option<Box<FrameResult>>,
    },
    /// An object or a label began, changed or ended.
    Event {
        /// The sequence number, unique until the daemon restarts.
        seq: u64,
        /// The camera.
        camera: CameraId,
        /// The tracker's event.
        event: Box<TrackEvent>,
        /// The package that produced the detections.
        package: Arc<Package>,
    },
    /// A camera's model got its first result, or has other labels than before.
    Labels {
        /// The camera.
        camera: CameraId,
        /// All labels that the camera may report.
        labels: Vec<String>,
        /// True if its scene lists them; else they are all labels of its model.
        are_listed: bool,
    },
    /// Counts of objects in view have changed.
    LabelCounts {
        /// The camera.
        camera: CameraId,
        /// The changed counts.
        counts: Vec<LabelCount>,
    },
    /// A picture of a camera, to be published.
    SnapshotTaken {
        /// The camera.
        camera: CameraId,
        /// The picture.
        snapshot: Snapshot,
    },
    /// The pictures of a camera must not be shown any more.
    SnapshotsForgotten(CameraId),
    /// How an attempt to take a snapshot ended.
    SnapshotEnded {
        /// The camera.
        camera: CameraId,
        /// The metric's label.
        result: SnapshotResult,
        /// What the picture shows, if there is one.
        source: Option<PictureSource>,
        /// The reason of a failure, for the log.
        why: Option<String>,
    },
    /// A capture process ended and will be restarted.
    CaptureRestarted,
    /// A capture process that several cameras shared has ended. Each of them gets one of its own.
    CamerasSeparated {
        /// The cameras.
        cameras: Vec<CameraId>,
    },
    /// The desired number of units of a model changed. For the log.
    Scaled {
        /// The model.
        model: String,
        /// The desired number before.
        from: usize,
        /// The desired number now.
        to: usize,
        /// The scaling rule that applied.
        reason: ScaleReason,
    },
}

/// How an attempt to take a snapshot ended, for its metric.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SnapshotResult {
    /// A picture was taken.
    Taken,
    /// The camera's limit per minute was reached.
    Limited,
    /// No picture could be taken.
    Failed,
}

impl SnapshotResult {
    /// The value of the metric's label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Limited => "limited",
            Self::Failed => "failed",
        }
    }
}
