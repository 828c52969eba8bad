//! The values of an activation over many pictures: its extremes, and where all but a few of them lie.

use crate::ipc::quantize_messages::{ActivationRange, Observed};

/// How the outputs are called that show a value; its number follows.
pub(super) const OBSERVED: &str = "ocelli_observed_";

/// Bins of a histogram. Half of them are for negative values.
const BINS: usize = 4096;

/// The shares of the values that are left out at either end, for the two narrower ranges of [`Observed`].
const LEFT_OUT: [f64; 2] = [1e-5, 1e-4];

/// The histogram of one activation. It grows by joining pairs of bins, so one pass is enough.
#[derive(Debug)]
struct Histogram {
    bins: Vec<u64>,
    /// The largest magnitude that the bins hold, a power of two.
    reach: f32,
    range: ActivationRange,
    count: u64,
}

/// What is observed of a graph with outputs for its activations.
#[derive(Debug)]
pub(in crate::unit) struct Observation {
    names: Vec<String>,
    histograms: Vec<Histogram>,
}

impl Observation {
    /// Observes the activations among these outputs. `None` if there are none.
    pub(in crate::unit) fn of<'a>(outputs: impl Iterator<Item = &'a str>) -> Option<Self> {
        let count = outputs.filter(|name| name.starts_with(OBSERVED)).count();
        let names: Vec<String> = (0..count).map(|place| format!("{OBSERVED}{place}")).collect();
        (count > 0).then(|| Self { histograms: names.iter().map(|_| Histogram::default()).collect(), names })
    }

    /// The outputs with their places.
    pub(in crate::unit) fn names(&self) -> impl Iterator<Item = (usize, &str)> {
        self.names.iter().map(String::as_str).enumerate()
    }

    /// Adds the values of one picture.
    pub(in crate::unit) fn add(&mut self, place: usize, values: &[f32]) {
        if let Some(histogram) = self.histograms.get_mut(place) {
            histogram.add(values);
        }
    }

    /// The ranges so far.
    pub(in crate::unit) fn observed(&self) -> Vec<Observed> {
        self.histograms.iter().map(Histogram::observed).collect()
    }
}

impl Default for Histogram {
    fn default() -> Self {
        let range = ActivationRange { low: f32::MAX, high: f32::MIN };
        Self { bins: vec![0; BINS], reach: f32::MIN_POSITIVE, range, count: 0 }
    }
}

impl Histogram {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place within the bins")]
    fn add(&mut self, values: &[f32]) {
        let values = || values.iter().copied().filter(|value| value.is_finite());
        let most = values().fold(0.0_f32, |most, value| most.max(value.abs()));
        while self.reach < most && self.reach < f32::MAX / 4.0 {
            self.grow();
        }
        let half = BINS as f32 / 2.0;
        for value in values() {
            self.range.low = self.range.low.min(value);
            self.range.high = self.range.high.max(value);
            let place = ((value / self.reach + 1.0) * half) as usize;
            self.bins[place.min(BINS - 1)] += 1;
            self.count += 1;
        }
    }

    /// Doubles the reach.
    fn grow(&mut self) {
        self.reach *= 2.0;
        // A still empty one has nothing to move.
        if self.count == 0 {
            return;
        }
        let mut joined = vec![0; BINS];
        for (place, count) in self.bins.iter().enumerate() {
            joined[BINS / 4 + place / 2] += count;
        }
        self.bins = joined;
    }

    fn observed(&self) -> Observed {
        if self.count == 0 {
            let none = ActivationRange { low: 0.0, high: 0.0 };
            return Observed { whole: none, narrower: [none; 2] };
        }
        Observed { whole: self.range, narrower: LEFT_OUT.map(|share| self.without(share)) }
    }

    /// The range without this share of the values at either end.
    fn without(&self, share: f64) -> ActivationRange {
        let most = self.count as f64 * share;
        let width = 2.0 * self.reach / BINS as f32;
        let bins_left_out = |bins: &mut dyn Iterator<Item = &u64>| {
            let mut sum = 0.0;
            bins.take_while(|count| {
                sum += **count as f64;
                sum <= most
            })
            .count() as f32
        };
        let low = -self.reach + width * bins_left_out(&mut self.bins.iter());
        let high = self.reach - width * bins_left_out(&mut self.bins.iter().rev());
        ActivationRange { low: low.max(self.range.low), high: high.min(self.range.high) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(parts: &[&[f32]]) -> Observed {
        let mut histogram = Histogram::default();
        parts.iter().for_each(|values| histogram.add(values));
        histogram.observed()
    }

    #[test]
    fn the_extremes_are_exact_and_the_narrower_ranges_leave_out_a_few() {
        let mut values: Vec<f32> = (0..100_000).map(|at| at as f32 / 100_000.0 - 0.25).collect();
        values.push(900.0);
        let seen = observed(&[&values]);
        assert_eq!((seen.whole.low, seen.whole.high), (-0.25, 900.0));
        // One of 100,000 is a hundred-thousandth.
        assert!(seen.narrower[0].high < 1.5, "{seen:?}");
        assert!(seen.narrower[1].high <= seen.narrower[0].high && seen.narrower[0].low <= -0.2, "{seen:?}");
    }

    #[test]
    fn the_order_of_pictures_changes_no_more_than_a_bin() {
        let (small, large) = ([0.5_f32; 1000], [7.0_f32; 1000]);
        let (one, other) = (observed(&[&small, &large]), observed(&[&large, &small]));
        assert_eq!(one.whole, other.whole);
        assert!((one.narrower[1].high - other.narrower[1].high).abs() < 0.01, "{one:?} {other:?}");
    }

    #[test]
    fn values_that_are_no_numbers_are_left_out() {
        let seen = observed(&[&[f32::NAN, f32::INFINITY, 1.0, -2.0]]);
        assert_eq!((seen.whole.low, seen.whole.high), (-2.0, 1.0));
        assert_eq!(observed(&[&[f32::NAN]]).whole.high, 0.0);
    }
}
