//! Handles the reports of the core: messages for the publisher, events for the outbox, counts for the metrics.

mod cluster_marks;
mod clustered;
mod gone;
mod held_events;
mod live_detections;
mod parts;
mod retained;
mod told;

use crate::admission::FrameWork;
use crate::appliance::box_state::box_state;
use crate::appliance::event_recorder::EventRecorder;
use crate::appliance::gauges::Gauges;
use crate::appliance::reporter::cluster_marks::{ClusterMarks, Voice};
use crate::appliance::reporter::held_events::{HeldEvent, HeldEvents};
use crate::appliance::reporter::told::Told;
use crate::appliance::state_reports::StateReports;
use crate::clips::Clips;
use crate::control::ApplianceStatus;
use crate::control::event_pictures::EventPictures;
use crate::core::Report;
use crate::core::report::FrameResult;
use crate::live::Relay;
use crate::model::package::Package;
use crate::os::clock::{is_wall_clock_synchronized, rfc3339_utc, wall_now_ms};
use crate::publish::broker_status::BrokerStatus;
use crate::publish::message::{DetectedObject, DetectionsMessage, LatencyMs, SCHEMA_DETECTIONS};
use crate::publish::outbox::{EventLog, Outbox, OutboxStatus};
use crate::publish::publisher::Publisher;
use crate::supervisor::Answer;
use crate::telemetry::log_queue::LogQueue;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::troubles::Troubles;
use crate::tracking::TrackedFrame;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::Outcome;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

/// The identity of the box in every message.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The box's id.
    pub box_id: String,
}

/// Publishes, counts and logs the core's reports.
#[derive(Debug)]
pub struct Reporter {
    identity: Identity,
    /// New at each start of the daemon, so that ids stay unique although frame numbers restart at 1.
    boot_id: String,
    publisher: Option<Publisher>,
    events: EventRecorder,
    live: Option<Relay>,
    clips: Option<Clips>,
    metrics: Arc<Metrics>,
    log: Option<LogQueue>,
    troubles: Troubles,
    gauges: Gauges,
    /// Cameras that the metrics show.
    shown_cameras: BTreeSet<CameraId>,
    /// Cameras that were removed. Their last frames may end later, and must not bring their series back.
    gone_cameras: BTreeSet<CameraId>,
    seen_now: BTreeMap<CameraId, BTreeMap<String, u32>>,
    labels_seen: BTreeMap<String, u64>,
    state_reports: StateReports,
    told: BTreeMap<CameraId, Told>,
    clock_synced: bool,
    pictures: EventPictures,
    marks: ClusterMarks,
    held: HeldEvents,
}

impl Reporter {
    /// `publisher` is absent when MQTT is switched off.
    pub fn new(
        identity: Identity,
        publisher: Option<Publisher>,
        outbox: Option<Outbox>,
        metrics: Arc<Metrics>,
    ) -> Self {
        // The keys of std's hasher are random in each process.
        let boot_id = format!("{:016x}", RandomState::new().build_hasher().finish());
        Self {
            events: EventRecorder::new(outbox, &identity.box_id, &boot_id),
            identity,
            boot_id,
            live: None,
            clips: None,
            publisher,
            gauges: Gauges::new(Arc::clone(&metrics)),
            metrics,
            log: None,
            troubles: Troubles::default(),
            shown_cameras: BTreeSet::new(),
            gone_cameras: BTreeSet::new(),
            seen_now: BTreeMap::new(),
            labels_seen: BTreeMap::new(),
            state_reports: StateReports::default(),
            told: BTreeMap::new(),
            clock_synced: is_wall_clock_synchronized(),
            pictures: EventPictures::default(),
            marks: ClusterMarks::default(),
            held: HeldEvents::default(),
        }
    }

    /// The box's id.
    pub(super) fn box_id(&self) -> &str {
        &self.identity.box_id
    }

    /// True if the wall clock was known to be right when the last status was published.
    pub(super) fn is_clock_synced(&self) -> bool {
        self.clock_synced
    }

