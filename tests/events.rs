//! What happens before a camera: told over MQTT, kept on disk, shown on the box, and known to Home Assistant.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::{signal, wait_for};

const SECONDS: Duration = Duration::from_secs(1);

/// The whole picture, and a corner where nobody can stand.
const REGIONS: &str = r#"
[cameras.scene]
regions = [
    { name = "street", points = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]] },
    { name = "nowhere", points = [[0.0, 0.0], [0.01, 0.0], [0.0, 0.01]] },
]
"#;

fn lines(daemon: &Daemon, path: &str) -> Vec<Value> {
    let (status, body) = daemon.get(path).unwrap();
    assert_eq!(status, 200, "{body}");
    // The lines between are the sizes of HTTP's chunks.
    body.lines().filter_map(|line| serde_json::from_str(line).ok()).filter(Value::is_object).collect()
}

#[test]
fn a_life_is_told_from_its_beginning_to_its_end_and_can_be_read_on_the_box() {
    let (broker, mut yard) = (Broker::start(), RtspCamera::surveillance(0));
    let messages = broker.subscribe("ocelli/box/cameras/yard/#");
    let counts = broker.subscribe("ocelli/box/cameras/yard/labels/person");
    let daemon = Daemon::start(broker.port, &(camera("yard", yard.url(), 10) + REGIONS));
    let began = messages.wait_json("somebody", 30, "/events", |event| event["type"] == "began");
    assert_eq!((&began["schema"], &began["label"]), (&"ocelli.event.v1".into(), &"person".into()));
    assert_eq!(began["regions"], serde_json::json!(["street"]));
    assert!(began["box"]["width"].as_f64().unwrap() > 0.0 && began["confidence"].as_f64().unwrap() >= 0.5, "{began}");
    messages.wait_json("the same object in a frame", 10, "/detections", |frame| {
        frame["detections"].as_array().unwrap().iter().any(|found| found["track"] == began["track"])
    });
    counts.wait("a count of people", 10 * SECONDS, |_, payload| payload.parse::<u32>().is_ok_and(|count| count > 0));
    let picture = wait_for("the picture of an event", 10 * SECONDS, || {
        daemon.get_raw("/api/cameras/yard/snapshot").filter(|(_, head, _)| head.contains("ocelli-event"))
    });
    assert!(picture.2.starts_with(&[0xFF, 0xD8]), "a JPEG");

    yard.kill();
    let ended =
        messages.wait_json("the end of a life with its camera", 30, "/events", |event| event["type"] == "ended");
    assert!(ended["ended_at"].as_str().unwrap() <= ended["at"].as_str().unwrap(), "{ended}");
    counts.wait("nobody in view", 10 * SECONDS, |_, payload| payload == "0");
    assert_eq!(daemon.sum("ocelli_outbox_on_disk"), 1.0);
}

#[test]
fn events_outlive_a_broker_that_is_away_and_a_daemon_that_is_killed() {
    let (mut broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let mut daemon = Daemon::start(broker.port, &camera("yard", yard.url(), 10));
    wait_for("the daemon", 20 * SECONDS, || daemon.get("/healthz"));
    wait_for("the first event", 30 * SECONDS, || {
        (daemon.sum("ocelli_outbox_events{result=\"delivered\"}") > 0.0).then_some(())
    });
    broker.kill();
    wait_for("events that wait", 60 * SECONDS, || (daemon.sum("ocelli_outbox_waiting") >= 3.0).then_some(()));
    signal(daemon.pid(), Signal::KILL);
    daemon.start_again();
    wait_for("the daemon", 20 * SECONDS, || daemon.get("/healthz"));
    broker.restart();
    let messages = broker.subscribe("ocelli/box/cameras/yard/events");
    wait_for("all of them delivered", 60 * SECONDS, || {
        (daemon.sum("ocelli_outbox_events{result=\"delivered\"}") > 0.0 && daemon.sum("ocelli_outbox_waiting") == 0.0)
            .then_some(())
    });
    let told = lines(&daemon, "/api/events?since_seconds=600");
    let first_boot = told[0]["id"].as_str().unwrap().split('-').next().unwrap().to_owned();
    // What the broker had before it was killed did not wait.
    let of_first: Vec<u64> = told
        .iter()
        .filter(|event| event["id"].as_str().unwrap().starts_with(&first_boot))
        .map(|event| event["seq"].as_u64().unwrap())
        .collect();
    assert!(of_first.len() >= 4, "{of_first:?}");
    let last = of_first.last().unwrap();
    let mut seen = Vec::new();
    messages.wait("the last event of the first life", 20 * SECONDS, |_, payload| {
        let event: Value = serde_json::from_str(payload).unwrap();
        if event["id"].as_str().unwrap().starts_with(&first_boot) {
            seen.push(event["seq"].as_u64().unwrap());
        }
        seen.last() == Some(last)
    });
    assert!(seen.len() >= 3 && seen.windows(2).all(|pair| pair[1] == pair[0] + 1), "in order, none missing: {seen:?}");
}

#[test]
fn what_is_masked_or_no_label_of_the_camera_is_not_there() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let masked = "[cameras.scene]\nignore = [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]]\n";
    let settings = camera("masked", yard.url(), 5)
        + masked
        + &camera("dogs", yard.url(), 5)
        + "[cameras.scene]\nlabels = [\"dog\"]\n"
        + &camera("open", yard.url(), 5);
    let daemon = Daemon::start(broker.port, &settings);
    let messages = broker.subscribe("ocelli/box/cameras/#");
    let mut empty = BTreeSet::new();
    messages.wait("people where nothing is masked", 40 * SECONDS, |topic, payload| {
        let is = |camera: &str, kind: &str| topic == format!("ocelli/box/cameras/{camera}/{kind}");
        for camera in ["masked", "dogs"] {
            assert!(!is(camera, "events"), "{topic} {payload}");
            if is(camera, "detections") {
                let frame: Value = serde_json::from_str(payload).unwrap();
                assert_eq!(frame["detections"], serde_json::json!([]), "{camera}");
                empty.insert(camera);
            }
        }
        empty.len() == 2 && is("open", "events")
    });
    assert!(daemon.stop().0.success());
}

