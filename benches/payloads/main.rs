//! What leaves over MQTT, read by others' code while a daemon runs: paho-mqtt and mosquitto_sub in both versions of the
//! protocol hold every message against the contract's tables, and Home Assistant's own code reads the announcements.
//! `make payloads` installs them and runs it.
//!
//! Prints what each found, and writes `target/reports/payloads.json`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a check that cannot go on fails")]

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../harness/report.rs"]
mod report;

use report::Figure;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::{from_setup, root};

/// How long the clients listen to a daemon: some lives before a camera begin and end in it.
const LISTEN_SECONDS: &str = "25";

/// What must be heard beside what every box says.
const REQUIRED: &str = "detections,events,labels,snapshot,command,reply";

/// A check and what it printed.
struct Checked {
    name: String,
    method: &'static str,
    text: String,
    is_passed: bool,
}

fn main() -> ExitCode {
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let mut all = vec![
        finish(
            "Home Assistant: the golden message",
            "Home Assistant's own code takes the repository's message, and refuses each of its broken forms",
            start("home_assistant_check.py", &[]),
        ),
        finish(
            "contract: its own tables",
            "messages in order are accepted, mistakes refused: the tables can fail",
            start("mqtt_contract_check.py", &[]),
        ),
    ];
    for protocol in ["5", "3.1.1"] {
        all.extend(live(protocol));
    }
    let mut figures = Vec::new();
    for check in &all {
        println!("{}:\n{}", check.name, check.text);
        let name = check.name.clone().leak();
        let value = f64::from(u8::from(check.is_passed));
        figures.push(Figure { name, value, unit: "ratio", bar: Some(1.0), method: check.method });
    }
    let value = f64::from(all.iter().map(|check| heard(&check.text)).sum::<u32>());
    let method = "what four clients heard of two daemons; each message is held against the contract's tables";
    figures.push(Figure { name: "messages judged", value, unit: "", bar: None, method });
    report::report("payloads", &figures);
    if all.iter().all(|check| check.is_passed) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How many messages the clients of a check say that they have heard.
fn heard(text: &str) -> u32 {
    let lines = text.lines().filter(|line| line.ends_with(" violations"));
    let words = lines.flat_map(|line| line.split_once(": ").unwrap().1.split("; ").next().unwrap().split(", "));
    words.filter_map(|count| count.split(' ').next()?.parse::<u32>().ok()).sum()
}

/// A daemon of this version with two cameras, heard by all clients at the same time: while people walk, a command is
/// answered, and the cameras are lost.
fn live(protocol: &str) -> Vec<Checked> {
    println!("a daemon that speaks MQTT {protocol}, {LISTEN_SECONDS} s ...");
    let (broker, mut cameras) = (Broker::start(), RtspCamera::surveillance(0));
    let settings = format!(
        "[mqtt]\nport = {}\nprotocol = \"{protocol}\"\ncommands = true\n[mqtt.home_assistant]\nenabled = true\n{}{}",
        broker.port,
        camera("yard", &cameras.urls[0], 5),
        camera("door", &cameras.urls[0], 5)
    );
    let daemon = Daemon::start(broker.port, &settings);
    let states = broker.subscribe("ocelli/box/cameras/yard/state");
    states.wait("frames", Duration::from_secs(60), |_, payload| payload.contains("\"state\":\"streaming\""));
    let replies = broker.settled_subscriber("ocelli/box/reply");
    let port = broker.port.to_string();
    let listen = ["--port", &port, "--box", "box", "--seconds", LISTEN_SECONDS, "--require", REQUIRED];
    let settled = broker.subscriptions();
    let address = format!("127.0.0.1:{port}");
    let started = [
        ("paho-mqtt 2.1", "every message against the contract's tables, by clients of 5 and 3.1.1", "paho_check.py"),
        (
            "mosquitto_sub 2.0",
            "every message against the contract's tables, by clients of 5 and 3.1.1",
            "mosquitto_check.py",
        ),
    ]
    .map(|(name, method, script)| (name, method, start(script, &listen)));
    let all_listen = || broker.subscriptions() >= settled + 4;
    support::wait_for("four clients", Duration::from_secs(20), || all_listen().then_some(()));
    let events = broker.subscribe("ocelli/box/cameras/yard/events");
    for _ in 0..4 {
        events.wait_json("the end of a life", 20, "/events", |event| event["type"] == "ended");
    }
    let status = Command::new("mosquitto_pub")
        .args(["-p", &port, "-q", "1", "-t", "ocelli/box/command/snapshot", "-m", "{\"camera\":\"yard\"}"])
        .status();
    assert!(status.unwrap().success());
    let is_reply = |_: &str, payload: &str| payload.contains("accepted");
    replies.wait("an answer", Duration::from_secs(10), is_reply);
    cameras.kill();
    let mut checked = Vec::new();
    for device in ["box_yard", "box_door"] {
        let arguments = ["--broker", &address, "--device", device, "--seconds", "20"];
        let name = format!("MQTT {protocol}: Home Assistant 2026.2 reads {device}");
        let method =
            "the live announcement through Home Assistant's discovery, its platforms' schemas and its templates";
        checked.push(finish(&name, method, start("home_assistant_check.py", &arguments)));
    }
    for (name, method, child) in started {
        checked.push(finish(&format!("MQTT {protocol}: {name}"), method, child));
    }
    checked.push(Checked {
        name: format!("MQTT {protocol}: the daemon stops in order"),
        method: "exit status of the daemon after SIGTERM",
        text: String::new(),
        is_passed: daemon.stop().0.success(),
    });
    checked
}

fn start(script: &str, arguments: &[&str]) -> std::process::Child {
    Command::new(from_setup(".setup/home-assistant/python"))
        .arg(root().join("tests/conformance").join(script))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn finish(name: &str, method: &'static str, child: std::process::Child) -> Checked {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Checked { name: name.to_owned(), method, text, is_passed: output.status.success() }
}
