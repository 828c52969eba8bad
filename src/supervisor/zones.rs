//! Failure zones: where units are placed, and which zone is out.
//!
//! A zone is hardware that fails together: a GPU, a NUMA node, a set of cores. Units are spread over the zones. A
//! circuit breaker takes a zone out of service when its units keep failing, and its units move to other zones. Later
//! one unit probes the zone; if that unit works, the zone gets its share again.

use crate::vision::monotonic::Monotonic;
use std::collections::VecDeque;
use std::time::Duration;

/// A zone, by its position in the settings.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ZoneIndex(pub usize);

/// The number of failures within [`FAILURE_WINDOW`] that opens a breaker.
const FAILURES: usize = 3;
const FAILURE_WINDOW: Duration = Duration::from_secs(600);
/// A probe that has been ready for this long shows that its zone works.
const PROVEN_AFTER: Duration = Duration::from_secs(10);
/// The most doublings of the wait between probes: on a full box each probe takes a unit out of service.
const MOST_DOUBLINGS: u32 = 3;
/// A unit that lived this long did not fail because of its zone.
pub const LASTING_LIFE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Breaker {
    Closed,
    /// Out of service; probed from `until` on.
    Open {
        until: Monotonic,
    },
    /// One unit probes whether the zone works again.
    Probing,
    /// The probing unit has been ready since then.
    Proving {
        since: Monotonic,
    },
}

#[derive(Clone, Debug)]
struct Zone {
    name: String,
    units: usize,
    failures: VecDeque<Monotonic>,
    breaker: Breaker,
    /// The number of probes in a row that failed.
    failed_probes: u32,
}

impl Zone {
    /// True if it is out and due to be probed.
    fn is_due(&self, now: Monotonic) -> bool {
        matches!(self.breaker, Breaker::Open { until } if now >= until)
    }
}

/// The zones of the box and how many units each has.
#[derive(Clone, Debug)]
pub struct Zones {
    zones: Vec<Zone>,
    probe_after: Duration,
}

impl Zones {
    /// `names` has at least one zone. A zone that is out is probed after `probe_after`; each failed probe doubles the
    /// wait.
    pub fn new(names: Vec<String>, probe_after: Duration) -> Self {
        let zone =
            |name| Zone { name, units: 0, failures: VecDeque::new(), breaker: Breaker::Closed, failed_probes: 0 };
        Self { zones: names.into_iter().map(zone).collect(), probe_after }
    }

    /// The zone's name in the settings.
    pub fn name(&self, zone: ZoneIndex) -> &str {
        &self.zones[zone.0].name
    }

    /// The number of units in a zone.
    pub fn units(&self, zone: ZoneIndex) -> usize {
        self.zones[zone.0].units
    }

    /// Names of the zones that are out.
    pub fn out(&self) -> Vec<&str> {
        let is_out = |zone: &&Zone| zone.breaker != Breaker::Closed;
        self.zones.iter().filter(is_out).map(|zone| zone.name.as_str()).collect()
    }

    /// Chooses the zone of the next unit and counts the unit there: the emptiest zone that works. If all are out, it is
    /// the emptiest of all, since the restart backoff of the units limits the load of failing starts.
    pub fn place(&mut self) -> ZoneIndex {
        let closed = self.emptiest(|_, zone| zone.breaker == Breaker::Closed);
        let zone = closed.or_else(|| self.emptiest(|_, _| true)).unwrap_or(ZoneIndex(0));
        self.zones[zone.0].units += 1;
        zone
    }

    /// A unit has left its zone. If it may have been a probe without a result, the next probe is due at once.
    pub fn leave(&mut self, zone: ZoneIndex) {
        let zone = &mut self.zones[zone.0];
        zone.units = zone.units.saturating_sub(1);
        let is_unproven = match zone.breaker {
            Breaker::Probing => true,
            Breaker::Proving { .. } => zone.units == 0,
            Breaker::Closed | Breaker::Open { .. } => false,
        };
        if is_unproven {
            zone.breaker = Breaker::Open { until: Monotonic::default() };
        }
    }

    /// The name of a zone that is out and due to be probed.
    pub fn probe_due(&self, now: Monotonic) -> Option<&str> {
        self.zones.iter().find(|zone| zone.is_due(now)).map(|zone| zone.name.as_str())
    }

    /// Chooses another zone for a dead unit of `zone` and counts it there: one that works, or one that is due to be
    /// probed. `None` if its own zone is in service, or no other zone qualifies.
    pub fn place_elsewhere(&mut self, zone: ZoneIndex, now: Monotonic) -> Option<ZoneIndex> {
        if !matches!(self.zones[zone.0].breaker, Breaker::Open { .. }) {
            return None;
        }
        if self.zones.iter().any(|other| other.breaker == Breaker::Closed) {
            return Some(self.place());
        }
        let due = self.emptiest(|index, other| index != zone && other.is_due(now))?;
        Some(self.probe(due))
    }

