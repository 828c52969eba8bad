//! At least once and in order, over a real broker that dies, freezes and forbids; and what MQTT 5 adds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use support::broker::{Broker, Subscriber};
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::link::{Line, Link};
use support::sender::Sender;
use support::{signal, wait_for};

const SECONDS: Duration = Duration::from_secs(1);

const EVENTS: &str = "ocelli/box/cameras/+/events";

fn outbox_file(home: &Path) -> PathBuf {
    home.join("events.db")
}

/// What came until the last event of each of these cameras, by camera in the order of its coming.
fn until(messages: &Subscriber, last: &[(&str, u64)]) -> BTreeMap<String, Vec<u64>> {
    let mut seen: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    messages.wait(&format!("{last:?}"), 30 * SECONDS, |_, payload| {
        let event: Value = serde_json::from_str(payload).unwrap();
        let (camera, number) = (event["camera"].as_str().unwrap(), event["n"].as_u64().unwrap());
        assert_eq!(event["id"], format!("{camera}-{number}"));
        seen.entry(camera.to_owned()).or_default().push(number);
        last.iter().all(|(camera, number)| seen.get(*camera).is_some_and(|seen| seen.contains(number)))
    });
    seen
}

#[test]
fn events_are_in_order_per_camera_over_a_broker_that_is_killed_and_has_forgotten_all() {
    let (home, mut broker) = (tempfile::tempdir().unwrap(), Broker::start());
    let link = Link::to(broker.port);
    link.set(Line::Open);
    let mut sender = Sender::start(outbox_file(home.path()), link.port, |_| {});
    let messages = broker.settled_subscriber(EVENTS);
    sender.record("yard", 5);
    sender.record("door", 5);
    let before = until(&messages, &[("yard", 5), ("door", 5)]);
    assert!(before.values().all(|seen| *seen == [1, 2, 3, 4, 5]), "{before:?}");
    sender.wait("their acknowledgements", 10, |status| status.delivered == 10);

    // It dies with events on their way: it takes them and acknowledges none.
    signal(broker.pid(), Signal::STOP);
    sender.record("yard", 20);
    sender.record("door", 3);
    sender.wait("events on their way", 10, |status| status.on_their_way > 0);
    broker.kill();
    link.set(Line::Cut);
    sender.wait_connected(false, 10);
    sender.record("door", 3);
    broker.restart();
    let messages = broker.settled_subscriber(EVENTS);
    assert_eq!(sender.status().delivered, 10, "nobody has acknowledged them");
    link.set(Line::Open);
    let after = until(&messages, &[("yard", 25), ("door", 11)]);
    assert_eq!(after["yard"], (6..=25).collect::<Vec<_>>());
    assert_eq!(after["door"], (6..=11).collect::<Vec<_>>());
    sender.wait("an empty outbox", 10, |status| status.delivered == 36 && status.waiting + status.on_their_way == 0);
}

#[test]
fn a_broker_that_takes_and_does_not_acknowledge_is_left_after_half_a_minute_and_gets_all_again() {
    let (home, broker) = (tempfile::tempdir().unwrap(), Broker::start());
    // No sign of life is asked for: only the acknowledgements can tell.
    let mut sender =
        Sender::start(outbox_file(home.path()), broker.port, |settings| settings.keep_alive_seconds = 3600);
    sender.wait_connected(true, 10);
    let messages = broker.settled_subscriber(EVENTS);
    signal(broker.pid(), Signal::STOP);
    let began = Instant::now();
    sender.record("yard", 8);
    sender.wait("events on their way", 10, |status| status.on_their_way == 8);
    sender.wait_connected(false, 40);
    let time = began.elapsed();
    assert!(time > 29 * SECONDS, "after {time:?}");
    assert_eq!(sender.status().delivered, 0);
    signal(broker.pid(), Signal::CONT);
    sender.wait("all delivered", 30, |status| status.delivered == 8);
    // What had reached the old connection may come twice, with the same ids; in order each time.
    let mut seen = until(&messages, &[("yard", 8)]).remove("yard").unwrap();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, (1..=8).collect::<Vec<_>>());
}

