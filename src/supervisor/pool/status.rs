//! The model at one moment, for metrics, messages and people.

use super::{LOAD_WINDOW, Pool};
use crate::admission::WorkKind;
use crate::supervisor::actions::ModelStatus;
use std::collections::BTreeMap;

impl Pool {
    /// The model at this moment, without what is told by the names of zones.
    pub fn status(&self) -> ModelStatus {
        let in_service = self.in_service();
        let unit_tps = self.service_time.tps();
        ModelStatus {
            state: self.state,
            package: self.current.package.name.clone(),
            version: self.current.package.version.clone(),
            next_version: self.candidate.as_ref().map(|version| version.package.version.clone()),
            min_units: self.bounds.min,
            max_units: self.bounds.max,
            desired: if self.is_wanted { self.desired } else { 0 },
            in_service,
            zones: BTreeMap::new(),
            nodes: BTreeMap::new(),
            restarts: self.restarts,
            batch: self.units.values().filter(|unit| unit.is_in_service()).map(|unit| unit.batch).max().unwrap_or(1),
            unit_tps,
            unit_frame_tps: self.service_time.tps_of(WorkKind::Frame),
            unit_image_tps: self.service_time.tps_of(WorkKind::Image),
            image_places: self.image_places(),
            capacity_tps: unit_tps * in_service as f64,
            load_tps: self.load_tps(),
            transactions: self.transactions,
            image_transactions: self.image_transactions,
            in_flight: self.in_flight(),
            degraded: self.degraded(in_service),
            ledgers: self.ledgers.clone(),
            images: self.images.clone(),
        }
    }

    fn image_places(&self) -> usize {
        self.gate.images.most(self.image_rate()).div_ceil(self.image_framing.transactions() as usize)
    }

    fn load_tps(&self) -> f64 {
        let done: u32 = self.recent_answers.iter().map(|(_, transactions)| transactions).sum();
        f64::from(done) / LOAD_WINDOW.as_secs_f64()
    }

    fn degraded(&self, in_service: usize) -> Vec<String> {
        let mut reasons = Vec::new();
        let because = |reason: &Option<String>| reason.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
        if self.is_wanted && in_service < self.desired {
            let reason = because(self.load_failure.as_ref().map_or(&self.blocked, |_| &self.load_failure));
            reasons.push(format!("{}: {in_service} of {} inference units in service{reason}", self.name, self.desired));
        }
        if let Some(failure) = &self.swap_failure {
            reasons.push(format!("{}: the new version was not taken: {failure}", self.name));
        }
        reasons
    }
}
