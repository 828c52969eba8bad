//! How much contrast a change has to have while everything is restless: rain and snow change a few cells here and there,
//! in every picture elsewhere, so no place can learn them.
//!
//! What the model does not explain raises the contrast that is asked for, when it goes on, up to what the least person
//! that must be found still exceeds. It falls back within minutes.

use super::tolerance::share_of;
use std::time::Duration;

/// The most that is asked for, in grey levels. A person of 2 % by 5 % of the picture who differs by 25 gives 15 or
/// more, in the worst position between cells.
const MOST: f32 = 13.5;

/// How long an unexplained picture is remembered.
const MEMORY: Duration = Duration::from_secs(90);

/// From so many unexplained pictures in memory on, the contrast is raised.
const ENOUGH: f32 = 3.5;

/// How much more contrast than rain a change has to have, and how fast it is forgotten that it rained.
const MARGIN: f32 = 1.15;
const CLEARING: Duration = Duration::from_secs(400);

/// The contrast that changes have to have, in grey levels.
#[derive(Debug)]
pub(super) struct Unrest {
    pictures: f32,
    asked: f32,
}

impl Unrest {
    /// Of a calm scene.
    pub(super) fn new() -> Self {
        Self { pictures: 0.0, asked: 0.0 }
    }

    /// The contrast from which on a change counts.
    pub(super) fn asked(&self) -> f32 {
        self.asked
    }

    /// Whether changes without explanation go on.
    pub(super) fn goes_on(&self) -> bool {
        self.pictures > ENOUGH
    }

    /// Goes back towards calm.
    pub(super) fn pass(&mut self, since: Duration) {
        self.pictures *= 1.0 - share_of(since, MEMORY);
        self.asked -= share_of(since, CLEARING) * self.asked;
    }

    /// The contrast of the strongest change of a picture that the model did not explain.
    pub(super) fn learn(&mut self, contrast: f32) {
        self.pictures += 1.0;
        if self.goes_on() {
            self.asked = self.asked.max((MARGIN * contrast).min(MOST));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Unrest;
    use std::time::Duration;

    #[test]
    fn rain_raises_what_is_asked_for_and_a_bird_does_not() {
        let mut unrest = Unrest::new();
        unrest.learn(9.0);
        (0..400).for_each(|_| unrest.pass(Duration::from_secs(2)));
        unrest.learn(9.0);
        assert!(unrest.asked() < 0.5);
        for _ in 0..30 {
            unrest.pass(Duration::from_secs(2));
            unrest.learn(9.0);
        }
        assert!(unrest.asked() > 9.0);
        unrest.learn(1000.0);
        assert!(unrest.asked() < 16.0, "a person must still be found");
        unrest.pass(Duration::from_secs(3600));
        assert!(unrest.asked() < 0.5);
    }
}
