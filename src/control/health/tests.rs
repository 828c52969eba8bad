//! Every way in which a status can be wrong, one at a time: none of them may look healthy.

use super::*;
use crate::admission::Ledger;
use crate::control::frame_rates::FrameRates;
use crate::control::status::{CameraView, MainStreamView};
use crate::control::trouble_watch::Trouble;
use crate::publish::broker_status::BrokerStatus;
use crate::publish::outbox::OutboxStatus;
use crate::publish::state_message::{CameraStateMessage, MainStreamMessage, SCHEMA_CAMERA_STATE};
use crate::supervisor::{ModelState, ModelStatus};
use crate::vision::camera_id::CameraId;
use crate::vision::camera_status::CameraStatus;
use crate::vision::stream_counts::StreamCounts;
use std::time::Duration;

fn at(seconds: u64) -> Monotonic {
    Monotonic::from_nanos(seconds * 1_000_000_000)
}

fn yard() -> CameraId {
    CameraId::new("yard").unwrap()
}

/// A box with nothing wrong, at second 1000.
fn healthy() -> ApplianceStatus {
    let state = CameraStateMessage {
        schema: SCHEMA_CAMERA_STATE,
        state: CameraStatus::Streaming,
        codec: Some("h264".into()),
        width: Some(768),
        height: Some(576),
        fps: 5.0,
        reason: None,
        main: None,
        box_id: None,
        epoch: None,
        owner_uncertain: false,
    };
    let camera = CameraView {
        state,
        since: at(400),
        model: "coco-ssd".into(),
        ledger: Ledger::default(),
        counts: StreamCounts { received: 6000, decoded: 6000, ..StreamCounts::default() },
        reconnects: 0,
        main: None,
        rates: FrameRates { decoded: 10.0, analysed: 5.0, over: Duration::from_secs(10), ..FrameRates::default() },
        is_blacked_out: false,
        unknown_labels: vec![],
        seen: BTreeMap::new(),
    };
    let model = ModelStatus { state: ModelState::Running, desired: 2, in_service: 2, ..ModelStatus::default() };
    ApplianceStatus {
        box_id: "gate-1".into(),
        made_at: Some(at(1000)),
        made_at_ms: 1_795_508_130_123,
        clock_synced: true,
        cameras: [(yard(), camera)].into(),
        models: [("coco-ssd".to_owned(), model)].into(),
        broker: BrokerStatus::Connected,
        outbox: Some(OutboxStatus::default()),
        ..ApplianceStatus::default()
    }
}

#[test]
fn a_box_with_nothing_wrong_is_ok() {
    let health = BoxHealth::of(&healthy(), at(1000));
    assert_eq!((health.status, health.ready), (HealthStatus::Ok, true), "{:?}", health.reasons);
    assert_eq!(health.summary, "2 of 2 units, 1 of 1 cameras, broker connected");
    assert!(health.reasons.is_empty());
    let camera = &health.cameras["yard"];
    assert_eq!((&*camera.since, camera.since_seconds), ("2026-11-24T08:05:30.123Z", 600));
    assert_eq!((camera.reason.as_deref(), camera.analysed_fps), (None, 5.0));
}

#[test]
fn nothing_that_is_wrong_leaves_the_box_ok() {
    type Damage = fn(&mut ApplianceStatus);
    fn camera(status: &mut ApplianceStatus) -> &mut CameraView {
        status.cameras.get_mut(&yard()).unwrap()
    }
    fn model(status: &mut ApplianceStatus) -> &mut ModelStatus {
        status.models.get_mut("coco-ssd").unwrap()
    }
    let damages: [(Damage, &str, &str); 20] = [
        (
            |it| camera(it).unknown_labels.push("persn".into()),
            "yard looks for `persn`, which",
            "1 of 1 cameras, broker connected; camera",
        ),
        (
            |it| camera(it).state.state = CameraStatus::Connecting,
            "camera yard does not stream: it has not",
            "0 of 1 cam",
        ),
        (|it| camera(it).state.state = CameraStatus::Stalled, "camera yard does not stream", "0 of 1 cameras"),
        (|it| camera(it).state.state = CameraStatus::Offline, "camera yard does not stream", "0 of 1 cameras"),
        (
            |it| {
                camera(it).state.state = CameraStatus::AuthFailed;
                camera(it).state.reason = Some("it rejects the password".into());
            },
            "camera yard does not stream: it rejects the password",
            "2 of 2 units, 0 of 1 cameras, broker connected",
        ),
        (
            |it| camera(it).rates.analysed = 0.0,
            "yard is not analysed: none of its",
            "1 of 1 cameras, broker connected; camera",
        ),
        (|it| camera(it).model = "other".into(), "there is no model other", "; camera yard"),
        (
            |it| camera(it).main = Some(main_stream(CameraStatus::Offline, 969)),
            "camera yard: snapshots show its analysed stream, for the main one is lost: no such path",
            "1 of 1 cameras, broker connected; camera yard",
        ),
        (|it| (model(it).desired, model(it).in_service) = (0, 0), "is RUNNING, with no unit", "0 of 0 units"),
        (|it| *model(it) = ModelStatus { desired: 0, ..ModelStatus::default() }, "is STOPPED", "0 of 0 units"),
        (|it| model(it).in_service = 1, "not every unit is in service", "1 of 2 units"),
        (|it| model(it).state = ModelState::Failed, "not every unit is in service", "; not every unit"),
        (|it| it.models.clear(), "there is no model", "0 of 0 units"),
        (|it| it.broker = BrokerStatus::Away(None), "the broker is not connected", "broker not connected"),
        (
            |it| it.broker = BrokerStatus::Refused(Some("the broker b:1883 refuses this box: not authorized".into())),
            "refuses this box: not authorized",
            "2 of 2 units, 1 of 1 cameras, broker refused",
        ),
        (
            |it| it.outbox = Some(OutboxStatus { trouble: Some("it is full".into()), ..OutboxStatus::default() }),
            "events are not written to the disk: it is full",
            "broker connected; events are not written",
        ),
        (|it| it.unwritten.push("models.json cannot be written: full".into()), "models.json", "; models.json"),
        (|it| it.troubles.push("the log file cannot be written".into()), "the log file", "; the log file"),
        (|it| it.degraded.push("zone left is out".into()), "zone left", "; zone left is out"),
        (|it| it.made_at = None, "the daemon is starting", "; the daemon is starting"),
    ];
    for (damage, reason, summary) in damages {
        let mut status = healthy();
        damage(&mut status);
        let health = BoxHealth::of(&status, at(1000));
        assert_eq!(health.status, HealthStatus::Degraded, "{reason}");
        assert!(health.reasons.iter().any(|text| text.contains(reason)), "{reason}: {:?}", health.reasons);
        assert!(health.summary.contains(summary), "{summary}: {}", health.summary);
    }
}

