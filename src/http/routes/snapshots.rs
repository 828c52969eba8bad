//! `/api/cameras/<camera>/snapshot`: a picture of the camera.

use crate::control::Control;
use crate::control::snapshots::{Snapshot, SnapshotFreshness, SnapshotRefusal, SnapshotReply};
use crate::http::routes::refusal;
use crate::os::clock::{http_date, monotonic_now};
use crate::vision::picture_source::PictureSource;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get};
use serde::Deserialize;
use std::sync::Arc;

/// The routes of this file.
pub(in crate::http) fn router() -> Router<Control> {
    Router::new().route("/api/cameras/{camera}/snapshot", get(snapshot))
}

/// Headers of a snapshot: its frame and its event, with the numbers of the published messages.
const FRAME: HeaderName = HeaderName::from_static("ocelli-frame");
const EVENT: HeaderName = HeaderName::from_static("ocelli-event");

/// Of a camera with two streams: the one that it shows (`main` or `detect`), how many milliseconds later than the frame the
/// keyframe of the main stream came, and why it does not show that.
const STREAM: HeaderName = HeaderName::from_static("ocelli-stream");
const OFFSET: HeaderName = HeaderName::from_static("ocelli-offset-ms");
const WHY: HeaderName = HeaderName::from_static("ocelli-stream-reason");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// `true` waits for the next analysed frame; `false` gives the snapshot that was published last, if there is one.
    #[serde(default)]
    fresh: bool,
    /// `true` gives a picture that is at most two seconds old where the camera is analysed so often, else the newest one that
    /// there is: for a person who looks. However many look, it is made once.
    #[serde(default)]
    recent: bool,
    /// `true` gives the next analysed frame as the model is given it: of the analysed stream, in its own size, without boxes.
    #[serde(default)]
    plain: bool,
}

async fn snapshot(
    State(control): State<Control>,
    Path(camera): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Response {
    let freshness = match parameters {
        Parameters { plain: true, .. } => SnapshotFreshness::Plain,
        Parameters { fresh: true, .. } => SnapshotFreshness::Fresh,
        Parameters { recent: true, .. } => SnapshotFreshness::Recent,
        Parameters { .. } => SnapshotFreshness::Newest,
    };
    match control.snapshots.ask(camera, freshness).await {
        SnapshotReply::Taken(snapshot) => picture(&snapshot),
        SnapshotReply::Accepted => StatusCode::ACCEPTED.into_response(),
        SnapshotReply::Refused(refused) => refuse(&refused),
    }
}

/// The bytes come from a process that is not trusted, so the headers let a browser treat them as a JPEG only.
pub(super) fn picture(snapshot: &Snapshot) -> Response {
    let mut response = Response::new(Body::from(Bytes::from_owner(Arc::clone(&snapshot.jpeg))));
    let age = monotonic_now().since(snapshot.captured_at).as_secs();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::AGE, HeaderValue::from(age));
    headers.insert(FRAME, HeaderValue::from(snapshot.frame));
    let text = |text: &str| HeaderValue::from_str(text).ok();
    if let Some(date) = snapshot.captured_at_ms.and_then(|ms| text(&http_date(ms))) {
        headers.insert(header::LAST_MODIFIED, date);
    }
    if let Some(event) = snapshot.event.as_deref().and_then(text) {
        headers.insert(EVENT, event);
    }
    if let Some(stream) = snapshot.source.stream() {
        headers.insert(STREAM, HeaderValue::from_static(stream));
    }
    match &snapshot.source {
        PictureSource::Frame => {}
        PictureSource::Main { offset_ms } => drop(headers.insert(OFFSET, HeaderValue::from(*offset_ms))),
        PictureSource::FrameInstead { why } => drop(text(why).map(|why| headers.insert(WHY, why))),
    }
    response
}

fn refuse(refused: &SnapshotRefusal) -> Response {
    let (status, code) = match refused {
        SnapshotRefusal::NoSuchCamera { .. } => (StatusCode::NOT_FOUND, "not_found"),
        SnapshotRefusal::Off => (StatusCode::SERVICE_UNAVAILABLE, "off"),
        SnapshotRefusal::NotStreaming { .. } => (StatusCode::SERVICE_UNAVAILABLE, "not_streaming"),
        SnapshotRefusal::LimitReached { .. } => (StatusCode::TOO_MANY_REQUESTS, "limit_reached"),
        SnapshotRefusal::NoFrame { .. } => (StatusCode::GATEWAY_TIMEOUT, "no_frame"),
        SnapshotRefusal::Failed(_) => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
        SnapshotRefusal::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
    };
    let response = refusal::refusal(status, code, &refused.to_string());
    match refused {
        SnapshotRefusal::LimitReached { retry_after, .. } => refusal::retry_after(response, *retry_after),
        _ => response,
    }
}
