//! `/healthz`, `/readyz` and `/metrics`.

use crate::control::judge::STALE_AFTER;
use crate::http::state::{HealthReport, HttpState};
use crate::os::clock::monotonic_now;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get};

const HANGS: &str = "the event loop hangs";

/// The one route that is open to the network without a signature or token.
pub(in crate::http) fn public_router() -> Router<HttpState> {
    Router::new().route("/healthz", get(health))
}

/// What tells more of the box, and needs a token beyond loopback.
pub(in crate::http) fn detailed_router() -> Router<HttpState> {
    Router::new().route("/readyz", get(ready)).route("/metrics", get(metrics))
}

/// The routes of this file.
pub(in crate::http) fn router() -> Router<HttpState> {
    public_router().merge(detailed_router())
}

/// 200 while the event loop runs.
async fn health(State(state): State<HttpState>) -> Response {
    match is_alive(&state.health.borrow()) {
        true => (StatusCode::OK, "ok\n").into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, format!("{HANGS}\n")).into_response(),
    }
}

/// The event loop reports twice a second, if it does not hang.
fn is_alive(report: &HealthReport) -> bool {
    monotonic_now().since(report.alive_at) < STALE_AFTER
}

/// 200 while the box is ready; the reasons say what is degraded. A blind camera or a broker that is away is a reason, and
/// calls are answered all the same.
async fn ready(State(state): State<HttpState>) -> Response {
    let HealthReport { mut ready, mut reasons, .. } = state.health.borrow().clone();
    if !is_alive(&state.health.borrow()) {
        ready = false;
        reasons.insert(0, HANGS.to_owned());
    }
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({"box_id": state.control.box_id(), "ready": ready, "reasons": reasons});
    (status, axum::Json(body)).into_response()
}

async fn metrics(State(state): State<HttpState>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], state.metrics.encode()).into_response()
}
