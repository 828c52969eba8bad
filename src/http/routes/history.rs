//! `/api/history`: the last hour in numbers, and the last connections of each camera.

use crate::control::history::HistoryBook;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get};

/// The route of this file.
pub(in crate::http) fn router() -> Router<HistoryBook> {
    Router::new().route("/api/history", get(history))
}

async fn history(State(book): State<HistoryBook>) -> Response {
    // A copy: it is not made to JSON while the book is open.
    let history = book.open().clone();
    Json(history).into_response()
}
