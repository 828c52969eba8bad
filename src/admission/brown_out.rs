//! Brown-out: under overload, each camera is throttled to its share of what the units can do.
//!
//! A frame that will be superseded before its turn costs a copy and a message for nothing. So each camera is asked only for
//! its share by weight of what the units can analyse, plus some headroom, so that no unit runs idle. Capacity is counted in
//! transactions: a frame that is split into tiles takes several.

use std::time::Duration;

/// How often the rates are recomputed.
pub(crate) const PACE_PERIOD: Duration = Duration::from_secs(2);

/// Cameras are asked for this multiple of what the units can do.
const HEADROOM: f64 = 1.15;

/// What one camera would send if it were not throttled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CameraDemand {
    /// The camera's share of the units, relative to the other cameras.
    pub weight: u32,
    /// Transactions a second: frames times the transactions of each.
    pub wanted_tps: f64,
}

/// Returns the transactions a second granted to each camera when the units can do `capacity_tps`: its full demand, or its
/// share by weight of what cameras with smaller demands leave. `None` when no camera is throttled, because there is enough
/// for all or because the capacity is unknown (`None`).
pub(crate) fn allot(capacity_tps: Option<f64>, demands: &[CameraDemand]) -> Option<Vec<f64>> {
    let wanted: f64 = demands.iter().map(|demand| demand.wanted_tps).sum();
    let capacity_tps = capacity_tps.filter(|capacity| wanted > *capacity)?;
    let mut granted = vec![None; demands.len()];
    let mut remaining = capacity_tps * HEADROOM;
    loop {
        let open = || demands.iter().enumerate().filter(|(index, _)| granted[*index].is_none());
        let weights: f64 = open().map(|(_, demand)| f64::from(demand.weight)).sum();
        let share = |demand: &CameraDemand| remaining * f64::from(demand.weight) / weights;
        let satisfied: Vec<usize> =
            open().filter(|(_, demand)| demand.wanted_tps <= share(demand)).map(|(index, _)| index).collect();
        if satisfied.is_empty() {
            let rest: Vec<(usize, f64)> = open().map(|(index, demand)| (index, share(demand))).collect();
            for (index, tps) in rest {
                granted[index] = Some(tps);
            }
            return Some(granted.into_iter().map(|tps| tps.unwrap_or_default()).collect());
        }
        for index in satisfied {
            remaining -= demands[index].wanted_tps;
            granted[index] = Some(demands[index].wanted_tps);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn demand(weight: u32, wanted_tps: f64) -> CameraDemand {
        CameraDemand { weight, wanted_tps }
    }

    #[test]
    fn no_camera_is_throttled_while_there_is_enough_or_the_capacity_is_unknown() {
        assert_eq!(allot(Some(20.0), &[demand(1, 10.0), demand(1, 10.0)]), None);
        assert_eq!(allot(None, &[demand(1, 10.0)]), None);
    }

    #[test]
    fn a_capacity_of_zero_is_not_an_unknown_one() {
        assert_eq!(allot(Some(0.0), &[demand(1, 10.0)]), Some(vec![0.0]));
    }

    #[test]
    fn a_small_demand_is_granted_and_the_rest_is_shared_by_weight() {
        let granted = allot(Some(20.0), &[demand(1, 1.0), demand(2, 30.0), demand(1, 30.0)]).unwrap();
        let expected = [1.0, 22.0 * 2.0 / 3.0, 22.0 / 3.0];
        assert!(granted.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-9), "{granted:?}");
    }

    proptest! {
        #[test]
        fn nothing_is_granted_twice_and_no_camera_gets_more_than_its_demand(
            capacity in 1.0..500.0f64,
            demands in prop::collection::vec((1u32..10, 0.1..120.0f64), 1..12),
        ) {
            let demands: Vec<CameraDemand> = demands.into_iter().map(|(weight, tps)| demand(weight, tps)).collect();
            if let Some(granted) = allot(Some(capacity), &demands) {
                prop_assert!(granted.iter().sum::<f64>() <= capacity * HEADROOM + 1e-6);
                for (tps, demand) in granted.iter().zip(&demands) {
                    prop_assert!(*tps > 0.0 && *tps <= demand.wanted_tps + 1e-9);
                }
            }
        }
    }
}
