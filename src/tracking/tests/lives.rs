//! How objects and image labels begin, change and end, frame by frame.

use super::EventKind::{Began, Changed, Ended};
use super::*;

#[test]
fn an_object_begins_at_its_third_frame_and_ends_when_unseen_for_too_long() {
    let mut stage = Stage::new("");
    assert_eq!(stage.keeps_showing(&[at("person", 0.55, 0.3, 0.5)], 2), vec![]);
    let began = stage.shows(&[at("person", 0.9, 0.3, 0.5)]);
    assert_eq!(kinds(&began.events), [(Began, 1)]);
    assert_eq!((began.tracks[0], began.in_view["person"]), (Some(1), 1));
    let event = &began.events[0];
    assert_eq!(event.at.since(event.began_at), Duration::from_millis(400));
    assert_eq!((event.confidence, event.best_at, event.is_new_best), (0.9, stage.now, true));

    let last_seen = stage.now;
    let ended = stage.keeps_showing(&[], 16);
    assert_eq!(kinds(&ended), [(Ended, 1)]);
    assert_eq!(ended[0].ended_at, Some(last_seen));
    assert!(stage.tracker.in_view().is_empty());
}

#[test]
fn what_is_surely_there_begins_at_its_second_frame() {
    let mut stage = Stage::new("");
    let sure = [at("person", 0.8, 0.3, 0.5), whole("smoke", 0.75)];
    assert_eq!(stage.shows(&sure).events, vec![]);
    let began = stage.shows(&sure);
    assert_eq!(kinds(&began.events), [(Began, 1), (Began, 2)]);
    assert_eq!((began.tracks[0], began.kept), (Some(1), vec![true; 2]));
    // Missed once, it has to come a third time.
    let mut stage = Stage::new("");
    assert_eq!(stage.shows(&sure).events, vec![]);
    assert_eq!(stage.shows(&[]).events, vec![]);
    assert_eq!(stage.shows(&sure).events, vec![]);
    assert_eq!(kinds(&stage.shows(&sure).events), [(Began, 1), (Began, 2)]);
}

#[test]
fn an_object_that_is_missed_now_and_then_keeps_its_track() {
    let mut stage = Stage::new("");
    let here = [at("person", 0.8, 0.3, 0.5)];
    stage.keeps_showing(&here, 3);
    for gap in [1, 4, 9, 12] {
        assert_eq!(stage.keeps_showing(&[], gap), vec![]);
        assert_eq!(stage.shows(&here).tracks, [Some(1)], "after {gap} frames without");
    }
}

#[test]
fn a_flickering_detection_never_begins() {
    let mut stage = Stage::new("");
    for _ in 0..50 {
        assert_eq!(stage.shows(&[at("person", 0.6, 0.3, 0.5)]).events, vec![]);
        assert_eq!(stage.keeps_showing(&[], 2), vec![]);
    }
}

#[test]
fn a_faint_box_keeps_a_track_and_starts_none() {
    let mut stage = Stage::new("");
    let faint = [at("person", 0.35, 0.3, 0.5)];
    assert_eq!(stage.keeps_showing(&faint, 9), vec![]);
    assert_eq!(stage.shows(&faint).kept, [false]);
    stage.keeps_showing(&[at("person", 0.8, 0.3, 0.5)], 3);
    assert_eq!(stage.keeps_showing(&faint, 30), vec![]);
    let tracked = stage.shows(&faint);
    assert_eq!((tracked.tracks[0], tracked.kept[0]), (Some(1), true));
}

#[test]
fn what_the_model_keeps_back_begins_nothing_and_is_followed_without_being_published() {
    let kept_back = |confidence| [NamedDetection { is_weak: true, ..at("person", confidence, 0.3, 0.5) }];
    let mut stage = Stage::new("");
    assert_eq!(stage.keeps_showing(&kept_back(0.9), 9), vec![], "the camera's threshold is lower than the model's");
    stage.keeps_showing(&[at("person", 0.6, 0.3, 0.5)], 3);
    assert_eq!(stage.keeps_showing(&kept_back(0.35), 30), vec![], "six seconds in which it was followed");
    let tracked = stage.shows(&kept_back(0.35));
    assert_eq!((tracked.tracks[0], tracked.kept[0], tracked.in_view["person"]), (Some(1), false, 1));
    assert_eq!(kinds(&stage.keeps_showing(&kept_back(0.29), 20)), [(Ended, 1)], "further below than `hysteresis`");
}

