//! The faults, and what follows each.

use crate::random::Random;
use crate::site::{BOXES, Site, now_ms};
use crate::support::link::Line;
use crate::support::signal;
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::time::Duration;

/// What goes wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A daemon is killed, and started again.
    BoxKilled,
    /// A daemon is paused for longer than its lease.
    BoxPaused,
    /// Nothing passes between a box and etcd.
    BoxCutFromEtcd,
    /// Nothing passes between a box and etcd, nor between it and the broker.
    BoxCutFromBoth,
    /// The leader of etcd is killed, and started again.
    EtcdLeaderKilled,
    /// A box and the leader of etcd are killed together.
    BoxAndLeaderKilled,
    /// All of etcd stands still for longer than a lease.
    EtcdFrozen,
}

/// What followed.
#[derive(Debug)]
pub struct Outcome {
    fault: Fault,
    touched: &'static str,
    /// The cameras of the box that was lost, and after how many milliseconds another published a detection.
    pub takeovers: Vec<(String, Option<i64>)>,
    /// Every camera was looked at again in time.
    pub is_well: bool,
    pub with_etcd_leader: bool,
    pub needless_at_death: usize,
    pub needless_at_return: usize,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let times = self.takeovers.iter().map(|(camera, ms)| match ms {
            Some(ms) => format!("{camera} {:.1} s", *ms as f64 / 1000.0),
            None => format!("{camera} NEVER"),
        });
        write!(out, "{:?} {}: {}", self.fault, self.touched, times.collect::<Vec<_>>().join(", "))?;
        match (self.needless_at_death, self.needless_at_return) {
            (0, 0) => Ok(()),
            (death, back) => write!(out, "; {death} cameras of others moved meanwhile, {back} afterwards"),
        }
    }
}

impl Fault {
    /// One of them, or of those whose name is `only`.
    pub fn any(random: &mut Random, only: Option<&str>) -> Self {
        let all = [
            Self::BoxKilled,
            Self::BoxKilled,
            Self::BoxPaused,
            Self::BoxCutFromEtcd,
            Self::BoxCutFromBoth,
            Self::EtcdLeaderKilled,
            Self::BoxAndLeaderKilled,
            Self::EtcdFrozen,
        ];
        let asked: Vec<Self> =
            all.into_iter().filter(|fault| only.is_none_or(|only| format!("{fault:?}") == only)).collect();
        assert!(!asked.is_empty(), "OCELLI_CLUSTER_ONLY is none of {all:?}");
        asked[random.below(asked.len())]
    }
}

/// Longer than a lease and what follows its end.
const PAUSE: Duration = Duration::from_secs(12);

/// Strikes, waits, heals, and waits until all is well.
pub fn strike(site: &mut Site, fault: Fault, random: &mut Random) -> Outcome {
    let loses_box = !matches!(fault, Fault::EtcdLeaderKilled | Fault::EtcdFrozen);
    let at = now_ms();
    let number = any_with_cameras(&site.trace().owners(at), random);
    let touched = if loses_box { BOXES[number] } else { "no box" };
    let leader = site.etcd.leader();
    match fault {
        Fault::BoxKilled => signal(site.daemon(number).pid(), Signal::KILL),
        Fault::BoxPaused => signal(site.daemon(number).pid(), Signal::STOP),
        Fault::BoxCutFromEtcd => site.set_lines(number, Line::Silent, Line::Open),
        Fault::BoxCutFromBoth => site.set_lines(number, Line::Silent, Line::Silent),
        Fault::EtcdLeaderKilled => site.etcd.kill(leader),
        Fault::BoxAndLeaderKilled => {
            site.etcd.kill(leader);
            signal(site.daemon(number).pid(), Signal::KILL);
        }
        Fault::EtcdFrozen => site.etcd.freeze(),
    }
    wait(site, PAUSE);
    let healed = now_ms();
    match fault {
        Fault::BoxKilled => site.daemon(number).start_again(),
        Fault::BoxPaused => signal(site.daemon(number).pid(), Signal::CONT),
        Fault::BoxCutFromEtcd | Fault::BoxCutFromBoth => site.set_lines(number, Line::Open, Line::Open),
        Fault::EtcdLeaderKilled => site.etcd.start_again(leader),
        Fault::BoxAndLeaderKilled => {
            site.etcd.start_again(leader);
            site.daemon(number).start_again();
        }
        Fault::EtcdFrozen => site.etcd.thaw(),
    }
    site.etcd.wait_healthy();
    let is_well = site.settle();
    let trace = site.trace();
    Outcome {
        fault,
        touched,
        takeovers: if loses_box { trace.takeovers(touched, at) } else { Vec::new() },
        is_well,
        with_etcd_leader: fault == Fault::BoxAndLeaderKilled,
        needless_at_death: trace.needless_moves(touched, at, healed),
        needless_at_return: trace.needless_moves(touched, healed, now_ms()),
    }
}

/// One of the boxes that look at cameras: little follows the loss of one that has none, as one that is just back.
fn any_with_cameras(owners: &BTreeMap<String, String>, random: &mut Random) -> usize {
    let able: Vec<usize> =
        (0..BOXES.len()).filter(|number| owners.values().any(|owner| owner == BOXES[*number])).collect();
    able[random.below(able.len())]
}

fn wait(site: &mut Site, time: Duration) {
    let end = std::time::Instant::now() + time;
    while std::time::Instant::now() < end {
        site.gather();
        std::thread::sleep(Duration::from_millis(20));
    }
}
