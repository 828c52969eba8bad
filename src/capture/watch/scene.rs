//! What a camera's scene looks like while nothing moves, and whether a picture differs from it.
//!
//! Compares cell by cell, in this order: takes out light, takes out shaking, holds what is left against what the cell
//! is known to vary by, and asks whether cells that exceed it lie together. What did not change is followed slowly, what
//! changed only when it is accepted. A false alarm costs one look of the model and a missed appearance an event, so the
//! limits are on the side of the alarm.
//!
//! Knows neither clock nor pictures: it is given cells and their time.

use super::cells::Cells;
use super::change::{Cause, Change};
use super::known::Known;
use super::masks::Mask;
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;

/// What a camera's scene looks like.
#[derive(Debug)]
pub(in crate::capture) struct Scene {
    sensitivity: f32,
    masks: Vec<Mask>,
    known: Option<Known>,
}

impl Scene {
    /// A scene of which nothing is known. `sensitivity` is 0..=1, in `masks` nothing is looked for.
    pub(in crate::capture) fn new(sensitivity: f32, masks: Vec<Mask>) -> Self {
        Self { sensitivity, masks, known: None }
    }

    /// Compares a picture with what the scene looked like, and follows what did not change.
    pub(in crate::capture) fn compare(&mut self, cells: &Cells, at: Monotonic) -> Change {
        match self.known.as_mut().filter(|known| known.fits(cells)) {
            Some(known) => known.compare(cells, at),
            None => {
                self.known = Some(Known::begin(cells, at, self.sensitivity, &self.masks));
                Change { moved: true, cause: Cause::Unknown, area: 1.0, contrast: 0.0, places: Vec::new() }
            }
        }
    }

    /// From now on the scene looks like this. To be called when the picture goes to the model, or shows what has stood
    /// still for some seconds; a picture that was not compared is compared first.
    pub(in crate::capture) fn accept(&mut self, cells: &Cells, at: Monotonic) {
        if self.known.as_ref().is_none_or(|known| known.compared_at() != at) {
            self.compare(cells, at);
        }
        if let Some(known) = &mut self.known {
            known.accept(cells);
        }
    }

    /// Takes in what the model saw in the picture that was accepted last: where it changed and nothing was seen, a
    /// higher tolerance is learned when that goes on. Boxes of things that have stood there for minutes are better left
    /// out, or a tree above a parked car is never learned.
    pub(in crate::capture) fn learn(&mut self, seen: &[NormalizedBox]) {
        if let Some(known) = &mut self.known {
            known.learn(seen);
        }
    }
}

#[cfg(test)]
mod tests;