    /// Returns a zone that a unit of a pool should move into and counts it there: a zone to be probed, or one with at
    /// least two units fewer than the fullest of `own`, the zones of the pool's units. So each move makes the box more
    /// even. Without room for a spare unit, only a unit of another zone can probe a zone.
    pub fn place_to_balance(&mut self, own: &[ZoneIndex], has_room: bool, now: Monotonic) -> Option<ZoneIndex> {
        let can_move_to = |zone: ZoneIndex| has_room || own.iter().any(|other| *other != zone);
        if let Some(zone) = self.emptiest(|index, zone| zone.is_due(now) && can_move_to(index)) {
            return Some(self.probe(zone));
        }
        let emptiest = self.emptiest(|_, zone| zone.breaker == Breaker::Closed)?;
        let fullest = own.iter().map(|zone| self.units(*zone)).max()?;
        if fullest < self.zones[emptiest.0].units + 2 {
            return None;
        }
        self.zones[emptiest.0].units += 1;
        Some(emptiest)
    }

    /// True while a probe of the zone has no result.
    pub fn is_on_trial(&self, zone: ZoneIndex) -> bool {
        matches!(self.zones[zone.0].breaker, Breaker::Probing | Breaker::Proving { .. })
    }

    /// Closes the breakers of zones whose probes have been ready for long enough. Proving -> Closed
    pub fn close_proven(&mut self, now: Monotonic) {
        let is_proven = |since: Monotonic| now.since(since) >= PROVEN_AFTER;
        for zone in &mut self.zones {
            if matches!(zone.breaker, Breaker::Proving { since } if is_proven(since)) {
                zone.breaker = Breaker::Closed;
                zone.failures.clear();
                zone.failed_probes = 0;
            }
        }
    }

    /// A unit of the zone is ready. Open | Probing -> Proving: a unit that stayed while the zone was out proves it as
    /// well as a probe.
    pub fn unit_ready(&mut self, zone: ZoneIndex, now: Monotonic) {
        let zone = &mut self.zones[zone.0];
        if matches!(zone.breaker, Breaker::Open { .. } | Breaker::Probing) {
            zone.breaker = Breaker::Proving { since: now };
        }
    }

    /// A unit of the zone failed to load or died early. Closed | Probing | Proving -> Open
    pub fn unit_failed(&mut self, zone: ZoneIndex, now: Monotonic) {
        let (probe_after, is_only_one) = (self.probe_after, self.zones.len() == 1);
        let zone = &mut self.zones[zone.0];
        zone.failures.push_back(now);
        while zone.failures.front().is_some_and(|at| now.since(*at) > FAILURE_WINDOW) {
            zone.failures.pop_front();
        }
        // The only zone stays in service: its units have no other zone.
        if !is_only_one && (zone.breaker != Breaker::Closed || zone.failures.len() >= FAILURES) {
            if matches!(zone.breaker, Breaker::Probing | Breaker::Proving { .. }) {
                zone.failed_probes += 1;
            }
            let wait = probe_after * 2_u32.pow(zone.failed_probes.min(MOST_DOUBLINGS));
            zone.breaker = Breaker::Open { until: now + wait };
        }
    }

    /// Counts a unit in the zone that it is to probe. Open -> Probing
    fn probe(&mut self, zone: ZoneIndex) -> ZoneIndex {
        self.zones[zone.0].breaker = Breaker::Probing;
        self.zones[zone.0].units += 1;
        zone
    }

