//! `/api/models`: the models of the box, and the commands that change them.

use crate::control::history::Counted;
use crate::control::shared_models::SharedModel;
use crate::control::unit_numbers::UnitNumbers;
use crate::control::{Accepted, Command, Control, ControlError};
use crate::http::routes::refusal::refusal;
use crate::supervisor::{FleetError, ModelStatus};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get, post};
use serde::Deserialize;
use serde_json::{Value, json};

/// The routes of this subject.
///
/// A command is answered with 202 when it has begun. Its body must be JSON: a browser lets a page of another origin send that
/// only after a preflight request, which this server refuses.
pub(in crate::http) fn router() -> Router<Control> {
    Router::new()
        .route("/api/models", get(list))
        .route("/api/models/{model}", get(describe))
        .route("/api/models/{model}/start", post(start))
        .route("/api/models/{model}/stop", post(stop))
        .route("/api/models/{model}/scale", post(scale))
        .route("/api/models/{model}/swap", post(swap))
}

async fn list(State(control): State<Control>) -> Response {
    let models = control.read(|status| {
        let view = |(name, model): (&String, &ModelStatus)| (name.clone(), view(model, control.shared_model(name)));
        let models = status.models.iter().map(view);
        models.collect::<serde_json::Map<String, Value>>()
    });
    Json(json!({"box_id": control.box_id(), "models": models})).into_response()
}

async fn describe(State(control): State<Control>, Path(model): Path<String>) -> Response {
    let shared = control.shared_model(&model);
    match control.read(|status| status.models.get(&model).map(|of_box| view(of_box, shared))) {
        Some(view) => Json(view).into_response(),
        None => refuse(&FleetError::NotFound(model).into()),
    }
}

async fn start(State(control): State<Control>, Path(model): Path<String>, Json(units): Json<UnitNumbers>) -> Response {
    match units.bounds() {
        Ok(bounds) => obey(&control, Command::StartModel { model, bounds }).await,
        Err(error) => refuse(&error.into()),
    }
}

/// The body of a command without parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

async fn stop(State(control): State<Control>, Path(model): Path<String>, Json(Nothing {}): Json<Nothing>) -> Response {
    obey(&control, Command::StopModel { model }).await
}

async fn scale(State(control): State<Control>, Path(model): Path<String>, Json(units): Json<UnitNumbers>) -> Response {
    match units.required_bounds() {
        Ok(bounds) => obey(&control, Command::ScaleModel { model, bounds }).await,
        Err(error) => refuse(&error.into()),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Swap {
    package: String,
}

async fn swap(State(control): State<Control>, Path(model): Path<String>, Json(swap): Json<Swap>) -> Response {
    obey(&control, Command::SwapModel { model, package: swap.package }).await
}

async fn obey(control: &Control, command: Command) -> Response {
    let model = command.subject().to_owned();
    match control.ask(command).await {
        Ok(Accepted { warning }) => {
            (StatusCode::ACCEPTED, Json(json!({"model": model, "accepted": true, "warning": warning}))).into_response()
        }
        Err(error) => refuse(&error),
    }
}

pub(super) fn refuse(error: &ControlError) -> Response {
    let (status, code) = match error {
        ControlError::Fleet(FleetError::NotFound(_)) => (StatusCode::NOT_FOUND, "not_found"),
        ControlError::Fleet(FleetError::WrongState { .. }) => (StatusCode::CONFLICT, "wrong_state"),
        ControlError::Fleet(FleetError::LimitExceeded(_)) => (StatusCode::CONFLICT, "limit_exceeded"),
        ControlError::Fleet(FleetError::Invalid(_)) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        ControlError::NoSuchCamera(_) => (StatusCode::NOT_FOUND, "not_found"),
        ControlError::Package(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_package"),
        ControlError::Cluster(_) => (StatusCode::SERVICE_UNAVAILABLE, "cluster"),
        ControlError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
    };
    refusal(status, code, &error.to_string())
}

/// The JSON of a model at this box, and of all boxes together where they share it.
fn view(model: &ModelStatus, shared: Option<SharedModel>) -> Value {
    let rounded = |tps: f64| (tps * 10.0).round() / 10.0;
    json!({
        "state": model.state.name(),
        "package": model.package,
        "version": model.version,
        "variant": model.variant.name(),
        "execution_provider": model.execution_provider.name(),
        "next_version": model.next_version,
        "min_inference_units": model.min_units,
        "max_inference_units": model.max_units,
        "desired_inference_units": model.desired,
        "in_service_inference_units": model.in_service,
        "zones": model.zones,
        "nodes": model.nodes,
        "unit_restarts": model.restarts,
        "unit_batch": model.batch,
        "unit_tps": rounded(model.unit_tps),
        "unit_frame_tps": rounded(model.unit_frame_tps),
        "unit_image_tps": rounded(model.unit_image_tps),
        "image_places": model.image_places,
        "capacity_tps": rounded(model.capacity_tps),
        "load_tps": rounded(model.load_tps),
        "transactions": model.transactions,
        "throttled": Counted::of(model).number(),
        "in_flight": model.in_flight,
        "degraded": model.degraded,
        "cluster": shared.map(|shared| json!({
            "state": shared.state.name(),
            "min_inference_units": shared.min_units,
            "max_inference_units": shared.max_units,
            "in_service_inference_units": shared.in_service,
            "boxes": shared.boxes,
        })),
    })
}
