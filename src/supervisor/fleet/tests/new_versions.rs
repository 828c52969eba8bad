//! Versions that are slower than the one before, that fail to start once, or whose loads hang in a driver.

use super::*;
use std::cell::Cell;

/// A box whose only unit was killed because it did not answer in time.
fn killed_after_a_measurement() -> TestBox {
    let mut test_box = TestBox::ready(1);
    test_box.capture("a");
    test_box.wait(30);
    test_box.answer_all();
    test_box.capture("a");
    test_box.wait(2_100);
    assert_eq!(test_box.killed, [UnitId(0)]);
    test_box
}

#[test]
fn a_measured_service_time_shortens_the_deadline_to_two_seconds() {
    killed_after_a_measurement().assert_ledger_closes();
}

#[test]
fn a_unit_that_has_become_slow_is_killed_once_and_not_for_ever() {
    let mut test_box = killed_after_a_measurement();
    test_box.die(UnitId(0));
    test_box.run(2, |_, _| true);
    test_box.dispatched.clear();
    test_box.capture("a");
    test_box.wait(2_500);
    assert_eq!(test_box.killed.len(), 1);
}

#[test]
fn a_version_that_is_slower_than_the_one_before_is_not_judged_by_its_times() {
    let mut test_box = TestBox::ready(1);
    for _ in 0..10 {
        test_box.capture("a");
        test_box.wait(30);
        test_box.answer_all();
    }
    test_box.swap("slow");
    test_box.run(2, |_, _| true);
    assert_eq!(test_box.status().version, "slow");
    test_box.capture("a");
    test_box.wait(2_500);
    assert!(test_box.killed.is_empty(), "its inference takes 2.5 s");
    test_box.answer_all();
    assert_eq!(test_box.ended.last().unwrap().1, Outcome::Detected);
}

#[test]
fn one_failed_start_of_a_version_that_serves_already_ends_no_swap_and_kills_no_unit() {
    let mut test_box = TestBox::at_limit(2, 2, &["only"]);
    test_box.run(1, |_, _| true);
    test_box.swap("v2");
    let starts = Cell::new(0);
    let fewest = test_box.run(20, |_, _| {
        starts.set(starts.get() + 1);
        starts.get() != 2
    });
    let status = test_box.status();
    assert_eq!((status.version.as_str(), status.next_version, status.in_service), ("v2", None, 2));
    assert!(test_box.killed.is_empty() && starts.get() == 3, "{:?}, {} starts", test_box.killed, starts.get());
    assert_eq!(fewest, 1, "one unit at a time");
}

#[test]
fn a_new_version_whose_load_hangs_in_the_kernel_is_not_taken() {
    let mut test_box = TestBox::ready(1);
    test_box.swap("hangs");
    (0..120).for_each(|_| test_box.wait(1_000));
    let status = test_box.status();
    assert_eq!((status.version.as_str(), status.next_version, status.in_service), ("v1", None, 1));
    assert!(status.degraded[0].contains("the new version was not taken"), "{:?}", status.degraded);
    assert_eq!(test_box.killed.len(), 1, "it is not tried again");
}
