//! The status of a model, for metrics, messages and operators.

use super::Pool;
use crate::admission::WorkKind;
use crate::supervisor::actions::{ImageRoom, ModelStatus};
use crate::supervisor::unit_state::Unit;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Pool {
    /// The model's status. The fields by zone are left empty, because a pool does not have the names of zones.
    pub fn status(&self) -> ModelStatus {
        let in_service = self.in_service();
        let (current, times) = (&self.roster.current.package, &self.throughput.service_time);
        let unit_tps = times.tps();
        let batch = self.roster.units.values().filter(|unit| unit.is_in_service()).map(|unit| unit.batch).max();
        ModelStatus {
            state: self.state,
            package: current.name.clone(),
            version: current.version.clone(),
            variant: self.roster.current.load.variant,
            execution_provider: self.roster.current.load.execution_provider,
            next_version: self.roster.candidate.as_ref().map(|version| version.package.version.clone()),
            min_units: self.bounds.min,
            max_units: self.bounds.max,
            desired: if self.is_wanted { self.desired } else { 0 },
            in_service,
            zones: BTreeMap::new(),
            nodes: BTreeMap::new(),
            restarts: self.roster.restarts,
            batch: batch.unwrap_or(1),
            unit_tps,
            expected_unit_tps: self.throughput.expected_tps(),
            unit_frame_tps: times.tps_of(WorkKind::Frame),
            unit_image_tps: times.tps_of(WorkKind::Image),
            image_places: self.image_places(),
            image_room: self.image_room(),
            running: Some(Arc::clone(current)),
            capacity_tps: unit_tps * in_service as f64,
            load_tps: self.throughput.load_tps(),
            transactions: self.throughput.transactions,
            image_transactions: self.throughput.image_transactions,
            in_flight: self.in_flight(),
            degraded: self.degraded(in_service),
            ledgers: self.demand.ledgers(),
            former_cameras: self.demand.former_cameras(),
            images: self.demand.images.clone(),
        }
    }

    /// The throughput left for frames in transactions a second, beside the current `image_tps` of images. Cameras keep
    /// their guaranteed share under any load of images. `None` before the first measurement, or without units.
    pub fn frame_capacity_tps(&self, image_tps: f64) -> Option<f64> {
        let units = self.in_service() as f64;
        let (frame, image) = (
            self.throughput.service_time.tps_of(WorkKind::Frame),
            self.throughput.service_time.tps_of(WorkKind::Image),
        );
        if units == 0.0 || frame <= 0.0 {
            return None;
        }
        let left = units - image_tps / image.max(1e-6);
        let guaranteed = units * (1.0 - self.demand.gate.image_share());
        Some(left.max(guaranteed) * frame)
    }

    /// Completed image transactions since the daemon started.
    pub fn image_transactions(&self) -> u64 {
        self.throughput.image_transactions
    }

    fn image_places(&self) -> usize {
        let looks = self.demand.image_framing.transactions() as usize;
        self.demand.gate.images.capacity(self.image_rate()).div_ceil(looks)
    }

    /// What images could have beyond what they have: the share of the units that the last seconds left free, within the quota,
    /// and less the more of the queue is taken: that shows a rush before those seconds do.
    fn image_room(&self) -> ImageRoom {
        let in_service = self.in_service() as f64;
        let measured = self.throughput.unit_image_tps() * in_service;
        let quota = self.demand.quota_tps(measured);
        let whole_tps = quota.map_or(measured, |quota| quota.min(measured));
        let all = self.throughput.service_time.tps() * in_service;
        let busy = if all > 0.0 { self.throughput.load_tps() / all } else { 0.0 };
        let of_units = measured * (1.0 - busy).max(0.0);
        let of_quota = quota.map_or(f64::INFINITY, |quota| (quota - self.throughput.image_load_tps()).max(0.0));
        let free_of_queue = (1.0 - self.demand.gate.images.fill(self.image_rate())).max(0.0);
        ImageRoom { whole_tps, free_tps: of_units.min(of_quota).min(whole_tps) * free_of_queue }
    }

    fn degraded(&self, in_service: usize) -> Vec<String> {
        let mut reasons = Vec::new();
        let mut add = |text: String| reasons.push(format!("{}: {text}", self.name));
        if self.is_wanted
            && let Some(reason) = &self.unusable
        {
            add(format!("its package cannot be used: {reason}"));
        } else if self.is_wanted && in_service < self.desired {
            let reason = self.roster.load_failure.as_ref().or(self.roster.blocked.as_ref());
            let reason = reason.map(|text| format!(": {text}")).unwrap_or_default();
            add(format!("{in_service} of {} inference units in service{reason}", self.desired));
        }
        if let Some(failure) = &self.roster.swap_failure {
            add(format!("the new version was not taken: {failure}"));
        }
        if let Some(reason) = &self.roster.unprobed {
            add(reason.clone());
        }
        self.unreplaced().into_iter().for_each(&mut add);
        if let Some(problem) = self.roster.units.values().find_map(|unit| unit.cache_problem.as_ref()) {
            add(problem.clone());
        }
        reasons
    }

    /// Worn units that stay in service because another unit keeps failing: their successor, or a unit that must be in
    /// service first.
    fn unreplaced(&self) -> Vec<String> {
        let is_failing = |slot: &Unit| !slot.is_in_service() && slot.restart_policy.is_crash_loop();
        let failing = self.roster.staying().find(|(_, slot)| is_failing(slot));
        let Some((failing, _)) = failing else { return Vec::new() };
        let reason = self.roster.load_failure.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
        let why = format!("cannot be replaced yet: {failing} keeps failing{reason}");
        let worn = self.roster.units.iter().filter(|(_, slot)| slot.is_worn && slot.is_in_service());
        worn.map(|(unit, _)| format!("{unit} is worn out and {why}")).collect()
    }
}
