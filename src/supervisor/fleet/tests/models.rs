//! Scale, swap, stop and zones: service continues through every change.

use super::*;

#[test]
fn more_units_come_and_the_newest_go_without_losing_what_they_do() {
    let mut test_box = TestBox::ready(1);
    test_box.fleet.scale(MODEL, fixed(3)).unwrap();
    test_box.bring_up();
    assert_eq!(test_box.status().in_service, 3);
    for camera in ["a", "b", "a"] {
        test_box.capture(camera);
    }
    test_box.fleet.scale(MODEL, fixed(1)).unwrap();
    test_box.wait(50);
    assert!(test_box.killed.is_empty() && test_box.stopped.is_empty(), "the units finish their work");
    test_box.answer_all();
    test_box.bring_up();
    assert_eq!(test_box.ended.len(), 3);
    assert!(test_box.ended.iter().all(|(_, outcome)| *outcome == Outcome::Detected));
    let status = test_box.status();
    assert_eq!((status.in_service, status.restarts), (1, 0));
}

#[test]
fn a_new_version_is_in_service_before_the_old_one_goes() {
    let mut test_box = TestBox::ready(2);
    let next = version(&mut test_box.fleet, "v2");
    test_box.fleet.swap(MODEL, next.clone()).unwrap();
    assert!(matches!(test_box.fleet.swap(MODEL, next), Err(FleetError::WrongState { .. })));
    let mut seen = Vec::new();
    for _ in 0..12 {
        test_box.capture("a");
        test_box.capture("b");
        test_box.wait(50);
        test_box.answer_all();
        assert!(test_box.status().in_service >= 2, "never less than before");
        for (unit, _) in std::mem::take(&mut test_box.started) {
            test_box.load(unit);
        }
        for unit in std::mem::take(&mut test_box.stopped) {
            test_box.die(unit);
        }
        seen.push(test_box.status().version.clone());
    }
    let status = test_box.status();
    assert_eq!((status.version.as_str(), status.next_version, status.in_service), ("v2", None, 2));
    assert!(test_box.ended.iter().all(|(_, outcome)| *outcome == Outcome::Detected), "not one frame was lost");
    assert!(test_box.versions.first().unwrap() == "v1" && test_box.versions.last().unwrap() == "v2");
    assert_eq!(status.restarts, 0);
}

#[test]
fn a_new_version_that_does_not_load_displaces_nothing() {
    let mut test_box = TestBox::ready(2);
    let next = version(&mut test_box.fleet, "broken");
    test_box.fleet.swap(MODEL, next).unwrap();
    test_box.wait(50);
    let (unit, _) = *test_box.started.last().unwrap();
    test_box.fleet.unit_load_failed(unit, "the canary was not seen".into());
    test_box.die(unit);
    test_box.wait(60_000);
    let status = test_box.status();
    assert_eq!((status.version.as_str(), status.next_version, status.in_service), ("v1", None, 2));
    assert!(status.degraded[0].contains("the canary was not seen"), "{:?}", status.degraded);
    assert_eq!((test_box.started.len(), status.restarts), (3, 0), "nothing was restarted");
}

#[test]
fn a_stopped_model_takes_nothing_and_starts_again() {
    let mut test_box = TestBox::ready(1);
    let working = test_box.capture("a");
    test_box.fleet.stop(MODEL).unwrap();
    assert_eq!(test_box.status().state, ModelState::Stopping);
    let refused = test_box.capture("a");
    test_box.answer_all();
    test_box.bring_up();
    let stopped = Outcome::Shed(ShedReason::ModelStopped);
    assert_eq!(test_box.ended, [(refused, stopped), (working, Outcome::Detected)]);
    assert_eq!(test_box.status().state, ModelState::Stopped);
    assert!(matches!(test_box.fleet.stop(MODEL), Err(FleetError::WrongState { .. })));
    test_box.fleet.start(MODEL, Some(fixed(2))).unwrap();
    test_box.bring_up();
    assert_eq!((test_box.status().state, test_box.status().in_service), (ModelState::Running, 2));
}

#[test]
fn what_the_box_cannot_carry_is_refused_with_the_reason() {
    let mut test_box = TestBox::ready(1);
    let text = |result: Result<(), FleetError>| result.unwrap_err().to_string();
    assert!(text(test_box.fleet.scale(MODEL, fixed(9))).contains("units.max_units"));
    assert!(text(test_box.fleet.scale("other", fixed(1))).contains("other"));
    assert!(text(test_box.fleet.scale(MODEL, fixed(0))).contains("at least 1"));
    // 1.2 times 100 bytes a unit above a reserve of 100: two more fit.
    test_box.fleet.memory(Some(350), Some(100));
    assert!(text(test_box.fleet.scale(MODEL, fixed(4))).contains("memory for 2 more"));
    test_box.fleet.scale(MODEL, fixed(3)).unwrap();
    test_box.fleet.memory(Some(100), Some(100));
    test_box.bring_up();
    let status = test_box.status();
    assert_eq!(status.in_service, 1);
    assert!(status.degraded[0].contains("no memory for more"), "{:?}", status.degraded);
}

