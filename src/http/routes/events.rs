//! `GET /api/events`: events as lines of JSON, from the past, as they happen, or both.

use crate::control::{Control, EventLog, NewEvent};
use crate::http::routes::refusal::refusal;
use crate::os::clock::wall_now_ms;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get};
use hyper::body::Frame;
use serde::Deserialize;
use serde_json::json;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};

/// The routes of this file.
pub(in crate::http) fn router() -> Router<Control> {
    Router::new().route("/api/events", get(events))
}

/// The code of every refusal.
const CODE: &str = "events";

/// Events read from the disk at a time.
const PAGE: usize = 256;

/// Lines queued for a slow reader. When the queue is full, reading from the disk waits; new events that are missed meanwhile
/// are counted in a line of their own.
const LINE_QUEUE: usize = 64;

/// How often an empty line shows a waiting reader that the daemon is alive. Readers skip it.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// Includes the events of that many past seconds.
    since_seconds: Option<u32>,
    /// Continues with new events.
    #[serde(default)]
    follow: bool,
    /// Includes the events of this camera only.
    camera: Option<String>,
}

async fn events(State(control): State<Control>, Query(parameters): Query<Parameters>) -> Response {
    let Some(log) = control.events.clone() else {
        return refusal(StatusCode::NOT_FOUND, CODE, "no events are kept");
    };
    let followed = match parameters.follow {
        // Subscribes before the past is read, so that no event falls in between.
        true => match log.follow().await {
            Some(followed) => Some(followed),
            None => return refusal(StatusCode::SERVICE_UNAVAILABLE, CODE, "the daemon is stopping"),
        },
        false => None,
    };
    let (lines, receiver) = mpsc::channel(LINE_QUEUE);
    let mut writer = Writer { log, lines, camera: parameters.camera, last: VecDeque::new() };
    // Finds out whether the disk can be read while the status of the response can still say so.
    let since = parameters.since_seconds.map(|seconds| wall_now_ms() - 1000 * i64::from(seconds));
    if let Some(since_ms) = since
        && let Err(reason) = writer.log.since(since_ms, 0, 1).await
    {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, CODE, &reason);
    }
    tokio::spawn(async move {
        if let Some(since_ms) = since
            && writer.write_past(since_ms).await.is_err()
        {
            return;
        }
        if let Some(followed) = followed
            && writer.follow(followed).await.is_err()
        {
            tracing::debug!("a reader of events has disconnected");
        }
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::new(Lines(receiver))).into_response()
}

/// The reader has disconnected.
struct Gone;

/// Queues lines for the body of the response.
struct Writer {
    log: EventLog,
    lines: mpsc::Sender<Bytes>,
    camera: Option<String>,
    /// Digests of the last lines of the past, of 8 bytes: a follower may stay for days. The first new events may be among
    /// them, and are then skipped.
    last: VecDeque<u64>,
}

impl Writer {
    async fn write_past(&mut self, since_ms: i64) -> Result<(), Gone> {
        let mut after = 0;
        loop {
            let (records, next) = match self.log.since(since_ms, after, PAGE).await {
                Ok(page) => page,
                Err(reason) => {
                    return self.write_error(&format!("the remaining events cannot be read: {reason}")).await;
                }
            };
            for record in records {
                let line = line(&record.payload);
                self.last.push_back(digest(&line));
                if self.last.len() > PAGE {
                    self.last.pop_front();
                }
                self.write(&record.camera, line).await?;
            }
            if next == after {
                return Ok(());
            }
            after = next;
        }
    }

    async fn follow(&mut self, mut followed: broadcast::Receiver<NewEvent>) -> Result<(), Gone> {
        loop {
            match tokio::time::timeout(KEEP_ALIVE, followed.recv()).await {
                Err(_) => self.lines.send(Bytes::from_static(b"\n")).await.map_err(|_| Gone)?,
                Ok(Ok(event)) => {
                    let line = line(&event.payload);
                    if !self.last.contains(&digest(&line)) {
                        self.write(&event.camera, line).await?;
                    }
                }
                Ok(Err(RecvError::Lagged(missed))) => {
                    self.write_error(&format!("{missed} events were missed: the reader was too slow")).await?;
                }
                Ok(Err(RecvError::Closed)) => return Ok(()),
            }
        }
    }

    async fn write(&self, camera: &str, line: Bytes) -> Result<(), Gone> {
        match &self.camera {
            Some(only) if only != camera => Ok(()),
            _ => self.lines.send(line).await.map_err(|_| Gone),
        }
    }

    async fn write_error(&self, message: &str) -> Result<(), Gone> {
        self.lines.send(line(json!({"error": {"message": message}}).to_string().as_bytes())).await.map_err(|_| Gone)
    }
}

/// Each event has an `id` of its own, so that no two lines are alike.
fn digest(line: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}

fn line(payload: &[u8]) -> Bytes {
    [payload, b"\n"].concat().into()
}

/// The body of the response.
struct Lines(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}
