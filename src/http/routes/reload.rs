//! `/api/reload`: reads the settings again and applies what changed.

use crate::control::{Control, ReloadError, ReloadReport};
use crate::http::routes::models::Nothing;
use crate::http::routes::refusal::refusal;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, post};
use serde_json::json;

/// The route of this file. Its body must be JSON (`{}`), for the reason given in
/// [`models`](crate::http::routes::models::router).
pub(in crate::http) fn router() -> Router<Control> {
    Router::new().route("/api/reload", post(reload))
}

async fn reload(State(control): State<Control>, Json(Nothing {}): Json<Nothing>) -> Response {
    match control.reload().await {
        Ok(ReloadReport { changed, restart }) => {
            Json(json!({"changed": changed, "needs_restart": restart})).into_response()
        }
        Err(error @ ReloadError::Mistakes(_)) => {
            refusal(StatusCode::UNPROCESSABLE_ENTITY, "settings", &error.to_string())
        }
        Err(error @ (ReloadError::Busy | ReloadError::Hanging)) => {
            refusal(StatusCode::SERVICE_UNAVAILABLE, "busy", &error.to_string())
        }
    }
}
