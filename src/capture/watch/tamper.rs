//! Notices a camera that is covered, out of focus or turned away, whatever the light.
//!
//! Learns over minutes where the scene has edges, how much contrast, and how much of that is fine. A switch between day
//! and night or a lamp changes greys, but leaves edges where they are; a hand, paint or another direction does not. A
//! scene that goes so dark that no edge is left at all counts as covered: nobody can see there.

use super::cells::Cells;
use super::jitter::Slopes;
use super::light::means_around;
use super::tolerance::share_of;
use crate::vision::monotonic::Monotonic;
use crate::vision::tamper::TamperKind;
use std::time::Duration;

/// The scene is known after so many pictures, and followed with this time constant.
const FIRST_PICTURES: u32 = 10;
const FOLLOW: Duration = Duration::from_secs(1200);

/// What lies further apart says nothing about the time between.
const GAP: Duration = Duration::from_secs(30);

/// So long a picture has to be well until tampering has ended; less when it was to be told sooner.
const WELL_AGAIN: Duration = Duration::from_secs(10);

/// The side of a block in cells, and from which correlation of its edges on it is the same place as before.
const BLOCK: usize = 8;
const ALIKE: f32 = 0.35;

/// The spread of the edges of a block, in grey levels, that has any structure.
const STRUCTURE: f32 = 2.5;

/// The share of blocks below which the camera looks elsewhere, and the correlation of all details below which nothing
/// of the scene is left.
const ELSEWHERE: f32 = 0.35;
const NOTHING: f32 = 0.1;

/// The share of the usual contrast, and of the usual fineness of contrast, below which a picture is flat or blurred.
const FLAT: f32 = 0.3;
const BLURRED: f32 = 0.4;

/// Below this mean, in grey levels, it is too dark to tell where a camera looks.
const DARK: f32 = 35.0;

/// Watches one camera.
#[derive(Debug)]
pub(in crate::capture) struct Tamper {
    after: Duration,
    usual: Option<Usual>,
    judged_at: Monotonic,
    suspected_since: Option<Monotonic>,
    well_since: Option<Monotonic>,
    told: Option<TamperKind>,
}

/// How the scene usually looks.
#[derive(Debug)]
struct Usual {
    columns: usize,
    pictures: u32,
    sight: Sight,
}

/// What a picture shows, apart from its greys.
#[derive(Clone, Debug, Default)]
struct Sight {
    /// How each cell differs from its surroundings.
    details: Vec<f32>,
    /// How each cell differs from its neighbours.
    edges: Vec<f32>,
    contrast: f32,
    fineness: f32,
}

impl Tamper {
    /// Nothing is known; tampering is told when it has lasted `after`.
    pub(in crate::capture) fn new(after: Duration) -> Self {
        let judged_at = Monotonic::default();
        Self { after, usual: None, judged_at, suspected_since: None, well_since: None, told: None }
    }

    /// Says what is being done to the camera, from a picture at least every half minute.
    pub(in crate::capture) fn judge(&mut self, cells: &Cells, at: Monotonic) -> Option<TamperKind> {
        let levels: Vec<f32> = cells.levels().collect();
        let sight = Sight::of(&levels, cells);
        let since = at.since(self.judged_at);
        self.judged_at = at;
        let fits = |usual: &&mut Usual| usual.columns == cells.columns() && usual.sight.edges.len() == levels.len();
        let Some(usual) = self.usual.as_mut().filter(fits) else {
            self.usual = Some(Usual { columns: cells.columns(), pictures: 1, sight });
            (self.suspected_since, self.well_since, self.told) = (None, None, None);
            return None;
        };
        let mean = levels.iter().sum::<f32>() / levels.len().max(1) as f32;
        let suspected = usual.suspect(&sight, mean).filter(|_| usual.pictures >= FIRST_PICTURES);
        if since > GAP {
            (self.suspected_since, self.well_since) = (None, None);
        }
        match suspected {
            Some(kind) => {
                self.well_since = None;
                let since = *self.suspected_since.get_or_insert(at);
                // How it is called may change while it goes on, as when a hand comes closer.
                if self.told.is_some() || at.since(since) >= self.after {
                    self.told = Some(kind);
                }
            }
            None => {
                self.suspected_since = None;
                let well_since = *self.well_since.get_or_insert(at);
                if at.since(well_since) >= WELL_AGAIN.min(self.after) {
                    self.told = None;
                }
                if self.told.is_none() {
                    usual.follow(&sight, since);
                }
            }
        }
        self.told
    }
}

