//! What somebody who means harm costs: a process of his own, the daemon, the log, and the frames of a well-behaved camera.

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
    pub seconds: f64,
    /// The largest of its processes, with all that is mapped and resident.
    pub memory_mib: f64,
    /// Cores that its processes used.
    pub cores: f64,
    /// The most threads of one of its processes.
    pub threads: f64,
    /// By how much the daemon was larger, at its largest.
    pub daemon_mib: f64,
    pub daemon_cores: f64,
    pub lines: usize,
    /// Frames that the neighbour decoded, of those that it sent.
    pub neighbour: f64,
    /// How many processes it had, one after the other too.
    pub processes: usize,
}

/// A well-behaved camera, and how many frames it sends a second.
pub struct Neighbour {
    pub id: &'static str,
    pub fps: f64,
}

/// One of a process's sums, at the beginning and now.
#[derive(Clone, Copy)]
struct Process {
    ticks: [f64; 2],
    memory_mib: f64,
    threads: f64,
}

/// Calls `begin`, and watches the processes that `whose` names of what it returns, while `goes_on`, given how long it has gone
/// on.
pub fn measure<T>(
    daemon: &Daemon,
    neighbour: &Neighbour,
    begin: impl FnOnce() -> T,
    whose: impl Fn(&T) -> Vec<u32>,
    goes_on: impl Fn(&T, Duration) -> bool,
) -> (Cost, T) {
    let (first, first_at) = next_count(daemon, neighbour.id);
    let (lines, begun) = (daemon.log().lines().count(), Instant::now());
    let (size, used) = (memory(daemon.pid(), "VmRSS:"), processor_ticks(daemon.pid()));
    let (mut largest, mut processes) = (size, BTreeMap::<u32, Process>::new());
    let attack = begin();
    while goes_on(&attack, begun.elapsed()) {
        for pid in whose(&attack) {
            let now = processor_ticks(pid);
            let new = Process { ticks: [now, now], memory_mib: 0.0, threads: 0.0 };
            let process = processes.entry(pid).or_insert(new);
            // One that has just ended has none.
            process.ticks[1] = process.ticks[1].max(now);
            process.memory_mib = process.memory_mib.max(memory(pid, "VmHWM:"));
            process.threads = process.threads.max(status(pid, "Threads:"));
        }
        largest = memory(daemon.pid(), "VmRSS:").max(largest);
        std::thread::sleep(Duration::from_millis(20));
    }
    let seconds = begun.elapsed().as_secs_f64();
    let used_by_daemon = processor_ticks(daemon.pid()) - used;
    let lines = daemon.log().lines().count() - lines;
    let (last, last_at) = next_count(daemon, neighbour.id);
    let most = |of: fn(&Process) -> f64| processes.values().map(of).fold(0.0, f64::max);
    let cost = Cost {
        seconds,
        memory_mib: most(|process| process.memory_mib),
        cores: processes.values().map(|process| process.ticks[1] - process.ticks[0]).sum::<f64>() / TICKS / seconds,
        threads: most(|process| process.threads),
        daemon_mib: largest - size,
        daemon_cores: used_by_daemon / TICKS / seconds,
        lines,
        neighbour: (last - first) / ((last_at - first_at).as_secs_f64() * neighbour.fps),
        processes: processes.len(),
    };
    (cost, attack)
}

/// The frames of a camera when their number is told next, which is once a second. If it is not told, the last one.
fn next_count(daemon: &Daemon, id: &str) -> (f64, Instant) {
    let before = wait_within(Duration::from_secs(10), || decoded(daemon, id)).unwrap_or_default();
    let next = wait_within(Duration::from_secs(10), || decoded(daemon, id).filter(|now| *now != before));
    (next.unwrap_or(before), Instant::now())
}

/// Frames of a camera that were decoded so far; `None` while nobody answers.
pub fn decoded(daemon: &Daemon, id: &str) -> Option<f64> {
    let (_, answer) = daemon.get(&format!("/api/cameras/{id}"))?;
    serde_json::from_str::<Value>(&answer).ok()?["decoded"].as_f64()
}

/// The capture processes of one camera.
pub fn captures_of(daemon: &Daemon, id: &str) -> Vec<u32> {
    let title = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let is_its = |pid: &u32| title(*pid).split('\0').next().is_some_and(|title| title.ends_with(&format!(" {id}")));
    children(daemon.pid(), "capture").into_iter().filter(is_its).collect()
}

/// User and system time of a process.
fn processor_ticks(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum()
}

/// A size of a process in MiB.
pub fn memory(pid: u32, name: &str) -> f64 {
    status(pid, name) / 1024.0
}

/// A number of `/proc/<pid>/status`.
fn status(pid: u32, name: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default()
}

/// A process and all that it has started.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let all: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // Behind the name, which may hold anything: state, then the parent.
            let parent = stat.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, parent))
        })
        .collect();
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(all.iter().filter(|(_, of)| *of == parent).map(|(child, _)| *child));
        next += 1;
    }
    found
}
