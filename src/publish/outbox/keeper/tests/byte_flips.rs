//! Changes a byte of a store or its log. The outbox must open, and lose only the event whose bytes were hit.

use super::dice::Dice;
use super::trace::{any_event, quick_directory};
use super::whole_run::{progress, report, share, threads};
use super::*;
use std::path::Path;
use std::time::Instant;

const FLIPS: usize = 10_000;

/// Every n-th flip is tested, except in a whole run.
const ONE_OF: usize = 40;

const IN_STORE: usize = 2_000;
const IN_LOG: usize = 400;

const PAGE: usize = 1024;

/// A store, its log, and their events.
struct Sound {
    store: Vec<u8>,
    log: Vec<u8>,
    contents: BTreeMap<Position, (Arc<str>, Vec<u8>)>,
    delivered: Vec<Position>,
}

/// The effects of a flip.
#[derive(Clone, Debug, Default)]
struct Outcome {
    place: &'static str,
    lost: usize,
    counted: u64,
    /// Delivered before, and delivered again.
    again: usize,
}

fn roomy_rules(home: &Path) -> OutboxRules {
    OutboxRules {
        file: home.join("events.db"),
        vfs: None,
        max_bytes: 64 << 20,
        keep: Duration::from_secs(3600),
        sync_after: Duration::from_millis(500),
        has_sink: true,
    }
}

fn sound() -> Sound {
    let (home, mut dice) = (quick_directory(), Dice(7));
    let (mut contents, mut delivered) = (BTreeMap::new(), Vec::new());
    let mut fill = |keeper: &mut Keeper, events: usize| {
        let first = keeper.next_position;
        for _ in 0..events / 20 {
            let mut new: Vec<_> = (0..20).map(|number| any_event(&mut dice, number)).collect();
            // Few are long, as in practice.
            new.iter_mut().filter(|(_, payload)| payload.len() > 1_000).skip(1).for_each(|(_, payload)| {
                payload.truncate(400);
            });
            contents.extend((keeper.next_position..).zip(new.iter().cloned()));
            keeper.take_in(new, &[], 1_000, at(0));
        }
        let settled: Vec<Position> = (first..keeper.next_position).filter(|_| dice.percent(15)).collect();
        let all: Vec<Settled> = settled.iter().copied().map(Settled::Delivered).collect();
        keeper.take_in(Vec::new(), &all, 1_000, at(0));
        delivered.extend(settled);
    };
    // Closing moves everything from the log to the store.
    fill(&mut Keeper::new(roomy_rules(home.path()), at(0)), IN_STORE);
    let mut keeper = Keeper::new(roomy_rules(home.path()), at(0));
    fill(&mut keeper, IN_LOG);
    let read = |name: &str| std::fs::read(home.path().join(name)).unwrap();
    Sound { store: read("events.db"), log: read("events.db-wal"), contents, delivered }
}

/// The kind of page at this offset of store and log.
fn place(sound: &Sound, at: usize) -> &'static str {
    let Some(page) = sound.store.get(at / PAGE * PAGE..(at / PAGE + 1) * PAGE) else { return "log" };
    match (at / PAGE, page[0]) {
        (0, _) => "first page",
        (_, 13) if at % PAGE < 8 + 2 * usize::from(page[4]) => "head of a leaf",
        (_, 13) => "cells of a leaf",
        (_, 5) => "inner page",
        _ => "overflow page",
    }
}

/// Sends all events. Returns those that arrived, and how many count as damaged.
fn drain(mut keeper: Keeper) -> (BTreeMap<Position, Departure>, u64) {
    let (mut now, mut left, mut settled, mut tries) = (at(1_000), BTreeMap::new(), Vec::new(), 0);
    keeper.tick(1_000, now);
    keeper.set_connected(true, now);
    loop {
        let next = keeper.next(now);
        if settled.len() >= 64 || next == Err(None) {
            keeper.take_in(Vec::new(), &std::mem::take(&mut settled), 1_000, now);
        }
        match next {
            Ok(departure) => {
                settled.push(Settled::Delivered(departure.position));
                left.insert(departure.position, departure);
            }
            Err(Some(wait)) => now = now + wait.max(Duration::from_millis(1)),
            Err(None) => {
                let status = keeper.status();
                if status.trouble.is_none() && status.waiting + status.on_their_way == 0 {
                    return (left, status.damaged);
                }
                tries += 1;
                assert!(tries < 50, "it does not recover: {status:?}");
                now = now + Duration::from_secs(1);
                keeper.tick(1_000, now);
            }
        }
    }
}

