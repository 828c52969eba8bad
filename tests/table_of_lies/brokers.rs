//! Brokers that are away, refuse the box, or let it in and do nothing else.

use crate::lie::{Lie, assert_told, assert_well, wait_up};
use crate::support::broker::Broker;
use crate::support::camera::RtspCamera;
use crate::support::daemon::{Daemon, camera};
use crate::support::scripted_broker::{Script, ScriptedBroker};
use crate::support::signal;
use rustix::process::Signal;
use std::process::Command;
use std::time::Duration;

#[test]
fn no_broker_that_is_not_connected_is_green() {
    let home = tempfile::tempdir().unwrap();
    let users = home.path().join("users");
    let made = Command::new("mosquitto_passwd").args(["-c", "-b"]).arg(&users).args(["ocelli", "right"]).status();
    assert!(made.unwrap().success());
    let lines = format!("allow_anonymous false\npassword_file {}\n", users.display());
    let mut broker = Broker::start_with(&lines, &["-u", "ocelli", "-P", "right"]);
    let settings = |password: &str| {
        let port = broker.port;
        format!("[mqtt]\nport = {port}\ncredentials = {{ user = \"ocelli\", password = \"{password}\" }}\n")
    };
    let metric = ("ocelli_mqtt_connected", 0.0);
    let refused = Daemon::start(broker.port, &settings("wrong"));
    wait_up(&refused);
    let reason = "refuses this box";
    let summary = "2 of 2 units, 0 of 0 cameras, broker refused";
    let (what, check) = ("a login that is refused", ("broker", "refuses the login"));
    assert_told(&refused, None, &[Lie { what, reason, summary, readyz: 200, metric, check }]);
    drop(refused);

    let daemon = Daemon::start(broker.port, &settings("right"));
    wait_up(&daemon);
    assert_well(&daemon, "2 of 2 units, 0 of 0 cameras, broker connected");
    broker.kill();
    let (reason, summary) = ("is not connected", "broker not connected");
    let (what, check) = ("a broker that is away", ("broker", "refuses connections"));
    assert_told(&daemon, None, &[Lie { what, reason, summary, readyz: 200, metric, check }]);
    broker.restart();
    assert_well(&daemon, "2 of 2 units, 0 of 0 cameras, broker connected");
    assert!(daemon.stop().0.success());

    let mut off = Daemon::start(broker.port, "[mqtt]\nenabled = false\n");
    assert_well(&off, "2 of 2 units, 0 of 0 cameras, MQTT off");
    signal(off.pid(), Signal::TERM);
    off.wait_exit(Duration::from_secs(10));
    let (status, said) = off.command(&["status"]);
    assert_eq!(status.code(), Some(69), "no daemon answers: {said}");
    assert!(said.contains("no daemon answers at ") && said.contains(" or 127.0.0.1:"), "{said}");
}

#[test]
fn no_broker_that_lets_in_and_does_nothing_else_is_green() {
    let flapping = ScriptedBroker::start(Script::EndSessions);
    let daemon = Daemon::start(flapping.port, "");
    wait_up(&daemon);
    let (what, reason, summary) = ("a broker that ends each session", "mqtt.client_id", "broker not connected");
    let metric = ("ocelli_degraded", 1.0);
    let check = ("broker", "ends the connection");
    assert_told(&daemon, None, &[Lie { what, reason, summary, readyz: 200, metric, check }]);
    drop(daemon);

    let home = tempfile::tempdir().unwrap();
    let rules = home.path().join("rules");
    std::fs::write(&rules, "topic read #\ntopic write ocelli/box/available\ntopic write ocelli/box/state\n").unwrap();
    let broker = Broker::start_with(&format!("allow_anonymous true\nacl_file {}\n", rules.display()), &[]);
    let yard = RtspCamera::surveillance(0);
    let daemon = Daemon::start(broker.port, &camera("yard", yard.url(), 5));
    wait_up(&daemon);
    let (what, reason) = ("a broker that refuses topics", "the broker refuses");
    let summary = "2 of 2 units, 1 of 1 cameras, broker connected; ";
    let (metric, check) = (("ocelli_mqtt_connected", 1.0), ("broker", "refuses what is published"));
    assert_told(&daemon, Some(&broker), &[Lie { what, reason, summary, readyz: 200, metric, check }]);
    assert!(daemon.stop().0.success());
}