#[test]
fn no_more_models_run_at_a_time_than_may() {
    let mut test_box = TestBox::ready(1);
    for model in ["second", "third"] {
        let pool = pool(&mut test_box.fleet, model, fixed(1), None, test_box.now);
        test_box.fleet.add_model(pool);
    }
    test_box.fleet.start("second", None).unwrap();
    let refused = test_box.fleet.start("third", None).unwrap_err();
    assert!(matches!(refused, FleetError::LimitExceeded(_)) && refused.to_string().contains("units.max_models"));
    // A model that stops has its place until its units have gone.
    test_box.fleet.stop(MODEL).unwrap();
    assert!(test_box.fleet.start("third", None).is_err());
    test_box.bring_up();
    test_box.fleet.start("third", None).unwrap();
}

#[test]
fn a_zone_that_fails_hands_its_units_over_and_gets_them_back() {
    let mut test_box = TestBox::with_zones(fixed(4), &["left", "right"]);
    test_box.bring_up();
    assert_eq!(test_box.status().zones, BTreeMap::from([("left".into(), 2), ("right".into(), 2)]));
    // Every unit on the left (core 0) dies as soon as it has started.
    let kill_left = |test_box: &mut TestBox| {
        for (unit, cores) in std::mem::take(&mut test_box.started) {
            match cores[..] {
                [0] => test_box.die(unit),
                _ => test_box.load(unit),
            }
        }
    };
    for _ in 0..100 {
        kill_left(&mut test_box);
        test_box.wait(100);
    }
    assert_eq!(test_box.status().zones, BTreeMap::from([("right".into(), 4)]));
    assert_eq!(test_box.fleet.zones_out(), ["left"]);
    test_box.capture("a");
    test_box.answer_all();
    assert_eq!(test_box.ended.last().unwrap().1, Outcome::Detected);
    // A probe on the left works: it gets its share again, and service is never below four.
    for _ in 0..500 {
        test_box.wait(100);
        for (unit, _) in std::mem::take(&mut test_box.started) {
            test_box.load(unit);
        }
        for unit in std::mem::take(&mut test_box.stopped) {
            test_box.die(unit);
        }
        assert!(test_box.status().in_service >= 4);
    }
    assert_eq!(test_box.status().zones, BTreeMap::from([("left".into(), 2), ("right".into(), 2)]));
    assert!(test_box.fleet.zones_out().is_empty());
}

#[test]
fn the_number_of_units_follows_the_load() {
    let mut test_box = TestBox::with_zones(UnitBounds { min: 1, max: Some(3) }, &["only"]);
    test_box.bring_up();
    // Twenty frames a second, each of which takes a unit 100 ms.
    for _ in 0..400 {
        test_box.capture("a");
        test_box.capture("b");
        test_box.wait(100);
        test_box.answer_all();
        for (unit, _) in std::mem::take(&mut test_box.started) {
            test_box.load(unit);
        }
    }
    assert!(test_box.status().in_service >= 2, "{:?}", test_box.status());
    test_box.assert_ledger_closes();
}

#[test]
fn a_model_runs_with_the_units_that_can_be_had() {
    // The box has no memory for the third.
    let mut test_box = TestBox::new(3);
    test_box.fleet.memory(Some(350), Some(100));
    test_box.wait(0);
    let started = test_box.started.clone();
    assert_eq!(started.len(), 2);
    test_box.fleet.memory(Some(110), Some(100));
    test_box.load(started[0].0);
    test_box.wait(50);
    assert_eq!(test_box.status().state, ModelState::Starting, "another is still coming");
    test_box.load(started[1].0);
    test_box.wait(50);
    assert_eq!((test_box.status().state, test_box.status().in_service), (ModelState::Running, 2));
    // The second does not load.
    let mut test_box = TestBox::new(2);
    test_box.wait(0);
    test_box.load(UnitId(0));
    for _ in 0..3 {
        assert_eq!(test_box.status().state, ModelState::Starting);
        test_box.fleet.unit_load_failed(UnitId(1), "no memory".into());
        test_box.die(UnitId(1));
        test_box.wait(60_000);
    }
    assert_eq!((test_box.status().state, test_box.status().in_service), (ModelState::Running, 1));
}

#[test]
fn a_start_begins_with_the_least_units_whatever_the_load_was_before() {
    let bounds = UnitBounds { min: 1, max: Some(3) };
    let mut test_box = TestBox::ready(3);
    test_box.fleet.scale(MODEL, UnitBounds { min: 3, max: Some(3) }).unwrap();
    test_box.fleet.stop(MODEL).unwrap();
    test_box.bring_up();
    test_box.fleet.start(MODEL, Some(bounds)).unwrap();
    assert_eq!(test_box.status().desired, 1);
}

#[test]
fn units_are_metered_until_they_have_gone() {
    let mut test_box = TestBox::ready(2);
    let metered = |test_box: &TestBox| test_box.fleet.metered().iter().map(|(_, units)| *units).sum::<usize>();
    test_box.capture("a");
    test_box.fleet.stop(MODEL).unwrap();
    test_box.wait(50);
    assert_eq!((test_box.status().state, metered(&test_box)), (ModelState::Stopping, 2));
    test_box.answer_all();
    test_box.bring_up();
    assert_eq!((test_box.status().state, metered(&test_box)), (ModelState::Stopped, 0));
}
