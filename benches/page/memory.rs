//! What a viewer takes of the memory: one who reads, and one who reads nothing.

use crate::report::Figure;
use crate::support::camera::RtspCamera;
use crate::support::daemon::Daemon;
use crate::viewers::Viewers;
use crate::{busy_clip, pause, watching};
use std::net::TcpStream;

const VIEWERS: usize = 20;

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let clip = busy_clip::full_hd();
    let server = RtspCamera::start(&["--file", clip.to_str().unwrap(), "--fps", "25"]);
    let daemon = watching(&server.urls[..1], 1, "");
    // What the first viewers leave behind in the allocator is not theirs.
    drop(Viewers::start(&daemon, "cam0", 2));
    pause(4.0);
    let before = private_kib(&daemon);
    let viewers = Viewers::start(&daemon, "cam0", VIEWERS);
    pause(8.0);
    let reading = private_kib(&daemon) - before;
    drop(viewers);
    pause(2.0);
    let before = private_kib(&daemon);
    let url = format!("ws://localhost:{}/api/cameras/cam0/live", daemon.http_port());
    let asleep: Vec<_> = (0..VIEWERS)
        .map(|_| tungstenite::client(&url, TcpStream::connect(("127.0.0.1", daemon.http_port())).unwrap()).unwrap())
        .collect();
    pause(15.0);
    let sleeping = private_kib(&daemon) - before;
    drop(asleep);
    let method = "private memory of daemon and capture process with 20 viewers of one camera of 1080p25 less without";
    let mut push = |name, value, bar| figures.push(Figure { name, value, unit: "KiB", bar, method });
    push("memory of a viewer", reading / VIEWERS as f64, None);
    push("  of one who reads nothing", sleeping / VIEWERS as f64, None);
}

/// The private memory of the daemon and its capture processes.
fn private_kib(daemon: &Daemon) -> f64 {
    let of = |pid: u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.strip_prefix("Private_"));
        let kib = |line: &str| line.split_whitespace().nth(1)?.parse::<f64>().ok();
        lines.filter_map(kib).sum::<f64>()
    };
    daemon.captures().into_iter().chain([daemon.pid()]).map(of).sum()
}
