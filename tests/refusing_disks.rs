//! Whatever is written can be refused: the box goes on looking, says what is wrong, and heals without a restart.
//!
//! Events are in `small_disk.rs`. Here are the model cache, what commands change, and a table of all that is written,
//! against a full disk, a read-only one, and things that lie in the way of each file.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::{free_port, signal, wait_for};

const SECONDS: Duration = Duration::from_secs(1);

/// The reasons that `/readyz` gives.
fn reasons(daemon: &Daemon) -> Vec<String> {
    let (_, body) = daemon.get("/readyz").unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    body["reasons"].as_array().into_iter().flatten().map(|reason| reason.as_str().unwrap().to_owned()).collect()
}

fn wait_for_reason(daemon: &Daemon, text: &str, is_there: bool) {
    wait_for(text, 40 * SECONDS, || {
        (reasons(daemon).iter().any(|reason| reason.contains(text)) == is_there).then_some(())
    });
}

fn wait_for_detections(daemon: &Daemon) {
    let before = daemon.sum("ocelli_frames_detected");
    wait_for("frames that are looked at", 40 * SECONDS, || {
        (daemon.sum("ocelli_frames_detected") > before + 5.0).then_some(())
    });
}

#[test]
fn a_model_cache_that_is_full_or_read_only_or_no_directory_blinds_no_box() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    for (options, place) in
        [("size=6m", "{state}/cache"), ("size=6m,ro", "{state}/cache"), ("size=6m", "/dev/null/cache")]
    {
        let settings = format!("[units]\ncache_directory = \"{place}\"\n{}", camera("yard", yard.url(), 10));
        let daemon = Daemon::start_on_disk(broker.port, &settings, options);
        wait_for("the daemon", 20 * SECONDS, || daemon.get("/healthz"));
        wait_for_detections(&daemon);
        wait_for_reason(&daemon, "the model cache", true);
        wait_for("a box that is ready without a cache", 60 * SECONDS, || {
            daemon.get("/readyz").filter(|(status, _)| *status == 200)
        });
        assert!(daemon.stop().0.success());
    }
}

#[test]
fn a_command_works_while_the_disk_refuses_and_is_kept_as_soon_as_it_does_not() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let daemon = Daemon::start_on_disk(broker.port, &camera("yard", yard.url(), 10), "size=6m,ro");
    wait_for("the daemon", 20 * SECONDS, || daemon.get("/healthz"));
    wait_for_detections(&daemon);

    let (status, answer) = daemon.post_json("/api/cameras/yard/disable", &json!({})).unwrap();
    assert_eq!(status, 202, "{answer}");
    assert!(answer["warning"].as_str().unwrap().contains("a restart would forget it"), "{answer}");
    wait_for_reason(&daemon, "cameras.json cannot be written", true);
    wait_for("a camera that is switched off all the same", 10 * SECONDS, || {
        (daemon.sum("ocelli_camera_up{camera=\"yard\"}") == 0.0).then_some(())
    });

    daemon.remount("rw");
    wait_for_reason(&daemon, "cameras.json cannot be written", false);
    let kept = std::fs::read_to_string(daemon.disk().join("cameras.json")).unwrap();
    assert!(kept.contains("yard"), "{kept}");
    let (_, answer) = daemon.post_json("/api/cameras/yard/enable", &json!({})).unwrap();
    assert_eq!(answer["warning"], Value::Null);
    wait_for_detections(&daemon);
    assert!(daemon.stop().0.success());
}

/// Something that a daemon writes below its state directory, `{month}` being the current one.
struct Written {
    path: &'static str,
    /// What may lie in its way: a directory if it ends in `/`, else a file.
    obstacle: &'static str,
    /// What `/readyz` says while it is refused; empty: nothing, because nothing is missing without it.
    reason: &'static str,
}

const WRITTEN: [Written; 10] = [
    Written { path: "lock", obstacle: "lock/", reason: "cannot be locked" },
    Written { path: "events.db", obstacle: "events.db/", reason: "events are not written to the disk" },
    Written { path: "log", obstacle: "log/", reason: "the log file" },
    Written { path: "cache", obstacle: "cache", reason: "the model cache" },
    Written { path: "cameras.json", obstacle: "cameras.json.part/", reason: "cameras.json cannot be written" },
    Written { path: "models.json", obstacle: "models.json.part/", reason: "models.json cannot be written" },
    Written { path: "catalog.json", obstacle: "catalog.json.part/", reason: "catalog.json cannot be written" },
    Written {
        path: "inference-hours-{month}.csv",
        obstacle: "inference-hours-{month}.csv.part/",
        reason: "inference-hours-{month}.csv cannot be written",
    },
    Written { path: "tls/key.pem", obstacle: "tls", reason: "the public API is not served" },
    // GStreamer looks at its plugins with each start of a capture process.
    Written { path: "registry", obstacle: "registry", reason: "" },
];

