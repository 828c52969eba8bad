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
use support::scene_clip::{Encoding, Noise, decoded};
use support::{from_setup, wait_for};

const SIZE: (usize, usize) = (768, 576);
const FPS: u32 = 10;

/// The street stands still for 16 s, then goes on for 8 s, and stands still again for 16 s.
fn street(home: &Path) -> PathBuf {
    let moving = decoded(&from_setup("testdata/vtest.h264"), SIZE, 80);
    let mut noise = Noise::default();
    Encoding { size: SIZE, fps: FPS, group: 20, b_frames: 0 }.encode(home, 400, |frame| {
        let mut picture = moving[frame.saturating_sub(160).min(79)].clone();
        picture[..SIZE.0 * SIZE.1].iter_mut().for_each(|sample| *sample = sample.saturating_add(noise.next()));
        picture
    })
}

/// What `GET /api/cameras/yard` tells.
fn told(daemon: &Daemon) -> Option<Value> {
    let (_, body) = daemon.get("/api/cameras/yard")?;
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