    /// Publishes, counts or logs what the core reports.
    pub(super) fn report(&mut self, report: Report, now: Monotonic) {
        match report {
            Report::FrameCaptured(camera) => self.metrics.frame_captured(&camera),
            Report::FrameKeptBack(camera, reason) => {
                self.metrics.frame_captured(&camera);
                self.metrics.frame_ended(&camera, Outcome::Shed(reason));
            }
            Report::FrameEnded { work, outcome, result } => self.frame_ended(&work, outcome, result.as_deref(), now),
            Report::Event { seq, camera, event, package } => {
                self.metrics.event(&camera, event.kind.name());
                self.event(&camera, HeldEvent { seq, event: *event, package }, now);
            }
            Report::Labels { camera, labels, are_listed } => self.labels(camera, labels, are_listed),
            Report::LabelCounts { camera, counts } => self.label_counts(camera, &counts),
            Report::SnapshotTaken { camera, snapshot } => {
                self.pictures.keep(&camera, &snapshot);
                self.snapshot(camera, snapshot.jpeg);
            }
            Report::SnapshotsForgotten(camera) => {
                self.pictures.forget(&camera);
                self.forget_snapshot(&camera);
            }
            Report::SnapshotEnded { camera, result, source, why } => {
                if let Some(why) = why {
                    tracing::warn!(%camera, why, "a snapshot could not be taken");
                }
                self.metrics.snapshot(&camera, result.name());
                self.snapshot_source(&camera, source);
            }
            Report::CaptureRestarted => self.metrics.capture_restarted(),
            Report::CamerasSeparated { cameras } => {
                let cameras = cameras.iter().map(CameraId::as_str).collect::<Vec<_>>().join(", ");
                tracing::warn!(cameras, "a shared capture process has ended: each of its cameras gets one of its own");
            }
            Report::Scaled { model, from, to, reason } => {
                tracing::info!(model, from, to, ?reason, "the number of inference units changes");
            }
        }
    }

    /// A frame has its outcome; a detected one is published.
    fn frame_ended(&mut self, work: &FrameWork, outcome: Outcome, result: Option<&FrameResult>, now: Monotonic) {
        if !self.gone_cameras.contains(&work.camera) {
            self.metrics.frame_ended(&work.camera, outcome);
        }
        let Some(FrameResult { answer, package, tracked }) = result else { return };
        let age = now.since(work.frame.captured_at);
        let inference = Duration::from_micros(u64::from(answer.timing.inference_us));
        self.metrics.frame_timed(answer.queued, inference, age);
        self.metrics.answered(&package.model, answer.detections.len(), age);
        let message = self.detections_message(work, answer, tracked, package, age);

        let mut seen = BTreeMap::new();
        for object in &message.detections {
            *seen.entry(object.label.clone()).or_default() += 1;
            *self.labels_seen.entry(object.label.clone()).or_default() += 1;
        }
        if self.gone_cameras.contains(&work.camera) {
            return;
        }
        if let Some(live) = self.live.as_ref().filter(|live| live.is_watched(&work.camera)) {
            live_detections::tell(live, work, &message);
        }
        self.seen_now.insert(work.camera.clone(), seen);
        if let Some(publisher) = &self.publisher
            && self.marks.voice(&work.camera) != Voice::Silent
        {
            publisher.publish_detections(message);
        }
    }

    /// Counts a detected image, which was complete at `arrived_at`.
    pub(super) fn image_answered(&self, arrived_at: Monotonic, answer: &Answer, package: &Package, now: Monotonic) {
        self.metrics.answered(&package.model, answer.detections.len(), now.since(arrived_at));
    }

