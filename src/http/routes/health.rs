//! `/healthz`, `/readyz`, `/metrics`.

use crate::http::state::HttpState;
use crate::os::clock::monotonic_now;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get};
use std::time::Duration;

/// An event loop that has shown nothing for this long hangs; it shows itself twice a second.
const ALIVE_LIMIT: Duration = Duration::from_secs(10);

/// What anybody may ask.
pub(in crate::http) fn public_router() -> Router<HttpState> {
    Router::new().route("/healthz", get(health))
}

/// The routes of this subject.
pub(in crate::http) fn router() -> Router<HttpState> {
    public_router().route("/readyz", get(ready)).route("/metrics", get(metrics))
}

/// 200 while the event loop turns.
async fn health(State(state): State<HttpState>) -> Response {
    let is_alive = monotonic_now().since(state.health.borrow().alive_at) < ALIVE_LIMIT;
    match is_alive {
        true => (StatusCode::OK, "ok\n").into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "the event loop does not turn\n").into_response(),
    }
}

/// 200 while every unit is in service.
async fn ready(State(state): State<HttpState>) -> Response {
    let report = state.health.borrow().clone();
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({"ready": report.ready, "reasons": report.reasons});
    (status, axum::Json(body)).into_response()
}

async fn metrics(State(state): State<HttpState>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], state.metrics.encode()).into_response()
}