/// The main stream of the camera, which has been so since a second.
fn main_stream(state: CameraStatus, second: u64) -> MainStreamView {
    let (codec, width, height, counts, rates) = Default::default();
    let state = MainStreamMessage { state, codec, width, height, reason: Some("no such path".into()) };
    MainStreamView { state, since: at(second), counts, rates, reconnects: 0 }
}

#[test]
fn a_main_stream_is_no_trouble_while_it_streams_was_lost_just_now_or_its_camera_is_away() {
    for (main, camera_since) in [
        (main_stream(CameraStatus::Streaming, 500), 400),
        (main_stream(CameraStatus::Offline, 971), 400),
        // It is connected after the other one.
        (main_stream(CameraStatus::Connecting, 500), 975),
    ] {
        let mut status = healthy();
        let camera = status.cameras.get_mut(&yard()).unwrap();
        (camera.since, camera.main) = (at(camera_since), Some(main));
        let health = BoxHealth::of(&status, at(1000));
        assert_eq!(health.reasons, Vec::<String>::new());
        assert!(health.cameras["yard"].main.is_some());
    }
    let mut status = healthy();
    let camera = status.cameras.get_mut(&yard()).unwrap();
    (camera.state.state, camera.main) = (CameraStatus::Offline, Some(main_stream(CameraStatus::Offline, 500)));
    assert_eq!(BoxHealth::of(&status, at(1000)).reasons.len(), 1, "its camera's alone");
}

#[test]
fn an_event_loop_that_hangs_is_neither_ok_nor_ready() {
    let health = BoxHealth::of(&healthy(), at(1011));
    assert_eq!((health.status, health.ready), (HealthStatus::Degraded, false));
    assert_eq!(health.reasons, ["the event loop hangs: what is shown is 11 s old"]);
}

#[test]
fn what_the_operator_has_switched_off_is_not_wrong() {
    let mut status = healthy();
    status.cameras.get_mut(&yard()).unwrap().state.state = CameraStatus::Disabled;
    status.broker = BrokerStatus::Off;
    let health = BoxHealth::of(&status, at(1000));
    assert_eq!(health.reasons, Vec::<String>::new());
    assert_eq!(health.summary, "2 of 2 units, 0 of 0 cameras, MQTT off");
}

#[test]
fn what_is_wrong_with_a_model_is_told_once_and_of_more_than_one_line_the_rest_is_counted() {
    let mut status = healthy();
    let model = status.models.get_mut("coco-ssd").unwrap();
    model.in_service = 1;
    model.degraded = vec!["coco-ssd: 1 of 2 inference units in service: no memory".into()];
    status.degraded.clone_from(&model.degraded);
    status.troubles.push("the log\nis slow".into());
    let health = BoxHealth::of(&status, at(1000));
    assert_eq!(health.reasons.len(), 2, "{:?}", health.reasons);
    assert!(health.summary.ends_with("; coco-ssd: 1 of 2 inference units in service: no memory, and 1 more"));
    assert!(!health.summary.contains('\n'));
}

#[test]
fn the_last_trouble_has_its_times() {
    let trouble = Trouble { what: "the broker is not connected".into(), began: at(940), ended: Some(at(970)) };
    let health = BoxHealth::of(&ApplianceStatus { last_trouble: Some(trouble), ..healthy() }, at(1001));
    let told = health.last_trouble.unwrap();
    assert_eq!((&*told.at, told.seconds_ago), ("2026-11-24T08:14:30.123Z", 61));
    assert_eq!(told.ended_at.as_deref(), Some("2026-11-24T08:15:00.123Z"));
    assert_eq!(health.status, HealthStatus::Ok, "it is over");
}
