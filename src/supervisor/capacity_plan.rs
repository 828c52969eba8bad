//! Sizing from measured throughput: how many units, and how many cameras.

/// The measured throughput of a number of units that run at the same time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Threads of one inference.
    pub threads: u16,
    /// Units that run at the same time.
    pub units: usize,
    /// Transactions a second of all units together.
    pub tps: f64,
}

impl Measured {
    /// Transactions a second of one unit.
    pub fn unit_tps(&self) -> f64 {
        self.tps / self.units as f64
    }
}

/// The planned utilisation of units, as in the autoscaler; the rest is headroom for bursts.
pub const PLANNED_USE: f64 = 0.7;

/// A split with more units or threads must be faster by this factor.
const WORTH_IT: f64 = 1.02;

/// The fastest split of the cores. Between about equal ones, the one with fewer units, then with fewer threads.
pub fn best(measured: &[Measured]) -> Option<Measured> {
    let mut sorted = measured.to_vec();
    sorted.sort_by_key(|one| (one.units, one.threads));
    sorted.into_iter().reduce(|best, one| if one.tps > best.tps * WORTH_IT { one } else { best })
}

/// Units for a load in transactions a second: `ceil(required / TPS per unit)`, at least one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and bounded")]
pub fn units_for(required_tps: f64, unit_tps: f64) -> usize {
    (required_tps / unit_tps.max(1e-6)).ceil().clamp(1.0, 1e6) as usize
}

/// The number of cameras with `fps` frames a second that `tps` serves at [`PLANNED_USE`].
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and bounded")]
pub fn cameras_at(fps: f64, tps: f64) -> usize {
    (tps * PLANNED_USE / fps.max(1e-3)).floor().clamp(0.0, 1e6) as usize
}

/// What a box has for its cameras.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Processor cores.
    pub cores: f64,
    /// Transactions a second of all units together.
    pub tps: f64,
    /// Whether `tps` takes all these cores. An accelerator takes none.
    pub units_use_cores: bool,
}

/// What one camera takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CameraNeed {
    /// Processor cores of its capture process.
    pub cores: f64,
    /// Transactions a second.
    pub tps: f64,
}

/// The number of cameras that fit at [`PLANNED_USE`] of units and cores, if a share of them, 0..=1, is busy at any time and the
/// others are idle.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and bounded")]
pub fn cameras_with(budget: Budget, busy: CameraNeed, idle: CameraNeed, busy_share: f64) -> usize {
    let mean = |busy: f64, idle: f64| busy * busy_share + idle * (1.0 - busy_share);
    let (cores, tps) = (mean(busy.cores, idle.cores), mean(busy.tps, idle.tps));
    let units_take = tps / budget.tps.max(1e-6);
    let cores_take = cores / budget.cores.max(1e-6);
    let takes = if budget.units_use_cores { units_take + cores_take } else { units_take.max(cores_take) };
    // What fits exactly must not be lost to rounding.
    (PLANNED_USE / takes.max(1e-6) + 1e-9).floor().clamp(0.0, 1e6) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(threads: u16, units: usize, tps: f64) -> Measured {
        Measured { threads, units, tps }
    }

    #[test]
    fn the_most_wins_and_what_brings_nothing_does_not() {
        let all = [measured(1, 1, 100.0), measured(2, 1, 140.0), measured(1, 2, 190.0), measured(1, 3, 191.0)];
        assert_eq!(best(&all), Some(measured(1, 2, 190.0)));
        assert_eq!(best(&[]), None);
    }

    #[test]
    fn decoding_and_inference_share_the_cores_unless_an_accelerator_infers() {
        let (busy, idle) = (CameraNeed { cores: 0.1, tps: 5.0 }, CameraNeed { cores: 0.02, tps: 0.03 });
        let budget = Budget { cores: 2.0, tps: 100.0, units_use_cores: true };
        let fit = |budget, share| cameras_with(budget, busy, idle, share);
        assert_eq!([1.0, 0.05, 0.0].map(|share| fit(budget, share)), [7, 47, 67]);
        let accelerated = Budget { units_use_cores: false, ..budget };
        assert_eq!([1.0, 0.0].map(|share| fit(accelerated, share)), [14, 70]);
        let nothing = CameraNeed { cores: 0.0, tps: 0.0 };
        assert_eq!(cameras_with(budget, nothing, nothing, 0.5), 700_000);
    }

    #[test]
    fn units_are_rounded_up_and_cameras_down() {
        assert_eq!(units_for(100.0, 30.0), 4);
        assert_eq!(units_for(90.0, 30.0), 3);
        assert_eq!(units_for(0.0, 30.0), 1);
        assert_eq!(cameras_at(5.0, 100.0), 14);
        assert_eq!(cameras_at(30.0, 10.0), 0);
    }
}
