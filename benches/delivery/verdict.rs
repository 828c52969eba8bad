//! Whether what was promised was kept: what was stored against what arrived.

use crate::report::Figure;
use crate::stored::Stored;
use crate::support::wait_for;
use crate::witness::{Arrival, Witness};
use crate::{figure, statistics};
use ocelli::publish::outbox::WINDOW;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

/// See the module.
pub(crate) struct Verdict {
    stored: usize,
    faults: usize,
    /// Stored, and never seen.
    missing: usize,
    /// Seen, and not stored.
    unknown: usize,
    /// Events of a camera that were first seen after a later one.
    out_of_order: usize,
    /// Seen again with another content.
    changed: usize,
    dropped: i64,
    repeated: usize,
    most_repeated_by_a_fault: usize,
    delays_ms: Vec<f64>,
}

impl Verdict {
    /// Compares, once all has arrived that is going to.
    pub(crate) fn of(stored: &Stored, witness: Witness, faults: usize) -> Self {
        // Its subscription has ended with the broker; its thread reads what was sent before.
        let mut count = usize::MAX;
        wait_for("the last arrival", Duration::from_secs(30), || {
            std::thread::sleep(Duration::from_millis(200));
            let before = std::mem::replace(&mut count, witness.count());
            (before == count).then_some(())
        });
        Self::compare(stored, &witness.take(), faults)
    }

    fn compare(stored: &Stored, arrivals: &[Arrival], faults: usize) -> Self {
        let mut first: HashMap<&str, &Arrival> = HashMap::new();
        let mut in_order: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut repeated_by: BTreeMap<u64, usize> = BTreeMap::new();
        let mut changed = 0;
        for arrival in arrivals {
            match first.get(arrival.id.as_str()) {
                None => {
                    first.insert(&arrival.id, arrival);
                    in_order.entry(&arrival.camera).or_default().push(&arrival.id);
                }
                Some(before) => {
                    *repeated_by.entry(arrival.fault).or_default() += 1;
                    changed += usize::from(before.content != arrival.content);
                }
            }
        }
        let positions: HashMap<&str, usize> =
            stored.events.iter().enumerate().map(|(at, event)| (event.id.as_str(), at)).collect();
        let late = |ids: &Vec<&str>| {
            let places: Vec<_> = ids.iter().filter_map(|id| positions.get(id)).collect();
            places.windows(2).filter(|pair| pair[1] < pair[0]).count()
        };
        let missing = stored.events.iter().filter(|event| !first.contains_key(event.id.as_str())).count();
        let ids: HashSet<&str> = stored.events.iter().map(|event| event.id.as_str()).collect();
        let cameras: HashSet<&str> = stored.events.iter().map(|event| event.camera.as_str()).collect();
        assert_eq!((ids.len(), cameras.len()), (stored.events.len(), crate::event_daemon::CAMERAS), "ids repeat");
        Self {
            stored: stored.events.len(),
            faults,
            missing,
            unknown: first.keys().filter(|id| !ids.contains(**id)).count(),
            out_of_order: in_order.values().map(late).sum(),
            changed,
            dropped: stored.dropped,
            repeated: repeated_by.values().sum(),
            most_repeated_by_a_fault: repeated_by.values().copied().max().unwrap_or(0),
            delays_ms: first.values().map(|arrival| arrival.delay_ms).collect(),
        }
    }

    /// False when an event was lost, changed, or came before an earlier one.
    pub(crate) fn is_kept(&self) -> bool {
        self.missing + self.unknown + self.out_of_order + self.changed == 0
            && self.dropped == 0
            && self.most_repeated_by_a_fault <= WINDOW
    }

    pub(crate) fn tell(&self, figures: &mut Vec<Figure>) {
        let method = "ten scripted cameras, the whole daemon, mosquitto without persistence, mosquitto_sub";
        let late = |share| statistics::percentile(self.delays_ms.clone(), share);
        figures.extend([
            figure("delivery: events stored", self.stored as f64, "", None, method),
            figure("delivery: faults", self.faults as f64, "", None, method),
            figure("delivery: missing", self.missing as f64, "", Some(0.0), method),
            figure("delivery: seen, not stored", self.unknown as f64, "", Some(0.0), method),
            figure("delivery: first seen after a later one", self.out_of_order as f64, "", Some(0.0), method),
            figure("delivery: repeated with another content", self.changed as f64, "", Some(0.0), method),
            figure("delivery: dropped", self.dropped as f64, "", Some(0.0), method),
            figure("delivery: repeated", self.repeated as f64, "", None, method),
            figure(
                "delivery: repeated by one fault, most",
                self.most_repeated_by_a_fault as f64,
                "",
                Some(WINDOW as f64),
                method,
            ),
            figure("delivery: from happening to seen, p50", late(0.5), "ms", None, method),
            figure("delivery: from happening to seen, p99", late(0.99), "ms", None, method),
            figure("delivery: from happening to seen, longest", late(1.0), "ms", None, method),
        ]);
    }
}
