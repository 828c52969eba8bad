//! An hour of forty cameras before which nothing moves: what they take, and whether anything grows.

use crate::clips::{FULL_HD, StillClip};
use crate::memory::proportional_mb;
use crate::processor::processor_ms;
use crate::report::Figure;
use crate::seconds;
use crate::support::broker::Broker;
use crate::support::camera::RtspCamera;
use crate::support::daemon::{Daemon, camera};
use crate::written::written_bytes;
use std::time::Duration;

const CAMERAS: usize = 40;

/// As a camera's sub stream.
const SUB_STREAM: StillClip = StillClip { size: (640, 360), kilobits: 500, ..FULL_HD };

/// What the box has done and holds at a moment.
struct Moment {
    processor_ms: [f64; 3],
    megabytes: [f64; 3],
    written: f64,
    descriptors: f64,
    threads: f64,
    decoded: f64,
    analysed: f64,
}

impl Moment {
    fn of(daemon: &Daemon) -> Self {
        let processes = [vec![daemon.pid()], daemon.captures(), daemon.units()];
        let sum = |of: fn(u32) -> f64| processes.each_ref().map(|pids| pids.iter().copied().map(of).sum());
        let all = |of: fn(u32) -> f64| processes.iter().flatten().copied().map(of).sum();
        let entries = |pid: u32, of: &str| std::fs::read_dir(format!("/proc/{pid}/{of}")).unwrap().count() as f64;
        Self {
            processor_ms: sum(processor_ms),
            megabytes: sum(proportional_mb),
            written: all(written_bytes),
            descriptors: entries(daemon.pid(), "fd"),
            threads: entries(daemon.pid(), "task"),
            decoded: daemon.sum("ocelli_camera_frames_decoded"),
            analysed: daemon.sum("ocelli_frames_detected_total"),
        }
    }
}

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let clip = SUB_STREAM.file();
    let server = RtspCamera::start(&["--file", clip.to_str().unwrap(), "--fps", "25", "--count", &CAMERAS.to_string()]);
    let broker = Broker::start();
    let blocks: String =
        server.urls.iter().enumerate().map(|(number, url)| camera(&format!("cam{number}"), url, 5)).collect();
    let settings = format!("[capture]\nwatch = \"auto\"\ncameras_per_process = 0\n{blocks}");
    let daemon = Daemon::start(broker.port, &settings);
    daemon.wait_ready();
    // Until all scenes are known, and the first looks are over.
    std::thread::sleep(Duration::from_secs(120));
    let before = Moment::of(&daemon);
    let time = seconds(3_600.0);
    std::thread::sleep(Duration::from_secs_f64(time));
    let after = Moment::of(&daemon);

    let method =
        "40 cameras of 640x360 at 25 frames a second with sensor noise, keyframes each 2 s; from the third minute on";
    let mut push = |name, value, unit, bar| figures.push(Figure { name, value, unit, bar, method });
    push("forty idle cameras: time", time / 60.0, "min", None);
    push("  frames decoded", (after.decoded - before.decoded) / time, "1/s", None);
    push("  frames analysed", (after.analysed - before.analysed) / time, "1/s", None);
    let share = |which: usize| (after.processor_ms[which] - before.processor_ms[which]) / (time * 10.0);
    push("  processor time of the daemon", share(0), "%", None);
    push("  of the capture processes", share(1), "%", None);
    push("  of the units", share(2), "%", None);
    push("  memory of the daemon", after.megabytes[0], "MB", None);
    push("  of the capture processes", after.megabytes[1], "MB", None);
    push("  of the units", after.megabytes[2], "MB", None);
    let grown = |which: usize| after.megabytes[which] - before.megabytes[which];
    push("  growth of all", (0..3).map(grown).sum(), "MB", Some(10.0));
    push("  growth of the daemon's descriptors and threads", grown_by(&before, &after), "", Some(0.0));
    push("  written to disk", (after.written - before.written) / time * 3.6e-3, "MB/h", None);
}

fn grown_by(before: &Moment, after: &Moment) -> f64 {
    (after.descriptors - before.descriptors).max(0.0) + (after.threads - before.threads).max(0.0)
}
