//! One frame at a time, and what happens to it when its unit fails.

use super::*;

#[test]
fn a_frame_goes_to_an_idle_unit_and_comes_back_detected() {
    let mut test_box = TestBox::ready(1);
    assert_eq!(test_box.status().state, ModelState::Running);
    let frame = test_box.capture("a");
    test_box.answer_all();
    assert_eq!(test_box.ended, [(frame, Outcome::Detected)]);
    test_box.assert_ledger_closes();
}

#[test]
fn while_the_unit_is_busy_only_the_newest_frame_waits() {
    let mut test_box = TestBox::ready(1);
    test_box.capture("a");
    let older = test_box.capture("a");
    test_box.capture("a");
    assert_eq!(test_box.ended, [(older, Outcome::Shed(ShedReason::Superseded))]);
    assert_eq!(test_box.fleet.in_flight(), 2);
}

#[test]
fn a_hung_unit_is_killed_and_its_frame_is_stale_by_then() {
    let mut test_box = TestBox::ready(1);
    let frame = test_box.capture("a");
    test_box.wait(9_999);
    assert!(test_box.killed.is_empty());
    test_box.wait(2);
    assert_eq!(test_box.killed, [UnitId(0)]);
    assert_eq!(test_box.ended, [(frame, Outcome::Shed(ShedReason::Stale))]);
    test_box.die(UnitId(0));
    test_box.wait(250);
    assert_eq!(test_box.started.len(), 2);
    assert_eq!(test_box.status().state, ModelState::Running, "a lost unit is lost capacity, nothing else");
    test_box.assert_ledger_closes();
}

#[test]
fn what_a_dead_unit_did_is_done_by_another_and_a_second_death_is_its_last() {
    let mut test_box = TestBox::ready(3);
    let frame = test_box.capture("a");
    test_box.die(test_box.dispatched[0].0);
    assert!(test_box.ended.is_empty());
    let (second, _) = test_box.dispatched[1];
    assert_ne!(second, test_box.dispatched[0].0);
    test_box.die(second);
    assert_eq!(test_box.ended, [(frame, Outcome::Failed(FailureCause::UnitDied))]);
    assert_eq!(test_box.dispatched.len(), 2, "it is not given to a third");
    test_box.assert_ledger_closes();
}

#[test]
fn a_unit_that_answers_nonsense_twice_is_replaced_by_one_that_is_ready_first() {
    let mut test_box = TestBox::ready(1);
    test_box.capture("a");
    for _ in 0..2 {
        let (unit, request) = test_box.dispatched.pop().unwrap();
        let actions = test_box.fleet.unit_answered(unit, request, Err(FailureCause::InvalidOutput), test_box.now);
        test_box.carry_out(actions);
    }
    assert_eq!(test_box.ended, [(1, Outcome::Failed(FailureCause::InvalidOutput))]);
    test_box.wait(50);
    assert_eq!(test_box.status().in_service, 1, "the worn unit works until the other is ready");
    test_box.bring_up();
    assert_eq!((test_box.status().in_service, test_box.started.len()), (1, 2));
}

#[test]
fn a_unit_that_grows_is_replaced_before_it_hurts() {
    let mut test_box = TestBox::ready(1);
    for _ in 0..20 {
        test_box.capture("a");
        test_box.answer_all();
    }
    for bytes in [80_u64 << 20, 150 << 20, 181 << 20] {
        assert_eq!(test_box.started.len(), 1);
        test_box.fleet.unit_measured(UnitId(0), bytes);
        test_box.wait(50);
    }
    assert_eq!(test_box.started.len(), 2);
}

#[test]
fn a_unit_that_hangs_while_loading_is_killed() {
    let mut test_box = TestBox::new(1);
    test_box.wait(0);
    test_box.wait(60_001);
    assert_eq!(test_box.killed, [UnitId(0)]);
}

#[test]
fn a_model_that_cannot_be_loaded_has_failed_and_is_still_tried() {
    let mut test_box = TestBox::new(1);
    for _ in 0..3 {
        test_box.wait(60_000);
        test_box.fleet.unit_load_failed(UnitId(0), "no memory".into());
        test_box.die(UnitId(0));
    }
    let status = test_box.status();
    assert_eq!(status.state, ModelState::Failed);
    assert!(status.degraded[0].contains("no memory"), "{:?}", status.degraded);
    test_box.bring_up();
    test_box.wait(60_000);
    test_box.bring_up();
    assert_eq!(test_box.status().state, ModelState::Running);
}