#[test]
fn a_box_that_comes_back_with_a_past_drains_it_slowly_and_live_events_do_not_wait() {
    let (home, broker) = (tempfile::tempdir().unwrap(), Broker::start());
    let link = Link::to(broker.port);
    let mut earlier = Sender::start(outbox_file(home.path()), link.port, |_| {});
    earlier.record("yard", 600);
    drop(earlier);
    let mut sender = Sender::start(outbox_file(home.path()), link.port, |_| {});
    sender.wait("the past", 10, |status| status.waiting == 600);
    let messages = broker.settled_subscriber(EVENTS);
    link.set(Line::Open);
    sender.wait_connected(true, 20);
    let began = Instant::now();
    // Ten live events a second: the past may take 20 a second, with its burst.
    let mut slowest = Duration::ZERO;
    for number in 1..=50 {
        let due = began + Duration::from_millis(100) * number;
        wait_for("the next event's time", SECONDS, || (Instant::now() >= due).then_some(()));
        let recorded = Instant::now();
        sender.record("door", 1);
        messages.wait("a live event", 5 * SECONDS, |topic, _| topic == "ocelli/box/cameras/door/events");
        slowest = slowest.max(recorded.elapsed());
    }
    let (time, of_the_past) = (began.elapsed().as_secs_f64(), sender.status().delivered.saturating_sub(50));
    #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
    let rate = of_the_past as f64 / time;
    println!("the past left at {rate:.1}/s beside 10/s live; the slowest live event took {slowest:?}");
    // The pace bounds it however slow the machine is, and each live event has come while most of the past waits.
    assert!(rate <= 26.0, "{of_the_past} in {time} s");
    assert!((1..600).contains(&of_the_past), "{of_the_past} of 600");
}

#[test]
fn a_camera_that_the_brokers_access_list_forbids_is_told_once_and_the_others_go_on() {
    let (home, yard) = (tempfile::tempdir().unwrap(), RtspCamera::surveillance(0));
    let list = home.path().join("acl");
    std::fs::write(&list, "topic readwrite #\ntopic deny ocelli/+/cameras/yard/events\n").unwrap();
    let mut broker = Broker::start_with(&format!("allow_anonymous true\nacl_file {}\n", list.display()), &[]);
    let messages = broker.settled_subscriber(EVENTS);
    let settings = camera("yard", yard.url(), 5) + &camera("door", yard.url(), 5);
    let daemon = Daemon::start(broker.port, &settings);
    let count = |result: &str| daemon.sum(&format!("ocelli_outbox_events{{result=\"{result}\"}}"));
    for _ in 0..3 {
        messages.wait_json("events of the other camera", 40, "/door/events", |event| event["camera"] == "door");
    }
    let events_of_yard = || daemon.sum("ocelli_events_total{camera=\"yard\"");
    wait_for("events of the forbidden camera", 40 * SECONDS, || (events_of_yard() >= 3.0).then_some(()));
    wait_for("a count of refusals", 10 * SECONDS, || (count("put_off") >= 1.0).then_some(()));
    let told = |text: &str| daemon.log().lines().filter(|line| line.contains(text)).count();
    assert_eq!(told("the broker rejects this camera's events"), 1);
    assert!(daemon.log().contains("NotAuthorized") && daemon.log().contains("ocelli/box/cameras/yard/events"));
    wait_for("events that wait", 10 * SECONDS, || (daemon.sum("ocelli_outbox_waiting") >= 3.0).then_some(()));
    // It is allowed: all come, from the first.
    broker.kill();
    std::fs::write(&list, "topic readwrite #\n").unwrap();
    broker.restart();
    wait_for("all of them", 40 * SECONDS, || {
        (told("accepts this camera's events again") == 1 && daemon.sum("ocelli_outbox_waiting") == 0.0).then_some(())
    });
    assert_eq!(count("refused"), 0.0);
}

