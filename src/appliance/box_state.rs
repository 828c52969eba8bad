//! The state of the box and of its models as MQTT subscribers get it.

use crate::control::reason::{Part, Reason};
use crate::control::{ApplianceStatus, judge};
use crate::publish::state_message::{BoxStateMessage, ModelStateMessage, SCHEMA_STATE};
use crate::supervisor::ModelStatus;
use crate::vision::health_status::HealthStatus;

/// The message about the box. It changes only when something has happened: whatever changes by itself is rounded or left
/// out. So is the broker: whoever gets the message has it from there, and the one that is published with a new connection
/// was made while there was none.
pub(super) fn box_state(status: &ApplianceStatus) -> BoxStateMessage {
    let state = |(name, model): (&String, &ModelStatus)| {
        let of_model = status.inference_hours.iter().filter(|((of, _), _)| of == name).map(|(_, hours)| hours);
        // The sum of nothing is -0.0.
        let hours = of_model.sum::<f64>() + 0.0;
        (name.clone(), model_state(model, hours))
    };
    let reasons = judge::reasons(status, status.made_at.unwrap_or_default())
        .into_iter()
        .filter(|reason| reason.part != Part::Broker);
    let degraded: Vec<String> = reasons.map(|Reason { text, .. }| text).collect();
    let (streaming, wanted) = judge::streaming_of_wanted(status);
    BoxStateMessage {
        schema: SCHEMA_STATE,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        boot_id: status.boot_id.clone(),
        status: HealthStatus::of(!degraded.is_empty()),
        in_service_units: units(status.units_in_service()),
        desired_units: units(status.units_desired()),
        streaming_cameras: units(streaming),
        wanted_cameras: units(wanted),
        models: status.models.iter().map(state).collect(),
        degraded,
    }
}

fn units(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// The message about a model. Its figures are rounded, so that the retained message does not change twice a second.
fn model_state(model: &ModelStatus, hours: f64) -> ModelStateMessage {
    #[expect(clippy::cast_possible_truncation, reason = "a rate of one box")]
    let rounded = |tps: f64| tps.round() as f32;
    ModelStateMessage {
        state: model.state.name(),
        package: model.package.clone(),
        version: model.version.clone(),
        variant: model.variant.name(),
        execution_provider: model.execution_provider.name(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::broker_status::BrokerStatus;
    use crate::supervisor::ModelState;
    use crate::vision::monotonic::Monotonic;

    #[test]
    fn a_state_says_what_is_wrong_but_for_the_broker_that_it_comes_from() {
        let model = ModelStatus { state: ModelState::Running, desired: 1, in_service: 1, ..ModelStatus::default() };
        let mut status = ApplianceStatus {
            made_at: Some(Monotonic::from_nanos(1)),
            models: [("coco-ssd".to_owned(), model)].into(),
            broker: BrokerStatus::Refused(None),
            ..ApplianceStatus::default()
        };
        let state = box_state(&status);
        assert_eq!((state.status, state.in_service_units), (HealthStatus::Ok, 1));
        status.unwritten.push("models.json cannot be written".into());
        let state = box_state(&status);
        assert_eq!((state.status, state.degraded), (HealthStatus::Degraded, status.unwritten));
    }
}
