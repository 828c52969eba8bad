//! What a cluster costs a box that has nothing to do: beside one that is in no cluster.

use crate::site::{Site, settings_without_cluster};
use crate::support::daemon::Daemon;
use std::time::Duration;

/// How long figures are given to come to rest, and how long is measured: 0.2 % of a core is 24 ticks of the kernel by then.
const REST: Duration = Duration::from_secs(120);
const MEASURED: Duration = Duration::from_secs(120);

/// The shares of a core, in percent, that daemons use while nothing happens.
pub struct Shares {
    /// Of the box that is in no cluster.
    pub alone: f64,
    /// Of the box of the cluster that uses most: one of them plans.
    pub most: f64,
    /// The changes of keys in etcd meanwhile.
    pub changes: f64,
}

/// Measures the boxes of a site without cameras.
pub fn shares(site: &Site) -> Shares {
    let alone = Daemon::start(site.broker().port, &settings_without_cluster("box-alone"));
    alone.wait_ready();
    std::thread::sleep(REST);
    let pids: Vec<u32> = std::iter::once(&alone).chain(site.daemons()).map(Daemon::pid).collect();
    let revision = site.revision();
    let before: Vec<f64> = pids.iter().map(|pid| processor_seconds(*pid)).collect();
    std::thread::sleep(MEASURED);
    let shares: Vec<f64> = pids
        .iter()
        .zip(before)
        .map(|(pid, before)| 100.0 * (processor_seconds(*pid) - before) / MEASURED.as_secs_f64())
        .collect();
    let most = shares[1..].iter().copied().fold(0.0, f64::max);
    Shares { alone: shares[0], most, changes: site.revision() - revision }
}

/// What all threads of a process have used, those that have ended too (`proc(5)`: the 14th and 15th field, in hundredths of a second).
fn processor_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = |field: usize| fields[field - 3].parse::<f64>().unwrap();
    (ticks(14) + ticks(15)) / 100.0
}
