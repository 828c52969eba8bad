//! `/api/status`: the health of the box as a whole, with the reasons for whatever is wrong.

use crate::control::Control;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get};

/// The routes of this file.
pub(in crate::http) fn router() -> Router<Control> {
    Router::new().route("/api/status", get(status))
}

/// Always 200: whether all is well is in `status`.
async fn status(State(control): State<Control>) -> Response {
    Json(control.health()).into_response()
}
