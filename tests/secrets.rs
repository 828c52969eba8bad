//! A secret of its own in each place where one lives, and everything that a box shows of itself: none of them is in it.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test that cannot go on fails, and its parts are its own")]

#[path = "secrets/debug.rs"]
mod debug;
#[path = "secrets/mistakes.rs"]
mod mistakes;
#[path = "secrets/panics.rs"]
mod panics;
#[path = "secrets/scene.rs"]
mod scene;
mod support;

use mistakes::MISTAKES;
use scene::Scene;
use std::fs;
use std::process::Command;
use std::time::Duration;
use support::canary::{Canary, ProcessWatch};
use support::daemon::Daemon;
use support::wait_for;

const SECONDS: Duration = Duration::from_secs(1);

/// Core files are refused, and no other process of the same user can look into the daemon.
fn assert_closed(daemon: &Daemon) {
    let children = [daemon.units(), daemon.captures()].concat();
    assert!(children.len() >= 2);
    for pid in children.into_iter().chain([daemon.pid()]) {
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        let most: Vec<&str> = core.split_whitespace().filter(|word| word.parse::<u64>().is_ok()).collect();
        assert!(most == ["1", "1"] || most == ["0", "0"], "{core}");
    }
    let file = format!("/proc/{}/environ", daemon.pid());
    // Root without capabilities is a user like others.
    let look = Command::new("setpriv").args(["--bounding-set=-all", "--inh-caps=-all", "cat", &file]).output().unwrap();
    assert!(!look.status.success(), "the daemon can be looked into");
}

#[test]
fn no_secret_is_in_anything_that_the_box_shows_of_itself() {
    let processes = ProcessWatch::start();
    let mut scene = Scene::start();
    for id in ["right-url", "right-file", "right-credential", "two"] {
        scene.wait_camera(id, |camera| camera["state"] == "streaming");
    }
    for id in ["wrong", "wrong-detect", "basic", "digest", "forbidden", "http-basic", "redirect", "echo", "http-echo"] {
        scene.wait_camera(id, |camera| {
            camera["state"] != "streaming" && camera["reason"].as_str().is_some_and(|why| !why.is_empty())
        });
    }
    assert_closed(&scene.daemon);
    scene.call_as_aws();
    let (own, monitoring) = (scene.daemon.http_port(), scene.monitoring);
    let wrong = scene.secrets.text("token that a caller has wrong");
    for request in ["GET /metrics", "GET /readyz", "GET /healthz"] {
        let [_, token] = scene.tokens.clone();
        assert!(scene.ask(monitoring, request, &token, "").starts_with("HTTP/1.1 200"), "{request}");
        scene.ask(monitoring, request, &wrong, "");
        scene.ask_own(request);
    }
    assert!(scene.ask(own, "GET /api/status", &wrong, "").starts_with("HTTP/1.1 401"));
    for request in ["GET /api/status", "GET /api/cameras", "GET /api/models", "GET /api/hours", "GET /api/nothing"] {
        scene.ask_own(request);
    }
    let commands: [&[&str]; 9] = [
        &["check"],
        &["check", "--json"],
        &["check", "--offline"],
        &["config", "show"],
        &["cameras"],
        &["status"],
        &["camera", "list"],
        &["ctl", "models"],
        &["hours"],
    ];
    for command in commands {
        scene.command(command);
    }
    let good = scene.settings.clone();
    for (what, text) in MISTAKES {
        let canary = text.split("CANARYmiss").nth(1).map(|rest| format!("CANARYmiss{}", &rest[..2]));
        scene.secrets.canaries.push(Canary::new(what, canary.unwrap_or_else(|| "CNRYm06".into())));
        let answer = scene.reload(&format!("{good}{text}"));
        assert!(!answer.starts_with("HTTP/1.1 200"), "{what}: {answer}");
        scene.command(&["check", "--offline"]);
        scene.command(&["run", "--duration", "1"]);
        scene.command(&["config", "show"]);
    }
    // With a password that the broker refuses.
    let told = |scene: &Scene| scene.daemon.log().matches("the broker is not connected").count();
    let before = told(&scene);
    let right = scene.home.path().join("broker").display().to_string();
    let answer = scene.reload(&good.replace(&right, &scene.wrong_broker_file.clone()));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    wait_for("a refusal", 30 * SECONDS, || (told(&scene) > before).then_some(()));
    scene.ask_own("GET /api/status");
    assert!(scene.broker.connections() > 1);

    let state = scene.daemon.home().join("state");
    scene.collected.add_files(&state, &|name| name == "http-token");
    let log = scene.daemon.log();
    assert!(log.contains("DEBUG") && log.contains("gstrtsp"), "the log is as talkative as it can be");
    // Base64 of `viewer:`, and no more.
    assert!(log.contains("not viewer:*** and not Basic dmlld2VyOk***"), "a login was logged, and hidden");
    scene.collected.add("the log", log);
    for (topic, payload) in scene.messages.take() {
        scene.collected.add("MQTT", format!("{topic} {payload}"));
    }
    for (file, bytes) in processes.end() {
        scene.collected.add(file, bytes);
    }
    let Scene { daemon, mut collected, secrets, .. } = scene;
    collected.add("standard output", daemon.stop().1);
    assert!(collected.bytes() > 100_000);
    let leaks = collected.leaks(&secrets.canaries);
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}
