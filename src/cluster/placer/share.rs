//! The share of a box that a camera takes.

/// The least that a camera counts for, in transactions a second. Cameras that need nothing yet would all go to one box.
const LEAST_TPS: f64 = 0.1;

/// The share of a box's processors that decoding may take by plan. The rest is for the daemon, for what units do beside inference,
/// and for cameras that are all busy at once.
const DECODING_SHARE: f64 = 0.7;

/// What a camera needs of a box, and what the box has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::cluster) struct Demand {
    /// Transactions a second that the camera needs.
    pub tps: f32,
    /// Those that the box can do with its model; more than 0.
    pub capacity_tps: f64,
    /// The processor cores that receiving and decoding it takes; 0: not known.
    pub cores: f32,
    /// Those that the box has; 0: not known.
    pub box_cores: f32,
}

impl Demand {
    /// The share of the box: of its units, or of its processors, whichever is more.
    ///
    /// The larger one and not the sum, since units that run on the same processors are measured beside the decoding: the more that
    /// takes, the fewer transactions they can do. On a box with an accelerator the two are apart. Summed up over cameras it is too
    /// much where some need mostly the one and others the other, and never too little.
    pub(in crate::cluster) fn share(self) -> f64 {
        let of_units = f64::from(self.tps).max(LEAST_TPS) / self.capacity_tps;
        let of_processors = f64::from(self.cores) / (DECODING_SHARE * f64::from(self.box_cores));
        // `max` makes a number of what is none, which is what two figures that are not known make.
        of_units.max(if self.box_cores > 0.0 { of_processors } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_camera_takes_more_of() {
        let demand = Demand { tps: 5.0, capacity_tps: 100.0, cores: 0.1, box_cores: 4.0 };
        assert!((demand.share() - 0.05).abs() < 1e-6);
        assert!((Demand { cores: 0.7, ..demand }.share() - 0.25).abs() < 1e-6);
        assert!((Demand { cores: 0.7, box_cores: 0.0, ..demand }.share() - 0.05).abs() < 1e-6, "not known");
        assert!((Demand { tps: 0.0, cores: 0.0, ..demand }.share() - 0.001).abs() < 1e-9, "never nothing");
        assert!((Demand { tps: f32::NAN, cores: f32::NAN, ..demand }.share() - 0.001).abs() < 1e-9);
    }
}
