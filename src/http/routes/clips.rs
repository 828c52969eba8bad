//! `/api/events/<event>/clip`: the video of an event, whole or in parts, so that browsers can move in it.

use crate::clips::{Clips, FoundClip};
use crate::http::byte_range::{Asked, asked};
use crate::http::routes::refusal::refusal;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get};
use hyper::body::Frame;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

/// What is read from the disk at a time, and how many of it wait for a slow client.
const CHUNK_BYTES: u64 = 128 << 10;
const WAITING_CHUNKS: usize = 2;

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
    let (chunks, receiver) = mpsc::channel(WAITING_CHUNKS);
    tokio::spawn(read(file, first, bytes, chunks));
    let mut response = (status, Body::new(Chunks(receiver))).into_response();
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

/// Reads a part of the file while the client takes it. No thread waits for a client.
async fn read(mut file: File, first: u64, mut bytes: u64, chunks: mpsc::Sender<io::Result<Bytes>>) {
    let mut at = first;
    while bytes > 0 {
        let next = bytes.min(CHUNK_BYTES);
        let step = spawn_blocking(move || {
            let mut chunk = Vec::new();
            let read = file.seek(SeekFrom::Start(at)).and_then(|_| (&file).take(next).read_to_end(&mut chunk));
            let is_short = matches!(read, Ok(read) if (read as u64) < next);
            let chunk = if is_short { Err(io::ErrorKind::UnexpectedEof.into()) } else { read.map(|_| chunk.into()) };
            (file, chunk)
        });
        let Ok((same, chunk)) = step.await else { return };
        let is_read = chunk.is_ok();
        if chunks.send(chunk).await.is_err() || !is_read {
            return;
        }
        (file, at, bytes) = (same, at + next, bytes - next);
    }
}

/// The body of the response.
struct Chunks(mpsc::Receiver<io::Result<Bytes>>);

impl hyper::body::Body for Chunks {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}
