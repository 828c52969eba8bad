//! Streams of H.264, H.265 and JPEG whose bytes are almost right, through confined capture processes of a real daemon.
//!
//! For some seconds; with `OCELLI_MUTATED_SECONDS=1800` (`make hostile`) half an hour, and on a busy machine longer until a million
//! pictures were sent, with `target/reports/mutated.json`.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

#[path = "support/hostile/mod.rs"]
mod hostile;

use hostile::clips::Clips;
use hostile::cost;
use hostile::server::HostileServer;
use serde_json::json;
use std::time::{Duration, Instant};
use support::daemon::{Daemon, camera};
use support::{root, wait_for};

/// What the whole form sends at least, and the time in which it must have, beside what was asked for.
const MILLION: u64 = 1_000_000;
const WHOLE: Duration = Duration::from_secs(1800);
const LONGEST: u32 = 4;

/// 250 pictures a second of each codec.
const PACE: Duration = Duration::from_millis(4);
const CODECS: [(&str, &str); 3] = [("h264", "mutated-h264"), ("h265", "mutated-h265"), ("mjpeg", "http-mutated")];
/// By how much the daemon, and the process of a camera, may grow from an early time on.
const DAEMON_GROWTH_MIB: f64 = 24.0;
const CAPTURE_GROWTH_MIB: f64 = 96.0;

/// The largest capture process.
fn largest(daemon: &Daemon) -> f64 {
    daemon.captures().into_iter().map(|pid| cost::memory(pid, "VmRSS:")).fold(0.0, f64::max)
}

#[test]
fn mutated_pictures_cost_at_most_the_process_that_decodes_them() {
    let seconds = std::env::var("OCELLI_MUTATED_SECONDS").ok().and_then(|seconds| seconds.parse::<u64>().ok());
    let time = Duration::from_secs(seconds.unwrap_or(6));
    let clips = Clips::make();
    assert!(clips.h264.len() > 30 && clips.h265.len() > 30 && clips.jpegs.len() == 30);
    let server = HostileServer::start(clips, PACE);
    let cameras = CODECS.map(|(id, mode)| camera(id, &server.url(mode), 2));
    let settings = format!("[mqtt]\nenabled = false\n[sandbox]\nmode = \"required\"\n{}", cameras.concat());
    let daemon = Daemon::start(0, &settings);
    for (id, _) in CODECS {
        wait_for(id, Duration::from_secs(100), || cost::decoded(&daemon, id).filter(|frames| *frames > 0.0));
    }
    let begun = Instant::now();
    let sizes = || (cost::memory(daemon.pid(), "VmRSS:"), largest(&daemon));
    let mut early = None;
    let lacks_some = || time >= WHOLE && server.sent() < MILLION && begun.elapsed() < LONGEST * time;
    while begun.elapsed() < time || lacks_some() {
        if begun.elapsed() > time / 4 {
            early.get_or_insert_with(sizes);
        }
        assert!(daemon.get("/healthz").is_some_and(|(status, _)| status == 200), "{}", daemon.log());
        std::thread::sleep(Duration::from_millis(200));
    }
    let (early, late) = (early.unwrap_or_else(sizes), sizes());
    let deaths = daemon.sum("ocelli_capture_restarts_total");
    let sum = |name: &str| daemon.sum(name);
    let decoded: f64 = CODECS.iter().filter_map(|(id, _)| cost::decoded(&daemon, id)).sum();
    let sent = server.sent();
    let rows = json!([
        { "name": "mutated pictures sent", "value": sent, "unit": "", "bar": MILLION, "ok": sent >= MILLION,
          "method": "counted by the cameras: H.264 and H.265 over RTSP, JPEG over HTTP" },
        { "name": "of them decoded", "value": decoded, "unit": "", "bar": null, "ok": true, "method": "stream.decoded of the API" },
        { "name": "deaths of capture processes", "value": deaths, "unit": "", "bar": null, "ok": true,
          "method": "ocelli_capture_restarts_total; each was started again" },
        { "name": "growth of the daemon", "value": late.0 - early.0, "unit": "MiB", "bar": DAEMON_GROWTH_MIB,
          "ok": late.0 - early.0 <= DAEMON_GROWTH_MIB, "method": "VmRSS from the first quarter to the end" },
        { "name": "growth of the largest capture process", "value": late.1 - early.1, "unit": "MiB", "bar": CAPTURE_GROWTH_MIB,
          "ok": late.1 - early.1 <= CAPTURE_GROWTH_MIB, "method": "the same" },
        { "name": "calls refused to capture processes", "value": sum("ocelli_child_calls_refused_total{kind=\"capture\"}"),
          "unit": "", "bar": 0, "ok": sum("ocelli_child_calls_refused_total{kind=\"capture\"}") == 0.0,
          "method": "ocelli_child_calls_refused_total" },
    ]);
    println!("{} s: {rows:#}", begun.elapsed().as_secs());
    if seconds.is_some() {
        let reports = root().join("target/reports");
        std::fs::create_dir_all(&reports).unwrap();
        std::fs::write(reports.join("mutated.json"), serde_json::to_string_pretty(&rows).unwrap() + "\n").unwrap();
    }
    // How fast they go is the machine's.
    assert!(sent > 200 && decoded > 100.0, "{sent} pictures were sent, {decoded} decoded");
    assert!(late.0 - early.0 <= DAEMON_GROWTH_MIB && late.1 - early.1 <= CAPTURE_GROWTH_MIB, "{early:?}, {late:?}");
    assert_eq!(sum("ocelli_child_calls_refused_total{kind=\"capture\"}"), 0.0, "{}", daemon.log());
    for (id, _) in CODECS {
        let before = cost::decoded(&daemon, id);
        wait_for(id, Duration::from_secs(60), || (cost::decoded(&daemon, id) > before).then_some(()));
    }
    daemon.assert_ledger_closes();
    assert!(daemon.stop().0.success());
}
