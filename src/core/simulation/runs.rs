//! Runs the simulation by seed, and reduces a failing run to the fewest faults.

use crate::core::simulation::box_of::BoxSettings;
use crate::core::simulation::dice::Dice;
use crate::core::simulation::faults::{Fault, Weather, schedule};
use crate::core::simulation::world::{Failure, World};
use std::collections::VecDeque;
use std::num::NonZero;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The length of the last part of a run, which has no faults.
const CALM_SECONDS: u64 = 900;

/// A run, which follows from its seed.
#[derive(Clone, Debug)]
struct Run {
    seed: u64,
    settings: BoxSettings,
    faults: Vec<(u64, Fault)>,
    seconds: u64,
    tick_ms: u64,
}

impl Run {
    /// An hour at five frames a second, or for one seed of ten a day at a frame in ten seconds.
    fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let is_day = seed % 10 == 9;
        let weather = match seed % 5 {
            0 => Weather::Calm,
            1 | 2 => Weather::OneKind,
            _ => Weather::Everything,
        };
        let (fps, seconds, tick_ms) = if is_day { (0.1, 86_400, 500) } else { (5.0, 3_600, 100) };
        let settings = BoxSettings::draw(&mut dice, fps);
        let faults = schedule(&mut dice, weather, seconds, CALM_SECONDS);
        Self { seed, settings, faults, seconds, tick_ms }
    }

    fn execute(&self, is_traced: bool) -> World {
        let mut world = World::new(self.settings.clone(), self.faults.clone(), self.seed, self.tick_ms);
        world.trace = is_traced.then(VecDeque::new);
        world.run(self.seconds);
        if world.failure.is_none() {
            world.check_healed();
        }
        world
    }

    fn failure(&self) -> Option<Failure> {
        let run = catch_unwind(AssertUnwindSafe(|| self.execute(false).failure));
        run.unwrap_or_else(|_| Some(Failure { at_ms: 0, what: "the core panics".into() }))
    }

    /// Removes faults as long as the run still fails.
    fn shrink(&self) -> Self {
        let mut best = self.clone();
        let mut size = best.faults.len().div_ceil(2);
        let mut tries = 0;
        while size > 0 && tries < 150 {
            let mut start = 0;
            while start < best.faults.len() && tries < 150 {
                let mut shorter = best.clone();
                shorter.faults.drain(start..(start + size).min(best.faults.len()));
                tries += 1;
                if shorter.failure().is_some() {
                    best = shorter;
                } else {
                    start += size;
                }
            }
            size /= 2;
        }
        best
    }

    /// Runs, and returns the number of events that the core applied.
    ///
    /// # Errors
    /// The failure with the fewest faults, and its trace.
    fn check(&self) -> Result<u64, String> {
        let world = catch_unwind(AssertUnwindSafe(|| self.execute(false)));
        if let Ok(world) = &world
            && world.failure.is_none()
        {
            return Ok(world.events);
        }
        let shortest = self.shrink();
        let traced = catch_unwind(AssertUnwindSafe(|| shortest.execute(true)));
        let (failure, trace) = match traced {
            Ok(world) => (world.failure, world.trace.unwrap_or_default()),
            Err(_) => (Some(Failure { at_ms: 0, what: "the core panics".into() }), VecDeque::new()),
        };
        let Failure { at_ms, what } = failure.unwrap_or(Failure { at_ms: 0, what: "not when it is run again".into() });
        let trace: Vec<String> = trace.into();
        Err(format!(
            "seed {} fails at {at_ms} ms: {what}\n{:?}\n{} of {} faults are enough: {:?}\nthe end of its trace:\n{}\n",
            self.seed,
            self.settings,
            shortest.faults.len(),
            self.faults.len(),
            shortest.faults,
            trace.join("\n"),
        ))
    }
}

/// The number of failures after which no further seeds run.
const MOST_FAILURES: usize = 3;

/// The number of seeds in a test run: each weather sixteen times, and eight whole days. `make simulate` runs thousands.
const SEEDS_OF_TESTS: u64 = 80;

/// The least events that the core must apply in a second on one CPU core, in a release build.
const EVENTS_A_SECOND: f64 = 500_000.0;

/// The totals of all runs.
#[derive(Debug, Default)]
struct Total {
    seeds: u64,
    events: u64,
    /// CPU time of all threads together.
    busy: Duration,
    failures: Vec<String>,
}

/// Runs the seeds on all cores.
fn run_seeds(seeds: Range<u64>) -> Total {
    let (began, next, total) = (Instant::now(), AtomicU64::new(seeds.start), Mutex::new(Total::default()));
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let one = Instant::now();
                    let result = Run::of(seed).check();
                    let mut total = total.lock().unwrap();
                    total.seeds += 1;
                    total.busy += one.elapsed();
                    match result {
                        Ok(events) => total.events += events,
                        Err(failure) => total.failures.push(failure),
                    }
                    if total.failures.len() >= MOST_FAILURES {
                        next.store(seeds.end, Ordering::Relaxed);
                    }
                    if total.seeds.is_multiple_of(100) {
                        let (done, seconds) = (total.seeds, began.elapsed().as_secs());
                        println!("simulation: {done} of {} seeds after {seconds} s", seeds.end - seeds.start);
                    }
                }
            });
        }
    });
    total.into_inner().unwrap()
}

/// Writes the report of `make simulate`.
fn report(total: &Total, rate: f64) {
    let method = "boxes in simulated time, an hour or a day each; events applied in a second on one core";
    let figure = |name: &str, value: f64, bar: Option<f64>, is_ok: bool| {
        let ok = bar.map(|_| is_ok);
        serde_json::json!({ "name": name, "value": value, "unit": "", "bar": bar, "ok": ok, "method": method })
    };
    let failures = total.failures.len() as f64;
    let figures = [
        figure("simulate: seeds", total.seeds as f64, None, true),
        figure("simulate: events", total.events as f64, None, true),
        figure("simulate: seeds that fail", failures, Some(0.0), failures == 0.0),
        figure("simulate: events a second", rate, Some(EVENTS_A_SECOND), rate >= EVENTS_A_SECOND),
    ];
    let reports = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/reports");
    std::fs::create_dir_all(&reports).unwrap();
    std::fs::write(reports.join("simulate.json"), serde_json::to_vec_pretty(&figures).unwrap()).unwrap();
    println!("written: target/reports/simulate.json");
}

#[test]
fn a_box_that_has_little_to_do_is_mostly_at_rest() {
    let mut run = Run::of(9);
    run.faults.clear();
    let mut world = World::new(run.settings, run.faults, run.seed, 50);
    let seconds_at_rest = (0..300).filter(|_| {
        world.run(1);
        world.core.is_at_rest()
    });
    let seconds_at_rest = seconds_at_rest.count();
    assert!(
        (200..300).contains(&seconds_at_rest),
        "{seconds_at_rest} of 300 seconds, of which the first ones start units"
    );
}

/// `OCELLI_SEED` runs one seed again; `OCELLI_SEEDS` is the number of seeds of `make simulate`.
#[test]
fn the_core_keeps_its_promises() {
    let variable = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (one, many) = (variable("OCELLI_SEED"), variable("OCELLI_SEEDS"));
    let total = run_seeds(one.map_or(0..many.unwrap_or(SEEDS_OF_TESTS), |seed| seed..seed + 1));
    let Total { seeds, events, busy, failures } = &total;
    let rate = *events as f64 / busy.as_secs_f64();
    println!("simulation: {seeds} seeds, {events} events: {rate:.0} events a second on one core");
    if many.is_some() {
        report(&total, rate);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