fn flip(sound: &Sound, home: &Path, number: usize) -> Outcome {
    let mut dice = Dice(number as u64);
    let (mut store, mut log) = (sound.store.clone(), sound.log.clone());
    let place_of_flip = dice.below(store.len() + log.len());
    let change = u8::try_from(1 + dice.below(255)).unwrap();
    match place_of_flip.checked_sub(store.len()) {
        Some(in_log) => log[in_log] ^= change,
        None => store[place_of_flip] ^= change,
    }
    for entry in std::fs::read_dir(home).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    std::fs::write(home.join("events.db"), store).unwrap();
    std::fs::write(home.join("events.db-wal"), log).unwrap();
    let (left, counted) = drain(Keeper::new(roomy_rules(home), at(0)));
    for (position, departure) in &left {
        let (camera, payload) = &sound.contents[position];
        assert!((camera, payload) == (&departure.camera, &departure.payload), "flip {number} changes event {position}");
    }
    let again = sound.delivered.iter().filter(|position| left.contains_key(position)).count();
    let lost = sound.contents.len() - sound.delivered.len() - (left.len() - again);
    Outcome { place: place(sound, place_of_flip), lost, counted, again }
}

#[test]
fn a_changed_byte_costs_the_events_that_it_hits() {
    let (started, sound) = (Instant::now(), sound());
    let flips: Vec<usize> = (0..FLIPS).step_by(share(ONE_OF)).collect();
    let bar = progress("byte flips", flips.len());
    let one = |number: &usize, home: &TempDir| {
        bar.inc(1);
        flip(&sound, home.path(), *number)
    };
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let work = |chunk: &[usize]| {
            let home = quick_directory();
            chunk.iter().map(|number| one(number, &home)).collect::<Vec<_>>()
        };
        let chunks = flips.chunks(flips.len().div_ceil(threads()));
        let running: Vec<_> = chunks.map(|chunk| scope.spawn(move || work(chunk))).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut places = BTreeMap::new();
    for place in outcomes.iter().map(|outcome| outcome.place) {
        let here: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.place == place).collect();
        let count = |is_it: fn(usize) -> bool| here.iter().filter(|outcome| is_it(outcome.lost)).count();
        places.entry(place).or_insert_with(|| {
            serde_json::json!({
                "flips": here.len(), "none_lost": count(|lost| lost == 0), "one_lost": count(|lost| lost == 1),
                "more_lost": count(|lost| lost > 1), "most_lost": here.iter().map(|outcome| outcome.lost).max(),
                "most_delivered_again": here.iter().map(|outcome| outcome.again).max(),
            })
        });
    }
    let sum = |of: fn(&Outcome) -> usize| outcomes.iter().map(of).sum::<usize>();
    report(
        "byte_flips",
        &serde_json::json!({
            "flips": outcomes.len(), "store_bytes": sound.store.len(), "log_bytes": sound.log.len(),
            "events": sound.contents.len(), "panics": 0, "places": places, "lost": sum(|outcome| outcome.lost),
            "lost_and_counted": sum(|outcome| usize::try_from(outcome.counted).unwrap()),
            "seconds": started.elapsed().as_secs_f64(),
        }),
    );
    // The page number of a frame can change into that of another page, whose events it then hides.
    let more = |is_place: fn(&str) -> bool| outcomes.iter().filter(move |one| one.lost > 1 && is_place(one.place));
    assert_eq!(more(|place| place != "log").next().map(|one| format!("{one:?}")), None);
    let of_log: Vec<&Outcome> = more(|place| place == "log").collect();
    assert!(of_log.len() <= outcomes.len() / 1_000 && of_log.iter().all(|one| one.lost < 30), "{of_log:?}");
}
