//! `POST /api/models/<model>/detect`: takes a JPEG or PNG, returns labels and boxes.

use crate::control::Control;
use crate::control::images::{ImageReply, ImageSlot, ImageTooLarge, Waiting};
use crate::http::body::{self, Arriving, BodyError};
use crate::http::routes::refusal::{refusal, retry_after};
use crate::vision::look_options::LookOptions;
use crate::vision::outcome::{FailureCause, ShedReason};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, post};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// The routes of this file.
pub(in crate::http) fn router() -> Router<Control> {
    Router::new().route("/api/models/{model}/detect", post(detect))
}

/// The default and the longest time that a caller waits for the result.
const PATIENCE: Duration = Duration::from_secs(5);
const MAX_PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// Milliseconds after which the caller no longer needs the result.
    deadline_ms: Option<u64>,
}

/// What a form or script of any web page may send without asking first. No image is of these types.
const TYPES_OF_PAGES: [&str; 3] = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"];

fn is_of_a_page(headers: &HeaderMap) -> bool {
    let kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let mut kinds = kinds.map(|kind| kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim());
    kinds.any(|kind| TYPES_OF_PAGES.iter().any(|of_pages| of_pages.eq_ignore_ascii_case(kind)))
}

/// Reserves the slot before it reads the body: without a slot, nothing of the body is kept.
async fn detect(
    State(control): State<Control>,
    Path(model): Path<String>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
    mut body: Body,
) -> Response {
    if is_of_a_page(&headers) {
        let what = "send the JPEG or PNG as image/jpeg, image/png or application/octet-stream, or without a type";
        body::discard(body).await;
        return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", what);
    }
    let Some(slot) = control.images.reserve() else {
        body::discard(body).await;
        return shed(ShedReason::Throttled, Duration::from_secs(1));
    };
    let slot = match receive(&mut body, slot).await {
        Ok(slot) => slot,
        Err(error) => {
            body::discard(body).await;
            return error.into_response();
        }
    };
    let patience = parameters.deadline_ms.map_or(PATIENCE, Duration::from_millis).min(MAX_PATIENCE);
    let waiting = Waiting { patience, is_first_try: false };
    match control.images.detect(model.clone(), slot, waiting, LookOptions::default()).await {
        ImageReply::Detected(answer, package) => {
            let object = |found: &crate::vision::detection::Detection| {
                json!({
                    "label": package.labels.name(found.class),
                    "confidence": found.confidence,
                    "box": found.bounding_box,
                })
            };
            let objects: Vec<Value> = answer.detections.iter().map(object).collect();
            Json(json!({
                "model": package.model,
                "model_version": package.version,
                "width": answer.size.0,
                "height": answer.size.1,
                "latency_ms": {
                    "queue": answer.queued.as_secs_f64() * 1e3,
                    "decode": f64::from(answer.timing.decode_us) / 1e3,
                    "inference": f64::from(answer.timing.inference_us) / 1e3,
                },
                "detections": objects,
            }))
            .into_response()
        }
        ImageReply::Shed(reason, retry_after) => shed(reason, retry_after),
        ImageReply::Failed(FailureCause::InvalidImage) => {
            refusal(StatusCode::UNPROCESSABLE_ENTITY, "invalid_image", "the bytes are not a valid JPEG or PNG")
        }
        ImageReply::Failed(cause) if cause.is_of_the_image() => {
            refusal(StatusCode::UNPROCESSABLE_ENTITY, cause.name(), &cause.to_string())
        }
        ImageReply::Failed(cause) => {
            refusal(StatusCode::INTERNAL_SERVER_ERROR, cause.name(), &format!("{cause}, twice"))
        }
        ImageReply::NoModel => refusal(StatusCode::NOT_FOUND, "not_found", &format!("there is no model `{model}`")),
    }
}

/// Writes the body into the slot as it arrives.
async fn receive(body: &mut Body, mut slot: ImageSlot) -> Result<ImageSlot, NotReceived> {
    let mut arriving = Arriving::in_memory(body);
    while let Some(chunk) = arriving.next().await? {
        slot.write(&chunk).map_err(NotReceived::TooLarge)?;
    }
    Ok(slot)
}

enum NotReceived {
    Body(BodyError),
    TooLarge(ImageTooLarge),
}

impl From<BodyError> for NotReceived {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl IntoResponse for NotReceived {
    fn into_response(self) -> Response {
        match self {
            Self::TooLarge(large) => refusal(StatusCode::PAYLOAD_TOO_LARGE, "image_too_large", &large.to_string()),
            Self::Body(BodyError::TooSlow) => {
                refusal(StatusCode::REQUEST_TIMEOUT, "timeout", "the image arrived too slowly")
            }
            Self::Body(broken) => refusal(StatusCode::BAD_REQUEST, "body", &broken.to_string()),
        }
    }
}

/// 429 when the caller asks for too much, 503 when no unit can take the image.
fn shed(reason: ShedReason, after: Duration) -> Response {
    let status = match reason {
        ShedReason::Throttled | ShedReason::Expired => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    retry_after(refusal(status, reason.name(), &reason.to_string()), after)
}
