//! Scales the number of units of a model between its minimum and its maximum.
//!
//! The signal is demand in units: arriving transactions a second, accepted or not, times the service time of one. CPU
//! load is no signal, because a healthy box uses all of its CPU. The rules and numbers are those of Knative's pod
//! autoscaler (target, stable and panic window) with the slow scale-in of target tracking. One rule is our own: units
//! of one box share its cores, so a unit that adds no throughput is removed.

use crate::vision::monotonic::Monotonic;
use std::collections::VecDeque;
use std::time::Duration;

/// The period at which [`Autoscaler::observe`] must be called.
pub const EVALUATION_PERIOD: Duration = Duration::from_secs(2);

/// The target utilisation of a unit; the rest is headroom for bursts.
const TARGET: f64 = 0.7;
const STABLE_WINDOW: Duration = Duration::from_secs(60);
const PANIC_WINDOW: Duration = Duration::from_secs(6);
/// If demand in the panic window is this many times the target, scale out at once instead of step by step.
const PANIC_FACTOR: f64 = 2.0;
const PANIC_LASTS: Duration = Duration::from_secs(60);
const OUT_STEP: Duration = Duration::from_secs(10);
const IN_STEP: Duration = Duration::from_secs(60);
/// Scale-in uses the highest demand of this window.
const CALM_WINDOW: Duration = Duration::from_secs(300);
/// Scale in only if the utilisation with one unit fewer stays below this.
const CALM_BELOW: f64 = 0.6;
const CALM_AFTER_OUT: Duration = Duration::from_secs(120);
/// An added unit must raise the throughput by this share of one unit's throughput, or it is removed.
const LEAST_GAIN: f64 = 0.1;
/// How long added units run before their gain is measured.
const TRIAL: Duration = Duration::from_secs(12);
/// The utilisation above which throughput shows what the units can do. Below, it only shows the demand.
const SATURATED: f64 = 0.95;
/// How long a number of units without gain is not tried again.
const CEILING_LASTS: Duration = Duration::from_secs(600);

/// The load since the last sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadSample {
    /// Transactions that arrived, accepted or not.
    pub arrivals: u64,
    /// Transactions that units completed.
    pub completed: u64,
    /// The moving average of the time of one transaction in one unit.
    pub service_time: Duration,
    /// Units in service.
    pub ready: usize,
    /// True if no unit is missing or being replaced.
    pub is_healthy: bool,
    /// The most units of this model that memory and the box's limit allow.
    pub room: usize,
}

/// The rule that changes the number of units.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ScaleReason {
    /// The number was outside the bounds.
    Bounds,
    /// Demand was twice the target over six seconds.
    Panic,
    /// Demand was above the target, or removed units are needed after all.
    Demand,
    /// One unit fewer was enough for five minutes.
    Calm,
    /// Added units did not raise the throughput enough.
    NoGain,
    /// Another model is below its minimum, and the box has no room.
    GivesWay,
}

/// Decides a model's number of units within its bounds.
#[derive(Clone, Debug)]
pub struct Autoscaler {
    min: usize,
    max: usize,
    /// The samples of the stable window.
    recent: VecDeque<Point>,
    /// Time and average demand of the stable window, for [`CALM_WINDOW`].
    calm: VecDeque<(Monotonic, f64)>,
    sampled_at: Option<Monotonic>,
    scaled_out_at: Option<Monotonic>,
    scaled_in_at: Option<Monotonic>,
    panic_until: Option<Monotonic>,
    trial: Option<Trial>,
    ceiling: Option<(usize, Monotonic)>,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    at: Monotonic,
    demand: f64,
    completed_per_second: f64,
}

/// A change of the number of saturated units, to be judged by its effect on the throughput.
#[derive(Clone, Copy, Debug)]
struct Trial {
    units_before: usize,
    rate_before: f64,
    units_after: usize,
    working_since: Option<Monotonic>,
}

impl Trial {
    /// Transactions a second of one unit before the change.
    fn of_one_before(&self) -> f64 {
        self.rate_before / self.units_before as f64
    }
}

