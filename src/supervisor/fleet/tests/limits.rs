//! A box that has no room for a spare unit, versions that do not load, processes that do not end.

use super::*;

impl TestBox {
    /// A box with `units` in service and the limit `limit`.
    pub(super) fn at_limit(units: usize, limit: usize, zones: &[&str]) -> Self {
        let mut test_box = Self::with_zones(fixed(units), zones);
        test_box.fleet.limits.units = limit;
        test_box.bring_up();
        test_box
    }

    /// Runs for some seconds. Started units load if `loads` returns true for them; units that are asked to exit do.
    /// Returns the fewest units that were in service.
    pub(super) fn run(&mut self, seconds: u64, loads: impl Fn(&Self, UnitId) -> bool) -> usize {
        let mut fewest = usize::MAX;
        for _ in 0..seconds * 10 {
            self.wait(100);
            for (unit, _) in std::mem::take(&mut self.started) {
                if loads(self, unit) {
                    self.load(unit);
                } else {
                    self.fleet.unit_load_failed(unit, "the model is bad".into());
                    self.die(unit);
                }
            }
            for unit in std::mem::take(&mut self.stopped) {
                self.die(unit);
            }
            fewest = fewest.min(self.status().in_service);
        }
        fewest
    }

    /// The first unit works, and its memory grows until it is worn.
    fn wear(&mut self) {
        for _ in 0..30 {
            self.capture("a");
            self.answer_all();
        }
        self.fleet.unit_measured(UnitId(0), 80 << 20);
        self.fleet.unit_measured(UnitId(0), 500 << 20);
    }

    pub(super) fn swap(&mut self, name: &str) {
        let next = version(&mut self.fleet, name);
        self.fleet.swap(MODEL, next).unwrap();
    }

    /// The version that a unit loads.
    fn version_of(&self, unit: UnitId) -> String {
        let pool = self.fleet.model(MODEL).unwrap();
        pool.version_of(unit).unwrap()
    }
}

#[test]
fn without_a_spare_unit_a_swap_replaces_one_unit_at_a_time() {
    for units in [1, 2, 4] {
        let mut test_box = TestBox::at_limit(units, units, &["only"]);
        test_box.swap("v2");
        let fewest = test_box.run(60, |_, _| true);
        let status = test_box.status();
        assert_eq!((status.version.as_str(), status.next_version, status.in_service), ("v2", None, units));
        assert_eq!(fewest, units - 1, "one unit at a time");
        assert!(status.degraded.is_empty(), "{:?}", status.degraded);
    }
}

#[test]
fn without_memory_for_a_spare_unit_a_swap_takes_place_all_the_same() {
    let mut test_box = TestBox::at_limit(2, 8, &["only"]);
    test_box.fleet.memory(Some(100), Some(100));
    test_box.swap("v2");
    assert_eq!(test_box.run(60, |_, _| true), 1);
    assert_eq!(test_box.status().version, "v2");
}

#[test]
fn without_a_spare_unit_a_bad_version_costs_one_unit_for_a_moment() {
    let mut test_box = TestBox::at_limit(2, 2, &["only"]);
    test_box.swap("bad");
    let fewest = test_box.run(60, |test_box, unit| test_box.version_of(unit) != "bad");
    let status = test_box.status();
    assert_eq!((status.version.as_str(), status.next_version, status.in_service), ("v1", None, 2));
    assert_eq!(fewest, 1);
    assert!(status.degraded[0].contains("the model is bad"), "{:?}", status.degraded);
}

#[test]
fn without_a_spare_unit_a_worn_one_is_replaced_in_its_place() {
    let mut test_box = TestBox::at_limit(1, 1, &["only"]);
    test_box.wear();
    test_box.started.clear();
    test_box.wait(100);
    assert_eq!(test_box.stopped, [UnitId(0)]);
    test_box.run(5, |_, _| true);
    assert_eq!((test_box.status().in_service, test_box.status().restarts), (1, 0));
}

