//! `/api/events/pictures`, `/api/events/<event>/picture`: the pictures of the last events.

use crate::control::event_pictures::EventPictures;
use crate::http::routes::refusal::refusal;
use crate::http::routes::snapshots::picture;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get};
use serde_json::json;

/// The routes of this file.
pub(in crate::http) fn router() -> Router<EventPictures> {
    Router::new().route("/api/events/pictures", get(list)).route("/api/events/{event}/picture", get(show))
}

/// The ids of the events that have one, the newest first.
async fn list(State(pictures): State<EventPictures>) -> Response {
    Json(json!({"events": pictures.events()})).into_response()
}

async fn show(State(pictures): State<EventPictures>, Path(event): Path<String>) -> Response {
    match pictures.of(&event) {
        Some(snapshot) => picture(&snapshot),
        None => {
            let what = "there is no picture of this event, or not any more: the last ones are kept in memory";
            refusal(StatusCode::NOT_FOUND, "not_found", what)
        }
    }
}