#[test]
fn who_walks_and_was_surer_before_is_followed_by_faint_boxes_and_who_stands_is_not() {
    let walks = |step: u8, confidence| [at("person", confidence, 0.2 + 0.02 * f32::from(step), 0.5)];
    let mut stage = Stage::new("");
    for step in 0..8 {
        stage.shows(&walks(step, 0.8));
    }
    assert_eq!(stage.shows(&walks(8, 0.25)).tracks, [Some(1)]);
    assert_eq!(stage.shows(&walks(9, 0.25)).tracks, [None], "not by faint boxes alone");
    assert_eq!(stage.shows(&walks(10, 0.8)).tracks, [Some(1)]);
    let mut stage = Stage::new("");
    stage.keeps_showing(&[at("person", 0.8, 0.3, 0.5)], 8);
    assert_eq!(stage.shows(&[at("person", 0.25, 0.3, 0.5)]).tracks, [None]);
}

#[test]
fn a_weak_box_continues_what_was_seen_just_before_and_not_what_was_lost() {
    let mut stage = Stage::new("");
    stage.keeps_showing(&[at("person", 0.8, 0.3, 0.5)], 3);
    stage.shows(&[]);
    assert_eq!(stage.shows(&[at("person", 0.35, 0.3, 0.5)]).tracks, [Some(1)]);
    stage.keeps_showing(&[], 2);
    assert_eq!(stage.shows(&[at("person", 0.35, 0.3, 0.5)]).tracks, [None]);
    assert_eq!(stage.shows(&[at("person", 0.8, 0.3, 0.5)]).tracks, [Some(1)]);
}

#[test]
fn what_the_model_keeps_back_is_published_if_the_settings_say_so() {
    let settings = TrackingSettings { publish_weak: true, ..TrackingSettings::as_shipped() };
    let rules = TrackingRules::new(&settings, &toml::from_str("").unwrap()).unwrap();
    let mut stage = Stage { tracker: CameraTracker::new(rules), ..Stage::new("") };
    let faint = [NamedDetection { is_weak: true, ..at("person", 0.35, 0.3, 0.5) }];
    assert_eq!(stage.shows(&faint).kept, [false]);
    stage.keeps_showing(&[at("person", 0.6, 0.3, 0.5)], 3);
    assert_eq!(stage.shows(&faint).kept, [true]);
}

#[test]
fn an_object_on_trial_takes_no_detection_from_one_that_has_begun() {
    let mut stage = Stage::new("");
    stage.keeps_showing(&[at("person", 0.8, 0.3, 0.5)], 3);
    // In one frame the detector reports the object twice.
    stage.shows(&[at("person", 0.8, 0.3, 0.5), at("person", 0.7, 0.335, 0.5)]);
    assert_eq!(stage.shows(&[at("person", 0.8, 0.325, 0.5)]).tracks, [Some(1)]);
}

#[test]
fn two_people_who_cross_keep_their_tracks() {
    let mut stage = Stage::new("");
    let mut tracked = TrackedFrame::default();
    for step in 0..20u8 {
        let way = 0.02 * f32::from(step);
        tracked = stage.shows(&[at("person", 0.8, 0.3 + way, 0.50), at("person", 0.9, 0.7 - way, 0.52)]);
    }
    assert_eq!(tracked.tracks, [Some(2), Some(1)], "the more confident one was first");
    assert_eq!(tracked.in_view["person"], 2);
}

#[test]
fn a_tick_ends_unseen_objects_but_waits_for_frames_in_flight() {
    let mut stage = Stage::new("");
    stage.keeps_showing(&[at("person", 0.8, 0.3, 0.5)], 3);
    stage.passes(3900);
    assert_eq!(stage.tracker.tick(stage.now), vec![]);
    stage.passes(200);
    assert_eq!(kinds(&stage.tracker.tick(stage.now)), [(Ended, 1)]);
    assert_eq!(stage.tracker.tick(stage.now), vec![]);
}

#[test]
fn a_lost_camera_ends_everything_and_its_late_frames_begin_nothing() {
    let mut stage = Stage::new("");
    let detections = [at("person", 0.8, 0.3, 0.5), whole("daylight", 0.9)];
    stage.keeps_showing(&detections, 3);
    let captured = stage.now;
    stage.passes(500);
    assert_eq!(kinds(&stage.tracker.end_all(stage.now)), [(Ended, 1), (Ended, 2)]);
    assert_eq!(stage.tracker.end_all(stage.now), vec![]);
    for ms in 1..100 {
        let late = stage.tracker.observe(&detections, captured + Duration::from_millis(ms));
        assert_eq!((late.events, late.tracks), (vec![], vec![None, None]));
    }
    let again = stage.keeps_showing(&detections, 3);
    assert_eq!(kinds(&again), [(Began, 3), (Began, 4)], "no number is used twice");
}

