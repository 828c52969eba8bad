//! `/api/cameras/<camera>/scene`: the areas of a camera's picture, which a person draws on the page.
//!
//! What is shown is in force, and in memory: whoever may only look learns nothing of files, and costs the disk nothing.

use crate::control::Control;
use crate::control::scenes::{SceneChange, SceneClient, SceneRefusal};
use crate::http::routes::refusal::refusal;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get, put};

/// Shows the areas.
pub(in crate::http) fn router() -> Router<Control> {
    Router::new().route("/api/cameras/{camera}/scene", get(show))
}

/// Changes them. Without a client nothing can be changed, as in tests of other routes.
pub(in crate::http) fn changing_router() -> Router<Option<SceneClient>> {
    Router::new().route("/api/cameras/{camera}/scene", put(change))
}

async fn show(State(control): State<Control>, Path(camera): Path<String>) -> Response {
    match control.scenes.of(&camera) {
        Some(areas) => Json(areas).into_response(),
        None => refuse(&SceneRefusal::NoSuchCamera(camera)),
    }
}

/// Writes all areas of the camera into the settings, and applies them.
async fn change(
    State(scenes): State<Option<SceneClient>>,
    Path(camera): Path<String>,
    Json(wanted): Json<SceneChange>,
) -> Response {
    let Some(scenes) = scenes else { return refuse(&SceneRefusal::Busy) };
    match scenes.change(camera, wanted).await {
        Ok(changed) => Json(changed).into_response(),
        Err(refused) => refuse(&refused),
    }
}

fn refuse(refused: &SceneRefusal) -> Response {
    let (status, code) = match refused {
        SceneRefusal::NoSuchCamera(_) => (StatusCode::NOT_FOUND, "not_found"),
        SceneRefusal::Outdated => (StatusCode::CONFLICT, "outdated"),
        SceneRefusal::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "settings"),
        SceneRefusal::Unwritable(_) => (StatusCode::CONFLICT, "read_only"),
        SceneRefusal::NotInForce(_) => (StatusCode::INTERNAL_SERVER_ERROR, "not_in_force"),
        SceneRefusal::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
    };
    refusal(status, code, &refused.to_string())
}