impl Autoscaler {
    /// `min` is at least 1 and `max` at least `min`.
    pub fn new(min: usize, max: usize) -> Self {
        let min = min.max(1);
        Self {
            min,
            max: max.max(min),
            recent: VecDeque::new(),
            calm: VecDeque::new(),
            sampled_at: None,
            scaled_out_at: None,
            scaled_in_at: None,
            panic_until: None,
            trial: None,
            ceiling: None,
        }
    }

    /// Records a sample and returns the new number of units, if it is to differ from `desired`. Without a sample only
    /// the bounds apply.
    pub fn observe(
        &mut self,
        sample: Option<LoadSample>,
        desired: usize,
        now: Monotonic,
    ) -> Option<(usize, ScaleReason)> {
        if desired < self.min || desired > self.max {
            return Some((desired.clamp(self.min, self.max), ScaleReason::Bounds));
        }
        let (Some(sample), Some(elapsed)) = (sample, self.elapsed(now)) else {
            self.forget(sample.map(|_| now));
            return None;
        };
        self.record(&sample, elapsed, now);
        let decision = self
            .judge(&sample, now)
            .or_else(|| self.out(&sample, desired, now))
            .or_else(|| self.in_(&sample, desired, now));
        decision.filter(|(units, _)| *units != desired)
    }

    /// Time since the last sample; `None` if there is none, or if it is too old.
    fn elapsed(&self, now: Monotonic) -> Option<Duration> {
        let elapsed = now.since(self.sampled_at?);
        (elapsed <= EVALUATION_PERIOD * 3).then_some(elapsed)
    }

    /// Drops all samples. After a gap they do not describe the load.
    fn forget(&mut self, sampled_at: Option<Monotonic>) {
        self.recent.clear();
        self.calm.clear();
        self.trial = None;
        self.sampled_at = sampled_at;
    }

    fn record(&mut self, sample: &LoadSample, elapsed: Duration, now: Monotonic) {
        let seconds = elapsed.as_secs_f64().max(1e-3);
        let demand = sample.arrivals as f64 / seconds * sample.service_time.as_secs_f64();
        let completed_per_second = sample.completed as f64 / seconds;
        self.sampled_at = Some(now);
        self.recent.push_back(Point { at: now, demand, completed_per_second });
        while self.recent.front().is_some_and(|point| now.since(point.at) > STABLE_WINDOW) {
            self.recent.pop_front();
        }
        self.calm.push_back((now, self.average(STABLE_WINDOW, now, |point| point.demand)));
        // One point older than the window stays: it proves that the window is full.
        while self.calm.get(1).is_some_and(|(at, _)| now.since(*at) >= CALM_WINDOW) {
            self.calm.pop_front();
        }
        if self.ceiling.is_some_and(|(_, until)| now >= until) {
            self.ceiling = None;
        }
    }

    fn average(&self, window: Duration, now: Monotonic, value: impl Fn(&Point) -> f64) -> f64 {
        let points = self.recent.iter().filter(|point| now.since(point.at) <= window);
        let (sum, count) = points.fold((0.0, 0.0), |(sum, count), point| (sum + value(point), count + 1.0));
        if count > 0.0 { sum / count } else { 0.0 }
    }

    fn most(&self, sample: &LoadSample) -> usize {
        let ceiling = self.ceiling.map_or(self.max, |(units, _)| units);
        self.max.min(sample.room).min(ceiling).max(self.min)
    }

