//! Converts the status of models and outbox for the metrics and for the box's state message.

use crate::publish::message::ModelState;
use crate::publish::outbox::OutboxStatus;
use crate::supervisor::ModelStatus;
use crate::telemetry::metrics::{ModelFigures, OutboxFigures};
use crate::vision::outcome::ShedReason;
use std::collections::BTreeMap;

/// For metrics.
pub(super) fn figures(model: &ModelStatus) -> ModelFigures {
    let mut total = model.images.clone();
    model.ledgers.values().for_each(|ledger| total.add(ledger));
    let throttled = [
        ShedReason::Superseded,
        ShedReason::Stale,
        ShedReason::NoFreeSlot,
        ShedReason::Throttled,
        ShedReason::Expired,
        ShedReason::NoUnits,
    ];
    ModelFigures {
        min: model.min_units,
        max: model.max_units.unwrap_or(model.min_units),
        desired: model.desired,
        in_service: model.in_service,
        nodes: nodes(model),
        restarts: model.restarts,
        batch: model.batch,
        unit_frame_tps: model.unit_frame_tps,
        unit_image_tps: model.unit_image_tps,
        capacity_tps: model.capacity_tps,
        load_tps: model.load_tps,
        succeeded: total.detected,
        transactions: model.transactions,
        throttled: throttled.iter().filter_map(|reason| total.shed.get(reason)).sum(),
        images_received: model.images.captured,
        images_detected: model.images.detected,
        images_shed: model.images.shed.clone(),
        images_failed: model.images.failed.clone(),
    }
}

/// The model's graph nodes by zone and execution provider.
fn nodes(model: &ModelStatus) -> BTreeMap<String, BTreeMap<String, u32>> {
    model.nodes.iter().map(|(zone, counts)| (zone.clone(), counts.0.clone())).collect()
}

/// Values are rounded, so that the retained message does not change twice a second.
pub(super) fn model_state(model: &ModelStatus, hours: f64) -> ModelState {
    #[expect(clippy::cast_possible_truncation, reason = "a rate of one box")]
    let rounded = |tps: f64| tps.round() as f32;
    let units = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    ModelState {
        state: model.state.name(),
        package: model.package.clone(),
        version: model.version.clone(),
        next_version: model.next_version.clone(),
        min_units: units(model.min_units),
        max_units: model.max_units.map(units),
        desired_units: units(model.desired),
        in_service_units: units(model.in_service),
        nodes: nodes(model),
        unit_batch: model.batch,
        unit_tps: rounded(model.unit_tps),
        unit_frame_tps: rounded(model.unit_frame_tps),
        unit_image_tps: rounded(model.unit_image_tps),
        capacity_tps: rounded(model.capacity_tps),
        load_tps: rounded(model.load_tps),
        transactions: model.transactions / 1000 * 1000,
        inference_hours: (hours * 10.0).round() / 10.0,
    }
}

/// For metrics.
pub(super) fn outbox_figures(status: &OutboxStatus) -> OutboxFigures {
    OutboxFigures {
        waiting: status.waiting,
        on_their_way: status.on_their_way,
        is_on_disk: status.trouble.is_none(),
        counts: [
            ("recorded", status.recorded),
            ("delivered", status.delivered),
            ("refused", status.refused),
            ("put_off", status.put_off),
            ("dropped", status.dropped),
            ("damaged", status.damaged),
        ],
    }
}
