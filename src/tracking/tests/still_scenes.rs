//! What stands in a scene of which nothing is analysed, because nothing changes there.

use super::EventKind::Ended;
use super::*;

/// The scene shows what it showed, in pictures `gap_ms` apart; ticks come each second.
fn stays_still(stage: &mut Stage, gap_ms: u64, pictures: u32) -> Vec<TrackEvent> {
    let mut events = Vec::new();
    for _ in 0..pictures {
        for ms in [gap_ms % 1000].into_iter().chain((0..gap_ms / 1000).map(|_| 1000)) {
            stage.passes(ms);
            events.extend(stage.tracker.tick(stage.now));
        }
        stage.tracker.still(stage.now);
    }
    events
}

#[test]
fn a_parked_car_keeps_its_track_for_an_hour_in_which_nothing_changes() {
    let mut stage = Stage::new("");
    let car = [at("car", 0.8, 0.3, 0.5)];
    stage.keeps_showing(&car, 10);
    stays_still(&mut stage, 200, 1);
    assert_eq!(stays_still(&mut stage, 10_000, 360), vec![]);
    assert_eq!(stage.tracker.in_view()["car"], 1);
    let tracked = stage.shows(&car);
    assert_eq!((tracked.tracks[0], tracked.moves), (Some(1), false), "it is looked at now and then");
    stays_still(&mut stage, 2_000, 10);
    let last_seen = stage.now;
    let ended = stage.keeps_showing(&[], 60);
    assert_eq!(kinds(&ended), [(Ended, 1)]);
    assert_eq!(ended[0].ended_at, Some(last_seen), "it was there as long as nothing changed");
}

#[test]
fn frames_from_before_a_change_are_decoded_late_and_end_nothing() {
    let mut stage = Stage::new("");
    let car = [at("car", 0.8, 0.3, 0.5)];
    stage.keeps_showing(&car, 10);
    stays_still(&mut stage, 200, 1);
    stays_still(&mut stage, 2_000, 3);
    let before = stage.now;
    stage.passes(10_000);
    let now = stage.now;
    for late in 1..=20 {
        stage.tracker.set_lag(now.since(before + Duration::from_millis(200 * late)));
        let tracked = stage.tracker.observe(&car, before + Duration::from_millis(200 * late));
        assert_eq!(tracked.tracks, [Some(1)]);
        assert_eq!(stage.tracker.tick(now), vec![]);
    }
}

#[test]
fn what_moves_draws_attention_and_what_stands_does_not() {
    let mut stage = Stage::new("");
    let walks = |step: u16| [at("person", 0.8, 0.2 + 0.01 * f32::from(step), 0.5)];
    let moves = (0..40).filter(|step| stage.shows(&walks(*step)).moves).count();
    assert!(moves >= 38, "{moves} of 40");
    // A detector shakes its boxes.
    let stands = |step: u16| [at("person", 0.8, 0.6 + 0.002 * f32::from(step % 3), 0.5)];
    (0..20).for_each(|step| drop(stage.shows(&stands(step))));
    assert!((0..40).all(|step| !stage.shows(&stands(step)).moves));
}

#[test]
fn something_new_is_looked_at_more_closely_and_what_flickers_only_now_and_then() {
    let mut stage = Stage::new("");
    let moves: Vec<bool> = (0..50).map(|_| stage.shows(&[at("person", 0.6, 0.3, 0.5)]).moves).collect();
    assert!(moves[0] && moves[2] && !moves[49]);
    let mut stage = Stage::new("");
    let closer = (0..600).filter(|frame| match frame % 3 {
        0 => stage.shows(&[at("person", 0.6, 0.3, 0.5)]).moves,
        _ => stage.shows(&[]).moves,
    });
    assert!(closer.count() <= 6, "two minutes");
}

#[test]
fn what_looks_at_a_still_scene_no_longer_show_has_gone() {
    let mut stage = Stage::new("");
    stage.keeps_showing(&[at("car", 0.8, 0.3, 0.5)], 10);
    let mut events = stays_still(&mut stage, 2_000, 10);
    for look in 1..=3 {
        assert_eq!(events, vec![], "look {look}");
        events = stage.shows(&[]).events;
        events.extend(stays_still(&mut stage, 2_000, 10));
    }
    assert_eq!(kinds(&events), [(Ended, 1)]);
    assert!(stage.tracker.in_view().is_empty());
}

#[test]
fn a_look_that_takes_longer_than_the_next_still_picture_counts() {
    let mut stage = Stage::new("");
    stays_still(&mut stage, 2_000, 10);
    for _ in 0..3 {
        stays_still(&mut stage, 2_000, 3);
        let looked_at = stage.now;
        stays_still(&mut stage, 1_000, 1);
        stage.tracker.observe(&[at("car", 0.8, 0.3, 0.5)], looked_at);
    }
    assert_eq!(stage.tracker.in_view().get("car"), Some(&1));
}
