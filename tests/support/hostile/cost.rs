//! What a camera costs: its process, the daemon, the log, and the frames of a well-behaved neighbour.

use crate::support::daemon::Daemon;
use crate::support::{children, wait_within};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Ticks of `/proc/<pid>/stat` in a second.
const TICKS: f64 = 100.0;

/// Measured over a time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// The largest of its processes, with all that is mapped and resident.
    pub memory_mib: f64,
    /// Cores that its processes used.
    pub cores: f64,
    /// By how much the daemon was larger at the end.
    pub daemon_mib: f64,
    pub daemon_cores: f64,
    pub lines: usize,
    /// Frames that the neighbour decoded, of those that it sent.
    pub neighbour: f64,
    /// How often its process was started again.
    pub processes: usize,
}

/// Watches the camera `id` for so long. `neighbour` sends `fps` frames a second.
pub fn measure(daemon: &Daemon, id: &str, neighbour: &str, fps: f64, time: Duration) -> Cost {
    let (first, first_at) = next_count(daemon, neighbour);
    let (lines, begun) = (daemon.log().lines().count(), Instant::now());
    let (size, used) = (memory(daemon.pid(), "VmRSS:"), processor_ticks(daemon.pid()));
    let mut processes: BTreeMap<u32, (f64, f64, f64)> = BTreeMap::new();
    while begun.elapsed() < time {
        for pid in children(daemon.pid(), "capture").into_iter().filter(|pid| is_of(*pid, id)) {
            let now = processor_ticks(pid);
            let entry = processes.entry(pid).or_insert((now, now, 0.0));
            entry.1 = now;
            entry.2 = entry.2.max(memory(pid, "VmHWM:"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let seconds = begun.elapsed().as_secs_f64();
    let ticks: f64 = processes.values().map(|(before, after, _)| after - before).sum();
    let used_by_daemon = processor_ticks(daemon.pid()) - used;
    let lines = daemon.log().lines().count() - lines;
    let (last, last_at) = next_count(daemon, neighbour);
    Cost {
        memory_mib: processes.values().map(|(_, _, most)| *most).fold(0.0, f64::max),
        cores: ticks / TICKS / seconds,
        daemon_mib: memory(daemon.pid(), "VmRSS:") - size,
        daemon_cores: used_by_daemon / TICKS / seconds,
        lines,
        neighbour: (last - first) / ((last_at - first_at).as_secs_f64() * fps),
        processes: processes.len(),
    }
}

/// The frames of a camera when their number is told next, which is once a second; if it is told.
fn next_count(daemon: &Daemon, id: &str) -> (f64, Instant) {
    let before = decoded(daemon, id);
    let next = wait_within(Duration::from_secs(10), || Some(decoded(daemon, id)).filter(|now| *now != before));
    (next.unwrap_or(before), Instant::now())
}

/// Frames of a camera that were decoded so far.
pub fn decoded(daemon: &Daemon, id: &str) -> f64 {
    let answer = daemon.get(&format!("/api/cameras/{id}")).map(|(_, body)| body).unwrap_or_default();
    let value: Value = serde_json::from_str(&answer).unwrap_or_default();
    value["decoded"].as_f64().unwrap_or_default()
}

fn is_of(pid: u32, id: &str) -> bool {
    let title = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    title.split('\0').next().is_some_and(|title| title.ends_with(&format!(" {id}")))
}

/// User and system time of a process.
fn processor_ticks(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum()
}

/// A size of a process in MiB.
pub fn memory(pid: u32, name: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
}
