//! People on a real street, as a real detector saw them, compared with the ground truth.

use super::generated_scene::{Dice, SceneFrame};
use super::quality::{overlap_only, tracked};
use crate::tracking::track_score::TrackScore;
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;

/// The file's own comment says what it is and how it was made.
const PEOPLE_ON_A_STREET: &str = include_str!("../../../tests/golden/people_on_a_street.txt");

/// The sequence has ten frames a second.
const NANOS_A_FRAME: u64 = 100_000_000;

fn frames() -> Vec<SceneFrame> {
    PEOPLE_ON_A_STREET.lines().filter(|line| !line.starts_with('#')).map(frame).collect()
}

fn frame(line: &str) -> SceneFrame {
    let mut parts = line.split('|').map(str::trim);
    let number: u64 = parts.next().unwrap().parse().unwrap();
    let mut entries = || {
        let part = parts.next().unwrap();
        let entries = part.split(',').filter(|entry| !entry.trim().is_empty());
        entries.map(|entry| entry.split_whitespace().map(|value| value.parse().unwrap()).collect()).collect()
    };
    let (seen, truth): (Vec<Vec<u16>>, Vec<Vec<u16>>) = (entries(), entries());
    let place = |of: &[u16]| {
        let [left, top, width, height] = [of[1], of[2], of[3], of[4]].map(|value| f32::from(value) / 1000.0);
        NormalizedBox { left, top, width, height }
    };
    SceneFrame {
        at: Monotonic::from_nanos(number * NANOS_A_FRAME),
        truth: truth.iter().map(|one| (u64::from(one[0]), place(one))).collect(),
        seen: seen.iter().map(|one| (f32::from(one[0]) / 100.0, place(one))).collect(),
    }
}

/// The tracker reaches both floors on the frames that are kept of the sequence, and overlap alone stays below in both.
fn check(name: &str, mut keep: impl FnMut(&SceneFrame) -> bool, least_mota: f64, least_idf1: f64) {
    let mut frames = frames();
    frames.retain(|frame| keep(frame));
    let scores = [tracked(&frames), overlap_only(&frames)].map(|scored| TrackScore::of(&scored));
    let [ours, theirs] = scores.map(|score| (score.mota(), score.idf1()));
    println!("{name}: {} frames, (MOTA, IDF1)\n  tracker {ours:.3?}\n  overlap {theirs:.3?}", frames.len());
    assert!(ours.0 > least_mota && ours.1 > least_idf1, "{ours:?}");
    assert!(theirs.0 < least_mota && theirs.1 < least_idf1 - 0.15, "{theirs:?}");
}

fn every(nth: u64) -> impl FnMut(&SceneFrame) -> bool {
    move |frame| (frame.at.as_nanos() / NANOS_A_FRAME).is_multiple_of(nth)
}

#[test]
fn people_are_followed_at_ten_frames_a_second() {
    check("10 fps", every(1), 0.85, 0.68);
}

#[test]
fn people_are_followed_at_five_frames_a_second() {
    check("5 fps", every(2), 0.81, 0.65);
}

#[test]
fn people_are_followed_at_five_frames_a_second_with_a_third_of_them_shed() {
    let (mut dice, mut is_sampled) = (Dice(5), every(2));
    check("5 fps, 30 % shed", move |frame| is_sampled(frame) && dice.roll() >= 0.3, 0.78, 0.64);
}

#[test]
fn people_are_followed_at_two_frames_a_second() {
    check("2 fps", every(5), 0.68, 0.7);
}
