//! What live video costs: a viewer against plain GStreamer, bytes, memory, what many viewers take from the detections, and how
//! late a picture is on the screen. `make page-bench` runs it, six minutes.
//!
//! Prints a table and writes `target/reports/page.json`. `OCELLI_PAGE_ONLY=bytes` does one part, and `OCELLI_PAGE_SHARE=0.3`
//! measures for less time; either writes `page-partial.json`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on fails")]

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../harness/busy_clip.rs"]
mod busy_clip;
#[path = "../harness/parts.rs"]
mod parts;
#[path = "../harness/plain.rs"]
mod plain;
#[path = "../harness/processor.rs"]
mod processor;
#[path = "../harness/report.rs"]
mod report;
#[path = "../harness/statistics.rs"]
mod statistics;

mod bytes;
mod cost;
mod many;
mod memory;
mod screen;
mod viewers;

use std::time::Duration;
use support::daemon::{Daemon, camera};
use support::wait_for;

/// So many seconds of a whole run, in this run.
fn seconds(of_whole: f64) -> f64 {
    parts::seconds("page", of_whole)
}

/// Measures for so many seconds of a whole run.
fn pause(of_whole: f64) {
    std::thread::sleep(Duration::from_secs_f64(seconds(of_whole)));
}

/// A daemon whose cameras `cam0`, `cam1`, ... stream and are analysed so often, with further lines of settings for each.
fn watching(urls: &[String], fps: u32, more: &str) -> Daemon {
    let block = |(number, url): (usize, &String)| camera(&format!("cam{number}"), url, fps) + more;
    let blocks = urls.iter().enumerate().map(block);
    // Pictures of events come when they come, and one of them costs more than a viewer in a second.
    let others = "[mqtt]\nenabled = false\n[snapshots]\nper_minute = 0\n";
    let daemon = Daemon::start(0, &format!("{others}{}", blocks.collect::<String>()));
    daemon.wait_ready();
    wait_for("the cameras", Duration::from_secs(60), || {
        let cameras: serde_json::Value = serde_json::from_str(&daemon.get("/api/cameras")?.1).ok()?;
        let streams = |camera: &serde_json::Value| camera["state"] == "streaming";
        cameras["cameras"].as_object()?.values().all(streams).then_some(())
    });
    daemon
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, plain, mode, codec, url] = &arguments[..]
        && plain == "--plain"
    {
        return plain::serve(mode, codec, url);
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let parts: [parts::Part; 5] = [
        ("cost", cost::measure),
        ("bytes", bytes::measure),
        ("memory", memory::measure),
        ("many", many::measure),
        ("screen", screen::measure),
    ];
    parts::measure("page", &parts);
}
