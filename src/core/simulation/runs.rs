//! Runs by seed, and the fewest faults that make one fail.

use crate::core::simulation::box_of::BoxSettings;
use crate::core::simulation::dice::Dice;
use crate::core::simulation::faults::{Fault, Weather, schedule};
use crate::core::simulation::world::{Failure, World};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// The last minutes of a run have no faults.
const CALM_SECONDS: u64 = 900;

/// One run, as its seed makes it.
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

    /// Leaves out faults as long as the run still fails.
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

    /// Runs. Returns the events that the core applied.
    ///
    /// # Errors
    /// The shortest trace that fails.
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

/// So many failures are told; more would say the same.
const MOST_FAILURES: usize = 3;

fn run_seeds(seeds: impl Iterator<Item = u64>) {
    let (began, mut events, mut count, mut failures) = (Instant::now(), 0, 0, Vec::new());
    for seed in seeds {
        count += 1;
        match Run::of(seed).check() {
            Ok(applied) => events += applied,
            Err(failure) => failures.push(failure),
        }
        if failures.len() == MOST_FAILURES {
            break;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "simulation: {count} seeds, {events} events in {seconds:.1} s: {:.0} events a second",
        events as f64 / seconds
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Seeds of a whole run (`make simulate`), or a number of one to be run again; the tests run 200.
fn seeds(test: u64) -> impl Iterator<Item = u64> {
    let variable = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (first, end) = match variable("OCELLI_SEED") {
        Some(seed) => (seed, seed + 1),
        None => (0, variable("OCELLI_SEEDS").unwrap_or(200)),
    };
    // One seed of ten is a day, and takes five times as long: each test has half of the days.
    (first..end).filter(move |seed| (seed / 10) % 2 == test)
}

#[test]
fn the_core_keeps_its_promises_in_the_seeds_of_even_tens() {
    run_seeds(seeds(0));
}

#[test]
fn the_core_keeps_its_promises_in_the_seeds_of_odd_tens() {
    run_seeds(seeds(1));
}
