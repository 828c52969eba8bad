//! Units that are killed while images come: nobody outside notices.

use crate::figure;
use crate::load::{self, Load};
use crate::overload::{rated_tps, resident_mb};
use crate::random::Random;
use crate::report::Figure;
use crate::share_of;
use crate::statistics::{median, percentile};
use crate::support::broker::Broker;
use crate::support::daemon::Daemon;
use crate::support::{signal, wait_for};
use rustix::process::Signal;
use std::time::{Duration, Instant};

const MODEL: &str =
    "[units]\nmax_units = 8\nzone_probe_seconds = 5.0\n[[models]]\nname = \"coco-ssd\"\nmin_inference_units = 4\n";

/// The units of [`MODEL`].
const WANTED: usize = 4;

fn descriptors(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// Units that have become ready since the start.
fn became_ready(daemon: &Daemon) -> usize {
    daemon.log().matches("an inference unit is ready").count()
}

/// Units that have ended since the start.
fn ended(daemon: &Daemon) -> usize {
    daemon.log().matches("an inference unit ended").count()
}

/// The units in service, at most half a second old.
fn in_service(daemon: &Daemon) -> Option<usize> {
    let (_, text) = daemon.get("/api/models/coco-ssd")?;
    let model: serde_json::Value = serde_json::from_str(&text).ok()?;
    model["in_service_inference_units"].as_u64()?.try_into().ok()
}

pub(crate) fn measure_kills(figures: &mut Vec<Figure>) {
    let broker = Broker::start();
    let daemon = Daemon::start(broker.port, MODEL);
    daemon.wait_ready();
    let tps = rated_tps(daemon.http_port()) * 0.6;
    let quiet = load::run(daemon.http_port(), tps, 20);
    let quiet_p99 = percentile(quiet.detected_ms, 0.99);
    let (memory, files) = (resident_mb(daemon.pid()), descriptors(daemon.pid()));

    let load = Load::start(daemon.http_port(), tps);
    let (mut recoveries, mut random) = (Vec::new(), Random(0x9E37_79B9_7F4A_7C15));
    let kills = share_of(60);
    for kill in 0..kills {
        let begun = Instant::now();
        let (units, ready, ended_before) = (daemon.units(), became_ready(&daemon), ended(&daemon));
        signal(units[random.below(units.len())], Signal::KILL);
        // A unit more than wanted tries a zone that was out. If that is ready already, it takes the place.
        let has_spare = units.len() > WANTED;
        wait_for("a replacement", Duration::from_secs(90), || {
            let is_there = has_spare && ended(&daemon) > ended_before && in_service(&daemon) == Some(WANTED);
            (became_ready(&daemon) > ready || is_there).then_some(())
        });
        recoveries.push(begun.elapsed().as_secs_f64());
        println!("  kill {} of {kills}: a replacement is ready after {:.2} s", kill + 1, recoveries.last().unwrap());
        std::thread::sleep(Duration::from_secs(10).saturating_sub(begun.elapsed()));
    }
    let answers = load.finish();
    let lost = answers.failed.len() + answers.refused_ms.len();
    println!("  {} detected, {lost} not: {:?}", answers.detected_ms.len(), answers.failed.first());
    let method = "a random unit of 4 is killed each 10 s while images come at 60 % of what the units do at saturation";
    let ratio = percentile(answers.detected_ms, 0.99) / quiet_p99;
    let slowest = recoveries.iter().copied().fold(0.0, f64::max);
    figures.extend([
        figure("kills: requests without result", lost as f64, "", Some(0.0), method),
        figure("kills: p99 / quiet p99", ratio, "", Some(3.0), method),
        figure("kills: replacement ready, median", median(recoveries), "s", None, method),
        figure("kills: replacement ready, slowest", slowest, "s", Some(2.5), method),
        figure("kills: memory of the daemon", resident_mb(daemon.pid()) - memory, "MB", Some(10.0), method),
        figure("kills: descriptors", descriptors(daemon.pid()) as f64 - files as f64, "", Some(4.0), method),
    ]);
}

/// The first core that a process may use.
fn core(pid: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
    line.trim().to_owned()
}

pub(crate) fn measure_zone(figures: &mut Vec<Figure>) {
    let cores = ocelli::os::cores::usable();
    let [left, .., right] = cores[..] else { return println!("  skipped: two zones need two cores") };
    let zones =
        format!("[[zones]]\nname = \"left\"\ncores = [{left}]\n[[zones]]\nname = \"right\"\ncores = [{right}]\n");
    let broker = Broker::start();
    let daemon = Daemon::start(broker.port, &format!("{zones}{MODEL}"));
    daemon.wait_ready();
    // Half of what both zones do; a little less, for the load's own sender is on the same cores.
    let tps = rated_tps(daemon.http_port()) * 0.45;
    let load = Load::start(daemon.http_port(), tps);
    std::thread::sleep(Duration::from_secs(5));
    drop(load.take());
    let (begun, mut first) = (Instant::now(), None);
    while begun.elapsed() < Duration::from_secs(15) {
        for unit in daemon.units().into_iter().filter(|pid| core(*pid) == left.to_string()) {
            signal(unit, Signal::KILL);
        }
        if begun.elapsed() > Duration::from_secs(2) && first.is_none() {
            first = Some(load.take());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let after = load.take();
    let restored = Instant::now();
    let even = serde_json::json!({"left": 2, "right": 2});
    wait_for("the zone to be back", Duration::from_secs(60), || {
        let (_, text) = daemon.get("/api/models/coco-ssd")?;
        (serde_json::from_str::<serde_json::Value>(&text).ok()?["zones"] == even).then_some(())
    });
    let restored = restored.elapsed().as_secs_f64();
    drop(load.finish());
    let lost = |answers: &load::Answers| (answers.failed.len() + answers.refused_ms.len()) as f64;
    let method = "every unit of one of two zones is killed again and again for 15 s at 45 % of what both do";
    figures.extend([
        figure("zone: lost or refused in the first 2 s", lost(&first.unwrap_or_default()), "", None, method),
        figure("zone: lost or refused after 2 s", lost(&after), "", Some(0.0), method),
        figure("zone: full capacity after it heals", restored, "s", None, "the probe comes each 5 s here"),
    ]);
}
