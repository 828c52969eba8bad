//! Versions that are slower than the one before, that fail to start once, or whose loads hang in a driver.

use super::*;

/// A box with `units` in service and no room for more, whose model is being swapped.
fn swapping(units: usize, next: &str) -> TestBox {
    let mut test_box = TestBox::ready(units);
    test_box.started.clear();
    let next = version(&mut test_box.fleet, next);
    test_box.fleet.swap(MODEL, next).unwrap();
    test_box
}

impl TestBox {
    /// Waits for some seconds. `load` says what becomes of units that are started; units that are to exit do so.
    fn live(&mut self, seconds: u64, mut load: impl FnMut(&mut Self, UnitId)) {
        for _ in 0..seconds * 10 {
            self.wait(100);
            for (unit, _) in std::mem::take(&mut self.started) {
                load(self, unit);
            }
            for unit in std::mem::take(&mut self.stopped) {
                self.die(unit);
            }
        }
    }
}

#[test]
fn a_version_that_is_slower_than_the_one_before_is_not_judged_by_its_times() {
    let mut test_box = TestBox::ready(1);
    for _ in 0..10 {
        test_box.capture("a");
        test_box.wait(30);
        test_box.answer_all();
    }
    test_box.started.clear();
    let next = version(&mut test_box.fleet, "slow");
    test_box.fleet.swap(MODEL, next).unwrap();
    test_box.live(2, TestBox::load);
    assert_eq!(test_box.status().version, "slow");
    test_box.capture("a");
    test_box.wait(2_500);
    assert!(test_box.killed.is_empty(), "its inference takes 2.5 s");
    test_box.answer_all();
    assert_eq!(test_box.ended.last().unwrap().1, Outcome::Detected);
}

#[test]
fn a_unit_that_has_become_slow_is_killed_once_and_not_for_ever() {
    let mut test_box = TestBox::ready(1);
    test_box.capture("a");
    test_box.wait(30);
    test_box.answer_all();
    test_box.capture("a");
    test_box.wait(2_100);
    assert_eq!(test_box.killed, [UnitId(0)]);
    test_box.die(UnitId(0));
    test_box.started.clear();
    test_box.live(2, TestBox::load);
    test_box.dispatched.clear();
    test_box.capture("a");
    test_box.wait(2_500);
    assert_eq!(test_box.killed.len(), 1);
}

#[test]
fn one_failed_start_of_a_version_that_serves_already_ends_no_swap_and_kills_no_unit() {
    let mut test_box = swapping(2, "v2");
    test_box.fleet.limits.units = 2;
    let (mut starts, mut fewest) = (0, usize::MAX);
    test_box.live(20, |test_box, unit| {
        fewest = fewest.min(test_box.status().in_service);
        starts += 1;
        match starts {
            2 => test_box.die(unit),
            _ => test_box.load(unit),
        }
    });
    let status = test_box.status();
    assert_eq!((status.version.as_str(), status.next_version, status.in_service), ("v2", None, 2));
    assert!(test_box.killed.is_empty() && starts == 3, "{:?}, {starts} starts", test_box.killed);
    assert_eq!(fewest, 1, "one unit at a time");
}

#[test]
fn a_new_version_whose_load_hangs_in_the_kernel_is_not_taken() {
    let mut test_box = swapping(1, "hangs");
    test_box.live(120, |_, _| {});
    let status = test_box.status();
    assert_eq!((status.version.as_str(), status.next_version, status.in_service), ("v1", None, 1));
    assert!(status.degraded[0].contains("the new version was not taken"), "{:?}", status.degraded);
    assert_eq!(test_box.killed.len(), 1, "it is not tried again");
}
