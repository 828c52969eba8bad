//! `/healthz`, `/readyz`, `/metrics`.

use crate::http::state::HttpState;
use crate::os::clock::monotonic_now;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get};
use std::time::Duration;

/// The event loop reports twice a second. After this long without a report it hangs.
const ALIVE_LIMIT: Duration = Duration::from_secs(10);

/// The one route that is open to the network without a signature.
pub(in crate::http) fn public_router() -> Router<HttpState> {
    Router::new().route("/healthz", get(health))
}

/// The routes of this file.
pub(in crate::http) fn router() -> Router<HttpState> {
    public_router().route("/readyz", get(ready)).route("/metrics", get(metrics))
}

/// 200 while the event loop runs.
async fn health(State(state): State<HttpState>) -> Response {
    let is_alive = monotonic_now().since(state.health.borrow().alive_at) < ALIVE_LIMIT;
    match is_alive {
        true => (StatusCode::OK, "ok\n").into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "the event loop hangs\n").into_response(),
    }
}

/// 200 while the box is ready; the reasons say what is degraded.
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
