//! Request bodies: how long they may be, how slowly they may arrive, and how many bytes are held at a time.

use crate::http::pace::Pace;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{timeout, timeout_at};

/// Bytes of bodies held at a time by all connections.
const BUDGET_BYTES: usize = 64 << 20;
/// Bytes for each permit of the budget.
const PERMIT_BYTES: usize = 1024;
/// How long the client of a body that is held in memory may take.
const OF_MEMORY: Patience = Patience { silence: Duration::from_secs(2), whole: Some(Duration::from_secs(15)) };
/// A body in chunks of one byte costs far more time than its bytes are worth: after this many chunks their average size
/// must not be small.
const SMALL_CHUNKS: usize = 2048;
const SMALL_CHUNK_BYTES: usize = 64;
/// How much of a refused body is read and discarded, and for how long.
const MAX_DISCARDED_BYTES: usize = 16 << 20;
/// A chunk of it counts as so many bytes at least: reading four thousand takes a few milliseconds, and 16 MiB in chunks of
/// eight bytes would take a core for as long as the client likes.
const LEAST_DISCARDED_BYTES: usize = 4096;
const DISCARD_LIMIT: Duration = Duration::from_secs(2);

/// Why a body was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the request is too long")]
    TooLong,
    #[error("too many request bodies are being received")]
    NoRoom,
    #[error("the request must have a Content-Length")]
    NoLength,
    #[error("the request arrived too slowly")]
    TooSlow,
    #[error("the request ended early")]
    Broken,
}

/// Memory for the bodies of all connections of one server.
#[derive(Clone, Debug)]
pub struct BodyBudget(Arc<Semaphore>);

impl Default for BodyBudget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BUDGET_BYTES / PERMIT_BYTES)))
    }
}

/// A whole body, with its share of the budget. Dropping it returns the share.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: Vec<u8>,
    _permit: Option<OwnedSemaphorePermit>,
}

/// Receives a body of at most `max_bytes`, whose length the headers must announce. The budget is taken as bytes arrive, so a
/// client that announces a lot and sends little holds little.
///
/// # Errors
/// [`BodyError`]; [`discard`] the rest of the body then.
pub(super) async fn receive(
    body: &mut Body,
    headers: &HeaderMap,
    max_bytes: usize,
    budget: &BodyBudget,
) -> Result<Received, BodyError> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let length = length.ok_or(BodyError::NoLength)?;
    if length > max_bytes {
        return Err(BodyError::TooLong);
    }
    let mut received = Received { bytes: Vec::new(), _permit: None };
    let mut permits = 0;
    let mut arriving = Arriving::in_memory(body);
    while let Some(chunk) = arriving.next().await? {
        if received.bytes.len() + chunk.len() > length {
            return Err(BodyError::Broken);
        }
        let needed = (received.bytes.len() + chunk.len()).div_ceil(PERMIT_BYTES);
        let more = u32::try_from(needed - permits).map_err(|_| BodyError::TooLong)?;
        let permit = Arc::clone(&budget.0).try_acquire_many_owned(more).map_err(|_| BodyError::NoRoom)?;
        match &mut received._permit {
            Some(held) => held.merge(permit),
            None => received._permit = Some(permit),
        }
        permits = needed;
        // The whole length at once: memory pages are taken only when written, and a growing vector would be copied again
        // and again.
        received.bytes.reserve_exact(length - received.bytes.len());
        received.bytes.extend_from_slice(&chunk);
    }
    if received.bytes.len() == length { Ok(received) } else { Err(BodyError::Broken) }
}

/// How long the client of a body may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// How long it may send nothing, and how long it may begin slowly.
    pub(super) silence: Duration,
    /// For the whole body; `None`: as long as its [pace](Pace) allows.
    pub(super) whole: Option<Duration>,
}

/// A body as it arrives, from a client that must not be too slow.
pub(super) struct Arriving<'a> {
    body: &'a mut Body,
    patience: Patience,
    pace: Pace,
    bytes: usize,
    chunks: usize,
}

impl<'a> Arriving<'a> {
    /// A body of which nothing was received. It begins now.
    pub(super) fn begin(body: &'a mut Body, patience: Patience) -> Self {
        Self { body, patience, pace: Pace::begin(patience.silence), bytes: 0, chunks: 0 }
    }

    /// A body that is held in memory.
    pub(super) fn in_memory(body: &'a mut Body) -> Self {
        Self::begin(body, OF_MEMORY)
    }

    /// Leaves out a time in which nothing was asked of the client.
    pub(super) fn excuse(&mut self, time: Duration) {
        self.pace.excuse(time);
    }

