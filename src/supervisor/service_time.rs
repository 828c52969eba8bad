//! The service time of one transaction in one unit, by kind of input, and the TPS and deadlines that follow from it.
//!
//! Each tile of a picture is a transaction. Units of one box share its cores and memory, so a transaction takes longer
//! while all units are busy. The TPS is computed from measurements without an idle unit as soon as there are enough;
//! until then all measurements are used, which makes it a little too high.

use crate::admission::WorkKind;
use std::time::Duration;

/// The weight of the newest measurement: the average follows a change within about 20 items.
const NEWEST: f64 = 0.1;

/// The number of measurements from which an average is trusted.
const ENOUGH: u32 = 8;

/// A measurement counts as at most this many averages: one delayed item does not make a unit slow, and a unit that is
/// slow shows within a few items.
const MOST_OF_ONE: f64 = 3.0;

/// The shortest deadline of a batch.
const SHORTEST_DEADLINE: Duration = Duration::from_secs(2);

/// A moving average.
#[derive(Clone, Copy, Debug, Default)]
struct Average {
    value: f64,
    count: u32,
}

impl Average {
    fn record(&mut self, value: f64) {
        let value = if self.count < ENOUGH { value } else { value.min(MOST_OF_ONE * self.value) };
        let weight = if self.count == 0 { 1.0 } else { NEWEST };
        self.value += weight * (value - self.value);
        self.count = self.count.saturating_add(1);
    }

    fn after(self, count: u32) -> Option<f64> {
        (self.count >= count).then_some(self.value)
    }
}

/// Seconds per transaction of one kind of input.
#[derive(Clone, Copy, Debug, Default)]
struct OfKind {
    always: Average,
    /// Measured while no unit was idle.
    at_work: Average,
}

impl OfKind {
    fn seconds(&self) -> Option<f64> {
        self.at_work.after(ENOUGH).or(self.always.after(1))
    }
}

/// Moving averages of the time of one transaction in one unit.
#[derive(Clone, Debug, Default)]
pub struct ServiceTime {
    frames: OfKind,
    images: OfKind,
    all: Average,
    /// The moving average of the share of images among the items, 0..=1.
    image_share: f64,
    /// Units in service while the `at_work` averages were measured.
    units: usize,
}

impl ServiceTime {
    /// Records the time of one transaction, measured with `units` in service; `all_worked`: none of them was idle.
    pub fn record(&mut self, kind: WorkKind, time: Duration, units: usize, all_worked: bool) {
        if units != self.units {
            (self.units, self.frames.at_work, self.images.at_work) = (units, Average::default(), Average::default());
        }
        let seconds = time.as_secs_f64();
        self.all.record(seconds);
        let image = f64::from(u8::from(kind == WorkKind::Image));
        self.image_share += NEWEST * (image - self.image_share);
        let of_kind = match kind {
            WorkKind::Frame => &mut self.frames,
            WorkKind::Image => &mut self.images,
        };
        of_kind.always.record(seconds);
        if all_worked {
            of_kind.at_work.record(seconds);
        }
    }

    /// The average over frames and images; `None` before the first measurement.
    pub fn average(&self) -> Option<Duration> {
        self.all.after(1).map(Duration::from_secs_f64)
    }

    /// Transactions a second of one busy unit, with the current mix of frames and images; 0 before the first
    /// measurement.
    pub fn tps(&self) -> f64 {
        let share = self.image_share;
        let mixed = match (self.frames.seconds(), self.images.seconds()) {
            (Some(frame), Some(image)) => Some((1.0 - share) * frame + share * image),
            (frame, image) => frame.or(image),
        };
        rate(mixed)
    }

    /// The same for one kind. Until it has been measured, the other kind's average is used.
    pub fn tps_of(&self, kind: WorkKind) -> f64 {
        let (frame, image) = (self.frames.seconds(), self.images.seconds());
        rate(match kind {
            WorkKind::Frame => frame.or(image),
            WorkKind::Image => image.or(frame),
        })
    }