#[test]
fn an_answer_to_an_unknown_request_kills_the_unit() {
    let mut test_box = TestBox::ready(1);
    let frame = test_box.capture("a");
    test_box.answer(UnitId(0), RequestId(999));
    assert_eq!(test_box.killed, [UnitId(0)]);
    test_box.answer_all();
    assert!(test_box.ended.is_empty(), "replies of a dying unit are ignored");
    test_box.die(UnitId(0));
    test_box.bring_up();
    test_box.wait(1_001);
    assert_eq!(test_box.ended, [(frame, Outcome::Shed(ShedReason::Stale))]);
    test_box.assert_ledger_closes();
}

#[test]
fn draining_finishes_what_units_do_and_sheds_the_rest() {
    let mut test_box = TestBox::ready(1);
    let worked_on = test_box.capture("a");
    let waiting = test_box.capture("a");
    let actions = test_box.fleet.drain();
    test_box.carry_out(actions);
    let late = test_box.capture("a");
    let draining = Outcome::Shed(ShedReason::Draining);
    assert_eq!(test_box.ended, [(waiting, draining), (late, draining)]);
    test_box.answer_all();
    assert_eq!(test_box.ended[2], (worked_on, Outcome::Detected));
    assert_eq!(test_box.fleet.in_flight(), 0);
    test_box.assert_ledger_closes();
}

#[test]
fn exactly_the_queue_and_the_units_take_images_when_all_units_are_stalled() {
    let mut test_box = TestBox::ready(2);
    // Two units that take 100 ms each can do twenty a second.
    for _ in 0..60 {
        test_box.offer_image();
        test_box.wait(100);
        test_box.answer_all();
    }
    let before = test_box.images.len();
    for _ in 0..100 {
        test_box.offer_image();
    }
    let refused = &test_box.images[before..];
    assert_eq!(refused.len(), 100 - 2 - 20, "two are worked on, a second's worth waits");
    assert!(refused.iter().all(|(_, outcome)| *outcome == Outcome::Shed(ShedReason::Throttled)));
    test_box.assert_ledger_closes();
}

#[test]
fn a_measured_limit_is_what_the_units_in_service_can_do() {
    let mut test_box = TestBox::with_quota(fixed(2), &["only"], Some(TpsQuota::Measured));
    for (units, tps) in [(2, 20), (3, 30)] {
        test_box.fleet.scale(MODEL, fixed(units)).unwrap();
        test_box.bring_up();
        // A unit takes 100 ms; then all is quiet until the limit has its whole second's worth.
        for _ in 0..60 {
            test_box.offer_image();
            test_box.wait(100);
            test_box.answer_all();
        }
        test_box.wait(5_000);
        let before = test_box.images.len();
        for _ in 0..100 {
            test_box.offer_image();
        }
        assert_eq!(test_box.images[before..].len(), 100 - tps, "with {units} units");
        while !test_box.dispatched.is_empty() {
            test_box.wait(100);
            test_box.answer_all();
        }
    }
    test_box.assert_ledger_closes();
}

#[test]
fn without_a_unit_an_image_is_refused_at_once_and_a_late_one_is_never_run() {
    let mut test_box = TestBox::new(1);
    let image = test_box.offer_image();
    assert_eq!(test_box.images, [(image, Outcome::Shed(ShedReason::NoUnits))]);
    test_box.bring_up();
    let (worked_on, waiting) = (test_box.offer_image(), test_box.offer_image());
    test_box.wait(5_000);
    assert_eq!(test_box.images[1..], [(waiting, Outcome::Shed(ShedReason::Expired))]);
    test_box.answer_all();
    assert_eq!(test_box.images[2], (worked_on, Outcome::Detected));
    assert!(test_box.dispatched.is_empty());
    test_box.assert_ledger_closes();
}

#[test]
fn with_all_units_gone_those_who_wait_are_refused_within_a_second() {
    let mut test_box = TestBox::ready(1);
    let images = [test_box.offer_image(), test_box.offer_image()];
    test_box.die(UnitId(0));
    test_box.wait(50);
    test_box.wait(900);
    assert!(test_box.images.is_empty(), "the unit may be back by then");
    test_box.wait(100);
    let refused = Outcome::Shed(ShedReason::NoUnits);
    assert_eq!(test_box.images, images.map(|image| (image, refused)));
    test_box.assert_ledger_closes();
}

#[test]
fn a_unit_of_which_nothing_is_measured_yet_is_taken_for_as_fast_as_its_own_run() {
    let offered = |run_ms: u64| {
        let mut test_box = TestBox::new(1);
        test_box.run_time = Duration::from_millis(run_ms);
        test_box.bring_up();
        for _ in 0..8 {
            test_box.offer_image();
        }
        test_box.images.iter().filter(|(_, outcome)| *outcome == Outcome::Shed(ShedReason::Throttled)).count()
    };
    assert_eq!(offered(20), 0, "fifty a second: eight at once wait for less than a second");
    assert!(offered(500) > 0, "two a second");
    assert!(offered(0) > 0, "a unit that says nothing may be slow");
}
