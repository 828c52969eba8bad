//! Power cuts and kills at every sync of a long trace. The outbox must open again with all events that it guaranteed.

use super::dice::Dice;
use super::disk_image::{DiskImage, End};
use super::trace::{Known, Trace, quick_directory, record_trace, small_rules};
use super::whole_run::{progress, report, share, threads};
use super::*;
use crate::os::tests::watched_disk::Step;
use std::path::Path;

const OPERATIONS: usize = 2_000;

/// The number of crashes between two syncs.
const SEEDS: usize = 20;

/// Every n-th sync is tested, except in a whole run.
const ONE_OF: usize = 48;

/// A crash after a number of steps, with a seed for the unsynced writes.
#[derive(Clone, Copy, Debug)]
struct Crash {
    step: usize,
    end: End,
    seed: u64,
}

/// The states that are allowed after it.
struct Bounds<'a> {
    trace: &'a Trace,
    /// The number of operations that were synced, if any.
    synced: Option<usize>,
    /// The number of operations that had ended.
    ended: usize,
}

/// The crashes between a sync and the next, in the order of their steps.
fn crashes(trace: &Trace, sync: usize, next: usize, end_seed: u64) -> Vec<Crash> {
    let mut dice = Dice(end_seed);
    let mut crashes: Vec<Crash> = (0..SEEDS as u64)
        .map(|seed| {
            // Every fourth is during the next sync, when the most is unsynced.
            let step = if seed % 4 == 0 { next } else { sync + 1 + dice.below(next - sync) };
            Crash { step, end: End::PowerCut, seed: end_seed << 8 | seed }
        })
        .collect();
    let is_mark = |step: &usize| matches!(trace.steps[*step], Step::Mark(_));
    crashes.extend((sync..next).rev().find(is_mark).map(|step| Crash { step: step + 1, end: End::Killed, seed: 0 }));
    crashes.sort_by_key(|crash| crash.step);
    crashes
}

impl<'a> Bounds<'a> {
    fn at(trace: &'a Trace, step: usize) -> Self {
        let (mut synced, mut ended) = (None, None);
        for step in &trace.steps[..step] {
            match step {
                Step::Mark(operations) => ended = Some(*operations),
                Step::Sync { file } if file.ends_with("-wal") => synced = ended,
                _ => {}
            }
        }
        Self { trace, synced, ended: ended.unwrap_or(0) }
    }

    /// The states from the last sync to the crash.
    fn since_sync(&self) -> &'a [Known] {
        let last = (self.ended + 1).min(self.trace.known.len() - 1);
        &self.trace.known[self.synced.unwrap_or(0)..=last]
    }

    /// Opens the outbox after a crash. Returns the number of lost events, or the first violated guarantee.
    fn check(&self, directory: &Path, end: End) -> Result<usize, String> {
        let mut keeper = Keeper::new(small_rules(directory, None), at(0));
        keeper.tick(0, at(1_000));
        if let Some(trouble) = keeper.status().trouble {
            return Err(format!("does not open: {trouble}"));
        }
        let store = keeper.store.as_ref().ok_or("is not open")?;
        let known = self.since_sync();
        let found: Vec<Position> =
            store.undelivered().map_err(|error| error.to_string())?.into_iter().map(|(position, _)| position).collect();
        let dropped = store.dropped().map_err(|error| error.to_string())?;
        if end == End::Killed {
            let ended = &self.trace.known[self.ended];
            if (&found, dropped) != (&ended.undelivered, ended.dropped) {
                return Err(format!("a kill changes something: {found:?} {dropped:?} instead of {ended:?}"));
            }
        }
        for position in &known[0].undelivered {
            let is_open = known.iter().all(|known| known.undelivered.binary_search(position).is_ok());
            if self.synced.is_some() && is_open && found.binary_search(position).is_err() {
                return Err(format!("event {position} was synced and is lost"));
            }
        }
        for position in &found {
            let may_be = known.iter().any(|known| known.undelivered.binary_search(position).is_ok())
                || (known[0].newest < *position && *position <= known[known.len() - 1].newest);
            if !may_be {
                return Err(format!("event {position} was delivered or dropped, and comes back"));
            }
        }
        let counts = known.iter().map(|known| known.dropped.total);
        if dropped.total < counts.clone().min().unwrap_or(0) || dropped.total > counts.max().unwrap_or(0) {
            return Err(format!("{} events count as dropped", dropped.total));
        }
        let (records, last) = keeper.since(0, 0, usize::MAX).map_err(|error| error.to_string())?;
        for record in &records {
            let is_whole = self
                .trace
                .contents
                .get(&record.position)
                .is_some_and(|(camera, payload)| *camera == record.camera && *payload == record.payload);
            if !is_whole {
                return Err(format!("event {} was not recorded so", record.position));
            }
        }
        let lost = known[known.len() - 1].newest - last;
        let new = keeper.next_position;
        if self.synced.is_some() && new <= known[0].newest || new <= last {
            return Err(format!("position {new} is given twice"));
        }
        record(&mut keeper, 1..=1, at(1_000));
        keeper.sync(at(1_000));
        match (keeper.read(new), keeper.status()) {
            (Ok(Some(_)), OutboxStatus { trouble: None, damaged: 0, .. }) => Ok(usize::try_from(lost).unwrap_or(0)),
            (read, status) => Err(format!("does not continue: {read:?} {status:?}")),
        }
    }
}