#[test]
fn a_camera_that_is_switched_off_stays_so_over_a_restart_and_ends_what_was_in_view() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let settings = format!("[mqtt]\nport = {}\ncommands = true\n{}", broker.port, camera("yard", yard.url(), 10));
    let mut daemon = Daemon::start(broker.port, &settings);
    let events = broker.subscribe("ocelli/box/cameras/yard/events");
    let states = broker.subscribe("ocelli/box/cameras/yard/state");
    events.wait_json("somebody", 30, "/events", |event| event["type"] == "began");
    let ask = |command: &str, payload: &str| {
        let (topic, port) = (format!("ocelli/box/command/{command}"), broker.port.to_string());
        let output = Command::new("mosquitto_rr")
            .args(["-V", "5", "-p", &port, "-W", "10", "-t", &topic, "-m", payload, "-e", "ocelli/box/reply/here"])
            .output()
            .unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let refused = ask("disable", r#"{"camera": "barn"}"#);
    assert!(refused["error"]["message"].as_str().unwrap().contains("no camera `barn`"), "{refused}");
    assert_eq!(ask("disable", r#"{"camera": "yard", "id": 1}"#)["accepted"], true);
    let is = |state: &'static str| move |_: &str, payload: &str| payload.contains(&format!("\"state\":\"{state}\""));
    states.wait("disabled", 10 * SECONDS, is("disabled"));
    events.wait_json("the end", 10, "/events", |event| event["type"] == "ended");
    daemon.restart();
    let states = broker.subscribe("ocelli/box/cameras/yard/state");
    states.wait("disabled again", 20 * SECONDS, is("disabled"));
    wait_for("the daemon", 20 * SECONDS, || daemon.get("/healthz"));
    // What a web page of another origin can send without asking.
    let (status, _, _) = daemon.post_image("/api/cameras/yard/enable", b"").unwrap();
    assert_eq!(status, 415);
    daemon.succeed(&["ctl", "enable", "yard"]);
    states.wait("frames again", 30 * SECONDS, is("streaming"));
    assert!(daemon.stop().0.success());
}

#[test]
fn home_assistant_is_told_of_cameras_again_after_its_birth_and_rid_of_those_that_are_gone() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let publish = |topic: &str, payload: &str, retained: bool| {
        let port = broker.port.to_string();
        let retain = if retained { vec!["-r"] } else { vec![] };
        let status =
            Command::new("mosquitto_pub").args(["-p", &port, "-t", topic, "-m", payload]).args(retain).status();
        assert!(status.unwrap().success());
    };
    let gone = r#"{"dev":{"identifiers":["ocelli/box/barn"]}}"#;
    publish("homeassistant/device/box_barn/config", gone, true);
    let messages = broker.subscribe("homeassistant/#");
    let settings = format!(
        "[mqtt]\nport = {}\n[mqtt.home_assistant]\nenabled = true\n{}",
        broker.port,
        camera("yard", yard.url(), 5)
    );
    let daemon = Daemon::start(broker.port, &settings);
    messages.wait("the camera that is gone is taken away", 20 * SECONDS, |topic, payload| {
        topic == "homeassistant/device/box_barn/config" && payload.is_empty()
    });
    let is_announced = |topic: &str, payload: &str| {
        topic == "homeassistant/device/box_yard/config"
            && serde_json::from_str::<Value>(payload).is_ok_and(|json| json["cmps"].is_object())
    };
    messages.wait("the camera is announced", 30 * SECONDS, is_announced);
    publish("homeassistant/status", "online", false);
    messages.wait("it is announced again", 10 * SECONDS, is_announced);
    assert!(daemon.stop().0.success());
}
