//! Whatever is written can be refused: the box goes on looking, says what is wrong, and heals without a restart.
//!
//! Events are in `small_disk.rs`; here are the model cache and what commands change.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::wait_for;

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
