//! `/api/cameras`: what each camera delivers or why it does not, and the commands that switch it on and off.

use crate::control::{Accepted, Command, Control, ControlError};
use crate::http::routes::models::{self, Nothing};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get, post};
use serde_json::json;

/// The routes of this file. The body of a command must be JSON (`{}`), for the reason given in
/// [`models`](crate::http::routes::models::router).
pub(in crate::http) fn router() -> Router<Control> {
    Router::new()
        .route("/api/cameras", get(list))
        .route("/api/cameras/{camera}", get(describe))
        .route("/api/cameras/{camera}/enable", post(enable))
        .route("/api/cameras/{camera}/disable", post(disable))
}

async fn list(State(control): State<Control>) -> Response {
    let health = control.health();
    Json(json!({"box_id": health.box_id, "cameras": health.cameras})).into_response()
}

async fn describe(State(control): State<Control>, Path(camera): Path<String>) -> Response {
    match control.health().cameras.get(&camera) {
        Some(health) => Json(health).into_response(),
        None => models::refuse(&ControlError::NoSuchCamera(camera)),
    }
}

async fn enable(
    State(control): State<Control>,
    Path(camera): Path<String>,
    Json(Nothing {}): Json<Nothing>,
) -> Response {
    switch(&control, camera, true).await
}

async fn disable(
    State(control): State<Control>,
    Path(camera): Path<String>,
    Json(Nothing {}): Json<Nothing>,
) -> Response {
    switch(&control, camera, false).await
}

async fn switch(control: &Control, camera: String, enabled: bool) -> Response {
    match control.ask(Command::SwitchCamera { camera: camera.clone(), enabled }).await {
        Ok(Accepted { warning }) => {
            (StatusCode::ACCEPTED, Json(json!({"camera": camera, "accepted": true, "warning": warning})))
                .into_response()
        }
        Err(error) => models::refuse(&error),
    }
}