/// Crashes after these syncs. Returns the number of crashes, and the most events that one of them lost.
fn try_syncs(trace: &Trace, syncs: &[(usize, usize)], done: &impl Fn()) -> Result<(usize, usize), String> {
    let home = quick_directory();
    let (mut image, mut applied, mut tried, mut most_lost) = (DiskImage::default(), 0, 0, 0);
    for (sync, next) in syncs {
        for crash in crashes(trace, *sync, *next, *sync as u64) {
            trace.steps[applied..crash.step].iter().for_each(|step| image.apply(step));
            applied = crash.step;
            image.write(home.path(), crash.end, &mut Dice(crash.seed));
            let bounds = Bounds::at(trace, crash.step);
            most_lost = most_lost.max(bounds.check(home.path(), crash.end).map_err(|broken| {
                format!("{crash:?}, {} operations, synced {:?}: {broken}", bounds.ended, bounds.synced)
            })?);
            if home.path().join("events.db.damaged").exists() {
                return Err(format!("{crash:?}: a crash is not damage"));
            }
            tried += 1;
        }
        done();
    }
    Ok((tried, most_lost))
}

#[test]
fn a_crash_at_any_sync_loses_at_most_what_was_not_synced() {
    let started = std::time::Instant::now();
    let trace = record_trace(OPERATIONS, 1);
    let syncs: Vec<usize> =
        (0..trace.steps.len()).filter(|step| matches!(trace.steps[*step], Step::Sync { .. })).collect();
    // The start, without a store, counts as a sync, and so does the end.
    let starts = std::iter::once(0).chain(syncs.iter().copied());
    let ends = syncs.iter().copied().chain([trace.steps.len()]);
    let points: Vec<(usize, usize)> = starts
        .zip(ends)
        .enumerate()
        .filter(|(index, _)| index % share(ONE_OF) == 0 || *index < 4)
        .map(|(_, point)| point)
        .collect();
    let bar = progress("crashes", points.len());
    let lost: Vec<Result<(usize, usize), String>> = std::thread::scope(|scope| {
        let chunks = points.chunks(points.len().div_ceil(threads()));
        let running: Vec<_> = chunks.map(|chunk| scope.spawn(|| try_syncs(&trace, chunk, &|| bar.inc(1)))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (mut tried, mut most_lost) = (0, 0);
    for result in lost {
        let (crashes, most) = result.unwrap_or_else(|broken| panic!("{broken}"));
        (tried, most_lost) = (tried + crashes, most.max(most_lost));
    }
    report(
        "crash_model",
        &serde_json::json!({
            "operations": OPERATIONS, "events": trace.contents.len(), "syncs": syncs.len(), "syncs_tried": points.len(),
            "crashes": tried, "broken_promises": 0, "most_unsynced_events_lost": most_lost,
            "seconds": started.elapsed().as_secs_f64(),
        }),
    );
}