fn with_month(text: &str) -> String {
    let output = Command::new("date").args(["-u", "+%Y-%m"]).output().unwrap();
    text.replace("{month}", String::from_utf8(output.stdout).unwrap().trim())
}

/// Where the daemon keeps everything, as the test sees it.
fn place_of(daemon: &Daemon, options: Option<&str>) -> PathBuf {
    match options {
        Some(_) => daemon.disk(),
        None => daemon.home().join("state"),
    }
}

/// Starts a daemon whose whole table is refused; `heal` has the disk accept all of it again.
fn check_all(options: Option<&str>, fill: impl FnOnce(&Path), heal: impl FnOnce(&Daemon)) {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let settings = format!(
        "[units]\ncache_directory = \"{{state}}/cache\"\n[[access_keys]]\naccess_key_id = \"AKIDOPERATOR\"\n\
         secret = \"operator-secret\"\nrole = \"operator\"\n[http]\npublic_address = \"127.0.0.1\"\n\
         public_port = {}\n{}",
        free_port(),
        camera("yard", yard.url(), 10)
    );
    let daemon = Daemon::start_all_in_state(broker.port, &settings, options, fill);
    wait_for("the daemon", 20 * SECONDS, || daemon.get("/healthz"));
    wait_for_detections(&daemon);
    for command in ["/api/cameras/yard/disable", "/api/cameras/yard/enable"] {
        let (status, answer) = daemon.post_json(command, &json!({})).unwrap();
        assert_eq!((status, answer["warning"].is_string()), (202, true), "{answer}");
    }
    let units = json!({"min_inference_units": 1});
    let (status, answer) = daemon.post_json("/api/models/coco-ssd/scale", &units).unwrap();
    assert_eq!((status, answer["warning"].is_string()), (202, true), "{answer}");
    let is_said = |written: &Written| {
        let reason = with_month(written.reason);
        // A lock needs no room on the disk.
        let is_locked = written.path == "lock" && place_of(&daemon, options).join("lock").is_file();
        written.reason.is_empty() || is_locked || reasons(&daemon).iter().any(|said| said.contains(&reason))
    };
    for written in &WRITTEN {
        wait_for(written.path, 30 * SECONDS, || is_said(written).then_some(()));
    }
    wait_for_detections(&daemon);
    wait_for("a box that is ready all the same", 20 * SECONDS, || {
        daemon.get("/readyz").filter(|(status, _)| *status == 200)
    });

    heal(&daemon);
    let place = place_of(&daemon, options);
    // A unit uses the cache when it starts.
    daemon.units().into_iter().for_each(|pid| signal(pid, rustix::process::Signal::KILL));
    wait_for("the end of all reasons", 60 * SECONDS, || reasons(&daemon).is_empty().then_some(()));
    wait_for_detections(&daemon);
    for written in WRITTEN.iter().filter(|written| !written.reason.is_empty()) {
        let path = place.join(with_month(written.path));
        // The lock works without its note, which a full disk has refused.
        let is_there = fs::metadata(&path).is_ok_and(|file| file.len() > 0 || written.path == "lock");
        assert!(is_there, "{} is not there", written.path);
    }
    assert!(fs::read_dir(place.join("cache")).unwrap().next().is_some(), "the model cache is used");
    daemon.assert_ledger_closes();
    assert!(daemon.stop().0.success());
}

#[test]
fn a_disk_that_is_full_for_everything_stops_nothing_and_heals_when_there_is_room() {
    check_all(Some("size=4k"), |_| {}, |daemon| daemon.remount("size=64m"));
}

#[test]
fn a_disk_that_is_read_only_for_everything_stops_nothing_and_heals_when_it_can_be_written() {
    check_all(Some("size=64m,ro"), |_| {}, |daemon| daemon.remount("rw"));
}

#[test]
fn whatever_lies_in_the_way_of_everything_stops_nothing_and_heals_when_it_is_gone() {
    let obstacle = |state: &Path, written: &Written| state.join(with_month(written.obstacle));
    let fill = |state: &Path| {
        for written in &WRITTEN {
            match written.obstacle.ends_with('/') {
                true => fs::create_dir(obstacle(state, written)).unwrap(),
                false => fs::write(obstacle(state, written), "").unwrap(),
            }
        }
    };
    check_all(None, fill, |daemon| {
        let state = daemon.home().join("state");
        for written in &WRITTEN {
            match written.obstacle.ends_with('/') {
                true => fs::remove_dir(obstacle(&state, written)).unwrap(),
                false => fs::remove_file(obstacle(&state, written)).unwrap(),
            }
        }
    });
}
