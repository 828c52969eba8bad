//! A camera whose scene is still for most of the time, from its stream to MQTT: what stands keeps its track, and what comes is
//! reported as if every frame were analysed.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::scene_clip::{Encoding, Noise, Rate, decoded};
use support::{from_setup, wait_for};

const SIZE: (usize, usize) = (768, 576);
const FPS: u32 = 10;

/// The street stands still for 16 s, then goes on for 8 s, and stands still again for 16 s.
fn street(home: &Path) -> PathBuf {
    let moving = decoded(&from_setup("testdata/vtest.h264"), SIZE, 80);
    let mut noise = Noise::default();
    Encoding { size: SIZE, fps: FPS, group: 20, b_frames: 0, rate: Rate::Kilobits(800) }.encode(home, 400, |frame| {
        let mut picture = moving[frame.saturating_sub(160).min(79)].clone();
        picture[..SIZE.0 * SIZE.1].iter_mut().for_each(|sample| *sample = sample.saturating_add(noise.next()));
        picture
    })
}

/// What `GET /api/cameras/yard` tells.
fn told(daemon: &Daemon) -> Option<Value> {
    told_of(daemon, "yard")
}

fn told_of(daemon: &Daemon, camera: &str) -> Option<Value> {
    let (_, body) = daemon.get(&format!("/api/cameras/{camera}"))?;
    serde_json::from_str(&body).ok()
}

fn wait_told(daemon: &Daemon, what: &str, is_told: impl Fn(&Value) -> bool) -> Value {
    wait_for(what, Duration::from_secs(60), || told(daemon).filter(&is_told))
}

fn is_watched(told: &Value) -> bool {
    told["stream"]["attention"] == "watched"
}

fn still(told: &Value) -> u64 {
    told["outcomes"]["shed"]["still"].as_u64().unwrap_or_default()
}

fn detected(told: &Value) -> u64 {
    told["outcomes"]["detected"].as_u64().unwrap()
}

/// Cameras before which something moves in the same second: at dusk when they turn to infrared, or in a flash of lightning.
const AT_ONCE: usize = 6;

#[test]
fn movement_before_all_cameras_at_once_is_seen_by_each_and_what_is_left_out_is_counted() {
    let home = tempfile::tempdir().unwrap();
    let clip = street(home.path());
    let broker = Broker::start();
    let yard = RtspCamera::start(&[
        "--file",
        clip.to_str().unwrap(),
        "--fps",
        &FPS.to_string(),
        "--count",
        &AT_ONCE.to_string(),
    ]);
    let name = |number: usize| format!("cam{number}");
    let blocks: String = (0..AT_ONCE).map(|number| camera(&name(number), &yard.urls[number], 5)).collect();
    let settings = format!("[capture]\nwatch = \"auto\"\nstill_seconds = 2.0\n{blocks}");
    let daemon = Daemon::start(broker.port, &settings);
    let all = || (0..AT_ONCE).map(|number| told_of(&daemon, &name(number))).collect::<Option<Vec<Value>>>();
    let wait_all = |what: &str, is_told: &dyn Fn(&Value) -> bool| {
        wait_for(what, Duration::from_secs(60), || all().filter(|cameras| cameras.iter().all(is_told)))
    };

    let before = wait_all("still scenes", &is_watched);
    // Each one is caught in its movement at some time, whatever the others do.
    let mut has_moved = [false; AT_ONCE];
    wait_for("movement before all", Duration::from_secs(60), || {
        for (moved, camera) in has_moved.iter_mut().zip(all()?) {
            *moved |= !is_watched(&camera);
        }
        has_moved.iter().all(|moved| *moved).then_some(())
    });
    let after = wait_all("still scenes again", &is_watched);
    for (before, after) in before.iter().zip(&after) {
        assert!(detected(after) >= detected(before) + 5, "its movement was analysed: {after}");
        let stream = &after["stream"];
        let skipped: u64 = stream["skipped"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        let count = |name: &str| stream[name].as_u64().unwrap();
        let decoded = after["decoded"].as_u64().unwrap();
        assert_eq!(count("received"), decoded + skipped + count("waiting"), "every frame has its outcome: {after}");
        assert!(
            count("waiting") <= 2_000 && after["outcomes"]["failed"].as_object().is_none_or(|it| it.is_empty()),
            "{after}"
        );
    }
    daemon.assert_ledger_closes();
    assert!(daemon.stop().0.success());
}

#[test]
fn what_stands_keeps_its_track_unseen_and_what_moves_is_followed() {
    let home = tempfile::tempdir().unwrap();
    let clip = street(home.path());
    let broker = Broker::start();
    let yard = RtspCamera::start(&["--file", clip.to_str().unwrap(), "--fps", &FPS.to_string()]);
    let messages = broker.subscribe("ocelli/box/cameras/yard/#");
    let settings = format!("[capture]\nwatch = \"auto\"\nstill_seconds = 2.0\n{}", camera("yard", yard.url(), 5));
    let daemon = Daemon::start_with(broker.port, &settings, &["--duration", "55"]);

    let before = wait_told(&daemon, "a still scene", is_watched);
    let counts = broker.retained("ocelli/box/cameras/yard/labels/#");
    messages.take_count("/events");
    assert!(before["seen"]["person"].as_u64().is_some_and(|people| people > 0), "{before}");
    let later = wait_told(&daemon, "four more keyframes", |told| still(told) >= still(&before) + 4);
    assert!(is_watched(&later) && detected(&later) <= detected(&before) + 1, "{later}");
    assert!(later["stream"]["skipped"]["still"].as_u64() > before["stream"]["skipped"]["still"].as_u64(), "{later}");
    assert_eq!(broker.retained("ocelli/box/cameras/yard/labels/#"), counts, "nobody has gone");
    assert_eq!(messages.take_count("/events"), 0, "nothing began and nothing ended");
    assert_eq!(later["reason"], Value::Null, "{later}");

    let moving = wait_told(&daemon, "its movement", |told| detected(told) > detected(&later) + 20);
    assert!(!is_watched(&moving), "{moving}");
    wait_told(&daemon, "a still scene again", is_watched);
    let (status, report) = daemon.wait_end(Duration::from_secs(60));
    assert!(status.success() && report.contains("\"ledger_closes\":true"), "{report}");
}