#[test]
fn a_worn_unit_that_cannot_be_replaced_yet_is_reported() {
    // The successor of the only unit does not load; the second of two units does not.
    for units in [1, 2] {
        let mut test_box = TestBox::at_limit(units, 8, &["only"]);
        test_box.wear();
        test_box.started.clear();
        if units == 2 {
            test_box.die(UnitId(1));
        }
        test_box.run(5, |_, _| false);
        let degraded = test_box.status().degraded;
        let expected = "m: unit-0 is worn out and cannot be replaced yet: unit-1 keeps failing: the model is bad";
        assert!(degraded.iter().any(|reason| reason == expected), "{degraded:?}");
        test_box.run(30, |_, _| true);
        let status = test_box.status();
        assert_eq!((status.in_service, status.degraded), (units, Vec::new()));
        assert!(!test_box.fleet.model(MODEL).unwrap().has_unit(UnitId(0)), "it was replaced");
    }
}

#[test]
fn without_a_spare_unit_a_zone_is_probed_by_moving_one() {
    let mut test_box = TestBox::at_limit(2, 2, &["left", "right"]);
    // The unit on the left dies young three times, and its zone is out.
    for _ in 0..3 {
        test_box.die(UnitId(0));
        test_box.run(15, |_, _| true);
    }
    assert_eq!(test_box.fleet.zones_out(), ["left"]);
    test_box.run(120, |_, _| true);
    assert!(test_box.fleet.zones_out().is_empty());
    assert_eq!(test_box.status().zones, BTreeMap::from([("left".into(), 1), ("right".into(), 1)]));
}

#[test]
fn the_only_unit_is_not_risked_for_a_probe_and_that_is_reported() {
    let mut test_box = TestBox::at_limit(1, 1, &["left", "right"]);
    for _ in 0..3 {
        test_box.die(UnitId(0));
        test_box.run(15, |_, _| true);
    }
    assert_eq!(test_box.run(120, |_, _| true), 1);
    let degraded = test_box.status().degraded;
    assert!(degraded.iter().any(|reason| reason.contains("cannot be tried again")), "{degraded:?}");
}

#[test]
fn a_swap_brings_a_model_back_whose_version_does_not_load() {
    let mut test_box = TestBox::new(1);
    test_box.run(60, |_, _| false);
    assert_eq!(test_box.status().state, ModelState::Failed);
    test_box.swap("v2");
    assert_eq!(test_box.status().state, ModelState::Starting, "it is not the old failure that is waited for");
    test_box.run(5, |test_box, unit| test_box.version_of(unit) == "v2");
    let status = test_box.status();
    assert_eq!((status.state, status.version.as_str(), status.next_version), (ModelState::Running, "v2", None));
}

#[test]
fn a_swap_takes_place_while_one_unit_is_in_a_crash_loop() {
    let mut test_box = TestBox::ready(2);
    test_box.started.clear();
    test_box.die(UnitId(1));
    test_box.run(20, |test_box, unit| test_box.version_of(unit) == "v2");
    test_box.swap("v2");
    let fewest = test_box.run(120, |test_box, unit| test_box.version_of(unit) == "v2");
    let status = test_box.status();
    assert_eq!((status.version.as_str(), status.next_version, status.in_service), ("v2", None, 2));
    assert!(fewest >= 1, "the unit that serves goes on");
}

#[test]
fn a_killed_process_that_does_not_end_is_given_up_and_another_takes_its_place() {
    let mut test_box = TestBox::ready(1);
    test_box.started.clear();
    test_box.capture("a");
    test_box.wait(10_001);
    assert_eq!(test_box.killed, [UnitId(0)]);
    test_box.run(11, |_, _| true);
    assert_eq!(test_box.status().in_service, 1);
    let degraded = test_box.fleet.degraded();
    assert!(degraded[0].contains("do not end") && degraded[0].contains("unit-0"), "{degraded:?}");
    test_box.die(UnitId(0));
    assert!(test_box.fleet.degraded().is_empty(), "it has ended after all");
    test_box.assert_ledger_closes();
}