// === impl Usual ===

impl Usual {
    fn suspect(&self, now: &Sight, mean: f32) -> Option<TamperKind> {
        let usual = &self.sight;
        // A scene without any contrast of its own cannot lose it.
        if usual.contrast < 1.0 {
            return None;
        }
        let is_elsewhere = self.share_alike(now) < ELSEWHERE;
        let left = correlation(usual.details.iter().copied().zip(now.details.iter().copied()));
        if now.contrast < FLAT * usual.contrast {
            (is_elsewhere && left.abs() < NOTHING).then_some(TamperKind::Covered)
        } else if now.fineness < BLURRED * usual.fineness {
            Some(TamperKind::Blurred)
        } else {
            (is_elsewhere && mean > DARK).then_some(TamperKind::Turned)
        }
    }

    /// The share of the blocks with structure whose edges are where they were; 1 when there are none.
    fn share_alike(&self, now: &Sight) -> f32 {
        let rows = self.sight.edges.len() / self.columns.max(1);
        let (mut alike, mut all) = (0.0, 0.0_f32);
        for top in (0..rows).step_by(BLOCK) {
            for left in (0..self.columns).step_by(BLOCK) {
                let across = left..(left + BLOCK).min(self.columns);
                let cells = (top..(top + BLOCK).min(rows))
                    .flat_map(|row| across.clone().map(move |column| row * self.columns + column));
                let both = cells.map(|cell| (self.sight.edges[cell], now.edges[cell]));
                if spread(both.clone().map(|(usual, _)| usual)) >= STRUCTURE {
                    all += 1.0;
                    alike += f32::from(u8::from(correlation(both) >= ALIKE));
                }
            }
        }
        if all > 0.0 { alike / all } else { 1.0 }
    }

    fn follow(&mut self, now: &Sight, since: Duration) {
        self.pictures = self.pictures.saturating_add(1);
        let share = share_of(since.min(GAP), FOLLOW).max(1.0 / self.pictures as f32);
        let usual = &mut self.sight;
        let draw = |usual: &mut f32, now: f32| *usual += share * (now - *usual);
        usual.details.iter_mut().zip(&now.details).for_each(|(usual, now)| draw(usual, *now));
        usual.edges.iter_mut().zip(&now.edges).for_each(|(usual, now)| draw(usual, *now));
        draw(&mut usual.contrast, now.contrast);
        draw(&mut usual.fineness, now.fineness);
    }
}

// === impl Sight ===

impl Sight {
    fn of(levels: &[f32], cells: &Cells) -> Self {
        let columns = cells.columns();
        let around = means_around(levels, columns, BLOCK / 2);
        let details: Vec<f32> = levels.iter().zip(&around).map(|(level, around)| level - around).collect();
        let edges = Slopes::of(levels, columns).edges;
        let count = levels.len().max(1) as f32;
        let contrast = details.iter().map(|detail| detail.abs()).sum::<f32>() / count;
        let mut textures: Vec<f32> = cells.textures().collect();
        let mean = textures.iter().sum::<f32>() / count;
        // What the smoothest tenth of the picture has of texture is noise.
        let tenth = textures.len() / 10;
        let noise = *textures.select_nth_unstable_by(tenth, f32::total_cmp).1;
        // Both fall alike with the light.
        Self { details, edges, contrast, fineness: (mean - noise) / contrast.max(0.5) }
    }
}

fn spread(values: impl Iterator<Item = f32> + Clone) -> f32 {
    let count = values.clone().count().max(1) as f32;
    let mean = values.clone().sum::<f32>() / count;
    (values.map(|value| (value - mean).powi(2)).sum::<f32>() / count).sqrt()
}

fn correlation(pairs: impl Iterator<Item = (f32, f32)> + Clone) -> f32 {
    let count = pairs.clone().count().max(1) as f32;
    let (sum_one, sum_other) = pairs.clone().fold((0.0, 0.0), |(one, other), pair| (one + pair.0, other + pair.1));
    let (mean_one, mean_other) = (sum_one / count, sum_other / count);
    let [mut both, mut one, mut other] = [0.0_f32; 3];
    for pair in pairs {
        let (left, right) = (pair.0 - mean_one, pair.1 - mean_other);
        (both, one, other) = (both + left * right, one + left * left, other + right * right);
    }
    both / (one * other).sqrt().max(1e-3)
}

#[cfg(test)]
mod tests;
