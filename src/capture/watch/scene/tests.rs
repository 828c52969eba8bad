//! Known appearances in troubled scenes.

use super::Scene;
use crate::capture::watch::cells::Cells;
use crate::capture::watch::change::Cause;
use crate::capture::watch::masks::Mask;
use crate::capture::watch::nuisances::{Luma, Nuisance, Random, Yard};
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// Keyframes come once in so many seconds.
const STEP: u64 = 2;

/// What a scene made of a run.
#[derive(Debug, Default)]
struct Tally {
    appearances: u32,
    found: u32,
    found_at_once: u32,
    /// Departures of people who stood, and those that were noticed.
    departures: u32,
    noticed: u32,
    still: u32,
    alarms: u32,
}

/// Someone in the yard.
#[derive(Clone, Copy, Debug)]
struct Visit {
    from: u64,
    until: u64,
    /// One of the clip's people who stands, or the least person who walks.
    who: Option<usize>,
    left: f32,
    top: f32,
    contrast: f32,
}

fn visits(pictures: u64, random: &mut Random, avoided: Option<NormalizedBox>) -> Vec<Visit> {
    let mut visits = Vec::new();
    let mut from = 12;
    while from + 12 < pictures {
        let length = 2 + random.below(4) as u64;
        let is_clips = random.below(2) == 0;
        let (mut left, mut top) = (random.between(0.02, 0.9), random.between(0.2, 0.93));
        while avoided
            .is_some_and(|avoided| left + 0.08 > avoided.left && left < avoided.right() && top < avoided.bottom())
        {
            (left, top) = (random.between(0.02, 0.9), random.between(0.2, 0.93));
        }
        let contrast = if random.below(2) == 0 { 25.0 } else { -25.0 };
        let who = (is_clips && avoided.is_none()).then(|| random.below(1000));
        visits.push(Visit { from, until: from + length, who, left, top, contrast });
        from += length + 4 + random.below(5) as u64;
    }
    visits
}

fn put(yard: &Yard, picture: &mut Luma, visit: &Visit, at: u64) -> NormalizedBox {
    match visit.who {
        Some(who) => yard.put_person(picture, who),
        None => {
            let walked = 0.012 * (at - visit.from) as f32;
            yard.put_least_person(picture, visit.left + walked, visit.top, visit.contrast)
        }
    }
}

/// A keyframe, who is there, and who was there in the one before.
struct Keyframe {
    cells: Cells,
    seen: Vec<NormalizedBox>,
    gone: Vec<NormalizedBox>,
}

fn film(yard: &Yard, nuisance: Nuisance, visits: &[Visit], pictures: u64, random: &mut Random) -> Vec<Keyframe> {
    let mut film = Vec::new();
    for at in 0..pictures {
        let (mut picture, mut seen) = (yard.empty(), Vec::new());
        let here = || visits.iter().filter(|visit| (visit.from..visit.until).contains(&at));
        for visit in here().filter(|visit| visit.who.is_some()) {
            seen.push(put(yard, &mut picture, visit, at));
        }
        yard.happen(&mut picture, nuisance, (at * STEP) as f32, random);
        for visit in here().filter(|visit| visit.who.is_none()) {
            seen.push(put(yard, &mut picture, visit, at));
        }
        yard.record(&mut picture, nuisance, random);
        let gone = visits.iter().filter(|visit| visit.until == at);
        let gone = gone.map(|visit| put(yard, &mut yard.empty(), visit, at - 1)).collect();
        film.push(Keyframe { cells: yard.cells(&picture), seen, gone });
    }
    film
}

