//! What is known of a scene of one size, and how it learns.

use super::blobs::{self, Blob};
use super::cells::Cells;
use super::change::{Cause, Change};
use super::jitter::{self, Slopes};
use super::light;
use super::masks::{Mask, hidden_cells};
use super::tolerance::{Tolerance, share_of};
use super::unrest::Unrest;
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// So many pictures are looked at before anything is taken as still.
const FIRST_PICTURES: u32 = 4;

/// How fast the scene follows a cell that did not change.
const FOLLOW: Duration = Duration::from_secs(20);

/// The share of the picture, or of its edges, that changes when it is another picture altogether.
const ANOTHER: f32 = 0.3;
const ANOTHER_AT_EDGES: f32 = 0.5;

/// Below this likeness of its details to those of the scene it is another picture, too.
const LEAST_LIKENESS: f32 = 0.4;

/// From this difference of neighbouring cells on, in grey levels, it is an edge.
const EDGE: f32 = 12.0;

/// Less contrast between neighbouring cells than this, in grey levels on average, is a flat picture.
const FLAT: f32 = 2.0;

/// A change of light or a shift that is worth a name, in grey levels and in cells.
const LIGHT: f32 = 2.5;
const SHAKEN: f32 = 0.04;

/// At most so many places of change are named.
const MOST_PLACES: usize = 8;

/// What is known of a scene of one size.
#[derive(Debug)]
pub(super) struct Known {
    columns: usize,
    rows: usize,
    /// The scene without noise, in grey levels.
    reference: Vec<f32>,
    /// Of how many pictures each cell of the reference is the mean.
    averaged: Vec<f32>,
    tolerance: Tolerance,
    hidden: Vec<bool>,
    /// Pictures compared since it began, no more than it takes to know it.
    pictures: u32,
    compared_at: Monotonic,
    compared: Compared,
    /// The picture that was accepted last, until the model has said what it saw.
    looked_at: Option<Compared>,
    /// What the model saw in the picture before.
    seen_before: Vec<NormalizedBox>,
    unrest: Unrest,
}

/// How a picture differed from the scene.
#[derive(Clone, Debug, Default)]
struct Compared {
    /// By how much each cell changed, with the cells around; 0 for those that did not.
    changed: Vec<f32>,
    /// The changes, strongest first: their contrast in grey levels, and where they are.
    places: Vec<(f32, NormalizedBox)>,
    /// It is another picture altogether.
    is_another: bool,
    /// What the scene looked like before it was accepted.
    reference: Vec<f32>,
}

impl Known {
    /// Knows the first picture.
    pub(super) fn begin(cells: &Cells, at: Monotonic, sensitivity: f32, masks: &[Mask]) -> Self {
        let (columns, rows) = (cells.columns(), cells.rows());
        let count = columns * rows;
        Self {
            columns,
            rows,
            reference: cells.levels().collect(),
            averaged: vec![1.0; count],
            tolerance: Tolerance::new(count, sensitivity),
            hidden: hidden_cells(masks, columns, rows),
            pictures: 1,
            compared_at: at,
            compared: Compared { changed: vec![0.0; count], ..Compared::default() },
            looked_at: None,
            seen_before: Vec::new(),
            unrest: Unrest::new(),
        }
    }

