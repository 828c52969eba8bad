//! What a box tells the cluster of itself: figures that are acted upon do not follow each busy second.

use crate::appliance::agent_check::call_room;
use crate::appliance::decoding_use::DecodingUse;
use crate::cluster::OwnReport;
use crate::cluster::records::NeedRecord;
use crate::control::ApplianceStatus;
use crate::supervisor::{ModelState, ModelStatus};
use crate::vision::camera_id::CameraId;
use crate::vision::camera_status::CameraStatus;
use std::collections::BTreeMap;

/// What a peak loses with each status, twice a second: a half in half an hour.
const DECAY: f32 = 0.999_8;

/// How far a figure moves to what is measured with each status: half of the way in half a minute. A cluster in which nothing
/// happens writes nothing, however unevenly its processors run.
const WEIGHT: f32 = 0.011;

/// What was measured so far.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// The most that each camera needed, which fades.
    peaks: BTreeMap<CameraId, f32>,
    /// What a unit of each model can do.
    units: BTreeMap<String, UnitFigure>,
    idle: Option<f32>,
    processors: f32,
}

/// What a unit of a model can do.
#[derive(Debug)]
struct UnitFigure {
    tps: f32,
    /// Guessed before the first transactions.
    is_guess: bool,
    /// Of the package that it was measured with.
    digest: Option<String>,
}

impl Measured {
    /// Nothing yet, on a box with so many processor cores.
    pub(super) fn on(processors: usize) -> Self {
        Self { processors: processors as f32, ..Self::default() }
    }

    /// What the box says of itself after this status. `idle`: the share of its processors that was free since the last one, 0..=1;
    /// `decoding`: what its cameras take of them.
    #[expect(clippy::cast_possible_truncation, reason = "rates of a few digits")]
    pub(super) fn report(
        &mut self,
        status: &ApplianceStatus,
        cannot: &BTreeMap<CameraId, String>,
        idle: f32,
        decoding: &DecodingUse,
    ) -> OwnReport {
        let is_wanted = |model: &ModelStatus| matches!(model.state, ModelState::Running | ModelState::Starting);
        self.units.retain(|name, _| status.models.get(name).is_some_and(is_wanted));
        for (name, model) in status.models.iter().filter(|(_, model)| is_wanted(model)) {
            self.learn(name, model);
        }
        approach(self.idle.get_or_insert(idle), idle);
        let streaming =
            status.cameras.iter().filter(|(_, it)| it.state.state == CameraStatus::Streaming && it.rates.decoded > 0.0);
        self.peaks.retain(|camera, _| status.cameras.contains_key(camera));
        for (id, camera) in status.cameras.iter().filter(|(_, camera)| camera.rates.are_settled()) {
            // A camera that the box throttles needs more than it gets.
            let analysed = camera.rates.analysed as f32;
            let peak = self.peaks.entry(id.clone()).or_insert(analysed);
            *peak = (*peak * DECAY).max(analysed);
        }
        // By the units that a model should have: one that is being replaced sends no camera away.
        let desired = |name: &String| status.models.get(name).map_or(0.0, |model| model.desired as f32);
        let capacity = |(name, unit): (&String, &UnitFigure)| (name.clone(), unit.tps * desired(name));
        let digest =
            |(name, model): (&String, &ModelStatus)| Some((name.clone(), model.running.as_ref()?.digest.clone()));
        let room = |(name, model): (&String, &ModelStatus)| Some((name.clone(), call_room(model)?));
        let need =
            |(id, peak): (&CameraId, &f32)| (id.clone(), NeedRecord { tps: *peak, cores: decoding.cores_of(id) });
        OwnReport {
            processors: self.processors,
            capacity_tps: self.units.iter().map(capacity).collect(),
            packages: status.models.iter().filter_map(digest).collect(),
            call_room: status.models.iter().filter_map(room).collect(),
            idle_processors: self.idle.unwrap_or(idle),
            streaming: streaming.map(|(id, _)| id.clone()).collect(),
            needs: self.peaks.iter().map(need).collect(),
            cannot: cannot.clone(),
            ..OwnReport::default()
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "rates of a few digits")]
    fn learn(&mut self, name: &str, model: &ModelStatus) {
        let is_guess = model.unit_tps <= 0.0;
        let tps = if is_guess { model.expected_unit_tps } else { model.unit_tps } as f32;
        if tps <= 0.0 {
            return;
        }
        let digest = model.running.as_ref().map(|package| package.digest.clone());
        match self.units.get_mut(name) {
            Some(known) if (digest.is_none() || known.digest == digest) && (!known.is_guess || is_guess) => {
                // A unit that is being replaced says nothing of what it can do.
                if known.is_guess == is_guess {
                    approach(&mut known.tps, tps);
                }
            }
            // What was guessed, or is of another package, is no beginning.
            _ => drop(self.units.insert(name.to_owned(), UnitFigure { tps, is_guess, digest })),
        }
    }
}

fn approach(figure: &mut f32, measured: f32) {
    *figure += (measured - *figure) * WEIGHT;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_takes_half_a_minute_for_half_of_the_way_and_does_not_follow_one_that_wobbles() {
        let mut figure = 0.0;
        (0..60).for_each(|_| approach(&mut figure, 100.0));
        assert!((45.0..55.0).contains(&figure), "{figure}");
        let mut figure = 38.0;
        for second in 0..600 {
            approach(&mut figure, if second % 3 == 0 { 44.0 } else { 33.0 });
            assert!((36.0..39.0).contains(&figure), "{figure}");
        }
    }
}
