//! How long boxes have been what they are.
//!
//! Cameras do not move for balance while boxes come and go: each such move would be in vain. A box that comes and goes
//! itself, again and again, must not keep the others from it, so what it does is not counted until it stays.

use crate::cluster::placer::capacity::is_usable;
use crate::cluster::placer::input::BoxState;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// A box that has been gone for so long comes as a new one.
const FORGET: Duration = Duration::from_secs(600);

/// What makes a box another one for the placer. How fast it is does not: measurements wobble.
#[derive(Debug, Eq, PartialEq)]
struct Looks {
    zone: String,
    is_draining: bool,
    models: Vec<String>,
}

impl Looks {
    fn of(state: &BoxState) -> Self {
        let models = state.capacity_tps.iter().filter(|(_, tps)| is_usable(**tps));
        let models = models.map(|(model, _)| model.clone()).collect();
        Self { zone: state.zone.clone(), is_draining: state.is_draining, models }
    }
}

#[derive(Debug)]
struct Memory {
    /// `None` while it is gone.
    looks: Option<Looks>,
    since: Monotonic,
    /// It left before it had settled, and has not settled since.
    is_unsteady: bool,
}

/// The boxes as they were at the last look.
#[derive(Debug, Default)]
pub(super) struct Steadiness {
    boxes: BTreeMap<String, Memory>,
    changed_at: Monotonic,
}

impl Steadiness {
    /// Compares the boxes with those of the last look.
    pub(super) fn look(&mut self, boxes: &BTreeMap<String, BoxState>, settle: Duration, now: Monotonic) {
        let mut is_changed = false;
        for (name, memory) in &mut self.boxes {
            if memory.looks.is_some() && !boxes.contains_key(name) {
                is_changed |= !memory.is_unsteady;
                memory.is_unsteady |= now.since(memory.since) < settle;
                (memory.looks, memory.since) = (None, now);
            }
        }
        for (name, state) in boxes {
            let looks = Some(Looks::of(state));
            match self.boxes.get_mut(name) {
                None => {
                    is_changed = true;
                    self.boxes.insert(name.clone(), Memory { looks, since: now, is_unsteady: false });
                }
                Some(memory) if memory.looks != looks => {
                    is_changed |= !memory.is_unsteady;
                    (memory.looks, memory.since) = (looks, now);
                }
                Some(memory) => memory.is_unsteady &= now.since(memory.since) < settle,
            }
        }
        self.boxes.retain(|_, memory| memory.looks.is_some() || now.since(memory.since) < FORGET);
        if is_changed {
            self.changed_at = now;
        }
    }

    /// True if a box has been the same for the time.
    pub(super) fn has_settled(&self, name: &str, settle: Duration, now: Monotonic) -> bool {
        self.boxes.get(name).is_some_and(|memory| memory.looks.is_some() && now.since(memory.since) >= settle)
    }

    /// True if a box left before it had settled, and has not settled since.
    pub(super) fn is_unsteady(&self, name: &str) -> bool {
        self.boxes.get(name).is_some_and(|memory| memory.is_unsteady)
    }

    /// True if all boxes but the unsteady ones have been the same for the time.
    pub(super) fn all_have_settled(&self, settle: Duration, now: Monotonic) -> bool {
        now.since(self.changed_at) >= settle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_secs(30);

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    fn boxes(names: &[&str]) -> BTreeMap<String, BoxState> {
        names.iter().map(|name| ((*name).to_owned(), BoxState::default())).collect()
    }

    #[test]
    fn a_box_that_comes_and_goes_counts_twice_and_then_no_more_until_it_stays() {
        let mut steadiness = Steadiness::default();
        steadiness.look(&boxes(&["a"]), SETTLE, at(0));
        assert!(!steadiness.all_have_settled(SETTLE, at(29)) && steadiness.all_have_settled(SETTLE, at(30)));
        steadiness.look(&boxes(&["a", "b"]), SETTLE, at(100));
        steadiness.look(&boxes(&["a"]), SETTLE, at(110));
        assert!(!steadiness.all_have_settled(SETTLE, at(139)), "it came and went for the first time");
        for second in [120, 160, 200] {
            steadiness.look(&boxes(&["a", "b"]), SETTLE, at(second));
            assert!(steadiness.is_unsteady("b") && !steadiness.has_settled("b", SETTLE, at(second)));
            steadiness.look(&boxes(&["a"]), SETTLE, at(second + 20));
        }
        assert!(steadiness.all_have_settled(SETTLE, at(220)), "the rest goes on");
        steadiness.look(&boxes(&["a", "b"]), SETTLE, at(240));
        steadiness.look(&boxes(&["a", "b"]), SETTLE, at(270));
        assert!(!steadiness.is_unsteady("b") && steadiness.has_settled("b", SETTLE, at(270)));
        steadiness.look(&boxes(&["a"]), SETTLE, at(300));
        assert!(!steadiness.all_have_settled(SETTLE, at(301)), "it had stayed, so that it goes is news");
    }

    #[test]
    fn a_box_that_drains_or_gets_a_model_is_another_one_and_a_faster_one_is_not() {
        let mut steadiness = Steadiness::default();
        let mut now = boxes(&["a"]);
        let mut settled_after = |change: &dyn Fn(&mut BoxState), second| {
            now.values_mut().for_each(change);
            steadiness.look(&now, SETTLE, at(second));
            steadiness.has_settled("a", SETTLE, at(second))
        };
        assert!(!settled_after(&|_| {}, 0));
        assert!(!settled_after(&|state| state.capacity_tps.extend([("m".into(), 5.0)]), 100));
        assert!(settled_after(&|state| state.capacity_tps.extend([("m".into(), 50.0)]), 200));
        assert!(!settled_after(&|state| state.is_draining = true, 300));
        assert!(!settled_after(&|state| state.zone = "hall".into(), 400));
        assert!(settled_after(&|_| {}, 430));
    }
}
