//! The health of a box as a table for a terminal: what is wrong comes last, where the eye is.

use crate::cli::columns::{columns, span};
use crate::control::health::{BoxHealth, BrokerState, CameraHealth, ModelHealth, TroubleHealth};
use crate::vision::camera_status::CameraStatus;
use crate::vision::health_status::HealthStatus;

/// The lines, without a line break at the end.
pub(super) fn table(health: &BoxHealth) -> String {
    let word = match health.status {
        HealthStatus::Ok => "ok",
        HealthStatus::Degraded => "DEGRADED",
    };
    let mut lines = vec![
        format!("box {}: {word}   ocelli {}   {}{}", health.box_id, health.version, health.at, doubt(health)),
        health.summary.clone(),
    ];
    if !health.cameras.is_empty() {
        let head = ["CAMERA", "STATE", "SINCE", "STREAM", "FPS", "ANALYSED", "MODEL", "SEES"];
        lines.push(String::new());
        lines.extend(columns(&head, health.cameras.iter().map(|(id, camera)| camera_row(id, camera)).collect()));
    }
    if !health.models.is_empty() {
        let head = ["MODEL", "STATE", "PACKAGE", "UNITS", "TPS", "CAPACITY"];
        lines.push(String::new());
        lines.extend(columns(&head, health.models.iter().map(|(name, model)| model_row(name, model)).collect()));
    }
    lines.push(String::new());
    lines.extend(facts(health));
    if !health.reasons.is_empty() {
        lines.push(String::new());
        lines.push("wrong now:".to_owned());
        lines.extend(health.reasons.iter().map(|reason| format!("  {reason}")));
    }
    lines.join("\n")
}

fn doubt(health: &BoxHealth) -> &'static str {
    if health.clock_synced { "" } else { " (the clock is not synchronized)" }
}

fn camera_row(id: &str, camera: &CameraHealth) -> Vec<String> {
    let size = camera.width.zip(camera.height).map(|(width, height)| format!("{width}x{height}"));
    let stream = [camera.codec.clone(), size].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let seen = camera.seen.iter().map(|(label, count)| format!("{count} {label}")).collect::<Vec<_>>().join(", ");
    let is_streaming = camera.state == CameraStatus::Streaming;
    let rate = |fps: f64| if is_streaming { format!("{fps:.1}") } else { "-".to_owned() };
    vec![
        id.to_owned(),
        camera.state.name().to_owned(),
        span(camera.since_seconds),
        if stream.is_empty() { "-".to_owned() } else { stream },
        rate(camera.decoded_fps),
        rate(camera.analysed_fps),
        camera.model.clone(),
        if is_streaming { seen } else { String::new() },
    ]
}

fn model_row(name: &str, model: &ModelHealth) -> Vec<String> {
    vec![
        name.to_owned(),
        model.state.name().to_owned(),
        format!("{} {}", model.package, model.version),
        format!("{} of {}", model.in_service_units, model.desired_units),
        format!("{:.1}", model.load_tps),
        format!("{:.1}", model.capacity_tps),
    ]
}

fn facts(health: &BoxHealth) -> Vec<String> {
    let broker = match health.broker.state {
        BrokerState::Off => "switched off".to_owned(),
        BrokerState::Connected => format!("connected, {} messages published", health.broker.published),
        BrokerState::Away => "NOT CONNECTED".to_owned(),
        BrokerState::Refused => "REFUSES THIS BOX".to_owned(),
    };
    let outbox = health.outbox.as_ref().map(|outbox| {
        let waiting = outbox.waiting + outbox.unacknowledged;
        let dropped = if outbox.dropped > 0 { format!(", {} dropped", outbox.dropped) } else { String::new() };
        let place = if outbox.trouble.is_some() { ", NOT WRITTEN TO THE DISK" } else { "" };
        format!("events   {waiting} not yet delivered, {} on disk{dropped}{place}", bytes(outbox.bytes))
    });
    let files = match health.unwritten_files.len() {
        0 => "written".to_owned(),
        count => format!("{count} CANNOT BE WRITTEN"),
    };
    let trouble = health.last_trouble.as_ref().map_or_else(|| "none since the start".to_owned(), trouble);
    let mut facts = vec![format!("broker   {broker}")];
    facts.extend(outbox);
    facts.push(format!("files    {files}"));
    facts.push(format!("last trouble   {trouble}"));
    facts
}

