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
