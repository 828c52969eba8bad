//! The broker's side: both versions of MQTT, passwords, refusals, commands.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::broker::Broker;
use support::daemon::{Daemon, camera};

fn wait_online(broker: &Broker) {
    let messages = broker.subscribe("ocelli/box/available");
    messages.wait("online", Duration::from_secs(20), |_, payload| payload == "online");
}

fn wait_in_log(daemon: &Daemon, text: &str) {
    support::wait_for(text, Duration::from_secs(20), || daemon.log().contains(text).then_some(()));
}

fn run(directory: &Path, program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn both_versions_of_mqtt_are_spoken() {
    for protocol in ["5", "3.1.1"] {
        let broker = Broker::start();
        let settings = format!("[mqtt]\nport = {}\nprotocol = \"{protocol}\"\n", broker.port);
        let daemon = Daemon::start(broker.port, &settings);
        wait_online(&broker);
        assert!(daemon.stop().0.success());
        let messages = broker.subscribe("ocelli/box/available");
        messages.wait("stopped", Duration::from_secs(5), |_, payload| payload == "stopped");
    }
}

#[test]
fn a_password_from_a_file_lets_in_and_a_wrong_one_is_named_but_not_shown() {
    let home = tempfile::tempdir().unwrap();
    run(home.path(), "mosquitto_passwd", &["-c", "-b", "users", "ocelli", "right-password"]);
    std::fs::write(home.path().join("right"), "right-password\n").unwrap();
    std::fs::write(home.path().join("wrong"), "wrong-password\n").unwrap();
    let users = home.path().join("users");
    let lines = format!("allow_anonymous false\npassword_file {}\n", users.display());
    let broker = Broker::start_with(&lines, &["-u", "ocelli", "-P", "right-password"]);
    let settings = |file: &str| {
        let file = home.path().join(file);
        format!(
            "[mqtt]\nport = {}\ncredentials = {{ user = \"ocelli\", password_file = \"{}\" }}\n",
            broker.port,
            file.display()
        )
    };
    let refused = Daemon::start(broker.port, &settings("wrong"));
    wait_in_log(&refused, "the broker is not connected");
    assert!(!refused.log().contains("wrong-password"));
    support::wait_for("everything else", Duration::from_secs(20), || {
        refused.get("/healthz").filter(|got| got.0 == 200)
    });
    let _daemon = Daemon::start(broker.port, &settings("right"));
    wait_online(&broker);
}

#[test]
fn what_the_broker_retains_of_a_camera_that_was_removed_while_the_daemon_was_off_is_cleared() {
    for protocol in ["5", "3.1.1"] {
        let broker = Broker::start();
        let barn = "ocelli/box/cameras/barn";
        broker.retain(&format!("{barn}/state"), r#"{"state":"streaming"}"#);
        broker.retain(&format!("{barn}/snapshot"), &"x".repeat(10_000));
        (0..40).for_each(|number| broker.retain(&format!("{barn}/labels/label_{number}"), "1"));
        broker.retain("ocelli/box/cameras/yard/labels/person", "0");
        broker.retain("ocelli/other/cameras/barn/state", "{}");
        let yard = camera("yard", "rtsp://127.0.0.1:1/none", 1);
        let settings = format!("[mqtt]\nport = {}\nprotocol = \"{protocol}\"\n{yard}", broker.port);
        let daemon = Daemon::start(broker.port, &settings);
        wait_online(&broker);
        support::wait_for("an end of the removed camera", Duration::from_secs(30), || {
            broker.retained(&format!("{barn}/#")).is_empty().then_some(())
        });
        let left = broker.retained("ocelli/+/cameras/#");
        assert!(left.contains_key("ocelli/box/cameras/yard/state"), "{left:?}");
        assert!(left.contains_key("ocelli/box/cameras/yard/labels/person"), "{left:?}");
        assert!(left.contains_key("ocelli/other/cameras/barn/state"), "another box's: {left:?}");
        assert!(!daemon.log().contains("is dropped"), "{}", daemon.log());
        assert!(daemon.stop().0.success());
    }
}

#[test]
fn a_model_is_scaled_by_a_command_and_its_answer_comes_to_whoever_asked() {
    let broker = Broker::start();
    let settings = |more: &str| {
        let models = "[[models]]\nname = \"coco-ssd\"\nmin_inference_units = 1\n";
        format!("[mqtt]\nport = {}\n{more}{models}", broker.port)
    };
    let daemon = Daemon::start(broker.port, &settings("commands = true\n"));
    wait_online(&broker);
    daemon.wait_ready();
    let ask = |command: &str, payload: &str| {
        let topic = format!("ocelli/box/command/{command}");
        let output = Command::new("mosquitto_rr")
            .args(["-V", "5", "-h", "127.0.0.1", "-p", &broker.port.to_string(), "-W", "10"])
            .args(["-t", &topic, "-m", payload, "-e", "ocelli/box/reply/here"])
            .output()
            .expect("mosquitto_rr is missing: run `make setup`");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let answer = ask("scale", r#"{"model": "coco-ssd", "min_inference_units": 2, "id": 7}"#);
    assert_eq!((&answer["accepted"], &answer["id"]), (&true.into(), &7.into()), "{answer}");
    support::wait_for("the second unit", Duration::from_secs(20), || (daemon.units().len() == 2).then_some(()));
    for (command, payload, why) in [
        ("scale", "no JSON", "not valid"),
        ("scale", r#"{"model": "other", "min_inference_units": 1}"#, "no model"),
        ("reboot", r#"{"model": "coco-ssd"}"#, "no command"),
    ] {
        let answer = ask(command, payload);
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(answer["accepted"] == false && message.contains(why), "{answer}");
    }
    assert!(daemon.stop().0.success());
}
