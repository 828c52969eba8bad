//! A picture in tiles counts as one transaction per tile everywhere except in the outcomes.

use super::*;

/// Frames of camera `a` in tiles, each of which takes 500 ms.
fn looks_in_tiles(test_box: &mut TestBox, frames: usize) {
    for _ in 0..frames {
        test_box.capture_in("a", tiles());
        test_box.wait(500);
        test_box.answer_all();
    }
}

#[test]
fn a_tiled_frame_is_one_outcome_and_five_transactions_of_a_fifth_of_its_time() {
    let mut test_box = TestBox::ready(1);
    looks_in_tiles(&mut test_box, 20);
    let status = test_box.status();
    assert_eq!(status.ledgers[&CameraId::new("a").unwrap()].detected, 20);
    assert_eq!((status.transactions, status.image_transactions), (100, 0));
    assert!((status.unit_tps - 10.0).abs() < 0.1 && (status.load_tps - 10.0).abs() < 1.0, "{status:?}");
    test_box.assert_ledger_closes();
}

#[test]
fn a_unit_has_the_time_of_each_of_its_tiles() {
    let mut test_box = TestBox::ready(1);
    looks_in_tiles(&mut test_box, 20);
    // Eight times 100 ms each.
    test_box.capture_in("a", tiles());
    test_box.wait(3_950);
    assert!(test_box.killed.is_empty());
    test_box.wait(100);
    assert_eq!(test_box.killed, [UnitId(0)]);
    let mut test_box = TestBox::ready(1);
    looks_in_tiles(&mut test_box, 20);
    test_box.capture("a");
    test_box.wait(2_050);
    assert_eq!(test_box.killed, [UnitId(0)], "one transaction has the minimum deadline of two seconds");
}

#[test]
fn before_anything_was_measured_each_tile_may_take_the_longest_time() {
    let mut test_box = TestBox::ready(1);
    test_box.capture_in("a", tiles());
    test_box.wait(49_900);
    assert!(test_box.killed.is_empty());
    test_box.wait(200);
    assert_eq!(test_box.killed, [UnitId(0)]);
}

#[test]
fn a_limit_of_tps_is_one_of_transactions_and_says_when_there_is_enough_for_all_tiles() {
    let quota = Some(TpsQuota::Fixed(10.0));
    let mut test_box = TestBox::with_images(fixed(2), &["only"], quota, tiles());
    test_box.bring_up();
    // The bucket begins with ten.
    let ids: Vec<ImageId> = (0..3).map(|_| test_box.offer_image()).collect();
    assert_eq!(test_box.images, [(ids[2], Outcome::Shed(ShedReason::Throttled))]);
    assert_eq!(test_box.retry_after, Duration::from_millis(500));
    test_box.answer_all();
    test_box.wait(500);
    test_box.offer_image();
    assert_eq!(test_box.images.len(), 3, "two were detected, and the fourth is taken");
    test_box.answer_all();
    assert_eq!(test_box.status().image_transactions, 15);
    test_box.assert_ledger_closes();
}

#[test]
fn an_image_that_costs_more_than_a_second_s_worth_is_taken_when_nothing_else_was_and_paid_off_after() {
    let quota = Some(TpsQuota::Fixed(2.0));
    let mut test_box = TestBox::with_images(fixed(2), &["only"], quota, tiles());
    test_box.bring_up();
    test_box.offer_image();
    assert_eq!(test_box.dispatched.len(), 1);
    test_box.answer_all();
    test_box.offer_image();
    assert_eq!(test_box.images[1].1, Outcome::Shed(ShedReason::Throttled));
    assert_eq!(test_box.retry_after, Duration::from_millis(2_500), "three are owed and a full bucket is two");
    test_box.wait(2_500);
    test_box.offer_image();
    assert_eq!(test_box.dispatched.len(), 1);
}

#[test]
fn places_for_images_are_fewer_where_each_is_many_looks() {
    let mut test_box = TestBox::with_images(fixed(2), &["only"], None, tiles());
    test_box.bring_up();
    // Two units that take 50 ms for a transaction can do forty a second.
    for _ in 0..60 {
        test_box.offer_image();
        test_box.wait(250);
        test_box.answer_all();
    }
    assert_eq!(test_box.status().image_places, 8);
    let before = test_box.images.len();
    for _ in 0..100 {
        test_box.offer_image();
    }
    assert_eq!(test_box.images[before..].len(), 100 - 2 - 8);
    test_box.assert_ledger_closes();
}

#[test]
fn tiles_are_demand_that_brings_more_units() {
    let demand = |framing: Framing| {
        let mut test_box = TestBox::with_zones(UnitBounds { min: 1, max: Some(4) }, &["only"]);
        test_box.bring_up();
        // Two frames a second, with 100 ms for each transaction.
        for _ in 0..60 {
            test_box.capture_in("a", framing);
            test_box.wait(100 * u64::from(framing.transactions()));
            test_box.answer_all();
            test_box.wait(500 - 100 * u64::from(framing.transactions()));
        }
        test_box.status().desired
    };
    assert_eq!(demand(Framing::default()), 1);
    assert!(demand(tiles()) > 1, "ten transactions a second of 100 ms use one unit fully");
}
