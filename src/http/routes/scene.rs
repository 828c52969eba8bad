//! `/api/cameras/<camera>/scene`: the areas of a camera's picture, which a person draws on the page.

use crate::control::scenes::{SceneAreas, SceneClient, SceneRefusal};
use crate::http::routes::refusal::refusal;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get};

/// The route of this file. Without a client nothing can be changed, as in tests of other routes.
pub(in crate::http) fn router() -> Router<Option<SceneClient>> {
    Router::new().route("/api/cameras/{camera}/scene", get(show).put(change))
}

/// The areas as they are in the settings.
async fn show(State(scenes): State<Option<SceneClient>>, Path(camera): Path<String>) -> Response {
    let Some(scenes) = scenes else { return refuse(&SceneRefusal::Busy) };
    match scenes.show(camera).await {
        Ok(areas) => Json(areas).into_response(),
        Err(refused) => refuse(&refused),
    }
}

/// Writes all areas of the camera into the settings, and applies them.
async fn change(
    State(scenes): State<Option<SceneClient>>,
    Path(camera): Path<String>,
    Json(areas): Json<SceneAreas>,
) -> Response {
    let Some(scenes) = scenes else { return refuse(&SceneRefusal::Busy) };
    match scenes.change(camera, areas).await {
        Ok(changed) => Json(changed).into_response(),
        Err(refused) => refuse(&refused),
    }
}

fn refuse(refused: &SceneRefusal) -> Response {
    let (status, code) = match refused {
        SceneRefusal::NoSuchCamera(_) => (StatusCode::NOT_FOUND, "not_found"),
        SceneRefusal::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "settings"),
        SceneRefusal::Unwritable(_) => (StatusCode::CONFLICT, "read_only"),
        SceneRefusal::NotInForce(_) => (StatusCode::INTERNAL_SERVER_ERROR, "not_in_force"),
        SceneRefusal::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
    };
    refusal(status, code, &refused.to_string())
}