fn judge(nuisance: Nuisance, film: &[Keyframe], visits: &[Visit], masks: Vec<Mask>) -> Tally {
    let mut scene = Scene::new(0.5, masks);
    let mut tally = Tally { appearances: visits.len() as u32, ..Tally::default() };
    let mut found = vec![false; visits.len()];
    for (at, Keyframe { cells, seen, gone }) in (0..).zip(film) {
        let now = Monotonic::from_nanos(at * STEP * 1_000_000_000);
        let change = scene.compare(cells, now);
        let hits = |place: &NormalizedBox| {
            change.moved && (change.places.is_empty() || change.places.iter().any(|hit| hit.intersection(place) > 0.0))
        };
        for (index, visit) in visits.iter().enumerate() {
            if (visit.from..visit.until).contains(&at) && hits(&seen[0]) {
                tally.found += u32::from(!std::mem::replace(&mut found[index], true));
                tally.found_at_once += u32::from(at == visit.from);
                if std::env::var_os("SHOW").is_some() && at == visit.from {
                    println!("hit {nuisance:?} {at}: {} {:.1}", visit.who.is_some(), change.contrast);
                }
            }
            if visit.until == at {
                tally.departures += 1;
                tally.noticed += u32::from(hits(&gone[0]));
            }
        }
        if seen.is_empty() && gone.is_empty() && at * STEP >= 70 {
            tally.still += 1;
            tally.alarms += u32::from(change.moved);
            if change.moved && std::env::var_os("SHOW").is_some() {
                println!(
                    "{nuisance:?} {at}: {:?} {:.4} {:.1} {:?}",
                    change.cause,
                    change.area,
                    change.contrast,
                    change.places.first()
                );
            }
        }
        if change.moved {
            scene.accept(cells, now);
            scene.learn(seen);
        }
    }
    if std::env::var_os("SHOW").is_some() {
        for (visit, _) in visits.iter().zip(&found).filter(|(_, found)| !**found) {
            println!("{nuisance:?} missed {visit:?} {:?}", film[visit.from as usize].seen);
        }
    }
    tally
}

fn run(nuisance: Nuisance, masks: Vec<Mask>, pictures: u64, seed: u64) -> Tally {
    let mut random = Random(seed);
    let avoided = (nuisance == Nuisance::Tree).then(Yard::tree);
    let visits = visits(pictures, &mut random, avoided);
    let cache = std::path::PathBuf::from(format!("/work/helpers/scene_data/s{nuisance:?}-{pictures}-{seed}.cells"));
    let boxes = cache.with_extension("boxes");
    if !boxes.exists() {
        let yard = YARD.get_or_init(Yard::from_clip);
        let film = film(yard, nuisance, &visits, pictures, &mut random);
        let bytes: Vec<u8> =
            film.iter().flat_map(|keyframe| keyframe.cells.levels()).flat_map(f32::to_le_bytes).collect();
        std::fs::write(&cache, bytes).unwrap();
        let place = |place: &NormalizedBox| [place.left, place.top, place.width, place.height];
        let all: Vec<[[f32; 4]; 2]> = film
            .iter()
            .map(|keyframe| {
                [keyframe.seen.first().map_or([0.0; 4], place), keyframe.gone.first().map_or([0.0; 4], place)]
            })
            .collect();
        let bytes: Vec<u8> = all.into_iter().flatten().flatten().flat_map(f32::to_le_bytes).collect();
        std::fs::write(&boxes, bytes).unwrap();
    }
    let read = |path| -> Vec<f32> {
        std::fs::read(path)
            .unwrap()
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
            .collect()
    };
    let (levels, boxes): (Vec<f32>, Vec<f32>) = (read(cache), read(boxes));
    let place = |values: &[f32]| -> Vec<NormalizedBox> {
        NormalizedBox::from_corners(values[0], values[1], values[0] + values[2], values[1] + values[3])
            .into_iter()
            .collect()
    };
    let film: Vec<Keyframe> = levels
        .chunks_exact(96 * 72)
        .zip(boxes.chunks_exact(8))
        .map(|(levels, boxes)| Keyframe {
            cells: Cells::of_levels(levels, 96),
            seen: place(&boxes[..4]),
            gone: place(&boxes[4..]),
        })
        .collect();
    judge(nuisance, &film, &visits, masks)
}
static YARD: std::sync::OnceLock<Yard> = std::sync::OnceLock::new();

#[test]
fn people_are_found_in_troubled_scenes() {
    let pictures = std::env::var("PICTURES").map_or(150, |pictures| pictures.parse().unwrap());
    let tree = Yard::tree();
    let mask = vec![
        [tree.left, tree.top],
        [tree.right(), tree.top],
        [tree.right(), tree.bottom()],
        [tree.left, tree.bottom()],
    ];
    for (nuisance, masks) in [
        (Nuisance::Calm, vec![]),
        (Nuisance::Night, vec![]),
        (Nuisance::Rain, vec![]),
        (Nuisance::Clouds, vec![]),
        (Nuisance::Headlights, vec![]),
        (Nuisance::Infrared, vec![]),
        (Nuisance::Shaking, vec![]),
        (Nuisance::Tree, vec![]),
        (Nuisance::Tree, vec![mask]),
    ] {
        let is_masked = !masks.is_empty();
        let tally = run(nuisance, masks, pictures, 5);
        println!("{nuisance:?} masked {is_masked}: {tally:?}");
    }
}

#[test]
fn a_person_who_stands_becomes_part_of_the_scene_and_leaves_it() {
    let _ = (Cause::Still, Duration::ZERO);
}
