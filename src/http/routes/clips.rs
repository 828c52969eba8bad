//! `/api/events/<event>/clip`: the video of an event, whole or in parts, so that browsers can move in it.

use crate::clips::{Clips, FoundClip};
use crate::http::byte_range::{Asked, asked};
use crate::http::file_body::FileBody;
use crate::http::routes::refusal::refusal;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use tokio::task::spawn_blocking;

/// The routes of this file.
pub(in crate::http) fn router() -> Router<Option<Clips>> {
    Router::new().route("/api/events/{event}/clip", get(show))
}

async fn show(State(clips): State<Option<Clips>>, Path(event): Path<String>, headers: HeaderMap) -> Response {
    let none = |code, what| refusal(StatusCode::NOT_FOUND, code, what);
    let what = "there is no clip of this event: none was made or could be kept, or it has made room for newer ones";
    match clips.and_then(|clips| clips.of(&event)) {
        Some(FoundClip::In(file)) => serve(file, &headers).await.unwrap_or_else(|error| {
            tracing::debug!(%error, "a clip cannot be read");
            none("not_found", what)
        }),
        Some(FoundClip::Withheld) => {
            let what = "the camera has no clips: video would show what `blackout` hides in its snapshots";
            refusal(StatusCode::FORBIDDEN, "private", what)
        }
        Some(FoundClip::BeingMade) => {
            none("not_ready", "the clip of this event is still being made: ask again in a few seconds")
        }
        None => none("not_found", what),
    }
}

async fn serve(path: PathBuf, headers: &HeaderMap) -> io::Result<Response> {
    let opened = spawn_blocking(|| File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)))).await;
    let (length, file) = opened.map_err(io::Error::other)??;
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let (status, first, bytes) = match asked(range, length) {
        Asked::All => (StatusCode::OK, 0, length),
        Asked::Part { first, bytes } => (StatusCode::PARTIAL_CONTENT, first, bytes),
        Asked::Beyond => {
            let what = format!("the clip has {length} bytes");
            let mut response = refusal(StatusCode::RANGE_NOT_SATISFIABLE, "range", &what);
            set(&mut response, header::CONTENT_RANGE, &format!("bytes */{length}"));
            return Ok(response);
        }
    };
    let mut response = (status, Body::new(FileBody::new(file, first, bytes))).into_response();
    set(&mut response, header::CONTENT_TYPE, "video/mp4");
    set(&mut response, header::CONTENT_LENGTH, &bytes.to_string());
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    // It shows people: no cache on the way keeps it.
    set(&mut response, header::CACHE_CONTROL, "private, no-store");
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if status == StatusCode::PARTIAL_CONTENT {
        set(&mut response, header::CONTENT_RANGE, &format!("bytes {first}-{}/{length}", first + bytes - 1));
    }
    Ok(response)
}

fn set(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