    /// The next chunk; `None` at the end.
    ///
    /// # Errors
    /// [`BodyError::TooSlow`] when it arrives too slowly, or in too many small chunks; [`BodyError::Broken`].
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            let whole = self.patience.whole.map(|whole| self.pace.begun() + whole);
            let limit = whole.map_or(self.pace.limit(), |whole| whole.min(self.pace.limit()));
            let waiting = timeout(self.patience.silence, timeout_at(limit, self.body.frame()));
            let Ok(Ok(frame)) = waiting.await else { return Err(BodyError::TooSlow) };
            let Some(frame) = frame else { return Ok(None) };
            let Ok(chunk) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
            self.pace.passed(chunk.len());
            self.bytes += chunk.len();
            self.chunks += 1;
            if self.chunks > SMALL_CHUNKS && self.bytes < self.chunks * SMALL_CHUNK_BYTES {
                return Err(BodyError::TooSlow);
            }
            return Ok(Some(chunk));
        }
    }
}

/// Reads the rest of a body without keeping it. Closing a connection with unread bytes resets it, and the client would
/// never see its response.
pub(super) async fn discard(mut body: Body) {
    let read = async {
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            // The end of a body in tiny chunks is not worth waiting for.
            bytes += frame.data_ref().map_or(0, |chunk| chunk.len().max(LEAST_DISCARDED_BYTES));
            if bytes > MAX_DISCARDED_BYTES {
                break;
            }
        }
    };
    // A client that sends more, or slowly, loses the connection and perhaps the response.
    drop(timeout(DISCARD_LIMIT, read).await);
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Bytes;
    use axum::http::HeaderValue;

    async fn receive_chunks(chunks: Vec<&'static [u8]>, length: Option<usize>) -> Result<Vec<u8>, BodyError> {
        let chunks = chunks.into_iter().map(|chunk| Ok::<_, std::io::Error>(Bytes::from_static(chunk)));
        let mut body = Body::from_stream(tokio_stream::iter(chunks.collect::<Vec<_>>()));
        let mut headers = HeaderMap::new();
        if let Some(length) = length {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        receive(&mut body, &headers, 1 << 20, &BodyBudget::default()).await.map(|received| received.bytes)
    }

    #[tokio::test]
    async fn a_body_must_be_as_long_as_announced() {
        assert_eq!(receive_chunks(vec![b"ab", b"c"], Some(3)).await, Ok(b"abc".to_vec()));
        assert_eq!(receive_chunks(vec![b"abcd"], Some(3)).await, Err(BodyError::Broken));
        assert_eq!(receive_chunks(vec![b"abc"], None).await, Err(BodyError::NoLength));
        assert_eq!(receive_chunks(vec![b"abc"], Some(2 << 20)).await, Err(BodyError::TooLong));
    }

    #[tokio::test]
    async fn a_body_in_chunks_of_one_byte_is_refused() {
        assert_eq!(receive_chunks(vec![b"x"; 3000], Some(3000)).await, Err(BodyError::TooSlow));
        assert_eq!(receive_chunks(vec![b"x"; 1000], Some(1000)).await.map(|bytes| bytes.len()), Ok(1000));
    }

    #[tokio::test]
    async fn of_a_refused_body_in_tiny_chunks_little_is_read() {
        let read = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counter = Arc::clone(&read);
        let chunks = std::iter::repeat_with(move || {
            counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from_static(b"12345678"))
        });
        discard(Body::from_stream(tokio_stream::iter(chunks))).await;
        let read = read.load(std::sync::atomic::Ordering::Relaxed);
        assert!((4_000..5_000).contains(&read), "{read} chunks");
    }

    #[tokio::test]
    async fn the_budget_bounds_the_bytes_that_all_bodies_hold() {
        let budget = BodyBudget::default();
        let all = u32::try_from(BUDGET_BYTES / PERMIT_BYTES).unwrap();
        let held = budget.0.try_acquire_many(all - 4).unwrap();
        let headers = HeaderMap::from_iter([(header::CONTENT_LENGTH, HeaderValue::from(5000))]);
        let body = || Body::from(vec![b'x'; 5000]);
        let refused = receive(&mut body(), &headers, 1 << 20, &budget).await;
        assert_eq!(refused.map(|_| ()), Err(BodyError::NoRoom));
        drop(held);
        let received = receive(&mut body(), &headers, 1 << 20, &budget).await.unwrap();
        assert_eq!(budget.0.available_permits(), all as usize - 5, "while it is held");
        drop(received);
        assert_eq!(budget.0.available_permits(), all as usize);
    }
}