#[test]
fn a_result_is_read_with_the_labels_of_the_version_that_made_it() {
    // Stopped, then swapped, while a unit of the old version works on a frame.
    let mut test_box = TestBox::ready(1);
    test_box.capture("a");
    test_box.fleet.stop(MODEL).unwrap();
    test_box.wait(10);
    test_box.swap("v2");
    test_box.answer_all();
    assert_eq!(test_box.versions, ["v1"]);
    // A rollout is aborted while a unit of the new version works on a frame.
    let mut test_box = TestBox::ready(2);
    test_box.started.clear();
    test_box.swap("v2");
    test_box.wait(50);
    let (first_new, _) = test_box.started.remove(0);
    test_box.load(first_new);
    while test_box.started.is_empty() {
        test_box.wait(50);
        for unit in std::mem::take(&mut test_box.stopped) {
            test_box.die(unit);
        }
    }
    let (second, _) = test_box.started.remove(0);
    test_box.capture("a");
    test_box.capture("b");
    let (unit, request) = *test_box.dispatched.iter().find(|(unit, _)| *unit == first_new).unwrap();
    test_box.fleet.unit_load_failed(second, "no memory".into());
    test_box.die(second);
    test_box.versions.clear();
    test_box.answer(unit, request);
    assert_eq!(test_box.versions, ["v2"]);
}

#[test]
fn a_pause_of_the_daemon_moves_the_deadlines_of_its_units() {
    let mut test_box = TestBox::ready(1);
    test_box.capture("a");
    test_box.fleet.paused(Duration::from_secs(60));
    test_box.wait(60_000);
    assert!(test_box.killed.is_empty());
    test_box.answer_all();
    test_box.wait(1);
    assert_eq!(test_box.ended, [(1, Outcome::Detected)]);
}

#[test]
fn units_above_the_minimum_give_way_to_a_model_that_misses_its_minimum() {
    let mut test_box = TestBox::at_limit(2, 2, &["only"]);
    test_box.fleet.scale(MODEL, UnitBounds { min: 1, max: Some(2) }).unwrap();
    test_box.run(1, |_, _| true);
    assert_eq!(test_box.status().in_service, 2, "no other model needs them");
    let other = pool(&mut test_box.fleet, "other", fixed(1), None, test_box.now);
    test_box.fleet.add_model(other);
    test_box.fleet.start("other", None).unwrap();
    assert_eq!(test_box.run(30, |_, _| true), 1);
    let status = test_box.fleet.status();
    assert_eq!((status["other"].in_service, status["other"].state), (1, ModelState::Running));
    assert!(status.values().all(|model| model.degraded.is_empty()), "{status:?}");
}

#[test]
fn models_that_miss_their_minima_for_want_of_memory_do_not_wait_for_each_other() {
    let mut test_box = TestBox::at_limit(1, 8, &["only"]);
    let other = pool(&mut test_box.fleet, "other", fixed(1), None, test_box.now);
    test_box.fleet.add_model(other);
    test_box.fleet.start("other", None).unwrap();
    test_box.fleet.scale(MODEL, fixed(2)).unwrap();
    // Room for one unit at a time: 100 bytes are kept free, and a unit takes 100 and a fifth.
    test_box.fleet.memory(Some(220), Some(100));
    test_box.run(10, |_, _| true);
    let status = test_box.fleet.status();
    assert_eq!((status[MODEL].in_service, status["other"].in_service), (2, 1), "one after the other");
}

#[test]
fn a_probe_beside_the_only_unit_stays_until_its_zone_is_judged() {
    let mut test_box = TestBox::at_limit(1, 2, &["left", "right"]);
    for _ in 0..3 {
        test_box.die(UnitId(0));
        test_box.run(15, |_, _| true);
    }
    assert_eq!(test_box.fleet.zones_out(), ["left"]);
    assert_eq!(test_box.run(120, |_, _| true), 1, "the other unit serves meanwhile");
    assert!(test_box.fleet.zones_out().is_empty());
    assert_eq!((test_box.status().in_service, test_box.fleet.next_unit), (1, 2), "one probe is enough");
}