    /// Compares a picture with the scene, and follows what did not change.
    pub(super) fn compare(&mut self, cells: &Cells, at: Monotonic) -> Change {
        let levels: Vec<f32> = cells.levels().collect();
        let mut lit = light::compare(&levels, &self.reference, self.columns);
        let mut slopes = Slopes::of(&self.reference, self.columns);
        for (edge, _) in slopes.edges.iter_mut().zip(&self.hidden).filter(|(_, hidden)| **hidden) {
            *edge = 0.0;
        }
        let jitter = jitter::take_out(&mut lit.residual, &slopes, &self.tolerance.quiet());
        let windows = blobs::windows(&self.shown(&lit.residual), self.columns);
        let edges = blobs::windows(&slopes.edges, self.columns);
        let strength =
            |at: usize| windows[at].abs() / self.tolerance.of(at, edges[at], jitter.slack, self.averaged[at]);
        let strengths: Vec<f32> = (0..windows.len()).map(strength).collect();
        let mut found = blobs::find(&strengths, self.columns);
        found.retain(|blob| contrast(blob, &windows) >= self.unrest.asked());
        self.compared = self.mark(&found, &windows);
        let is_another =
            self.likeness(&levels, &lit.residual) < LEAST_LIKENESS || is_another(&strengths, &slopes.edges);
        self.compared.is_another = is_another;
        let since = at.since(self.compared_at);
        self.compared_at = at;
        if !is_another {
            self.follow(&levels, &lit.residual, &windows, since);
        }
        self.unrest.pass(since);
        let cause = if self.pictures < FIRST_PICTURES {
            Cause::Unknown
        } else if is_another {
            if is_flat(&levels, self.columns) { Cause::Covered } else { Cause::Infrared }
        } else if !found.is_empty() {
            Cause::Movement
        } else if jitter.shift.max(jitter.slack) > SHAKEN {
            Cause::Jitter
        } else if lit.shift > LIGHT {
            Cause::Light
        } else {
            Cause::Still
        };
        self.pictures = (self.pictures + 1).min(FIRST_PICTURES);
        let changed: usize = found.iter().map(|blob| blob.windows.len()).sum();
        let area = changed as f32 / self.reference.len().max(1) as f32;
        let contrast = self.compared.places.iter().fold(0.0_f32, |most, (contrast, _)| most.max(*contrast));
        let mut places = Vec::new();
        if cause == Cause::Movement {
            places.extend(self.compared.places.iter().take(MOST_PLACES).map(|(_, place)| *place));
        }
        Change { moved: !matches!(cause, Cause::Still | Cause::Light | Cause::Jitter), cause, area, contrast, places }
    }

    /// Whether the cells are of this size.
    pub(super) fn fits(&self, cells: &Cells) -> bool {
        (self.columns, self.rows) == (cells.columns(), cells.rows())
    }

    /// The time of the picture that was compared last.
    pub(super) fn compared_at(&self) -> Monotonic {
        self.compared_at
    }

    /// The residual without that of hidden cells.
    fn shown(&self, residual: &[f32]) -> Vec<f32> {
        residual.iter().zip(&self.hidden).map(|(left, hidden)| if *hidden { 0.0 } else { *left }).collect()
    }

    /// How alike the picture and the scene are where nothing moved: a car in front of bare asphalt is most of the detail
    /// of its picture, and yet does not make another one of it.
    fn likeness(&self, levels: &[f32], residual: &[f32]) -> f32 {
        let still: Vec<bool> =
            self.compared.changed.iter().zip(&self.hidden).map(|(left, hidden)| *left == 0.0 && !hidden).collect();
        // What moved is taken out of the surroundings of the rest, too.
        let levels = levels.iter().zip(residual).zip(&still);
        let levels: Vec<f32> =
            levels.map(|((level, left), still)| if *still { *level } else { level - left }).collect();
        light::likeness(&levels, &self.reference, self.columns, &still)
    }

    /// Which cells changed and by how much; cells beside them may hold a part of the same thing.
    fn mark(&self, found: &[Blob], windows: &[f32]) -> Compared {
        let mut changed = vec![0.0_f32; windows.len()];
        for window in found.iter().flat_map(|blob| &blob.windows) {
            for (before, after, share) in [(0, 1, 1.0), (1, 2, 0.7)] {
                for cell in blobs::square(*window, before, after, self.columns, self.rows) {
                    changed[cell] = changed[cell].max(share * windows[*window].abs());
                }
            }
        }
        let place = |blob: &Blob| Some((contrast(blob, windows), blob.place(self.columns, self.rows)?));
        Compared { changed, places: found.iter().filter_map(place).collect(), ..Compared::default() }
    }