fn trouble(trouble: &TroubleHealth) -> String {
    let end = trouble.ended_at.as_ref().map_or_else(|| "not over".to_owned(), |at| format!("over at {at}"));
    format!("{} ({} ago, {end}): {}", trouble.at, span(trouble.seconds_ago), trouble.what)
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{bytes} B"),
        10_240..10_485_760 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn health() -> BoxHealth {
        let yard = json!({"state": "streaming", "since": "2026-11-24T08:00:00.000Z", "since_seconds": 7380,
            "codec": "h264", "width": 768, "height": 576, "fps": 5.0, "decoded_fps": 10.0, "analysed_fps": 5.0,
            "model": "coco-ssd", "decoded": 73800, "reconnects": 0, "seen": {"person": 6},
            "outcomes": {"captured": 36900, "detected": 36890, "shed": {"superseded": 10}, "failed": {}}});
        let gate = json!({"state": "auth-failed", "reason": "it rejects the password", "since": "2026-11-24T08:00:00.000Z",
            "since_seconds": 90_000, "fps": 5.0, "decoded_fps": 0.0, "analysed_fps": 0.0, "model": "coco-ssd",
            "decoded": 0, "reconnects": 3, "seen": {}, "outcomes": {"captured": 0, "detected": 0, "shed": {}, "failed": {}}});
        serde_json::from_value(json!({
            "box_id": "gate-1", "version": "0.1.0", "boot_id": "b", "at": "2026-11-24T10:03:00.000Z",
            "clock_synced": true, "status": "degraded", "ready": true,
            "summary": "2 of 2 units, 1 of 2 cameras, broker connected",
            "reasons": ["camera gate does not stream: it rejects the password"],
            "in_service_units": 2, "desired_units": 2, "streaming_cameras": 1, "wanted_cameras": 2,
            "cameras": {"yard": yard, "gate": gate},
            "models": {"coco-ssd": {"state": "RUNNING", "package": "coco-ssd", "version": "1", "in_service_units": 2,
                "desired_units": 2, "capacity_tps": 91.9, "load_tps": 5.0, "reasons": []}},
            "broker": {"state": "connected", "published": 263},
            "outbox": {"waiting": 1, "unacknowledged": 2, "bytes": 200_000, "dropped": 0},
            "unwritten_files": [],
            "last_trouble": {"what": "the broker is not connected", "at": "2026-11-24T09:00:00.000Z",
                "seconds_ago": 3780, "ended_at": "2026-11-24T09:01:00.000Z"},
        }))
        .unwrap()
    }

    #[test]
    fn a_table_names_the_box_shows_every_camera_and_ends_with_what_is_wrong() {
        let expected = "\
box gate-1: DEGRADED   ocelli 0.1.0   2026-11-24T10:03:00.000Z
2 of 2 units, 1 of 2 cameras, broker connected

CAMERA  STATE        SINCE      STREAM        FPS   ANALYSED  MODEL     SEES
gate    auth-failed  1 d 1 h    -             -     -         coco-ssd
yard    streaming    2 h 3 min  h264 768x576  10.0  5.0       coco-ssd  6 person

MODEL     STATE    PACKAGE     UNITS   TPS  CAPACITY
coco-ssd  RUNNING  coco-ssd 1  2 of 2  5.0  91.9

broker   connected, 263 messages published
events   3 not yet delivered, 195 KiB on disk
files    written
last trouble   2026-11-24T09:00:00.000Z (1 h 3 min ago, over at 2026-11-24T09:01:00.000Z): the broker is not connected

wrong now:
  camera gate does not stream: it rejects the password";
        assert_eq!(table(&health()), expected);
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let health = health();
        let text = serde_json::to_string(&health).unwrap();
        assert_eq!(serde_json::from_str::<BoxHealth>(&text).unwrap(), health);
    }

    #[test]
    fn a_span_has_at_most_two_units() {
        for (seconds, text) in [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3600, "1 h 0 min"), (90_061, "1 d 1 h")] {
            assert_eq!(span(seconds), text);
        }
    }
}
