//! A cluster under faults: three real daemons, three real members of etcd, a broker and cameras. `make cluster` runs it.
//!
//! A driver kills, pauses, cuts off and heals boxes and members; a checker (`trace`) reads everything that is published. Prints a table and
//! writes `target/reports/cluster.json`. `OCELLI_CLUSTER_FAULTS=12` does fewer, `OCELLI_CLUSTER_ONLY=EtcdFrozen` those of one kind, both into
//! `cluster-partial.json`. A bar that is missed is said in the table and fails nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout, unreachable_pub, reason = "a measurement that cannot go on fails")]

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../harness/random.rs"]
mod random;
#[path = "../harness/report.rs"]
mod report;
#[path = "../harness/statistics.rs"]
mod statistics;

mod cost;
mod faults;
mod site;
mod trace;

use cost::Shares;
use faults::{Fault, Outcome};
use random::Random;
use report::Figure;
use site::Site;
use statistics::{median, percentile};
use std::time::Instant;

/// The faults of a whole run.
const FAULTS: usize = 60;

/// How long a box may need to hear that another has taken a camera over, in milliseconds. What it sees in that time is dropped by
/// whoever compares epochs.
const LAG_MS: i64 = 1000;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let count = std::env::var("OCELLI_CLUSTER_FAULTS").ok().and_then(|count| count.parse().ok()).unwrap_or(FAULTS);
    let only = std::env::var("OCELLI_CLUSTER_ONLY").ok();
    let mut site = Site::start();
    println!("what it costs while nothing happens is measured for four minutes");
    let shares = cost::shares(&site);
    site.add_cameras();
    let (mut random, begun) = (Random(7), Instant::now());
    let mut outcomes = Vec::new();
    for number in 1..=count {
        let fault = Fault::any(&mut random, only.as_deref());
        let outcome = faults::strike(&mut site, fault, &mut random);
        let is_well = outcome.is_well;
        println!("{:>4.0} s  {number:>2} of {count}  {outcome}", begun.elapsed().as_secs_f64());
        outcomes.push(outcome);
        if !is_well {
            println!("the cluster was not well again: the rest is left out");
            break;
        }
    }
    let writes = site.changes_of_an_idle_cluster();
    site.gather();
    let figures = figures(&site, &outcomes, writes, &shares);
    report::report(if count >= FAULTS && only.is_none() { "cluster" } else { "cluster-partial" }, &figures);
}

fn figures(site: &Site, outcomes: &[Outcome], writes: f64, shares: &Shares) -> Vec<Figure> {
    let trace = site.trace();
    let seconds = |with_leader: bool| -> Vec<f64> {
        let of = outcomes.iter().filter(|outcome| outcome.with_etcd_leader == with_leader);
        of.flat_map(|outcome| &outcome.takeovers)
            .map(|(_, ms)| ms.map_or(f64::INFINITY, |ms| ms as f64 / 1000.0))
            .collect()
    };
    let (alone, with_leader) = (seconds(false), seconds(true));
    let needless = |is_return: bool| {
        let of = outcomes
            .iter()
            .map(|outcome| if is_return { outcome.needless_at_return } else { outcome.needless_at_death });
        of.max().unwrap_or(0) as f64
    };
    let later = median(with_leader.clone()) - median(alone.clone());
    let takeover = "from the loss of a box to the first detection of its camera by another, at the broker";
    let figure = |name, value, unit, bar, method| Figure { name, value, unit, bar, method };
    let doubles = trace.unmarked_doubles(LAG_MS).len() as f64;
    let bar = (!alone.is_empty()).then_some(site.lease_seconds() + 5.0 + site.keyframe_seconds());
    let bar_of_leader = (!alone.is_empty() && !with_leader.is_empty()).then_some(3.0);
    let unwell = outcomes.iter().filter(|outcome| !outcome.is_well).count() as f64;
    vec![
        figure(
            "faults",
            outcomes.len() as f64,
            "faults",
            None,
            "random kills, pauses, silent lines and losses of etcd",
        ),
        figure(
            "unmarked doubles",
            doubles,
            "frames",
            Some(0.0),
            "seen a second after another box's claim, and not marked",
        ),
        figure("epochs of two boxes", trace.shared_epochs().len() as f64, "epochs", Some(0.0), "by what was published"),
        figure(
            "events",
            trace.events.values().map(std::collections::BTreeSet::len).sum::<usize>() as f64,
            "events",
            None,
            "that arrived, each once",
        ),
        figure(
            "events missing",
            trace.missing_events() as f64,
            "events",
            Some(0.0),
            "gaps in the numbers of each run of a daemon",
        ),
        figure("events dropped", trace.dropped as f64, "events", Some(0.0), "as outboxes say"),
        figure("camera looked at again, median", median(alone.clone()), "s", None, takeover),
        figure("camera looked at again, p95", percentile(alone, 0.95), "s", bar, takeover),
        figure("the same, etcd's leader gone too: later by", later, "s", bar_of_leader, "difference of the medians"),
        figure(
            "cameras moved needlessly at a death",
            needless(false),
            "moves",
            Some(0.0),
            "of other boxes, most of any fault",
        ),
        figure(
            "cameras moved needlessly at a return",
            needless(true),
            "moves",
            Some(0.0),
            "not to the box that is back",
        ),
        figure(
            "faults after which it was not well again",
            unwell,
            "faults",
            Some(0.0),
            "within two minutes; the last one then",
        ),
        figure(
            "changes of keys without cameras",
            shares.changes,
            "changes",
            Some(0.0),
            "by the revision of etcd, in 120 s",
        ),
        figure(
            "changes of keys after the faults",
            writes,
            "changes",
            Some(0.0),
            "with cameras, by the revision of etcd, in 150 s",
        ),
        figure("an idle daemon in no cluster", shares.alone, "% of a core", None, "all its threads, in 120 s"),
        figure(
            "more for an idle cluster",
            shares.most - shares.alone,
            "% of a core",
            Some(0.2),
            "the daemon of three that uses most, in the same 120 s",
        ),
    ]
}
