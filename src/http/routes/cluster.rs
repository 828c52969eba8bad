//! `/api/cluster`: the cluster as this box sees it, and whether this box takes part.

use crate::cluster::ClusterClient;
use crate::http::routes::models::Nothing;
use crate::http::routes::refusal::refusal;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get, post};
use serde_json::json;

/// The routes of this file. Bodies must be JSON (`{}`), for the reason given in
/// [`models`](crate::http::routes::models::router).
pub(in crate::http) fn router() -> Router<Option<ClusterClient>> {
    Router::new()
        .route("/api/cluster", get(show))
        .route("/api/cluster/drain", post(drain))
        .route("/api/cluster/undrain", post(undrain))
}

fn no_cluster() -> Response {
    let why = "this box is in no cluster: its settings have no `cluster.name`";
    refusal(StatusCode::NOT_FOUND, "no_cluster", why)
}

async fn show(State(cluster): State<Option<ClusterClient>>) -> Response {
    match cluster {
        Some(cluster) => Json(cluster.status.borrow().clone()).into_response(),
        None => no_cluster(),
    }
}

async fn drain(cluster: State<Option<ClusterClient>>, Json(Nothing {}): Json<Nothing>) -> Response {
    set(cluster, true).await
}

async fn undrain(cluster: State<Option<ClusterClient>>, Json(Nothing {}): Json<Nothing>) -> Response {
    set(cluster, false).await
}

async fn set(State(cluster): State<Option<ClusterClient>>, is_draining: bool) -> Response {
    let Some(cluster) = cluster else { return no_cluster() };
    match cluster.drain(is_draining).await {
        Ok(()) => Json(json!({"draining": is_draining})).into_response(),
        Err(why) => refusal(StatusCode::SERVICE_UNAVAILABLE, "busy", &why),
    }
}