#[test]
fn what_mqtt_5_adds_is_there_expiry_on_detections_only_and_correlation_with_an_answer() {
    let (broker, yard) = (Broker::start_with("allow_anonymous true\n", &["-V", "5"]), RtspCamera::surveillance(0));
    let settings = format!("[mqtt]\nport = {}\ncommands = true\n{}", broker.port, camera("yard", yard.url(), 5));
    let expiries = broker.subscribe_in("ocelli/box/cameras/yard/#", "%t %E");
    let answers = broker.subscribe_in("ocelli/box/reply/here", "%t %D");
    let daemon = Daemon::start(broker.port, &settings);
    // The broker takes off what it has kept it for.
    let of_detections = |topic: &str, expiry: &str| topic.ends_with("/detections") && ["30", "29"].contains(&expiry);
    expiries.wait("detections that expire", 30 * SECONDS, of_detections);
    expiries.wait("an event", 30 * SECONDS, |topic, expiry| {
        assert!(expiry.is_empty() || topic.ends_with("/detections"), "{topic} expires in {expiry} s");
        topic.ends_with("/events")
    });
    let port = broker.port.to_string();
    let status = Command::new("mosquitto_pub")
        .args(["-V", "5", "-p", &port, "-q", "1", "-t", "ocelli/box/command/disable", "-m", "{\"camera\":\"barn\"}"])
        .args([
            "-D",
            "publish",
            "response-topic",
            "ocelli/box/reply/here",
            "-D",
            "publish",
            "correlation-data",
            "number-7",
        ])
        .status()
        .unwrap();
    assert!(status.success());
    answers.wait("the answer", 10 * SECONDS, |_, correlation| correlation == "number-7");
    assert!(daemon.stop().0.success());
}

#[test]
fn commands_are_not_subscribed_to_unless_they_are_wanted() {
    let broker = Broker::start();
    let port = broker.port.to_string();
    // The broker itself says whether anybody has subscribed: reason code 16 is that nobody has.
    let is_heard = || {
        let topic = "ocelli/box/command/disable";
        let output = Command::new("mosquitto_pub")
            .args(["-d", "-V", "5", "-p", &port, "-q", "1", "-t", topic, "-m", "{}"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let codes = [("RC:0)", true), ("RC:16)", false)];
        let answer = text.lines().find(|line| line.contains("received PUBACK")).unwrap_or_else(|| panic!("{text}"));
        codes.iter().find(|(code, _)| answer.contains(code)).unwrap_or_else(|| panic!("{answer}")).1
    };
    for commands in [true, false] {
        let home = tempfile::tempdir().unwrap();
        let mut sender = Sender::start(outbox_file(home.path()), broker.port, |settings| settings.commands = commands);
        // What is subscribed to goes before what is published: after an event has come the broker knows.
        sender.record("yard", 1);
        sender.wait("an event", 10, |status| status.delivered == 1);
        assert_eq!(is_heard(), commands);
    }
}

#[test]
fn a_sink_that_stops_with_a_backlog_on_a_slow_line_says_that_it_has_stopped() {
    let (home, broker) = (tempfile::tempdir().unwrap(), Broker::start());
    let link = Link::to(broker.port);
    link.set(Line::Open);
    let mut sender = Sender::start(outbox_file(home.path()), link.port, |_| {});
    sender.wait_connected(true, 10);
    let messages = broker.settled_subscriber("ocelli/box/available");
    link.set(Line::Slow);
    // Ten windows, and a round trip for each: more than a stop waits for.
    sender.record("yard", 1_000);
    drop(sender);
    messages.wait("stopped", 5 * SECONDS, |_, payload| payload == "stopped");
}