    /// Goes along with light at once, and slowly with everything else that did not change.
    fn follow(&mut self, levels: &[f32], residual: &[f32], windows: &[f32], since: Duration) {
        let least_share = share_of(since, FOLLOW);
        for cell in 0..levels.len() {
            if self.compared.changed[cell] == 0.0 {
                self.averaged[cell] += 1.0;
                let share = least_share.max(1.0 / self.averaged[cell]);
                self.averaged[cell] = 1.0 / share;
                self.reference[cell] = levels[cell] - (1.0 - share) * residual[cell];
                self.tolerance.observe(cell, windows[cell], since);
            }
        }
    }

    /// Makes what changed in the picture compared last a part of the scene.
    pub(super) fn accept(&mut self, cells: &Cells) {
        self.compared.reference.clone_from(&self.reference);
        for (cell, level) in cells.levels().enumerate() {
            if self.compared.is_another || self.compared.changed[cell] > 0.0 {
                (self.reference[cell], self.averaged[cell]) = (level, 1.0);
            }
        }
        if self.compared.is_another {
            self.tolerance.unsettle();
            self.looked_at = None;
        } else {
            self.looked_at = Some(self.compared.clone());
        }
    }

    /// Learns from what the model saw in the picture that was accepted last. Where something was seen just before, it
    /// has gone: that is explained too.
    pub(super) fn learn(&mut self, seen: &[NormalizedBox]) {
        let before = std::mem::replace(&mut self.seen_before, seen.to_vec());
        let Some(looked_at) = self.looked_at.take() else { return };
        let (width, height) = (1.0 / self.columns as f32, 1.0 / self.rows as f32);
        // A box ends at what it holds; the cells around it change with it.
        let near = |seen: &NormalizedBox| {
            let (left, top) = (seen.left - 1.5 * width, seen.top - 1.5 * height);
            NormalizedBox::from_corners(left, top, seen.right() + 1.5 * width, seen.bottom() + 1.5 * height)
        };
        let explained: Vec<NormalizedBox> = seen.iter().chain(&before).filter_map(near).collect();
        let is_explained = |place: &NormalizedBox| explained.iter().any(|seen| seen.intersection(place) > 0.0);
        for (cell, left) in looked_at.changed.iter().enumerate() {
            let (x, y) = ((cell % self.columns) as f32 * width, (cell / self.columns) as f32 * height);
            let place = NormalizedBox { left: x, top: y, width, height };
            if is_explained(&place) {
                self.tolerance.esteem(cell);
            } else if *left > 0.0 {
                self.tolerance.learn(cell, *left);
                // What falls or sways does not change the scene twice, by coming and by going; its middle is the
                // better reference.
                let (before, now) = (looked_at.reference[cell], &mut self.reference[cell]);
                if self.tolerance.is_restless(cell) {
                    *now = before + 0.3 * (*now - before);
                } else if self.unrest.goes_on() {
                    *now = before + 0.5 * (*now - before);
                }
            }
        }
        let unexplained = looked_at.places.iter().filter(|(_, place)| !is_explained(place));
        if let Some(contrast) = unexplained.map(|(contrast, _)| *contrast).max_by(f32::total_cmp) {
            self.unrest.learn(contrast);
        }
    }
}

/// How much the window of a change differs that differs most, in grey levels.
fn contrast(blob: &Blob, windows: &[f32]) -> f32 {
    blob.windows.iter().fold(0.0, |most, window| most.max(windows[*window].abs()))
}

/// Whether so much changed that it is another picture. Flat parts look the same in many pictures, so edges count most.
fn is_another(strengths: &[f32], edges: &[f32]) -> bool {
    let changed = strengths.iter().filter(|strength| **strength >= 1.0).count() as f32;
    let of_edges = edges.iter().zip(strengths).filter(|(edge, _)| **edge >= EDGE);
    let changed_edges = of_edges.clone().filter(|(_, strength)| **strength >= 1.0).count() as f32;
    let count = strengths.len() as f32;
    let all_edges = of_edges.count() as f32;
    changed > ANOTHER * count || (all_edges > 0.05 * count && changed_edges > ANOTHER_AT_EDGES * all_edges)
}

fn is_flat(levels: &[f32], columns: usize) -> bool {
    let edges = Slopes::of(levels, columns).edges;
    edges.iter().sum::<f32>() < FLAT * edges.len() as f32
}