    fn out(&mut self, sample: &LoadSample, desired: usize, now: Monotonic) -> Option<(usize, ScaleReason)> {
        let shown = self.recent.front().map_or(Duration::ZERO, |point| now.since(point.at) + EVALUATION_PERIOD);
        if shown < PANIC_WINDOW {
            return None;
        }
        let latest = self.average(PANIC_WINDOW, now, |point| point.demand);
        if latest >= PANIC_FACTOR * TARGET * desired as f64 {
            self.panic_until = Some(now + PANIC_LASTS);
        }
        let (units, reason) = if self.panic_until.is_some_and(|until| now < until) {
            (self.wanted(latest, sample), ScaleReason::Panic)
        } else if self.scaled_out_at.is_some_and(|at| now.since(at) < OUT_STEP) {
            return None;
        } else {
            // Saturated units refuse work already: do not wait for the stable window.
            let stable = self.average(STABLE_WINDOW, now, |point| point.demand);
            let demand = if latest >= SATURATED * desired as f64 { stable.max(latest) } else { stable };
            (self.wanted(demand, sample).min(desired + 1), ScaleReason::Demand)
        };
        if units <= desired {
            return None;
        }
        self.scaled_out_at = Some(now);
        match &mut self.trial {
            // The last change has not been judged yet: judge both together.
            Some(trial) => (trial.units_after, trial.working_since) = (units, None),
            None if sample.ready == desired && latest >= SATURATED * desired as f64 => {
                self.trial = Some(self.trial_of(desired, units, now));
            }
            None => {}
        }
        Some((units, reason))
    }

    fn wanted(&self, demand: f64, sample: &LoadSample) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and bounded")]
        let units = (demand / TARGET).ceil().min(1e6) as usize;
        units.min(self.most(sample))
    }

    fn trial_of(&self, units_before: usize, units_after: usize, now: Monotonic) -> Trial {
        let rate_before = self.average(PANIC_WINDOW, now, |point| point.completed_per_second);
        Trial { units_before, rate_before, units_after, working_since: None }
    }

    /// Ends a trial: removes added units that did not raise the throughput, or restores removed units if it fell.
    fn judge(&mut self, sample: &LoadSample, now: Monotonic) -> Option<(usize, ScaleReason)> {
        let trial = self.trial.as_mut()?;
        if sample.ready != trial.units_after {
            trial.working_since = None;
            return None;
        }
        let since = *trial.working_since.get_or_insert(now);
        if now.since(since) < TRIAL {
            return None;
        }
        let trial = self.trial.take()?;
        if self.average(PANIC_WINDOW, now, |point| point.demand) < SATURATED * trial.units_after as f64 {
            return None;
        }
        let rate = self.average(PANIC_WINDOW, now, |point| point.completed_per_second);
        let gained = (rate - trial.rate_before) / trial.of_one_before();
        let (from, to) = (trial.units_before, trial.units_after);
        if to < from {
            let is_missed = -gained > LEAST_GAIN * (from - to) as f64;
            self.ceiling = (!is_missed).then_some((to, now + CEILING_LASTS));
            return is_missed.then_some((from, ScaleReason::Demand));
        }
        let added = (to - from) as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and bounded")]
        let worth = if gained < LEAST_GAIN * added { from } else { from + gained.ceil().clamp(1.0, added) as usize };
        // Below half of the possible gain, the last of several added units may add nothing: try without them.
        if worth >= to || gained >= added / 2.0 {
            return None;
        }
        self.scaled_in_at = Some(now);
        if worth == from {
            self.ceiling = Some((from, now + CEILING_LASTS));
        } else {
            self.trial = Some(self.trial_of(to, worth, now));
            self.ceiling = Some((worth, now + CEILING_LASTS));
        }
        Some((worth, ScaleReason::NoGain))
    }

    fn in_(&mut self, sample: &LoadSample, desired: usize, now: Monotonic) -> Option<(usize, ScaleReason)> {
        let is_window_full = self.calm.front().is_some_and(|(at, _)| now.since(*at) >= CALM_WINDOW);
        let is_panic = self.panic_until.is_some_and(|until| now < until);
        let is_late_enough = |at: Option<Monotonic>, time| at.is_none_or(|at| now.since(at) >= time);
        if desired <= self.min
            || !is_window_full
            || is_panic
            || !sample.is_healthy
            || !is_late_enough(self.scaled_out_at, CALM_AFTER_OUT)
            || !is_late_enough(self.scaled_in_at, IN_STEP)
        {
            return None;
        }
        let highest = self.calm.iter().map(|(_, demand)| *demand).fold(0.0, f64::max);
        if highest / (desired - 1) as f64 >= CALM_BELOW {
            return None;
        }
        self.scaled_in_at = Some(now);
        Some((desired - 1, ScaleReason::Calm))
    }
}
