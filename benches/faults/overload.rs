//! More than the units can do: what is taken is done as before, the rest is refused at once.

use crate::figure;
use crate::load;
use crate::report::Figure;
use crate::share_of;
use crate::statistics::percentile;
use crate::support::broker::Broker;
use crate::support::daemon::Daemon;
use crate::support::signal;
use rustix::process::Signal;
use std::time::Duration;

/// One unit on one core leaves the other for whoever sends ten times as much.
const MODEL: &str = "[[models]]\nname = \"coco-ssd\"\nmin_inference_units = 1\n";
const SECONDS: u64 = 8;

pub(crate) fn resident_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// What the units do when they have no idle time.
pub(crate) fn rated_tps(port: u16) -> f64 {
    drop(load::run(port, 20.0, 2));
    let answers = load::run(port, 400.0, 5);
    answers.detected_ms.len() as f64 / 5.0
}

pub(crate) fn measure(figures: &mut Vec<Figure>) {
    let broker = Broker::start();
    let daemon = Daemon::start(broker.port, MODEL);
    daemon.wait_ready();
    let rated = rated_tps(daemon.http_port());
    let before = resident_mb(daemon.pid());
    let mut goodput = Vec::new();
    let (mut refused, mut failed) = (Vec::new(), 0);
    for factor in [0.5, 1.0, 2.0, 5.0, 10.0] {
        let answers = load::run(daemon.http_port(), rated * factor, SECONDS);
        goodput.push(answers.detected_ms.len() as f64 / SECONDS as f64);
        println!(
            "  {factor}x of {rated:.0} TPS: {:.0} detected/s (p99 {:.0} ms), {} refused (p99 {:.1} ms), {} failed {:?}",
            goodput.last().unwrap(),
            percentile(answers.detected_ms.clone(), 0.99),
            answers.refused_ms.len(),
            percentile(answers.refused_ms.clone(), 0.99),
            answers.failed.len(),
            answers.failed.first()
        );
        failed += answers.failed.len();
        refused.extend(answers.refused_ms);
    }
    let grown = resident_mb(daemon.pid()) - before;
    let method =
        "open loop of 73 kB photographs, 8 s each at 0.5, 1, 2, 5 and 10 times what one unit does at saturation";
    figures.extend([
        figure("overload: goodput at 10x / at 1x", goodput[4] / goodput[1], "ratio", Some(0.95), method),
        figure("overload: refusal, p99 from when it was due", percentile(refused, 0.99), "ms", Some(20.0), method),
        figure("overload: answers but 200 and 429", failed as f64, "", Some(0.0), method),
        figure("overload: memory of the daemon", grown, "MB", Some(50.0), method),
    ]);
    daemon.assert_ledger_closes();
    measure_stalled(figures);
}

/// Two units that do not answer, and more callers than there are places: how far what is taken is from what was
/// promised, at worst.
fn measure_stalled(figures: &mut Vec<Figure>) {
    const UNITS: usize = 2;
    const CALLERS: u32 = 60;
    let broker = Broker::start();
    let settings = format!("[units]\nmax_queue_seconds = 0.2\n{}", MODEL.replace("= 1", &format!("= {UNITS}")));
    let daemon = Daemon::start(broker.port, &settings);
    daemon.wait_ready();
    drop(load::run(daemon.http_port(), 100.0, 2));
    let (mut worst, mut lost) = (0, 0);
    let rounds = share_of(20);
    for _ in 0..rounds {
        // The status is half a second old at most.
        std::thread::sleep(Duration::from_secs(1));
        let (_, view) = daemon.get("/api/models/coco-ssd").unwrap();
        let view: serde_json::Value = serde_json::from_str(&view).unwrap();
        let expected = UNITS + view["image_places"].as_u64().unwrap() as usize;
        daemon.units().into_iter().for_each(|unit| signal(unit, Signal::STOP));
        let burst = load::Load::burst(daemon.http_port(), CALLERS);
        // Units that do not answer for two seconds are killed.
        std::thread::sleep(Duration::from_secs(1));
        let refused = burst.take();
        daemon.units().into_iter().for_each(|unit| signal(unit, Signal::CONT));
        let taken = CALLERS as usize - refused.refused_ms.len();
        worst = worst.max(taken.abs_diff(expected));
        let answers = burst.finish();
        lost += taken - answers.detected_ms.len();
        println!("  {taken} taken by {UNITS} units and {} places", expected - UNITS);
    }
    let method = "60 callers at once while both units are stopped with SIGSTOP, 20 times; taken against units + places";
    figures.push(figure("stalled: taken beside units and places, worst", worst as f64, "", Some(0.0), method));
    let method = "of those that were taken, without result after SIGCONT";
    figures.push(figure("stalled: taken and lost", lost as f64, "", Some(0.0), method));
}
