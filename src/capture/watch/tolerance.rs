//! What each window of cells may differ without having changed: the noise it was seen to have, and what was learned about it.
//!
//! Noise follows the differences of pictures in which nothing moved. A place that changes again and again although the
//! model sees nothing there (a tree, water, a flag, a clock in the picture) is restless: its noise is raised until its
//! changes fit in, and falls back slowly. A single unexplained change teaches nothing, because it may have been someone
//! whom the model missed.

use std::time::Duration;

/// The noise of a cell of which nothing is known, in grey levels.
const FIRST_NOISE: f32 = 1.5;

/// Noise is never taken to be less: the picture's own steps.
const LEAST_NOISE: f32 = 0.3;

/// Noise is never taken to be more; what changes by more than the tolerance that this gives is looked at for ever.
const MOST_NOISE: f32 = 40.0;

/// How fast noise rises where differences are larger than it, and falls where they are smaller.
const RISE: Duration = Duration::from_secs(25);
const FALL: Duration = Duration::from_secs(40);

/// How long an unexplained change is remembered.
const MEMORY: Duration = Duration::from_secs(300);

/// With this many unexplained changes in memory, a cell learns.
const RESTLESS: f32 = 2.5;

/// What a cell has in memory where something was seen.
const ESTEEMED: f32 = -3.0;

/// More unexplained changes add nothing.
const MOST_RESTLESS: f32 = 10.0;

/// How much of an edge is tolerated even if no shaking is seen.
const LEAST_SLACK: f32 = 0.02;

/// The learned tolerance of every cell.
#[derive(Debug)]
pub(super) struct Tolerance {
    /// The mean difference of each cell while nothing moves, in grey levels.
    noise: Vec<f32>,
    /// Unexplained changes of each cell that are still remembered.
    restless: Vec<f32>,
    /// What is tolerated without any noise, in grey levels.
    base: f32,
    /// How many times its noise a cell may differ.
    times: f32,
}

impl Tolerance {
    /// Of a picture of `cells` cells. A `sensitivity` of 0 halves and of 1 doubles what 0.5 finds.
    pub(super) fn new(cells: usize, sensitivity: f32) -> Self {
        let factor = (1.0 - 2.0 * sensitivity.clamp(0.0, 1.0)).exp2();
        let (noise, restless) = (vec![FIRST_NOISE; cells], vec![0.0; cells]);
        Self { noise, restless, base: 5.0 * factor, times: 3.5 * factor.sqrt() }
    }

    /// Up to where a difference of each cell is noise, in grey levels.
    pub(super) fn quiet(&self) -> Vec<f32> {
        self.noise.iter().map(|noise| 1.0 + 3.0 * noise).collect()
    }

    /// How much `cell` may differ, at an edge of `edge` grey levels while the camera shakes by `slack`. `averaged` is
    /// the number of pictures that the reference was made of there: its own noise adds to that of the picture.
    pub(super) fn of(&self, cell: usize, edge: f32, slack: f32, averaged: f32) -> f32 {
        self.base + self.times * self.noise[cell] * (1.0 + 1.0 / averaged).sqrt() + (LEAST_SLACK + 3.0 * slack) * edge
    }

    /// Takes in that `cell` differed by `left` while nothing moved there, `since` after the last picture.
    pub(super) fn observe(&mut self, cell: usize, left: f32, since: Duration) {
        let (noise, restless) = (&mut self.noise[cell], &mut self.restless[cell]);
        let off = left.abs() - *noise;
        let fall = FALL.mul_f32(1.0 + restless.max(0.0).powi(2));
        let share = share_of(since, if off > 0.0 { RISE } else { fall });
        *noise = (*noise + share * off).clamp(LEAST_NOISE, MOST_NOISE);
        *restless *= 1.0 - share_of(since, MEMORY);
    }

    /// `cell` changed by `left` and the model saw nothing there.
    pub(super) fn learn(&mut self, cell: usize, left: f32) {
        let (noise, restless) = (&mut self.noise[cell], &mut self.restless[cell]);
        *restless = (*restless + 1.0).min(MOST_RESTLESS);
        let needed = (1.2 * left.abs() - self.base).max(0.0) / self.times;
        if *restless > RESTLESS && needed > *noise {
            *noise = (*noise + 0.7 * (needed - *noise)).min(MOST_NOISE);
        }
    }

    /// Something was seen at `cell`: it takes more unexplained changes than elsewhere until it learns.
    pub(super) fn esteem(&mut self, cell: usize) {
        self.restless[cell] = ESTEEMED;
    }

    /// Whether `cell` changes again and again without anything being seen there.
    pub(super) fn is_restless(&self, cell: usize) -> bool {
        self.restless[cell] > RESTLESS
    }

    /// The picture is another one, by day or by night: what was learned stays, but noise is not trusted to be low.
    pub(super) fn unsettle(&mut self) {
        self.noise.iter_mut().for_each(|noise| *noise = noise.max(FIRST_NOISE));
    }
}

/// Which share of the way a value goes within `time` that is drawn along with the time constant `constant`.
pub(super) fn share_of(time: Duration, constant: Duration) -> f32 {
    1.0 - (-time.as_secs_f32() / constant.as_secs_f32()).exp()
}

#[cfg(test)]
mod tests {
    use super::Tolerance;
    use std::time::Duration;

    const STEP: Duration = Duration::from_secs(2);

    #[test]
    fn tolerance_follows_the_noise_of_its_cell() {
        let mut tolerance = Tolerance::new(2, 0.5);
        for picture in 0..60 {
            tolerance.observe(0, if picture % 2 == 0 { 3.0 } else { -3.0 }, STEP);
            tolerance.observe(1, 0.2, STEP);
        }
        assert!(tolerance.of(0, 0.0, 0.0, 9.0) > 14.0, "{tolerance:?}");
        assert!(tolerance.of(1, 0.0, 0.0, 9.0) < 9.0, "{tolerance:?}");
    }

    #[test]
    fn the_third_unexplained_change_of_a_place_is_learned_and_forgotten_again() {
        let mut tolerance = Tolerance::new(1, 0.5);
        let first = tolerance.of(0, 0.0, 0.0, 9.0);
        tolerance.learn(0, 40.0);
        tolerance.learn(0, 40.0);
        assert_eq!(tolerance.of(0, 0.0, 0.0, 9.0), first);
        tolerance.learn(0, 40.0);
        tolerance.learn(0, 40.0);
        assert!(tolerance.of(0, 0.0, 0.0, 9.0) > 40.0, "{tolerance:?}");
        (0..30).for_each(|_| tolerance.observe(0, 0.5, STEP));
        assert!(tolerance.of(0, 0.0, 0.0, 9.0) > 25.0, "a calm of a minute does not undo it: {tolerance:?}");
        (0..3600).for_each(|_| tolerance.observe(0, 0.5, STEP));
        assert!(tolerance.of(0, 0.0, 0.0, 9.0) < 10.0, "a calm of two hours does: {tolerance:?}");
    }

    #[test]
    fn a_higher_sensitivity_tolerates_less() {
        let of = |sensitivity: f32| Tolerance::new(1, sensitivity).of(0, 10.0, 0.0, 9.0);
        assert!(of(0.0) > 1.5 * of(0.5) && of(0.5) > 1.5 * of(1.0));
        assert_eq!(of(7.0), of(1.0));
    }
}
