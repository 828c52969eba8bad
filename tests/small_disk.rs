//! A disk that is full, or read-only: frames are looked at and told of all the same, and events are on disk again as
//! soon as it can be written, without a restart.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::Value;
use std::time::Duration;
use support::broker::{Broker, Subscriber};
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::small_disk::fill;
use support::wait_for;

const SECONDS: Duration = Duration::from_secs(1);

const TROUBLE: &str = "events are not written to the disk";

fn wait_on_disk(daemon: &Daemon, what: &str, is_on_disk: f64) {
    wait_for(what, 60 * SECONDS, || {
        daemon.get("/metrics").filter(|_| daemon.sum("ocelli_outbox_on_disk") == is_on_disk)
    });
}

/// Three more frames looked at and told of, and one more event.
fn assert_goes_on(daemon: &Daemon, messages: &Subscriber) {
    let detected = daemon.sum("ocelli_frames_detected");
    messages.take_count("");
    for _ in 0..3 {
        messages.wait_json("what was seen in a frame", 20, "/detections", |_| true);
    }
    messages.wait_json("an event", 60, "/events", |_| true);
    assert!(daemon.sum("ocelli_frames_detected") > detected);
    assert_eq!(daemon.sum("ocelli_outbox_events{result=\"dropped\"}"), 0.0);
}

fn recorded(daemon: &Daemon) -> f64 {
    daemon.sum("ocelli_outbox_events{result=\"recorded\"}")
}

fn wait_said(states: &Subscriber, what: &str, is_said: bool) {
    states.wait(what, 20 * SECONDS, |_, payload| {
        let state: Value = serde_json::from_str(payload).unwrap();
        let mut reasons = state["degraded"].as_array().into_iter().flatten();
        reasons.any(|reason| reason.as_str().unwrap().starts_with(TROUBLE)) == is_said
    });
}

#[test]
fn a_full_disk_stops_neither_frames_nor_events_and_heals_when_there_is_room() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let daemon = Daemon::start_on_disk(broker.port, &camera("yard", yard.url(), 10), "size=6m");
    let messages = broker.subscribe("ocelli/box/cameras/yard/#");
    let states = broker.subscribe("ocelli/box/state");
    wait_for("the daemon", 20 * SECONDS, || daemon.get("/healthz"));
    messages.wait_json("the first event", 60, "/events", |_| true);
    wait_on_disk(&daemon, "events on disk", 1.0);

    let filler = daemon.disk().join("filler");
    fill(&filler);
    wait_on_disk(&daemon, "a disk that refuses", 0.0);
    wait_said(&states, "the trouble", true);
    assert_goes_on(&daemon, &messages);

    let before = recorded(&daemon);
    std::fs::remove_file(&filler).unwrap();
    wait_on_disk(&daemon, "events on disk again", 1.0);
    wait_said(&states, "the end of the trouble", false);
    assert_goes_on(&daemon, &messages);
    wait_for("new events on disk", 60 * SECONDS, || (recorded(&daemon) > before).then_some(()));
    assert!(daemon.stop().0.success());
}

#[test]
fn a_disk_that_is_read_only_at_the_start_stops_nothing_and_heals_when_it_can_be_written() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let daemon = Daemon::start_on_disk(broker.port, &camera("yard", yard.url(), 10), "size=6m,ro");
    let messages = broker.subscribe("ocelli/box/cameras/yard/#");
    let states = broker.subscribe("ocelli/box/state");
    wait_for("the daemon", 20 * SECONDS, || daemon.get("/healthz"));
    wait_said(&states, "the trouble", true);
    wait_on_disk(&daemon, "a disk that refuses", 0.0);
    assert_goes_on(&daemon, &messages);

    daemon.remount("rw");
    wait_on_disk(&daemon, "events on disk", 1.0);
    wait_said(&states, "the end of the trouble", false);
    assert_goes_on(&daemon, &messages);
    wait_for("events on disk", 60 * SECONDS, || (recorded(&daemon) > 0.0).then_some(()));
    assert!(daemon.stop().0.success());
}
