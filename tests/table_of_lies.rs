//! A table of lies: real ways in which a box fails, and what each place that tells of its health then says. None of them
//! may be green while a camera is blind, the broker is not there, or something cannot be written.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test that cannot go on fails, and its parts are its own")]

#[path = "table_of_lies/brokers.rs"]
mod brokers;
#[path = "table_of_lies/cameras.rs"]
mod cameras;
#[path = "table_of_lies/daemons.rs"]
mod daemons;
#[path = "table_of_lies/lie.rs"]
mod lie;
mod support;

use lie::{Lie, PATIENCE, assert_told, assert_well, json_of, wait_up};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::{from_setup, signal, wait_for};

/// A directory with the packages of a model that can be used of one whose file is damaged, and of one without labels.
fn packages() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for package in ["coco-ssd", "damaged", "nameless"] {
        let target = home.path().join(package);
        std::fs::create_dir(&target).unwrap();
        for entry in std::fs::read_dir(from_setup("models/coco-ssd")).unwrap().flatten() {
            std::fs::copy(entry.path(), target.join(entry.file_name())).unwrap();
        }
    }
    std::fs::write(home.path().join("damaged/model.onnx"), b"cut short").unwrap();
    std::fs::remove_file(home.path().join("nameless/labels.txt")).unwrap();
    home
}

fn model(name: &str) -> String {
    format!("[[models]]\nname = \"{name}\"\nmin_inference_units = 1\n")
}

#[test]
fn no_model_that_cannot_run_is_green() {
    let (broker, yard, packages) = (Broker::start(), RtspCamera::surveillance(0), packages());
    let directory = format!("[units]\nmodels_directory = \"{}\"\n", packages.path().display());
    for (name, why) in [
        ("missing", "missing: its package cannot be used"),
        ("damaged", "damaged: "),
        ("nameless", "nameless: its package cannot be used"),
    ] {
        let cameras =
            camera("yard", yard.url(), 5) + &camera("street", yard.url(), 5) + &format!("model = \"{name}\"\n");
        let daemon = Daemon::start(broker.port, &[model("coco-ssd"), model(name), directory.clone(), cameras].concat());
        wait_up(&daemon);
        let metric = (&*format!("ocelli_in_service_inference_units{{model=\"{name}\"}}"), 0.0);
        let summary = "1 of 2 units, 2 of 2 cameras, broker connected; ";
        let check = (&*format!("package of {name}"), "");
        let package = Lie { what: name, reason: why, summary, readyz: 503, metric, check };
        let reason = &format!("camera street is not analysed: its model {name} is FAILED");
        assert_told(
            &daemon,
            Some(&broker),
            &[package, Lie { what: name, reason, summary, readyz: 503, metric, check }],
        );
        let (_, status) = json_of(&daemon, "/api/status");
        assert_eq!(status["models"][name]["state"], "FAILED");
        assert_eq!((&status["models"]["coco-ssd"]["state"], &status["ready"]), (&json!("RUNNING"), &json!(false)));
        assert_eq!(status["cameras"]["yard"]["reason"], Value::Null, "the other model looks at it: {status}");
        assert!(daemon.stop().0.success());
    }
}

#[test]
fn no_disk_that_refuses_is_green() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let daemon = Daemon::start_on_disk(broker.port, &camera("yard", yard.url(), 5), "size=6m,ro");
    wait_up(&daemon);
    let all = "2 of 2 units, 1 of 1 cameras, broker connected; ";
    let metric = ("ocelli_outbox_on_disk", 0.0);
    let reason = "events are not written to the disk";
    let read_only = Lie { what: "a read-only disk", reason, summary: all, readyz: 200, metric, check: ("", "") };
    assert_told(&daemon, Some(&broker), &[read_only]);
    let (status, answer) = daemon.post_json("/api/cameras/yard/disable", &json!({})).unwrap();
    assert_eq!(status, 202, "{answer}");
    let summary = "0 of 0 cameras, broker connected; ";
    let reason = "cameras.json cannot be written";
    let state_file = Lie { what: "a state file", reason, summary, readyz: 200, metric, check: ("", "") };
    assert_told(&daemon, Some(&broker), &[state_file]);
    let said = daemon.succeed(&["ctl", "enable", "yard"]);
    assert!(said.contains("a restart would forget it"), "the command line tells of the warning: {said}");
    daemon.remount("rw");
    assert_well(&daemon, "2 of 2 units, 1 of 1 cameras, broker connected");
    wait_for("events on the disk", PATIENCE, || {
        (json_of(&daemon, "/api/status").1["outbox"]["bytes"].as_u64()? > 4096).then_some(())
    });
    assert!(daemon.stop().0.success());
}

