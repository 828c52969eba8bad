//! The subscriber in Python against a broker that comes and goes, and the flow of Node-RED as far as Node alone runs it.

use crate::support::broker::Broker;
use crate::support::daemon::{Daemon, camera};
use crate::support::{camera::RtspCamera, from_setup, root, wait_for};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A running `events.py`, and the lines that it has printed.
struct EventPrinter {
    process: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl EventPrinter {
    fn start(broker: &Broker, state: &Path) -> Self {
        let mut command = Command::new(from_setup(".setup/venv/bin/python"));
        command.arg(root().join("contrib/subscriber/events.py"));
        command.args(["--host", "127.0.0.1", "--port", &broker.port.to_string(), "--box", "box", "--state"]).arg(state);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let (lines, output) = (Arc::new(Mutex::new(Vec::new())), BufReader::new(process.stdout.take().unwrap()));
        let sink = Arc::clone(&lines);
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).for_each(|line| sink.lock().unwrap().push(line));
        });
        Self { process, lines }
    }

    fn wait_for_lines(&self, count: usize) -> Vec<String> {
        wait_for("the events", Duration::from_secs(60), || {
            let lines = self.lines.lock().unwrap().clone();
            (lines.len() >= count).then_some(lines)
        })
    }
}

impl Drop for EventPrinter {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn event(id: u32) -> String {
    let at = format!("2026-11-24T08:15:{id:02}.000Z");
    format!(
        r#"{{"schema":"ocelli.event.v1","id":"e-{id}","seq":{id},"type":"began","box_id":"box","camera":"yard","label":"person","at":"{at}","new":1}}"#
    )
}

/// The events' numbers, which are their seconds.
fn numbers(lines: &[String]) -> Vec<u32> {
    lines.iter().map(|line| line[17..19].parse().unwrap()).collect()
}

#[test]
fn the_python_subscriber_prints_each_event_once_over_dead_brokers_and_its_own_death() {
    let (mut broker, home) =
        (Broker::start_with("allow_anonymous true\npersistence true\n", &[]), tempfile::tempdir().unwrap());
    let state = home.path().join("ids");
    let topic = "ocelli/box/cameras/yard/events";
    let printer = EventPrinter::start(&broker, &state);
    wait_for("the subscription", Duration::from_secs(30), || (broker.subscriptions() >= 2).then_some(()));
    for id in [1, 2, 2, 1] {
        broker.publish(topic, &event(id));
    }
    broker.publish(topic, r#"{"schema":"ocelli.event.v2","id":"later"}"#);
    for payload in ["", "{", "[1]"] {
        broker.publish(topic, payload);
    }
    broker.publish(topic, &event(3));
    assert_eq!(numbers(&printer.wait_for_lines(3)), [1, 2, 3]);

    let subscriptions = broker.subscriptions();
    broker.kill();
    broker.restart();
    wait_for("the new subscription", Duration::from_secs(60), || {
        (broker.subscriptions() >= subscriptions + 2).then_some(())
    });
    for id in [3, 4] {
        broker.publish(topic, &event(id));
    }
    assert_eq!(numbers(&printer.wait_for_lines(4)), [1, 2, 3, 4]);

    let has_seen_4 = || std::fs::read_to_string(&state).is_ok_and(|ids| ids.contains("e-4\n"));
    wait_for("its memory of the last", Duration::from_secs(10), || has_seen_4().then_some(()));
    // Killed: the broker keeps what comes meanwhile, and the ids of before are in the file.
    drop(printer);
    for id in [4, 5, 6] {
        broker.publish(topic, &event(id));
    }
    let printer = EventPrinter::start(&broker, &state);
    assert_eq!(numbers(&printer.wait_for_lines(2)), [5, 6]);
}

#[test]
fn the_python_subscriber_prints_what_a_real_box_sees() {
    let (broker, yard, home) = (Broker::start(), RtspCamera::surveillance(0), tempfile::tempdir().unwrap());
    let printer = EventPrinter::start(&broker, &home.path().join("ids"));
    wait_for("the subscription", Duration::from_secs(30), || (broker.subscriptions() >= 2).then_some(()));
    let daemon = Daemon::start(broker.port, &camera("yard", yard.url(), 5));
    daemon.wait_ready();
    let lines = printer.wait_for_lines(1);
    assert!(lines[0].contains("  yard  began  "), "{lines:?}");
}

fn flow() -> Vec<serde_json::Value> {
    serde_json::from_str(&std::fs::read_to_string(root().join("contrib/node-red/flow.json")).unwrap()).unwrap()
}

#[test]
fn the_flow_is_wired_to_nodes_that_are_there_and_asks_for_no_less_than_what_is_promised() {
    let flow = flow();
    let ids: Vec<&str> = flow.iter().map(|node| node["id"].as_str().unwrap()).collect();
    for node in &flow {
        let wires = node["wires"].as_array().into_iter().flatten().flat_map(|port| port.as_array().unwrap());
        let named = [&node["z"], &node["broker"]].into_iter().filter(|_| node["type"] != "mqtt-broker");
        for id in wires.chain(named).filter_map(serde_json::Value::as_str) {
            assert!(ids.contains(&id), "{} is wired to {id}, which is not there", node["name"]);
        }
        if node["type"] == "mqtt in" {
            assert_eq!(node["qos"], "1", "{}", node["name"]);
        }
    }
    let broker = flow.iter().find(|node| node["type"] == "mqtt-broker").unwrap();
    assert!(broker["cleansession"] == false && broker["clientid"] != "", "the broker would keep nothing for it");
}

#[test]
fn the_function_of_the_flow_lets_each_event_through_once() {
    let function = flow().into_iter().find(|node| node["type"] == "function").unwrap();
    let body = function["func"].as_str().unwrap();
    let script = format!(
        "const kept = {{}}; const context = {{get: name => kept[name], set: (name, value) => {{ kept[name] = value; }}}};\n\
         const node = msg => {{ {body} }};\n\
         const events = [{}, {}, {}, {{schema: 'ocelli.event.v2', id: 'x'}}, null];\n\
         console.log(events.map(payload => (node({{payload}}) || {{}}).topic || '-').join(' '));",
        event(1),
        event(1),
        event(2)
    );
    let output = Command::new("node").args(["-e", &script]).output().expect("node is missing: run `make setup`");
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(printed.trim(), "box/yard/person - box/yard/person - -", "{said}");
}