    fn emptiest(&self, is_meant: impl Fn(ZoneIndex, &Zone) -> bool) -> Option<ZoneIndex> {
        let zones = self.zones.iter().enumerate().filter(|(index, zone)| is_meant(ZoneIndex(*index), zone));
        zones.min_by_key(|(_, zone)| zone.units).map(|(index, _)| ZoneIndex(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: Duration = Duration::from_secs(60);
    const LEFT: ZoneIndex = ZoneIndex(0);
    const RIGHT: ZoneIndex = ZoneIndex(1);

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    fn zones() -> Zones {
        Zones::new(vec!["left".into(), "right".into()], PROBE)
    }

    #[test]
    fn units_are_spread() {
        let mut zones = zones();
        let placed: Vec<usize> = (0..4).map(|_| zones.place().0).collect();
        assert_eq!(placed, [0, 1, 0, 1]);
        zones.leave(ZoneIndex(0));
        assert_eq!(zones.place(), ZoneIndex(0));
    }

    #[test]
    fn a_zone_whose_units_keep_failing_is_left_and_comes_back_after_a_probe() {
        let mut zones = zones();
        assert_eq!([zones.place(), zones.place()], [ZoneIndex(0), ZoneIndex(1)]);
        for second in 0..3 {
            assert_eq!(zones.place_elsewhere(LEFT, at(second)), None);
            zones.unit_failed(LEFT, at(second));
        }
        assert_eq!(zones.place_elsewhere(LEFT, at(2)), Some(RIGHT));
        assert_eq!(zones.out(), ["left"]);
        zones.leave(LEFT);
        let own = [RIGHT, RIGHT];
        assert_eq!(zones.place_to_balance(&own, true, at(61)), None, "it is too early to probe");
        assert_eq!(zones.place_to_balance(&own, true, at(62)), Some(ZoneIndex(0)));
        zones.unit_failed(ZoneIndex(0), at(63));
        zones.leave(ZoneIndex(0));
        assert_eq!(zones.place_to_balance(&own, true, at(182)), None, "a failed probe doubles the wait");
        assert_eq!(zones.place_to_balance(&own, true, at(183)), Some(ZoneIndex(0)));
        zones.unit_ready(ZoneIndex(0), at(184));
        zones.close_proven(at(193));
        assert_eq!(zones.out(), ["left"], "it has yet to prove itself");
        zones.close_proven(at(194));
        assert!(zones.out().is_empty());
        assert_eq!(zones.place_to_balance(&own, true, at(194)), None);
    }

    #[test]
    fn a_unit_that_is_ready_in_a_zone_that_is_out_proves_it() {
        let mut zones = zones();
        (0..3).for_each(|second| zones.unit_failed(ZoneIndex(0), at(second)));
        zones.unit_ready(ZoneIndex(0), at(5));
        zones.close_proven(at(14));
        assert_eq!(zones.out(), ["left"]);
        zones.close_proven(at(15));
        assert!(zones.out().is_empty());
    }

    #[test]
    fn an_uneven_box_is_balanced_and_an_even_one_left_alone() {
        let mut zones = zones();
        assert_eq!([zones.place(), zones.place(), zones.place()], [0, 1, 0].map(ZoneIndex));
        assert_eq!(zones.place_to_balance(&[LEFT, RIGHT, LEFT], true, at(0)), None);
        zones.leave(RIGHT);
        assert_eq!(zones.place_to_balance(&[], true, at(0)), None, "the units are those of others");
        assert_eq!(zones.place_to_balance(&[LEFT, LEFT], true, at(0)), Some(ZoneIndex(1)));
    }

    #[test]
    fn with_all_zones_out_a_unit_that_dies_probes_another_one() {
        let mut zones = zones();
        for (zone, second) in [(LEFT, 0), (LEFT, 1), (LEFT, 2), (RIGHT, 30), (RIGHT, 31)] {
            zones.unit_failed(zone, at(second));
        }
        assert_eq!(zones.place_elsewhere(RIGHT, at(62)), None, "the right zone is in service");
        zones.unit_failed(RIGHT, at(62));
        assert_eq!(zones.place_elsewhere(RIGHT, at(61)), None, "it is too early to probe");
        assert_eq!(zones.place_elsewhere(RIGHT, at(62)), Some(LEFT));
        assert_eq!(zones.place_elsewhere(RIGHT, at(63)), None, "one probe is enough");
        zones.unit_failed(LEFT, at(64));
        assert_eq!(zones.place_elsewhere(RIGHT, at(183)), None, "a failed probe doubles the wait");
        assert_eq!(zones.place_elsewhere(RIGHT, at(184)), Some(LEFT));
    }

    #[test]
    fn a_zone_is_not_on_trial_without_a_probe() {
        let mut zones = zones();
        assert_eq!([zones.place(), zones.place(), zones.place()], [LEFT, RIGHT, LEFT]);
        (0..3).for_each(|second| zones.unit_failed(LEFT, at(second)));
        assert_eq!(zones.place_to_balance(&[LEFT, LEFT], false, at(62)), None, "no unit can move there");
        assert!(!zones.is_on_trial(LEFT));
        assert_eq!(zones.place_to_balance(&[LEFT, RIGHT], false, at(62)), Some(LEFT));
        assert!(zones.is_on_trial(LEFT));
        zones.leave(LEFT);
        assert!(!zones.is_on_trial(LEFT), "the probe may have left, and two others stay");
        assert_eq!(zones.probe_due(at(62)), Some("left"));
    }

    #[test]
    fn old_failures_are_forgotten_and_the_only_zone_is_never_out() {
        let mut zones = zones();
        for second in [0, 1, 700] {
            zones.unit_failed(ZoneIndex(0), at(second));
        }
        assert!(zones.out().is_empty());
        let mut only = Zones::new(vec!["cpu".into()], PROBE);
        (0..9).for_each(|second| only.unit_failed(ZoneIndex(0), at(second)));
        assert!(only.out().is_empty());
        assert_eq!(only.place(), ZoneIndex(0));
    }
}