#[test]
fn no_disk_that_is_full_is_green() {
    let broker = Broker::start();
    let daemon = Daemon::start_on_disk(broker.port, "", "size=8k");
    wait_up(&daemon);
    let summary = "2 of 2 units, 0 of 0 cameras, broker connected; ";
    let (what, reason) = ("a full disk", "events are not written to the disk");
    let metric = ("ocelli_outbox_on_disk", 0.0);
    // The check looks at the disk as the test has it.
    assert_told(&daemon, Some(&broker), &[Lie { what, reason, summary, readyz: 200, metric, check: ("", "") }]);
    daemon.remount("size=6m");
    assert_well(&daemon, "2 of 2 units, 0 of 0 cameras, broker connected");
    assert!(daemon.stop().0.success());
}

#[test]
fn no_unit_that_dies_again_and_again_is_green() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let daemon = Daemon::start(broker.port, &camera("yard", yard.url(), 5));
    assert_well(&daemon, "2 of 2 units, 1 of 1 cameras, broker connected");
    let metric = ("ocelli_in_service_inference_units", 1.0);
    let (what, reason, summary) = ("a unit that is gone", "coco-ssd", "1 of 2 units");
    let (stop, stopped) = (AtomicBool::new(false), daemon.units()[0]);
    std::thread::scope(|scope| {
        let killed = || {
            while !stop.load(Ordering::Relaxed) {
                // All units but one: whatever takes the place of one that dies, dies.
                daemon.units().into_iter().filter(|unit| *unit != stopped).for_each(|unit| signal(unit, Signal::KILL));
                std::thread::sleep(Duration::from_millis(100));
            }
        };
        scope.spawn(killed);
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let check = ("", "");
            assert_told(&daemon, Some(&broker), &[Lie { what, reason, summary, readyz: 503, metric, check }]);
        }));
        stop.store(true, Ordering::Relaxed);
        told.unwrap();
    });
    assert_well(&daemon, "2 of 2 units, 1 of 1 cameras, broker connected");
    assert!(daemon.stop().0.success());
}

/// A public address needs one.
const KEY: &str =
    "[[access_keys]]\naccess_key_id = \"AKIAKEY\"\nsecret = \"a-secret-of-some-length\"\nrole = \"operator\"\n";

#[test]
fn no_port_and_no_certificate_that_fails_is_green() {
    let (broker, taken) = (Broker::start(), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = taken.local_addr().unwrap().port();
    let http = |more: &str| format!("[http]\npublic_address = \"127.0.0.1\"\npublic_port = {port}\n{more}{KEY}");
    let summary = "2 of 2 units, 0 of 0 cameras, broker connected; ";
    let metric = ("ocelli_mqtt_connected", 1.0);
    let daemon = Daemon::start(broker.port, &http("public_plain = true\n"));
    wait_up(&daemon);
    let (what, reason) = ("a port that is taken", "nothing is served on 127.0.0.1:");
    // While a daemon runs, the port counts as its own.
    assert_told(&daemon, Some(&broker), &[Lie { what, reason, summary, readyz: 200, metric, check: ("", "") }]);
    drop(taken);
    assert_well(&daemon, "2 of 2 units, 0 of 0 cameras, broker connected");
    drop(daemon);

    let files = tempfile::tempdir().unwrap();
    for name in ["certificate.pem", "key.pem"] {
        std::fs::write(files.path().join(name), "no PEM").unwrap();
    }
    let place = |name: &str| files.path().join(name).display().to_string();
    let tls = format!(
        "tls = {{ certificate_file = \"{}\", key_file = \"{}\" }}\n",
        place("certificate.pem"),
        place("key.pem")
    );
    let daemon = Daemon::start(broker.port, &http(&tls));
    wait_up(&daemon);
    let (what, reason, check) = ("a certificate that is none", "the public API is not served", ("HTTP", "key.pem"));
    assert_told(&daemon, Some(&broker), &[Lie { what, reason, summary, readyz: 200, metric, check }]);
    assert!(daemon.stop().0.success());
}