#[test]
fn frames_in_the_wrong_order_are_filtered_and_not_tracked() {
    let mut stage = Stage::new("ignore = [[[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]]");
    let detections = [at("person", 0.8, 0.3, 0.5), at("person", 0.8, 0.7, 0.5)];
    stage.keeps_showing(&detections, 3);
    let late = stage.tracker.observe(&detections, Monotonic::from_nanos(1_300_000_000));
    assert_eq!((late.kept, late.tracks), (vec![false, true], vec![None, None]));
    assert_eq!(late.in_view["person"], 1);
}

#[test]
fn regions_are_reported_in_the_order_of_entering() {
    let mut stage = Stage::new(
        r#"regions = [
            { name = "right", points = [[0.5, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 1.0]] },
            { name = "left", points = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]] },
        ]"#,
    );
    let mut events = Vec::new();
    for step in 0..30u8 {
        events.extend(stage.shows(&[at("person", 0.8, 0.3 + 0.01 * f32::from(step), 0.5)]).events);
    }
    assert_eq!(kinds(&events), [(Began, 1), (Changed, 1)]);
    assert_eq!(events[0].regions, ["left"]);
    assert_eq!(events[1].regions, ["left", "right"]);
}

#[test]
fn changes_within_a_second_are_reported_together_even_without_another_frame() {
    let mut stage = Stage::new("");
    stage.keeps_showing(&[at("person", 0.5, 0.3, 0.5)], 3);
    for confidence in [0.7, 0.95] {
        assert_eq!(stage.shows(&[at("person", confidence, 0.3, 0.5)]).events, vec![]);
    }
    stage.passes(1000);
    let events = stage.tracker.tick(stage.now);
    assert_eq!(kinds(&events), [(Changed, 1)]);
    assert_eq!((events[0].confidence, events[0].is_new_best), (0.95, false));
}

#[test]
fn a_car_that_turns_out_to_be_a_truck_is_the_same_object() {
    let mut stage = Stage::new("");
    let began = stage.keeps_showing(&[at("car", 0.6, 0.3, 0.5)], 4);
    assert_eq!(began[0].label, "car");
    let changed = stage.keeps_showing(&[at("truck", 0.7, 0.3, 0.5)], 20);
    assert_eq!(kinds(&changed), [(Changed, 1)]);
    assert_eq!((changed[0].label.as_str(), changed[0].regions.len()), ("truck", 0));
    assert_eq!(stage.tracker.in_view(), BTreeMap::from([("truck".to_owned(), 1)]));
    // A label outside the group never takes over.
    let other = stage.keeps_showing(&[at("person", 0.7, 0.3, 0.5)], 3);
    assert_eq!(kinds(&other), [(Began, 2)]);
}

#[test]
fn an_object_with_two_labels_in_a_frame_has_one_track() {
    let mut stage = Stage::new("");
    let both = [at("car", 0.6, 0.3, 0.5), at("truck", 0.8, 0.3, 0.5)];
    assert_eq!(kinds(&stage.keeps_showing(&both, 5)), [(Began, 1)]);
    let tracked = stage.shows(&both);
    assert_eq!((tracked.tracks, tracked.kept), (vec![Some(1); 2], vec![true; 2]));
}

#[test]
fn an_image_label_near_its_threshold_does_not_flap() {
    let mut stage = Stage::new("");
    let began = stage.keeps_showing(&[whole("smoke", 0.6)], 3);
    assert_eq!(kinds(&began), [(Began, 1)]);
    assert_eq!((began[0].best_box, began[0].bounding_box), (None, None));
    for confidence in [0.45, 0.55, 0.35, 0.31].repeat(10) {
        let tracked = stage.shows(&[whole("smoke", confidence)]);
        assert_eq!((tracked.events, tracked.kept, tracked.tracks), (vec![], vec![true], vec![None]));
        assert_eq!(tracked.in_view["smoke"], 1);
    }
    let ended = stage.keeps_showing(&[whole("smoke", 0.25)], 20);
    assert_eq!(kinds(&ended), [(Ended, 1)]);
}

#[test]
fn frames_four_seconds_apart_are_tracked_too() {
    let mut stage = Stage::new("");
    let mut events = Vec::new();
    for _ in 0..10 {
        stage.passes(3800);
        assert_eq!(stage.tracker.tick(stage.now), vec![]);
        events.extend(stage.shows(&[at("car", 0.8, 0.3, 0.5)]).events);
    }
    assert_eq!(kinds(&events), [(Began, 1)]);
}
