//! What two busy cameras have written to the disk: `make disk` runs it.
//!
//! Prints a table and writes `target/reports/disk.json`. `OCELLI_DISK_SHARE=0.2` measures for less time and writes
//! `disk-partial.json`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on fails")]

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../harness/parts.rs"]
mod parts;
#[path = "../harness/report.rs"]
mod report;
#[path = "../harness/written.rs"]
mod written;

use report::Figure;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::from_setup;
use written::written_bytes;

/// What an hour would be at this rate.
const MB_AN_HOUR: f64 = 3_600.0 / 1e6;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    parts::measure("disk", &[("each second", each_second), ("each ten seconds", each_ten_seconds)]);
}

fn each_second(figures: &mut Vec<Figure>) {
    measure(
        1,
        ["two busy cameras, synced each second: events", "  written by the daemon", "  an event"],
        30.0,
        figures,
    );
}

fn each_ten_seconds(figures: &mut Vec<Figure>) {
    measure(
        10,
        ["the same, synced each ten seconds: events", "  written by the daemon ", "  an event "],
        10.0,
        figures,
    );
}

fn measure(sync_seconds: u32, names: [&'static str; 3], bar: f64, figures: &mut Vec<Figure>) {
    let clip = from_setup("testdata/vtest.h264");
    let server = RtspCamera::start(&["--file", clip.to_str().unwrap(), "--fps", "10", "--count", "2"]);
    let broker = Broker::start();
    let blocks: String = server.urls.iter().zip(["gate", "yard"]).map(|(url, id)| camera(id, url, 5)).collect();
    let daemon = Daemon::start(broker.port, &format!("[outbox]\nsync_seconds = {sync_seconds}\n{blocks}"));
    daemon.wait_ready();
    // Until the model's cache, the first state and the log of the outbox are written.
    std::thread::sleep(Duration::from_secs(20));
    let look = || {
        let events = daemon.sum("ocelli_outbox_events{result=\"recorded\"}");
        [events, written_bytes(daemon.pid()), written_to_device(daemon.home())]
    };
    let before = look();
    let time = parts::seconds("disk", 300.0);
    std::thread::sleep(Duration::from_secs_f64(time));
    let [events, bytes, on_device] =
        look().iter().zip(before).map(|(after, before)| after - before).collect::<Vec<_>>()[..]
    else {
        unreachable!("three figures")
    };

    let method = "the surveillance clip twice, 5 frames a second, events acknowledged by mosquitto on the same machine; \
                  bytes from /proc/PID/io of the daemon";
    let mut push = |name, value, unit, bar| figures.push(Figure { name, value, unit, bar, method });
    push(names[0], events / time, "1/s", None);
    push(names[1], bytes / time * MB_AN_HOUR, "MB/h", Some(bar));
    push(names[2], bytes / events / 1e3, "kB", None);
    push("  to the device, by the whole machine", on_device / time * MB_AN_HOUR, "MB/h", None);
}

/// Bytes that the whole machine has written so far to the device of a directory, the journal included; NaN if the directory
/// is on none. The format is that of the kernel's `Documentation/block/stat.rst`: the seventh number counts sectors of 512.
fn written_to_device(directory: &Path) -> f64 {
    let device = directory.metadata().unwrap().dev();
    let (major, minor) = ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00));
    let text = std::fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat")).unwrap_or_default();
    let sectors: Option<f64> = text.split_whitespace().nth(6).and_then(|sectors| sectors.parse().ok());
    sectors.map_or(f64::NAN, |sectors| 512.0 * sectors)
}
