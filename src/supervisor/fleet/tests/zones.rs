//! Zones that are out, and how they come back.

use super::*;

impl TestBox {
    /// The first unit dies this many times, each time soon after it was ready.
    fn die_young(&mut self, times: usize) {
        for _ in 0..times {
            self.die(UnitId(0));
            self.run(1, |_, _| true);
        }
    }
}

#[test]
fn the_only_unit_brings_its_zone_back_when_it_works_again() {
    let mut test_box = TestBox::at_limit(1, 1, &["left", "right"]);
    test_box.die_young(6);
    assert_eq!(test_box.fleet.zones_out(), ["left", "right"], "three deaths in each zone");
    test_box.run(12, |_, _| true);
    assert_eq!(test_box.fleet.zones_out(), ["left"]);
    assert_eq!(test_box.status().zones, BTreeMap::from([("right".into(), 1)]));
}

#[test]
fn a_unit_whose_zones_are_all_out_goes_back_to_the_one_that_works() {
    let mut test_box = TestBox::at_limit(1, 1, &["cpu", "gpu"]);
    test_box.die_young(3);
    assert_eq!(test_box.status().zones, BTreeMap::from([("gpu".into(), 1)]));
    // From now on nothing loads on the second zone.
    test_box.die(UnitId(0));
    let is_on_cpu = |test_box: &TestBox, unit: UnitId| {
        let pool = test_box.fleet.model(MODEL).unwrap();
        pool.zone_of(unit) == Some(ZoneIndex(0))
    };
    test_box.run(120, is_on_cpu);
    let status = test_box.status();
    assert_eq!((status.in_service, status.zones), (1, BTreeMap::from([("cpu".into(), 1)])));
    assert_eq!(test_box.fleet.zones_out(), ["gpu"]);
}

#[test]
fn a_model_moves_no_unit_when_only_others_fill_the_fuller_zone() {
    let mut test_box = TestBox::at_limit(1, 5, &["left", "right"]);
    // The left zone is out when the other model starts, so its three units start on the right.
    for _ in 0..3 {
        test_box.fleet.zones.unit_failed(ZoneIndex(0), test_box.now);
    }
    let other = pool(&mut test_box.fleet, "other", fixed(3), None, test_box.now);
    test_box.fleet.add_model(other);
    test_box.fleet.start("other", None).unwrap();
    test_box.run(60, |_, _| true);
    assert!(test_box.fleet.zones_out().is_empty());
    let units = test_box.fleet.next_unit;
    test_box.run(60, |_, _| true);
    assert_eq!(test_box.fleet.next_unit, units, "no unit starts only to be stopped");
    let status = test_box.fleet.status();
    assert_eq!(status[MODEL].zones, BTreeMap::from([("left".into(), 1)]));
    assert_eq!(status["other"].zones, BTreeMap::from([("left".into(), 1), ("right".into(), 2)]));
}
