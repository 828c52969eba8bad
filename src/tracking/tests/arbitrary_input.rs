//! Arbitrary detections at arbitrary times: nothing panics, and every track begins and ends properly.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A detection as a broken model may report it.
fn anything() -> impl Strategy<Value = (usize, f32, Option<[f32; 4]>)> {
    let ratio =
        prop_oneof![8 => 0.0f32..1.0, 1 => -2.0f32..3.0, 1 => Just(f32::NAN), 1 => Just(f32::INFINITY), 1 => Just(0.0)];
    let confidence = prop_oneof![8 => 0.2f32..1.0, 1 => Just(f32::NAN), 1 => -1.0f32..9.0, 1 => Just(f32::INFINITY)];
    (0usize..4, confidence, prop::option::weighted(0.9, prop::array::uniform4(ratio)))
}

fn named(raw: &[(usize, f32, Option<[f32; 4]>)]) -> Vec<NamedDetection<'static>> {
    let one = |&(label, confidence, sides): &(usize, f32, Option<[f32; 4]>)| NamedDetection {
        label: ["person", "car", "truck", "dog"][label],
        confidence,
        is_weak: label == 3,
        bounding_box: sides.map(|[left, top, width, height]| NormalizedBox { left, top, width, height }),
    };
    raw.iter().map(one).collect()
}

/// Checks that each track begins once and first, with the next number, changes at most once a second, and ends once and
/// last.
fn check_lives(events: &[TrackEvent], is_over: bool) {
    let (mut open, mut last, mut next) = (BTreeSet::new(), BTreeMap::new(), 1);
    for event in events {
        let before = last.insert(event.track, event.at);
        assert!(before.is_none_or(|before| before <= event.at), "{event:?} is before {before:?}");
        assert!(event.began_at <= event.best_at && event.best_at <= event.at, "{event:?}");
        assert!((0.0..=1.0).contains(&event.confidence), "{event:?}");
        match event.kind {
            EventKind::Began => {
                assert_eq!(event.track, next);
                next += 1;
                open.insert(event.track);
            }
            EventKind::Changed => {
                assert!(open.contains(&event.track));
                assert!(before.is_some_and(|before| event.at.since(before) >= Duration::from_secs(1)));
            }
            EventKind::Ended => {
                assert!(open.remove(&event.track), "{event:?} had not begun");
                assert!(event.ended_at.is_some_and(|ended| event.began_at <= ended && ended <= event.at));
            }
        }
        assert_eq!(event.ended_at.is_some(), event.kind == EventKind::Ended);
    }
    assert!(!is_over || open.is_empty(), "{open:?} never ended");
}

proptest! {
    #[test]
    fn every_track_begins_and_ends_once_whatever_is_detected(
        frames in prop::collection::vec(
            (prop::collection::vec(anything(), 0..12), prop_oneof![6 => 0i64..900, 1 => -2000i64..0, 1 => 0i64..90_000], 0u8..20),
            1..80,
        )
    ) {
        let mut stage = Stage::new("regions = [{ name = \"left\", points = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]] }]");
        let mut now: i64 = 5_000_000_000;
        let mut events = Vec::new();
        for (raw, passed_ms, what) in frames {
            // The same person in every frame, so that there are tracks at all.
            let mut detections = named(&raw);
            detections.push(at("person", 0.5 + 0.02 * f32::from(what), 0.4, 0.6));
            now = (now + 1_000_000 * passed_ms).max(0);
            let time = Monotonic::from_nanos(u64::try_from(now).unwrap());
            match what {
                0 => events.extend(stage.tracker.end_all(time)),
                1..=3 => events.extend(stage.tracker.tick(time)),
                _ => {
                    let tracked = stage.tracker.observe(&detections, time);
                    prop_assert_eq!(tracked.tracks.len(), detections.len());
                    prop_assert_eq!(tracked.kept.len(), detections.len());
                    for (track, kept) in tracked.tracks.iter().zip(&tracked.kept) {
                        prop_assert!(track.is_none() || *kept);
                    }
                    prop_assert_eq!(&tracked.in_view, &stage.tracker.in_view());
                    events.extend(tracked.events);
                }
            }
        }
        check_lives(&events, false);
        events.extend(stage.tracker.end_all(Monotonic::from_nanos(u64::MAX)));
        check_lives(&events, true);
        prop_assert!(stage.tracker.in_view().is_empty());
    }
}

/// People in rows, all apart.
fn crowd(people: u16) -> Vec<NamedDetection<'static>> {
    let person = |number: u16| {
        let (row, column) = (f32::from(number / 25), f32::from(number % 25));
        let bounding_box = NormalizedBox { left: 0.04 * column, top: 0.06 * row, width: 0.03, height: 0.05 };
        let confidence = 0.6 + 0.0001 * f32::from(number);
        NamedDetection { label: "person", confidence, bounding_box: Some(bounding_box), is_weak: false }
    };
    (0..people).map(person).collect()
}

#[test]
fn three_hundred_objects_are_tracked_and_more_are_only_kept() {
    let mut stage = Stage::new("");
    let mut tracks = BTreeSet::new();
    for _ in 0..10 {
        let tracked = stage.shows(&crowd(400));
        tracks.extend(tracked.tracks.into_iter().flatten());
        assert!(tracked.kept.iter().all(|kept| *kept));
    }
    assert_eq!(tracks, (1..=300).collect());
}

/// Prints the time of a frame when run with `--release --nocapture`. The times of debug builds mean nothing.
#[test]
fn a_crowd_keeps_its_tracks() {
    for people in [20, 100, 300] {
        let mut stage = Stage::new("");
        let detections = crowd(people);
        stage.keeps_showing(&detections, 3);
        let start = std::time::Instant::now();
        for _ in 0..20 {
            let tracks: BTreeSet<Option<u64>> = stage.shows(&detections).tracks.into_iter().collect();
            assert_eq!(tracks, (1..=u64::from(people)).map(Some).collect());
        }
        println!("{people} objects: {:?} a frame", start.elapsed() / 20);
    }
}
