//! MOTA and IDF1 on generated streets, compared with a tracker that uses overlap alone.

use super::generated_scene::{Conditions, Dice, SceneFrame, Walker, film};
use super::{NamedDetection, tracker};
use crate::tracking::track_score::{Boxes, TrackScore};
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// A street: people pass each other in both directions at different distances, some turn back, and there is a pole.
fn street(seed: u64) -> Vec<Walker> {
    let mut dice = Dice(seed);
    let walker = |number: u16| {
        let side = if number.is_multiple_of(2) { 1.0 } else { -1.0 };
        let y = 0.45 + 0.45 * dice.roll();
        let height = 0.1 + 0.25 * (y - 0.3);
        // 0.35 to 0.75 of the height a second: 1.6 to 3.4 of the width.
        let speed = height * (0.35 + 0.4 * dice.roll());
        let start = f32::from(number) * 3.0 + 2.0 * dice.roll();
        let turns_after = if number.is_multiple_of(5) { 4.0 + 3.0 * dice.roll() } else { f32::INFINITY };
        Walker {
            from: [0.5 - 0.45 * side * (0.5 + 0.5 * dice.roll()), y],
            velocity: [side * speed, 0.01 * (dice.roll() - 0.5)],
            time: [start, start + 10.0 + 8.0 * dice.roll()],
            turns_after,
        }
    };
    (0..18).map(walker).collect()
}

/// A tracker that uses overlap alone: a track stays where it was last seen, and the greatest overlap is matched first.
pub(super) fn overlap_only(frames: &[SceneFrame]) -> Vec<(Boxes, Boxes)> {
    struct Track {
        last: NormalizedBox,
        at: Monotonic,
        hits: u32,
    }
    let mut tracks: Vec<Track> = Vec::new();
    let mut scored = Vec::new();
    for frame in frames {
        let is_kept = |track: &Track| frame.at.since(track.at) <= Duration::from_secs(2);
        let strong: Vec<NormalizedBox> = frame.seen.iter().filter(|seen| seen.0 >= 0.5).map(|seen| seen.1).collect();
        let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
        for (index, track) in tracks.iter().enumerate().filter(|(_, track)| is_kept(track)) {
            for (place, seen) in strong.iter().enumerate() {
                pairs.push((track.last.iou(seen), index, place));
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut track_of, mut is_taken) = (vec![None; strong.len()], vec![false; tracks.len()]);
        for (overlap, track, place) in pairs {
            if overlap > 0.2 && track_of[place].is_none() && !is_taken[track] {
                (track_of[place], is_taken[track]) = (Some(track), true);
            }
        }
        let mut boxes = Vec::new();
        for (seen, track) in strong.iter().zip(track_of) {
            let index = track.unwrap_or(tracks.len());
            if track.is_none() {
                tracks.push(Track { last: *seen, at: frame.at, hits: 0 });
            }
            let track = &mut tracks[index];
            (track.last, track.at, track.hits) = (*seen, frame.at, track.hits + 1);
            if track.hits >= 3 {
                boxes.push((index as u64, *seen));
            }
        }
        scored.push((frame.truth.clone(), boxes));
    }
    scored
}

pub(super) fn tracked(frames: &[SceneFrame]) -> Vec<(Boxes, Boxes)> {
    let mut tracker = tracker("");
    let follow = |frame: &SceneFrame| {
        let named = |&(confidence, place): &(f32, NormalizedBox)| NamedDetection {
            label: "person",
            confidence,
            bounding_box: Some(place),
            is_weak: confidence < 0.5,
        };
        let detections: Vec<NamedDetection<'_>> = frame.seen.iter().map(named).collect();
        let tracked = tracker.observe(&detections, frame.at);
        let boxes = frame.seen.iter().zip(tracked.tracks).filter_map(|(seen, track)| Some((track?, seen.1)));
        (frame.truth.clone(), boxes.collect())
    };
    frames.iter().map(follow).collect()
}

/// Ten streets: the tracker reaches both floors, and overlap alone stays far below in identity, so that the floors say
/// something.
fn check(conditions: &Conditions, least_mota: f64, least_idf1: f64) {
    let films = (0..10).map(|seed| film(&street(seed), [0.48, 0.5], conditions, 60.0, 100 + seed));
    let films: Vec<Vec<SceneFrame>> = films.collect();
    let (ours, theirs) = (mean(&films, tracked), mean(&films, overlap_only));
    println!("{conditions:?}, (MOTA, IDF1)\n  tracker {ours:.3?}\n  overlap {theirs:.3?}");
    assert!(ours.0 > least_mota && ours.1 > least_idf1, "{ours:?}");
    assert!(theirs.1 < least_idf1 - 0.2, "{theirs:?}");
}

/// The means of MOTA and IDF1.
fn mean(films: &[Vec<SceneFrame>], track: fn(&[SceneFrame]) -> Vec<(Boxes, Boxes)>) -> (f64, f64) {
    let scores = films.iter().map(|frames| TrackScore::of(&track(frames)));
    let sums = scores.fold((0.0, 0.0), |(mota, idf1), score| (mota + score.mota(), idf1 + score.idf1()));
    (sums.0 / films.len() as f64, sums.1 / films.len() as f64)
}

const FAIR: Conditions = Conditions { fps: 5.0, shed: 0.3, missed: 0.1, false_boxes: 0.1, shake: 0.04 };

#[test]
fn a_busy_street_at_five_frames_a_second_with_a_third_of_them_shed() {
    check(&FAIR, 0.78, 0.77);
}

#[test]
fn a_busy_street_at_fifteen_frames_a_second() {
    check(&Conditions { fps: 15.0, shed: 0.1, ..FAIR }, 0.85, 0.85);
}

#[test]
fn a_busy_street_at_two_frames_a_second() {
    check(&Conditions { fps: 2.0, shed: 0.1, ..FAIR }, 0.64, 0.67);
}

#[test]
fn a_busy_street_in_rain_with_many_misses_and_false_boxes() {
    check(&Conditions { missed: 0.3, false_boxes: 0.8, shake: 0.06, ..FAIR }, 0.5, 0.6);
}
