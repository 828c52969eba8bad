//! Batches, and the outcomes of their items when a unit fails.

use super::*;

/// One unit that works on an image while others wait.
fn behind_a_busy_unit(batch: u32, images: usize) -> (TestBox, Vec<ImageId>) {
    let mut test_box = TestBox::with_batch(1, batch);
    // A unit that takes 10 ms for an image, so that none of the next ones is refused.
    for _ in 0..60 {
        test_box.offer_image();
        test_box.wait(10);
        test_box.answer_all();
    }
    test_box.together.clear();
    test_box.offer_image();
    let waiting = (0..images).map(|_| test_box.offer_image()).collect();
    (test_box, waiting)
}

/// The outcomes of some images, in their order.
fn outcomes(test_box: &TestBox, images: &[ImageId]) -> Vec<Outcome> {
    let of = |image: &ImageId| test_box.images.iter().find(|(id, _)| id == image).map(|(_, outcome)| *outcome);
    images.iter().filter_map(of).collect()
}

#[test]
fn units_without_work_come_before_batches_and_nobody_waits_for_one_to_fill() {
    let mut test_box = TestBox::with_batch(3, 4);
    for _ in 0..3 {
        test_box.offer_image();
    }
    assert_eq!(test_box.together, [(UnitId(0), 1), (UnitId(1), 1), (UnitId(2), 1)]);
    assert_eq!(test_box.status().batch, 4);
}

#[test]
fn what_waits_while_all_work_is_taken_together_up_to_the_batch() {
    let (mut test_box, _) = behind_a_busy_unit(4, 6);
    test_box.answer_all();
    test_box.answer_all();
    test_box.answer_all();
    assert_eq!(test_box.together.iter().map(|(_, items)| *items).collect::<Vec<_>>(), [1, 4, 2]);
    assert_eq!(test_box.images.len(), 60 + 7);
    assert_eq!(test_box.status().in_flight, 0);
}

#[test]
fn a_unit_that_takes_one_gets_one() {
    let (mut test_box, _) = behind_a_busy_unit(1, 3);
    (0..4).for_each(|_| test_box.answer_all());
    assert_eq!(test_box.together.len(), 4);
}

#[test]
fn the_looks_of_tiles_fill_a_batch() {
    let mut test_box = TestBox::with_batch(1, 4);
    test_box.capture("a");
    test_box.capture_in("b", tiles());
    test_box.capture("a");
    test_box.answer_all();
    assert_eq!(test_box.together, [(UnitId(0), 1), (UnitId(0), 1)], "five transactions fill a batch");
    test_box.offer_image();
    test_box.answer_all();
    assert_eq!(test_box.together[2], (UnitId(0), 2), "a frame and an image together");
    test_box.answer_all();
    test_box.assert_ledger_closes();
}

#[test]
fn each_of_a_batch_has_its_own_answer_and_the_unit_works_until_the_last() {
    let (mut test_box, images) = behind_a_busy_unit(4, 5);
    test_box.answer_all();
    let batch = std::mem::take(&mut test_box.dispatched);
    let (unit, unlucky) = batch[2];
    for (unit, request) in [batch[3], batch[0]] {
        test_box.answer(unit, request);
    }
    let refused = test_box.fleet.unit_answered(unit, unlucky, Err(FailureCause::InvalidImage), test_box.now);
    test_box.carry_out(refused);
    assert!(test_box.dispatched.is_empty(), "the fifth waits");
    test_box.answer(unit, batch[1].1);
    test_box.answer_all();
    let invalid = Outcome::Failed(FailureCause::InvalidImage);
    let detected = Outcome::Detected;
    assert_eq!(outcomes(&test_box, &images), [detected, detected, invalid, detected, detected]);
    test_box.assert_ledger_closes();
}

#[test]
fn one_bad_picture_ends_its_unit_twice_and_its_neighbours_once() {
    let (mut test_box, images) = behind_a_busy_unit(4, 4);
    test_box.answer_all();
    let (unit, request) = test_box.dispatched[0];
    test_box.answer(unit, request);
    let dies = |test_box: &mut TestBox| {
        test_box.dispatched.clear();
        test_box.die(unit);
        test_box.wait(600);
        test_box.load(unit);
        test_box.wait(0);
    };
    dies(&mut test_box);
    assert_eq!(test_box.together[2..], [(unit, 1)], "what has failed a unit goes alone");
    test_box.answer_all();
    // The third is the bad one.
    dies(&mut test_box);
    test_box.answer_all();
    assert_eq!(test_box.together[2..], [(unit, 1), (unit, 1), (unit, 1)]);
    let (detected, died) = (Outcome::Detected, Outcome::Failed(FailureCause::UnitDied));
    assert_eq!(outcomes(&test_box, &images), [detected, detected, died, detected]);
    test_box.assert_ledger_closes();
}

#[test]
fn an_answer_to_no_request_of_the_batch_kills_the_unit_and_all_are_tried_again() {
    let (mut test_box, images) = behind_a_busy_unit(3, 3);
    test_box.answer_all();
    let (unit, request) = test_box.dispatched[0];
    test_box.answer(unit, request);
    test_box.answer(unit, request);
    assert_eq!(test_box.killed, [unit], "it has answered that one before");
    assert_eq!(outcomes(&test_box, &images), [Outcome::Detected]);
    assert_eq!(test_box.fleet.in_flight(), 2);
    test_box.assert_ledger_closes();
}

#[test]
fn a_batch_has_the_time_of_all_its_items_and_a_measured_item_is_its_share() {
    let mut test_box = TestBox::with_batch(1, 4);
    for _ in 0..60 {
        test_box.offer_image();
        test_box.wait(100);
        test_box.answer_all();
    }
    for _ in 0..20 {
        (0..5).for_each(|_| {
            test_box.offer_image();
        });
        test_box.wait(100);
        test_box.answer_all();
        test_box.wait(400);
        test_box.answer_all();
    }
    assert!((test_box.status().unit_tps - 10.0).abs() < 0.2, "{}", test_box.status().unit_tps);
    (0..5).for_each(|_| {
        test_box.offer_image();
    });
    test_box.wait(100);
    test_box.answer_all();
    // Eight times 100 ms for each of four.
    test_box.wait(3_100);
    assert!(test_box.killed.is_empty());
    test_box.wait(200);
    assert_eq!(test_box.killed, [UnitId(0)]);
    test_box.assert_ledger_closes();
}

#[test]
fn what_is_abandoned_of_a_batch_has_failed_item_by_item() {
    let (mut test_box, images) = behind_a_busy_unit(4, 4);
    test_box.answer_all();
    let (unit, request) = test_box.dispatched[0];
    test_box.answer(unit, request);
    let actions = test_box.fleet.abandon(test_box.now);
    test_box.carry_out(actions);
    let hung = Outcome::Failed(FailureCause::UnitHung);
    assert_eq!(outcomes(&test_box, &images), [Outcome::Detected, hung, hung, hung]);
    assert_eq!(test_box.fleet.in_flight(), 0);
    test_box.assert_ledger_closes();
}
