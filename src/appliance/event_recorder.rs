//! Turns events of trackers into events of the MQTT contract, and puts them into the outbox.

use crate::clips::Clips;
use crate::cluster::Mark;
use crate::core::effect::event_id;
use crate::model::package::Package;
use crate::os::clock::{rfc3339_utc, wall_now_ms};
use crate::publish::event::{self, EventMessage, SCHEMA_EVENT};
use crate::publish::outbox::{EventLog, Outbox, OutboxStatus};
use crate::publish::sinks::mqtt::topics;
use crate::tracking::{EventKind, TrackEvent};
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// How long the shutdown waits for the disk in each of two steps.
const DISK_PATIENCE: Duration = Duration::from_millis(500);

/// Records events in the outbox.
#[derive(Debug)]
pub(super) struct EventRecorder {
    /// `None`: no sink is configured for events.
    outbox: Option<Outbox>,
    box_id: String,
    boot_id: String,
}

impl EventRecorder {
    pub(super) fn new(outbox: Option<Outbox>, box_id: &str, boot_id: &str) -> Self {
        Self { outbox, box_id: box_id.to_owned(), boot_id: boot_id.to_owned() }
    }

    /// Puts an event into the outbox, and has a clip of it made. `package` produced the detections. `claim`: the cluster that the
    /// camera belongs to, and what is said of the box's claim.
    pub(super) fn record(
        &self,
        seq: u64,
        camera: &CameraId,
        (track_event, clips): (&TrackEvent, Option<&Clips>),
        package: &Package,
        claim: Option<(&str, Mark)>,
        (clock_synced, now): (bool, Monotonic),
    ) {
        let wall_ms = wall_now_ms();
        let time = |at: Monotonic| rfc3339_utc(wall_ms - i64::try_from(now.since(at).as_millis()).unwrap_or(0));
        let id = event_id(&self.boot_id, seq);
        let TrackEvent { track, kind, .. } = track_event;
        let has_clip = clips.is_some_and(|clips| clips.event(camera, *track, *kind, &id, now));
        let message = EventMessage {
            schema: SCHEMA_EVENT,
            clip: has_clip.then(|| format!("/api/events/{id}/clip")),
            id,
            seq,
            kind: match track_event.kind {
                EventKind::Began => event::EventKind::Began,
                EventKind::Changed => event::EventKind::Changed,
                EventKind::Ended => event::EventKind::Ended,
            },
            box_id: self.box_id.clone(),
            camera: camera.to_string(),
            track: track_event.track,
            label: track_event.label.clone(),
            began_at: time(track_event.began_at),
            at: time(track_event.at),
            ended_at: track_event.ended_at.map(time),
            clock_synced,
            monotonic_ms: (!clock_synced).then_some(track_event.at.as_nanos() / 1_000_000),
            confidence: track_event.confidence,
            bounding_box: track_event.best_box,
            model: package.model.clone(),
            model_version: package.version.clone(),
            regions: track_event.regions.clone(),
            epoch: claim.map(|(_, mark)| mark.epoch),
            owner_uncertain: claim.is_some_and(|(_, mark)| mark.is_uncertain),
        };
        let stream = topics::event_stream(claim.map(|(cluster, _)| cluster), camera.as_str());
        match (message.to_payload(), &self.outbox) {
            (Ok(payload), Some(outbox)) => outbox.record(stream.into(), payload),
            (Err(error), _) => tracing::error!(%error, "an event cannot be written as JSON"),
            (Ok(_), None) => {}
        }
    }

    /// The status of the outbox.
    pub(super) fn status(&self) -> Option<OutboxStatus> {
        self.outbox.as_ref().map(Outbox::status)
    }

    /// The log that clients read events from.
    pub(super) fn log(&self) -> Option<EventLog> {
        self.outbox.as_ref().map(Outbox::log)
    }

    /// Waits until the last events are on the disk and sent if possible, for a bounded time.
    pub(super) async fn flush(&self) {
        if let Some(outbox) = &self.outbox
            && tokio::time::timeout(DISK_PATIENCE, outbox.flush()).await.is_err()
        {
            tracing::warn!("the last events could not be written to the disk in time");
        }
    }

    /// Waits until the last acknowledgements are on the disk, for a bounded time.
    pub(super) async fn close(&mut self) {
        let Some(outbox) = self.outbox.take() else { return };
        let closing = tokio::task::spawn_blocking(|| outbox.close());
        if tokio::time::timeout(DISK_PATIENCE, closing).await.is_err() {
            tracing::warn!("the broker's last acknowledgements could not be written to the disk in time");
        }
    }
}