    fn detections_message(
        &self,
        work: &FrameWork,
        answer: &Answer,
        tracked: &TrackedFrame,
        package: &Package,
        age: Duration,
    ) -> DetectionsMessage {
        let inference = Duration::from_micros(u64::from(answer.timing.inference_us));
        let captured_at_ms = wall_now_ms() - i64::try_from(age.as_millis()).unwrap_or(0);
        let monotonic_ms = work.frame.captured_at.as_nanos() / 1_000_000;
        let kept = answer.all().zip(&tracked.tracks).zip(&tracked.kept).filter(|(_, kept)| **kept);
        let objects = kept.map(|((detection, track), _)| DetectedObject {
            label: package.labels.name(detection.class).to_owned(),
            confidence: detection.confidence,
            bounding_box: detection.bounding_box,
            track: *track,
        });
        let mark = self.marks.claim(&work.camera).ok().flatten().map(|(_, mark)| mark);
        DetectionsMessage {
            schema: SCHEMA_DETECTIONS,
            id: format!("{}-{}-{:09}", self.boot_id, work.camera, work.number),
            box_id: self.identity.box_id.clone(),
            camera: work.camera.to_string(),
            frame: work.number,
            captured_at: rfc3339_utc(captured_at_ms),
            clock_synced: self.clock_synced,
            monotonic_ms: (!self.clock_synced).then_some(monotonic_ms),
            camera_time: work.frame.camera_ms.map(rfc3339_utc),
            camera_offset_ms: work.frame.camera_ms.map(|camera_ms| camera_ms - captured_at_ms),
            width: work.frame.picture.width(),
            height: work.frame.picture.height(),
            model: package.model.clone(),
            model_version: package.version.clone(),
            latency_ms: LatencyMs {
                queue: milliseconds(answer.queued),
                inference: milliseconds(inference),
                total: milliseconds(age),
            },
            detections: objects.collect(),
            truncated: false,
            epoch: mark.map(|mark| mark.epoch),
            owner_uncertain: mark.is_some_and(|mark| mark.is_uncertain),
        }
    }

    /// Publishes the states that are due, and sets the gauges.
    pub(super) fn publish_status(&mut self, status: &ApplianceStatus, now: Monotonic) {
        self.clock_synced = is_wall_clock_synchronized();
        self.remove_gone(status);
        let mqtt = self.publisher.as_ref().map(Publisher::status);
        self.gauges.set(status, mqtt, status.outbox.as_ref(), self.log.as_ref());
        let Some(publisher) = &self.publisher else { return };
        for (id, camera) in &status.cameras {
            let Some(state) = self.marked_state(id, &camera.state) else { continue };
            if self.state_reports.is_camera_due(id, &state, now) {
                publisher.set_camera_state(id, &state);
            }
        }
        self.state_reports.keep(|id| status.cameras.contains_key(id));
        let state = box_state(status);
        if self.state_reports.is_box_due(&state, now) {
            publisher.set_box_state(&state);
        }
    }

    pub(super) fn seen_now(&self, camera: &CameraId) -> BTreeMap<String, u32> {
        self.seen_now.get(camera).cloned().unwrap_or_default()
    }

    pub(super) fn labels_seen(&self) -> BTreeMap<String, u64> {
        self.labels_seen.clone()
    }

    pub(super) fn published(&self) -> u64 {
        self.publisher.as_ref().map_or(0, |publisher| publisher.status().published)
    }

    /// Whether the broker is connected, and if not, why.
    pub(super) fn broker(&self) -> BrokerStatus {
        self.publisher.as_ref().map_or(BrokerStatus::Off, Publisher::broker)
    }

    /// The state of the outbox.
    pub(super) fn outbox(&self) -> Option<OutboxStatus> {
        self.events.status()
    }

    /// The log that clients read events from.
    pub(super) fn event_log(&self) -> Option<EventLog> {
        self.events.log()
    }

    /// Problems of parts that run on their own, as texts for the operator.
    pub(super) fn troubles(&self) -> Vec<String> {
        self.publisher.iter().flat_map(Publisher::refusals).chain(self.troubles.all()).collect()
    }

    /// Sends the last events and publishes `stopped`, within a bounded time.
    pub(super) async fn shut_down(&mut self) {
        self.events.flush().await;
        self.tell_no_owners();
        if let Some(publisher) = &mut self.publisher {
            publisher.shut_down().await;
        }
        self.events.close().await;
    }
}

fn milliseconds(time: Duration) -> f32 {
    (time.as_secs_f32() * 10_000.0).round() / 10.0
}
