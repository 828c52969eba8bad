//! `/api/hours`: the inference hours of a month.

use crate::catalog::CatalogStore;
use crate::control::Control;
use crate::http::routes::refusal::refusal;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get};
use serde::Deserialize;
use serde_json::json;

/// The routes of this file.
pub(in crate::http) fn router() -> Router<Control> {
    Router::new().route("/api/hours", get(hours))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// `2026-11`; the default is this month.
    month: Option<String>,
}

/// Each row with the project and version that its model is to the AWS-compatible API.
async fn hours(State(control): State<Control>, Query(parameters): Query<Parameters>) -> Response {
    match control.hours(parameters.month).await {
        Ok((month, rows)) => {
            // The sum of no numbers is -0.0.
            let total = rows.iter().map(|row| row.unit_seconds / 3600.0).sum::<f64>() + 0.0;
            let mut named = Vec::new();
            for row in &rows {
                let (project, project_version) = CatalogStore::names_of(&row.model, &row.version);
                let mut row = json!(row);
                (row["project"], row["project_version"]) = (project.into(), project_version.into());
                named.push(row);
            }
            Json(json!({"month": month, "inference_hours": total, "hours": named})).into_response()
        }
        Err(error) => {
            let status = match error.kind() {
                std::io::ErrorKind::InvalidInput => StatusCode::UNPROCESSABLE_ENTITY,
                std::io::ErrorKind::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            refusal(status, "hours", &error.to_string())
        }
    }
}
