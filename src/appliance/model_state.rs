//! The state of a model as MQTT subscribers get it.

use crate::publish::message::ModelStateMessage;
use crate::supervisor::ModelStatus;

/// The message about a model. Its figures are rounded, so that the retained message does not change twice a second.
pub(super) fn model_state(model: &ModelStatus, hours: f64) -> ModelStateMessage {
    #[expect(clippy::cast_possible_truncation, reason = "a rate of one box")]
    let rounded = |tps: f64| tps.round() as f32;
    let units = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    ModelStateMessage {
        state: model.state.name(),
        package: model.package.clone(),
        version: model.version.clone(),
        next_version: model.next_version.clone(),
        min_units: units(model.min_units),
        max_units: model.max_units.map(units),
        desired_units: units(model.desired),
        in_service_units: units(model.in_service),
        nodes: model.nodes.iter().map(|(zone, counts)| (zone.clone(), counts.0.clone())).collect(),
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
