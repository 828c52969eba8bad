//! Cameras that mean harm: each costs its own process, in bounds, and no frame of a neighbour.
//!
//! Some of them by themselves; with `OCELLI_SAFETY=whole` (`make hostile`) all, longer, and with
//! `target/reports/hostile.json`. `OCELLI_HOSTILE=NAME,NAME` runs single ones.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

#[path = "support/hostile/mod.rs"]
mod hostile;

use hostile::clips::Clips;
use hostile::cost::{self, Cost};
use hostile::server::HostileServer;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::{root, wait_for};

/// All of them.
const MODES: [&str; 27] = [
    "endless-headers",
    "endless-line",
    "same-header",
    "endless-sdp",
    "many-attributes",
    "many-tracks",
    "redirect-loop",
    "new-challenges",
    "trickle",
    "strange-reason",
    "tls-without-end",
    "sources",
    "rtcp-flood",
    "lying-lengths",
    "huge-picture",
    "large-picture",
    "new-sets",
    "endless-fragment",
    "flood",
    "junk",
    "mutated",
    "http-endless-headers",
    "http-endless-chunks",
    "http-endless-part",
    "http-trickle",
    "http-redirect-loop",
    "http-bomb",
];
/// Those of a short run: one that answers, one that sends, one over HTTP.
const SOME: [&str; 3] = ["endless-sdp", "lying-lengths", "http-endless-part"];

/// What `capture.memory_megabytes` is here: what a process allocates.
const MEMORY_MIB: u32 = 512;
/// Beside what it allocates: libraries, the plugins of GStreamer, its slots.
const MAPPED_MIB: f64 = 192.0;
/// Log lines a minute: what happens again and again is counted.
const LINES: f64 = 120.0;
const NEIGHBOUR: f64 = 0.9;
const NEIGHBOUR_FPS: f64 = 10.0;

/// A value with the most, or of a ratio the least, that it may be.
fn row(name: &str, value: f64, unit: &str, bar: f64, method: &str) -> Value {
    let ok = if unit == "ratio" { value >= bar } else { value <= bar };
    json!({ "name": name, "value": value, "unit": unit, "bar": bar, "ok": ok, "method": method })
}

fn rows(mode: &str, seconds: f64, cost: Cost) -> Vec<Value> {
    let of = |what: &str| format!("{mode}: {what}");
    let most = f64::from(MEMORY_MIB) + MAPPED_MIB;
    let many = LINES * (seconds / 60.0).max(0.5);
    vec![
        row(&of("memory of its process"), cost.memory_mib, "MiB", most, "VmHWM of its capture processes, each 20 ms"),
        row(&of("memory of the daemon"), cost.daemon_mib, "MiB", 24.0, "VmRSS at the end, less that at the beginning"),
        row(&of("cores of its process"), cost.cores, "cores", 2.0, "user and system time of its capture processes"),
        row(&of("cores of the daemon"), cost.daemon_cores, "cores", 0.5, "user and system time of the daemon"),
        row(
            &of("lines of log"),
            f64::from(u32::try_from(cost.lines).unwrap()),
            "lines",
            many,
            "in the daemon's log at `info`",
        ),
        row(
            &of("frames of its neighbour"),
            cost.neighbour,
            "ratio",
            NEIGHBOUR,
            "decoded, of the ten a second that it sends",
        ),
    ]
}

#[test]
fn a_camera_that_means_harm_costs_its_own_process() {
    let is_whole = std::env::var("OCELLI_SAFETY").is_ok_and(|what| what == "whole");
    let named = std::env::var("OCELLI_HOSTILE").unwrap_or_default();
    let modes: Vec<&str> = match (named.as_str(), is_whole) {
        ("", true) => MODES.to_vec(),
        ("", false) => SOME.to_vec(),
        (named, _) => named.split(',').collect(),
    };
    let time = Duration::from_secs(if is_whole { 20 } else { 6 });
    let server = HostileServer::start(Clips::make(), Duration::from_millis(20));
    let good = RtspCamera::start(&["--size", "320x240", "--fps", "10"]);
    let base = format!(
        "[mqtt]\nenabled = false\n[capture]\nmemory_megabytes = {MEMORY_MIB}\n{}",
        camera("good", good.url(), 1)
    );
    let daemon = Daemon::start(0, &base);
    let settings = fs::read_to_string(daemon.home().join("ocelli.toml")).unwrap();
    wait_for("the neighbour", Duration::from_secs(100), || (cost::decoded(&daemon, "good") > 20.0).then_some(()));
    let mut all = Vec::new();
    for mode in modes {
        // Not the backoff of the one before.
        let id = format!("evil-{mode}");
        let evil = camera(&id, &server.url(mode), 5);
        let trust = if mode.starts_with("tls-") { "tls = { verify = false }\n" } else { "" };
        fs::write(daemon.home().join("ocelli.toml"), format!("{settings}{evil}{trust}")).unwrap();
        let (status, answer) = daemon.post_json("/api/reload", &json!({})).unwrap();
        assert_eq!(status, 200, "{mode}: {answer}");
        let cost = cost::measure(&daemon, &id, "good", NEIGHBOUR_FPS, time);
        for row in rows(mode, time.as_secs_f64(), cost) {
            let ok = if row["ok"] == true { "yes" } else { "NO" };
            println!(
                "{:<48} {:>9.2} {:<6} {:>8.1} {ok}",
                row["name"].as_str().unwrap(),
                row["value"].as_f64().unwrap(),
                row["unit"].as_str().unwrap(),
                row["bar"].as_f64().unwrap()
            );
            all.push(row);
        }
        println!("{mode}: {} processes", cost.processes);
        assert!(cost.processes > 0, "{mode}: no process was seen");
        // The next one begins with a process of its own.
        fs::write(daemon.home().join("ocelli.toml"), &settings).unwrap();
        assert_eq!(daemon.post_json("/api/reload", &json!({})).unwrap().0, 200);
        wait_for("its end", Duration::from_secs(20), || (daemon.captures().len() == 1).then_some(()));
    }
    if is_whole {
        let reports = root().join("target/reports");
        fs::create_dir_all(&reports).unwrap();
        fs::write(reports.join("hostile.json"), serde_json::to_string_pretty(&all).unwrap() + "\n").unwrap();
    }
    daemon.assert_ledger_closes();
    let missed: Vec<&Value> = all.iter().filter(|row| row["ok"] != true).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}
