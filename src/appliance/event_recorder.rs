//! Turns events of trackers into those of the MQTT contract, and hands them to the outbox.

use crate::core::effect::event_id;
use crate::model::package::Package;
use crate::os::clock::{rfc3339_utc, wall_now_ms};
use crate::publish::event::{self, EventMessage, SCHEMA_EVENT};
use crate::publish::outbox::{EventLog, Outbox, OutboxStatus};
use crate::tracking::{EventKind, TrackEvent};
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// How long a stop waits for the disk, twice.
const DISK_PATIENCE: Duration = Duration::from_millis(500);

/// The way to the outbox.
#[derive(Debug)]
pub(super) struct EventRecorder {
    /// None: no sink wants events.
    outbox: Option<Outbox>,
    box_id: String,
    boot_id: String,
}

impl EventRecorder {
    pub(super) fn new(outbox: Option<Outbox>, box_id: &str, boot_id: &str) -> Self {
        Self { outbox, box_id: box_id.to_owned(), boot_id: boot_id.to_owned() }
    }

    /// Hands an event to the outbox. `package` is of the model that saw it.
    pub(super) fn record(
        &self,
        seq: u64,
        camera: &CameraId,
        told: &TrackEvent,
        package: &Package,
        clock_synced: bool,
        now: Monotonic,
    ) {
        let wall_ms = wall_now_ms();
        let time = |at: Monotonic| rfc3339_utc(wall_ms - i64::try_from(now.since(at).as_millis()).unwrap_or(0));
        let message = EventMessage {
            schema: SCHEMA_EVENT,
            id: event_id(&self.boot_id, seq),
            seq,
            kind: match told.kind {
                EventKind::Began => event::EventKind::Began,
                EventKind::Changed => event::EventKind::Changed,
                EventKind::Ended => event::EventKind::Ended,
            },
            box_id: self.box_id.clone(),
            camera: camera.to_string(),
            track: told.track,
            label: told.label.clone(),
            began_at: time(told.began_at),
            at: time(told.at),
            ended_at: told.ended_at.map(time),
            clock_synced,
            monotonic_ms: (!clock_synced).then_some(told.at.as_nanos() / 1_000_000),
            confidence: told.confidence,
            bounding_box: told.best_box,
            model: package.model.clone(),
            model_version: package.version.clone(),
            regions: told.regions.clone(),
        };
        match (message.to_payload(), &self.outbox) {
            (Ok(payload), Some(outbox)) => outbox.record(camera.as_str().into(), payload),
            (Err(error), _) => tracing::error!(%error, "an event cannot be written as JSON"),
            (Ok(_), None) => {}
        }
    }

    /// How the outbox is.
    pub(super) fn status(&self) -> Option<OutboxStatus> {
        self.outbox.as_ref().map(Outbox::status)
    }

    /// For whoever reads events.
    pub(super) fn log(&self) -> Option<EventLog> {
        self.outbox.as_ref().map(Outbox::log)
    }

    /// The last events are on the disk, and have left if they may. Bounded in time.
    pub(super) async fn flush(&self) {
        if let Some(outbox) = &self.outbox
            && tokio::time::timeout(DISK_PATIENCE, outbox.flush()).await.is_err()
        {
            tracing::warn!("the disk does not take the last events in time");
        }
    }

    /// The disk knows what was acknowledged last. Bounded in time.
    pub(super) async fn close(&mut self) {
        let Some(outbox) = self.outbox.take() else { return };
        let closing = tokio::task::spawn_blocking(|| outbox.close());
        if tokio::time::timeout(DISK_PATIENCE, closing).await.is_err() {
            tracing::warn!("the disk does not take what the broker has acknowledged last in time");
        }
    }
}
