//! Fewer frames of each camera where the units cannot look at all of them, each counted by the looks that it takes.
//!
//! A frame that will be replaced by a fresher one before its turn comes costs a copy and a message
//! for nothing. Under overload each camera is paced down to its share by weight, a little above what
//! the units can do, so that none of them waits for work.

/// What is asked of the cameras above what the units can do.
const HEADROOM: f64 = 1.15;

/// One camera's wish.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CameraDemand {
    /// Share of the units relative to the other cameras.
    pub weight: u32,
    /// Transactions a second: frames times the looks that each takes.
    pub wanted_tps: f64,
}

/// Transactions a second for each camera where `capacity_tps` can be done: all that it wants, or its share by weight of
/// what those who want less than theirs leave over. `None` when all is well: nobody need be paced.
pub fn allot(capacity_tps: f64, demands: &[CameraDemand]) -> Option<Vec<f64>> {
    let wanted: f64 = demands.iter().map(|demand| demand.wanted_tps).sum();
    if wanted <= capacity_tps || capacity_tps <= 0.0 {
        return None;
    }
    let mut granted = vec![None; demands.len()];
    let mut left = capacity_tps * HEADROOM;
    loop {
        let open = || demands.iter().enumerate().filter(|(index, _)| granted[*index].is_none());
        let weights: f64 = open().map(|(_, demand)| f64::from(demand.weight)).sum();
        let share = |demand: &CameraDemand| left * f64::from(demand.weight) / weights;
        let modest: Vec<usize> =
            open().filter(|(_, demand)| demand.wanted_tps <= share(demand)).map(|(index, _)| index).collect();
        if modest.is_empty() {
            let rest: Vec<(usize, f64)> = open().map(|(index, demand)| (index, share(demand))).collect();
            for (index, tps) in rest {
                granted[index] = Some(tps);
            }
            return Some(granted.into_iter().map(|tps| tps.unwrap_or_default()).collect());
        }
        for index in modest {
            left -= demands[index].wanted_tps;
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
    fn nobody_is_paced_while_there_is_enough() {
        assert_eq!(allot(20.0, &[demand(1, 10.0), demand(1, 10.0)]), None);
        assert_eq!(allot(0.0, &[demand(1, 10.0)]), None, "what the units can do is not known yet");
    }

    #[test]
    fn the_modest_get_all_and_the_rest_is_shared_by_weight() {
        let granted = allot(20.0, &[demand(1, 1.0), demand(2, 30.0), demand(1, 30.0)]).unwrap();
        let expected = [1.0, 22.0 * 2.0 / 3.0, 22.0 / 3.0];
        assert!(granted.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-9), "{granted:?}");
    }

    proptest! {
        #[test]
        fn nothing_is_granted_twice_and_nobody_gets_more_than_wanted(
            capacity in 1.0..500.0f64,
            demands in prop::collection::vec((1u32..10, 0.1..120.0f64), 1..12),
        ) {
            let demands: Vec<CameraDemand> = demands.into_iter().map(|(weight, tps)| demand(weight, tps)).collect();
            if let Some(granted) = allot(capacity, &demands) {
                prop_assert!(granted.iter().sum::<f64>() <= capacity * HEADROOM + 1e-6);
                for (tps, demand) in granted.iter().zip(&demands) {
                    prop_assert!(*tps > 0.0 && *tps <= demand.wanted_tps + 1e-9);
                }
            }
        }
    }
}
