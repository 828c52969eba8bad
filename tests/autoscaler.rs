//! The autoscaler over hours of simulated load: one file in `scenarios/autoscaler/` a case.
//!
//! The box of a scenario is a fluid model: what arrives is done at the throughput of the units that
//! are ready, and the rest is turned away. A unit that is added takes its time to load.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive numbers of a simulation")]

use ocelli::supervisor::autoscaler::{Autoscaler, EVALUATION_PERIOD, LoadSample, ScaleReason};
use ocelli::vision::monotonic::Monotonic;
use serde::Deserialize;
use std::path::Path;
use std::time::Duration;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// What it shows.
    about: String,
    min: usize,
    max: usize,
    /// Of one item in one unit that is alone on the box.
    service_ms: f64,
    /// Items a second of 1, 2, ... units; without it units do not share anything.
    throughput: Option<Vec<f64>>,
    load_seconds: f64,
    seconds: f64,
    load: Vec<Load>,
    #[serde(default)]
    fault: Vec<Fault>,
    expect: Vec<Expectation>,
    /// Changes of the number of units over the whole time.
    most_changes: usize,
    /// The share of what arrives that may be turned away.
    most_refused: f64,
    /// Reasons that must be given, and no others.
    reasons: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Load {
    from: f64,
    to: f64,
    /// Items a second at `from`.
    rate: f64,
    /// Items a second at `to`; without it the rate is constant.
    rate_to: Option<f64>,
    /// Seconds of a rectangular wave between `rate` and `low`.
    period: Option<f64>,
    #[serde(default)]
    low: f64,
    /// Uniform noise of this share.
    #[serde(default)]
    noise: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    from: f64,
    to: f64,
    kind: FaultKind,
    #[serde(default)]
    value: f64,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum FaultKind {
    /// One unit is missing.
    UnitDown,
    /// Nobody knows anything.
    NoData,
    /// Each item takes `value` times as long.
    Slow,
    /// Memory allows `value` units.
    Room,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    from: f64,
    to: f64,
    /// Least and most units at every moment between.
    units: [usize; 2],
}

impl Scenario {
    fn rate(&self, now: f64, noise: &mut u64) -> f64 {
        let Some(load) = self.load.iter().find(|load| (load.from..load.to).contains(&now)) else { return 0.0 };
        let share = (now - load.from) / (load.to - load.from);
        let rate = load.rate + (load.rate_to.unwrap_or(load.rate) - load.rate) * share;
        let is_low = load.period.is_some_and(|period| (now - load.from) % period >= period / 2.0);
        *noise ^= *noise << 13;
        *noise ^= *noise >> 7;
        *noise ^= *noise << 17;
        let swing = (*noise % 2_001) as f64 / 1_000.0 - 1.0;
        (if is_low { load.low } else { rate }) * (1.0 + load.noise * swing)
    }

    fn fault(&self, kind: &FaultKind, now: f64) -> Option<f64> {
        let is_on = |fault: &&Fault| fault.kind == *kind && (fault.from..fault.to).contains(&now);
        self.fault.iter().find(is_on).map(|fault| fault.value)
    }

    fn throughput(&self, units: usize, now: f64) -> f64 {
        let alone = 1_000.0 / self.service_ms;
        let listed = self.throughput.as_ref().and_then(|list| list.get(units.checked_sub(1)?).copied());
        listed.unwrap_or(alone * units as f64) / self.fault(&FaultKind::Slow, now).unwrap_or(1.0)
    }

    /// Plays it through and returns what went wrong.
    fn play(&self) -> Vec<String> {
        const STEP: f64 = 0.5;
        let mut scaler = Autoscaler::new(self.min, self.max);
        let (mut desired, mut noise, mut now) = (self.min, 88_172_645_463_325_252, 0.0_f64);
        // When each unit is ready.
        let mut units = vec![0.0_f64; self.min];
        let (mut arrivals, mut completed) = (0.0, 0.0);
        let (mut offered, mut refused) = (0.0, 0.0);
        let mut service = self.service_ms / 1_000.0;
        let mut evaluated_at = 0.0;
        let (mut changes, mut reasons, mut wrong) = (0, Vec::new(), Vec::new());
        while now < self.seconds {
            now += STEP;
            let down = usize::from(self.fault(&FaultKind::UnitDown, now).is_some());
            let ready = units.iter().filter(|at| **at <= now).count().saturating_sub(down);
            let (rate, can) = (self.rate(now, &mut noise), self.throughput(ready, now));
            arrivals += rate * STEP;
            completed += rate.min(can) * STEP;
            offered += rate * STEP;
            refused += (rate - can).max(0.0) * STEP;
            if can > 0.0 && rate > 0.0 {
                service += 0.3 * (ready as f64 / can - service);
            }
            if now - evaluated_at >= EVALUATION_PERIOD.as_secs_f64() {
                evaluated_at = now;
                let sample = LoadSample {
                    arrivals: arrivals.round() as u64,
                    completed: completed.round() as u64,
                    service_time: Duration::from_secs_f64(service),
                    ready,
                    is_healthy: ready == desired,
                    room: self.fault(&FaultKind::Room, now).map_or(usize::MAX, |room| room as usize),
                };
                (arrivals, completed) = (0.0, 0.0);
                let sample = self.fault(&FaultKind::NoData, now).is_none().then_some(sample);
                if let Some((units_now, reason)) = scaler.observe(sample, desired, at(now)) {
                    desired = units_now;
                    changes += 1;
                    if !reasons.contains(&reason) {
                        reasons.push(reason);
                    }
                    while units.len() < desired {
                        units.push(now + self.load_seconds);
                    }
                    units.truncate(desired);
                }
            }
            for expected in self.expect.iter().filter(|expected| (expected.from..expected.to).contains(&now)) {
                if !(expected.units[0]..=expected.units[1]).contains(&desired) {
                    wrong.push(format!("at {now} s there should be {:?} units, not {desired}", expected.units));
                }
            }
        }
        if changes > self.most_changes {
            wrong.push(format!("{changes} changes"));
        }
        if refused > self.most_refused * offered {
            wrong.push(format!("{:.3} of what arrived was refused", refused / offered));
        }
        let given: Vec<&str> = reasons.iter().map(|reason| name(*reason)).collect();
        if given.iter().any(|reason| !self.reasons.contains(&(*reason).to_owned())) || given.len() != self.reasons.len()
        {
            wrong.push(format!("the reasons were {given:?}, not {:?}", self.reasons));
        }
        wrong
    }
}

fn name(reason: ScaleReason) -> &'static str {
    match reason {
        ScaleReason::Bounds => "bounds",
        ScaleReason::Panic => "panic",
        ScaleReason::Demand => "demand",
        ScaleReason::Calm => "calm",
        ScaleReason::NoGain => "no_gain",
        ScaleReason::GivesWay => "gives_way",
    }
}

fn at(seconds: f64) -> Monotonic {
    Monotonic::from_nanos((seconds * 1e9) as u64 + 1_000_000_000)
}

#[test]
fn every_scenario_stays_within_its_expectations() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/autoscaler");
    let mut paths: Vec<_> = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 12, "the scenarios are where this test looks");
    let mut failures = Vec::new();
    for path in paths {
        let scenario: Scenario = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let wrong = scenario.play();
        if let Some(first) = wrong.first() {
            let name = path.file_name().unwrap().to_string_lossy();
            failures.push(format!(
                "{name} ({}): {first}, and {} more: {:?}",
                scenario.about,
                wrong.len() - 1,
                wrong.last()
            ));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
