//! The capacity that counts: the measured one, with play.
//!
//! Measurements wobble with temperature and scenes. Cameras must not move with them.

use crate::cluster::placer::input::BoxState;
use std::collections::BTreeMap;

/// A measured capacity within this factor of the one that counts changes nothing: ten percent up and down are within it.
/// One that is further away pulls it along up to this distance.
const PLAY: f64 = 1.125;

/// A measured capacity that is further away than this is no wobble of ten percent, even from one end to the other, and
/// counts as it is: a box that throttles, or one that is alone again.
const JUMP: f64 = 1.25;

/// Transactions a second of each model on each box.
#[derive(Debug, Default)]
pub(super) struct Capacities(BTreeMap<String, BTreeMap<String, f64>>);

impl Capacities {
    /// Takes the measured values. Those of boxes and models that are gone are forgotten.
    pub(super) fn follow(&mut self, boxes: &BTreeMap<String, BoxState>) {
        self.0.retain(|name, _| boxes.contains_key(name));
        for (name, state) in boxes {
            if !self.0.contains_key(name) {
                self.0.insert(name.clone(), BTreeMap::new());
            }
            let Some(kept) = self.0.get_mut(name) else { continue };
            kept.retain(|model, _| state.capacity_tps.get(model).is_some_and(|tps| is_usable(*tps)));
            for (model, tps) in state.capacity_tps.iter().filter(|(_, tps)| is_usable(**tps)) {
                let measured = f64::from(*tps);
                match kept.get_mut(model) {
                    Some(kept) if *kept > measured * JUMP || *kept < measured / JUMP => *kept = measured,
                    Some(kept) => *kept = kept.clamp(measured / PLAY, measured * PLAY),
                    None => drop(kept.insert(model.clone(), measured)),
                }
            }
        }
    }

    /// The capacity of a box for a model; 0 if it has none.
    pub(super) fn of(&self, name: &str, model: &str) -> f64 {
        self.0.get(name).and_then(|kept| kept.get(model)).copied().unwrap_or(0.0)
    }
}

/// True if a box with this capacity can look at a camera at all.
pub(super) fn is_usable(tps: f32) -> bool {
    tps.is_finite() && tps > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(capacities: &mut Capacities, tps: f32) -> f64 {
        let state = BoxState { capacity_tps: [("m".to_owned(), tps)].into(), ..BoxState::default() };
        capacities.follow(&[("a".to_owned(), state)].into());
        capacities.of("a", "m")
    }

    #[test]
    fn a_tenth_up_and_down_changes_nothing_and_more_pulls_along() {
        let mut capacities = Capacities::default();
        for tps in [100.0, 90.0, 110.0, 91.0, 109.0] {
            assert_eq!(follow(&mut capacities, tps), 100.0);
        }
        assert_eq!(follow(&mut capacities, 80.0), 90.0);
        assert_eq!(follow(&mut capacities, 98.0), 90.0);
        assert_eq!(follow(&mut capacities, 60.0), 60.0, "no wobble");
        assert_eq!(follow(&mut capacities, 66.0), 60.0);
        assert_eq!(follow(&mut capacities, 200.0), 200.0);
    }

    #[test]
    fn a_wobble_that_begins_at_its_end_changes_what_counts_once() {
        let mut capacities = Capacities::default();
        let counted: Vec<f64> = [90.0, 110.0, 90.0, 110.0, 90.0].map(|tps| follow(&mut capacities, tps)).into();
        assert!(counted[1..].iter().all(|tps| (*tps - 110.0 / PLAY).abs() < 1e-9), "{counted:?}");
    }

    #[test]
    fn what_is_no_capacity_counts_as_none() {
        let mut capacities = Capacities::default();
        for tps in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert_eq!(follow(&mut capacities, tps), 0.0);
        }
        assert_eq!(follow(&mut capacities, 100.0), 100.0);
        assert_eq!(follow(&mut capacities, 0.0), 0.0);
        assert_eq!(follow(&mut capacities, 20.0), 20.0, "a box that had stopped the model is measured anew");
        capacities.follow(&BTreeMap::new());
        assert_eq!(capacities.of("a", "m"), 0.0);
    }
}
