//! What the box holds and has done at the end of a minute.

use crate::disturbance::Disturbance;
use crate::memory::proportional_mb;
use crate::site::Site;
use crate::statistics::percentile;
use crate::written::written_bytes;
use std::path::Path;

pub(crate) struct Minute {
    pub(crate) disturbance: Disturbance,
    /// Seconds until the box was well again; none if it was not.
    pub(crate) recovered: Option<f64>,
    /// Memory in MB, each process with its share of what it shares.
    pub(crate) daemon_mb: f64,
    pub(crate) captures_mb: f64,
    pub(crate) units_mb: f64,
    /// Of the daemon.
    pub(crate) descriptors: f64,
    /// Of the daemon.
    pub(crate) threads: f64,
    /// What lies in the state directory, in MB.
    pub(crate) state_mb: f64,
    /// What the daemon has written since its start, in MB.
    pub(crate) written_mb: f64,
    /// From the arrival of a frame to its message, of this minute's messages, in milliseconds.
    pub(crate) latency_p50: f64,
    pub(crate) latency_p99: f64,
    /// Messages of detections in this minute.
    pub(crate) messages: usize,
}

impl Minute {
    pub(crate) fn of(site: &mut Site, disturbance: Disturbance, recovered: Option<f64>) -> Self {
        let daemon = &site.daemon;
        let all = |pids: Vec<u32>| pids.into_iter().map(proportional_mb).sum();
        let entries = |of: &str| std::fs::read_dir(format!("/proc/{}/{of}", daemon.pid())).unwrap().count() as f64;
        let latencies: Vec<f64> = site.messages.take().iter().filter_map(|(_, message)| latency(message)).collect();
        Self {
            disturbance,
            recovered,
            daemon_mb: proportional_mb(daemon.pid()),
            captures_mb: all(daemon.captures()),
            units_mb: all(daemon.units()),
            descriptors: entries("fd"),
            threads: entries("task"),
            state_mb: size(&daemon.home().join("state")) / 1e6,
            written_mb: written_bytes(daemon.pid()) / 1e6,
            messages: latencies.len(),
            latency_p50: percentile(latencies.clone(), 0.5),
            latency_p99: percentile(latencies, 0.99),
        }
    }

    /// The names of the columns of [`Self::values`].
    pub(crate) const COLUMNS: [&str; 11] = [
        "daemon_mb",
        "captures_mb",
        "units_mb",
        "descriptors",
        "threads",
        "state_mb",
        "written_mb",
        "latency_p50_ms",
        "latency_p99_ms",
        "messages",
        "recovered_after_s",
    ];

    pub(crate) fn values(&self) -> [f64; 11] {
        [
            self.daemon_mb,
            self.captures_mb,
            self.units_mb,
            self.descriptors,
            self.threads,
            self.state_mb,
            self.written_mb,
            self.latency_p50,
            self.latency_p99,
            self.messages as f64,
            self.recovered.unwrap_or(f64::NAN),
        ]
    }

    /// For people who watch.
    pub(crate) fn line(&self) -> String {
        let recovered =
            self.recovered.map_or("NOT WELL AGAIN".to_owned(), |seconds| format!("well after {seconds:.1} s"));
        format!(
            "{:?}, {recovered}: daemon {:.1} MB, captures {:.0}, units {:.0}; {} descriptors, {} threads; p50 {:.0} ms, {} messages",
            self.disturbance,
            self.daemon_mb,
            self.captures_mb,
            self.units_mb,
            self.descriptors,
            self.threads,
            self.latency_p50,
            self.messages
        )
    }
}

fn latency(message: &str) -> Option<f64> {
    serde_json::from_str::<serde_json::Value>(message).ok()?["latency_ms"]["total"].as_f64()
}

/// Bytes of all files below a directory.
fn size(directory: &Path) -> f64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    // A file may go while it is looked at.
    let of = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len() as f64,
        Err(_) => 0.0,
    };
    entries.map(of).sum()
}
