//! How long one inference takes, and the deadline that follows from it.

use std::time::Duration;

/// The weight of the newest measurement: the average follows a change within about 20 items.
const NEWEST: f64 = 0.1;

/// No unit is called hung sooner than this.
const SHORTEST_DEADLINE: Duration = Duration::from_secs(2);

/// A moving average of one item in one unit.
#[derive(Clone, Debug, Default)]
pub struct ServiceTime {
    average_seconds: Option<f64>,
}

impl ServiceTime {
    /// Takes one measurement in.
    pub fn record(&mut self, time: Duration) {
        let seconds = time.as_secs_f64();
        self.average_seconds = Some(match self.average_seconds {
            None => seconds,
            Some(average) => average + NEWEST * (seconds - average),
        });
    }

    /// The average; `None` before the first measurement.
    pub fn average(&self) -> Option<Duration> {
        self.average_seconds.map(Duration::from_secs_f64)
    }

    /// Transactions a second of one unit without idle time; 0 before the first measurement.
    pub fn tps(&self) -> f64 {
        self.average_seconds.map_or(0.0, |seconds| 1.0 / seconds.max(1e-6))
    }

    /// Eight times the average, at least 2 s and at most `longest`.
    pub fn deadline(&self, longest: Duration) -> Duration {
        let eightfold = self.average_seconds.map_or(longest, |average| Duration::from_secs_f64(8.0 * average));
        eightfold.max(SHORTEST_DEADLINE).min(longest)
    }
}
