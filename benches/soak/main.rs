//! Eight hours of eight cameras with faults, reloads and swaps: whether anything grows or slows down; `make soak` runs it.
//!
//! Prints a line a minute and a table, and writes `target/reports/soak.json`, `soak.csv` (a row a minute) and `soak.svg` (their
//! plot). `OCELLI_SOAK_SHARE=0.01` takes five minutes, too few for the bars of what grows, and writes `soak-partial.*`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on fails")]
#![allow(clippy::cast_precision_loss, reason = "counts")]

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../harness/memory.rs"]
mod memory;
#[path = "../harness/report.rs"]
mod report;
#[path = "../harness/slope.rs"]
mod slope;
#[path = "../harness/statistics.rs"]
mod statistics;
#[path = "../harness/written.rs"]
mod written;

mod disturbance;
mod minute;
mod plot;
mod site;
mod verdict;

use disturbance::Disturbance;
use minute::Minute;
use rustix::process::Signal;
use site::Site;
use std::time::{Duration, Instant};
use support::signal;

/// Of a whole run, of which `OCELLI_SOAK_SHARE` is done.
const MINUTES: f64 = 480.0;
const MINUTE: Duration = Duration::from_secs(60);

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let share = std::env::var("OCELLI_SOAK_SHARE").ok().and_then(|share| share.parse().ok()).unwrap_or(1.0);
    let count = (MINUTES * share).round().max(4.0);
    let name = if count < MINUTES { "soak-partial" } else { "soak" };
    let (mut site, mut minutes) = (Site::start(), Vec::<Minute>::new());
    println!("{count} minutes; each begins with a disturbance");
    let mut at = Instant::now();
    while (minutes.len() as f64) < count {
        let disturbance = Disturbance::of_minute(minutes.len());
        let recovered = disturbance.run(&mut site);
        at += MINUTE;
        // What took longer than its minute makes the next one begin later.
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        at = at.max(Instant::now());
        minutes.push(Minute::of(&mut site, disturbance, recovered));
        println!("{:>4}  {}", minutes.len(), minutes.last().unwrap().line());
        // Kept as it grows: who ends the run early has it.
        plot::write(name, &minutes);
    }
    report::report(name, &verdict::figures(&site, &minutes));
    println!("written: target/reports/{name}.csv, target/reports/{name}.svg");
    signal(site.daemon.pid(), Signal::TERM);
    let status = site.daemon.wait_exit(Duration::from_secs(30));
    assert!(status.success() && site.daemon.log().contains("ledger_closes=true"), "{}", site.daemon.log());
}
