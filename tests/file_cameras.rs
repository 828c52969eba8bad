//! Clips in files as cameras, from the settings to the detections.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::Value;
use std::time::{Duration, Instant};
use support::broker::Broker;
use support::clip::encode;
use support::daemon::{Daemon, camera};
use support::wait_for;

const LIMIT: Duration = Duration::from_secs(60);

/// A camera as the daemon shows it, once `is_so`.
fn wait_camera(daemon: &Daemon, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    wait_for(id, LIMIT, || {
        let (_, body) = daemon.get(&format!("/api/cameras/{id}"))?;
        serde_json::from_str::<Value>(&body).ok().filter(&is_so)
    })
}

fn received(health: &Value) -> u64 {
    health["stream"]["received"].as_u64().unwrap_or(0)
}

#[test]
fn a_clip_is_analysed_again_and_again_at_its_own_pace_and_one_that_cannot_be_is_told_why() {
    let home = tempfile::tempdir().unwrap();
    // A confined capture process can read none of these.
    let file = |name: &str| home.path().join(name);
    let clips = [
        ("mp4", "x264enc key-int-max=10 bframes=2 ! mp4mux", "a clip.mp4", "h264"),
        ("mkv", "x265enc key-int-max=10 ! h265parse ! matroskamux", "clip.mkv", "h265"),
        ("raw", "x264enc key-int-max=10 ! video/x-h264,stream-format=byte-stream", "clip.h264", "h264"),
        ("raw-h265", "x265enc key-int-max=10 ! video/x-h265,stream-format=byte-stream", "clip.h265", "h265"),
        ("jpegs", "jpegenc ! qtmux", "clip.mov", "mjpeg"),
    ];
    for (_, chain, name, _) in clips {
        encode(chain, &file(name));
    }
    encode("vp8enc deadline=1 ! matroskamux", &file("vp8.mkv"));
    std::fs::write(file("garbage.mp4"), vec![7; 100_000]).unwrap();
    std::fs::write(file("garbage.h264"), vec![7; 100_000]).unwrap();
    std::fs::write(file("empty.h265"), "").unwrap();
    std::fs::create_dir(file("directory.mp4")).unwrap();
    let of = |id: &str, name: &str| camera(id, &format!("file://{}/{name}", home.path().display()), 2);
    let broken = [
        ("vp8", "vp8.mkv", "VP8"),
        ("garbage", "garbage.mp4", "no video"),
        ("noise", "garbage.h264", "no video"),
        ("empty", "empty.h265", "no video"),
        ("missing", "missing.mp4", "does not exist"),
        ("directory", "directory.mp4", "not a regular file"),
    ];
    let good = clips.map(|(id, _, name, _)| of(id, &name.replace(' ', "%20")));
    let bad = broken.map(|(id, name, _)| of(id, name));
    let broker = Broker::start();
    let daemon = Daemon::start(broker.port, &(good.concat() + &bad.concat()));
    daemon.wait_ready();
    for (id, _, _, codec) in clips {
        let health = wait_camera(&daemon, id, |health| health["outcomes"]["detected"].as_u64() > Some(3));
        assert_eq!((&health["state"], &health["codec"]), (&"streaming".into(), &codec.into()), "{health}");
    }
    // The clips have 30 frames.
    let begun = Instant::now();
    let before = received(&wait_camera(&daemon, "mp4", |health| received(health) > 30));
    let after = wait_camera(&daemon, "mp4", |health| received(health) >= before + 80);
    let seconds = begun.elapsed().as_secs_f64();
    assert!((6.0..13.0).contains(&seconds), "80 frames at 10 a second took {seconds:.1} s");
    assert_eq!(after["stream"]["skipped"]["undecodable"], 0, "{after}");
    for (id, _, words) in broken {
        let health = wait_camera(&daemon, id, |health| health["state"] == "offline");
        assert!(health["reason"].as_str().is_some_and(|reason| reason.contains(words)), "{health}");
    }
    for (id, ..) in clips {
        let health = wait_camera(&daemon, id, |health| received(health) > 70);
        assert_eq!((&health["state"], &health["reconnects"]), (&"streaming".into(), &0.into()), "{health}");
    }
    daemon.assert_ledger_closes();
}
