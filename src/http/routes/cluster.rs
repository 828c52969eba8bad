//! `/api/cluster`: the cluster as this box sees it, and whether this box takes part.

use crate::cluster::{ClusterClient, month_of};
use crate::http::routes::models::Nothing;
use crate::http::routes::refusal::refusal;
use crate::os::clock::wall_now_ms;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get, post};
use serde::Deserialize;
use serde_json::json;

/// The routes of this file. Bodies must be JSON (`{}`), for the reason given in
/// [`models`](crate::http::routes::models::router).
pub(in crate::http) fn router() -> Router<Option<ClusterClient>> {
    Router::new()
        .route("/api/cluster", get(show))
        .route("/api/cluster/hours", get(hours))
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Month {
    /// `2026-11`; the default is this month.
    month: Option<String>,
}

/// Inference hours of all boxes together.
async fn hours(State(cluster): State<Option<ClusterClient>>, Query(Month { month }): Query<Month>) -> Response {
    let Some(cluster) = cluster else { return no_cluster() };
    let now_ms = wall_now_ms();
    let month = month.unwrap_or_else(|| month_of(now_ms));
    let hours = cluster.status.borrow().hours.month(&month, now_ms);
    // The sum of no numbers is -0.0.
    let total = hours.iter().map(|row| row.inference_hours).sum::<f64>() + 0.0;
    Json(json!({"month": month, "inference_hours": total, "hours": hours})).into_response()
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