    /// The time limit of a batch: eight times the average of the slower kind for each transaction, at least 2 s in
    /// total and at most `longest` for each.
    pub fn deadline(&self, longest: Duration, transactions: u32) -> Duration {
        let longest = longest * transactions;
        let slower = [self.frames, self.images].into_iter().filter_map(|kind| kind.always.after(1)).reduce(f64::max);
        let eightfold = |seconds: f64| Duration::from_secs_f64(8.0 * seconds * f64::from(transactions));
        let eightfold = slower.map_or(longest, eightfold);
        eightfold.max(SHORTEST_DEADLINE).min(longest)
    }
}

fn rate(seconds: Option<f64>) -> f64 {
    seconds.map_or(0.0, |seconds| 1.0 / seconds.max(1e-6))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(times: &mut ServiceTime, kind: WorkKind, ms: u64, all_worked: bool) {
        (0..100).for_each(|_| times.record(kind, Duration::from_millis(ms), 2, all_worked));
    }

    fn about(value: f64, expected: f64) -> bool {
        (value / expected - 1.0).abs() < 0.01
    }

    #[test]
    fn each_kind_is_measured_by_itself_and_stands_in_for_the_other() {
        let mut times = ServiceTime::default();
        assert_eq!((times.tps(), times.tps_of(WorkKind::Image)), (0.0, 0.0));
        record(&mut times, WorkKind::Frame, 10, false);
        assert!(about(times.tps_of(WorkKind::Image), 100.0), "nothing better is known yet");
        record(&mut times, WorkKind::Image, 40, false);
        assert!(about(times.tps_of(WorkKind::Frame), 100.0) && about(times.tps_of(WorkKind::Image), 25.0));
        assert!(about(times.tps(), 25.0), "the latest items are all images");
        for _ in 0..200 {
            times.record(WorkKind::Frame, Duration::from_millis(10), 2, false);
            times.record(WorkKind::Image, Duration::from_millis(40), 2, false);
        }
        assert!((times.tps() - 40.0).abs() < 2.0, "{}", times.tps());
    }

    #[test]
    fn what_the_units_do_without_idle_time_is_what_they_can_do() {
        let mut times = ServiceTime::default();
        record(&mut times, WorkKind::Frame, 10, false);
        assert!(about(times.tps(), 100.0));
        record(&mut times, WorkKind::Frame, 12, true);
        record(&mut times, WorkKind::Frame, 10, false);
        assert!(about(times.tps(), 1e3 / 12.0), "a quiet hour does not make the units faster");
        times.record(WorkKind::Frame, Duration::from_millis(10), 3, true);
        assert!(times.tps() > 95.0, "another number of units starts a new measurement");
    }

    #[test]
    fn one_item_that_was_held_up_does_not_make_a_unit_slow_and_ten_do() {
        let mut times = ServiceTime::default();
        record(&mut times, WorkKind::Frame, 10, true);
        times.record(WorkKind::Frame, Duration::from_secs(1), 2, true);
        assert!(times.tps() > 80.0, "{}", times.tps());
        record(&mut times, WorkKind::Frame, 100, true);
        assert!(about(times.tps(), 10.0), "{}", times.tps());
    }

    #[test]
    fn the_deadline_follows_the_slower_kind_within_its_bounds() {
        let mut times = ServiceTime::default();
        let longest = Duration::from_secs(10);
        assert_eq!(times.deadline(longest, 1), longest);
        assert_eq!(times.deadline(longest, 5), 5 * longest);
        record(&mut times, WorkKind::Frame, 10, false);
        assert_eq!(times.deadline(longest, 1), SHORTEST_DEADLINE);
        assert_eq!(times.deadline(longest, 5), SHORTEST_DEADLINE);
        record(&mut times, WorkKind::Image, 500, false);
        assert!((times.deadline(longest, 1).as_secs_f64() - 4.0).abs() < 0.01);
        assert!((times.deadline(longest, 5).as_secs_f64() - 20.0).abs() < 0.05);
        record(&mut times, WorkKind::Image, 5_000, false);
        assert_eq!(times.deadline(longest, 1), longest);
    }
}
