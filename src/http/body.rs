//! Bodies of requests: how long they may be, how slow, and how many at a time.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// Bytes of all bodies that are held at a time.
const BUDGET_BYTES: usize = 64 << 20;
/// A permit stands for so many.
const PERMIT_BYTES: usize = 1024;
/// How long a body may take.
const TIME_LIMIT: Duration = Duration::from_secs(15);
/// It may begin slowly; from then on it brings so many bytes a second.
const SLOW_START: Duration = Duration::from_secs(2);
const LEAST_BYTES_PER_SECOND: usize = 32 * 1024;
/// So many pieces may be small: a body in pieces of one byte costs more than it brings.
const SMALL_PIECES: usize = 2048;
const SMALL_PIECE_BYTES: usize = 64;
/// How much of a refused body is read, and for how long.
const MOST_DISCARDED_BYTES: usize = 16 << 20;
const DISCARD_LIMIT: Duration = Duration::from_secs(2);

/// Why a body was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the request is too long")]
    TooLong,
    #[error("too many requests are being received")]
    NoRoom,
    #[error("the request must have a Content-Length")]
    NoLength,
    #[error("the request came too slowly")]
    TooSlow,
    #[error("the request broke off")]
    Broken,
}

/// The room for bodies of all connections.
#[derive(Clone, Debug)]
pub struct BodyBudget(Arc<Semaphore>);

impl Default for BodyBudget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BUDGET_BYTES / PERMIT_BYTES)))
    }
}

/// A whole body, and its share of the budget for as long as it is held.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: Vec<u8>,
    _room: Option<OwnedSemaphorePermit>,
}

/// Receives a body of at most `most` bytes, whose length is known beforehand. It takes from the budget as it comes: whoever
/// announces much and sends little holds little.
///
/// # Errors
/// [`BodyError`]; what is left of the body is then to be discarded.
pub(super) async fn receive(
    body: &mut Body,
    headers: &HeaderMap,
    most: usize,
    budget: &BodyBudget,
) -> Result<Received, BodyError> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let length = length.ok_or(BodyError::NoLength)?;
    if length > most {
        return Err(BodyError::TooLong);
    }
    let mut received = Received { bytes: Vec::new(), _room: None };
    let mut held = 0;
    each_piece(body, |piece| {
        if received.bytes.len() + piece.len() > length {
            return Err(BodyError::Broken);
        }
        let needed = (received.bytes.len() + piece.len()).div_ceil(PERMIT_BYTES);
        let more = u32::try_from(needed - held).map_err(|_| BodyError::TooLong)?;
        let room = Arc::clone(&budget.0).try_acquire_many_owned(more).map_err(|_| BodyError::NoRoom)?;
        match &mut received._room {
            Some(held) => held.merge(room),
            None => received._room = Some(room),
        }
        held = needed;
        // All at once: pages are taken when they are written, and a growing body would be copied again and again.
        received.bytes.reserve_exact(length - received.bytes.len());
        received.bytes.extend_from_slice(piece);
        Ok(())
    })
    .await?;
    if received.bytes.len() == length { Ok(received) } else { Err(BodyError::Broken) }
}

/// Hands every piece of a body over as it comes, as long as it comes fast enough.
///
/// # Errors
/// What `take` returns, [`BodyError::TooSlow`] and [`BodyError::Broken`].
pub(super) async fn each_piece<E: From<BodyError>>(
    body: &mut Body,
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let (begun, mut bytes, mut pieces) = (Instant::now(), 0_usize, 0_usize);
    loop {
        let left = TIME_LIMIT.saturating_sub(begun.elapsed()).min(SLOW_START);
        let Ok(frame) = timeout(left, body.frame()).await else { return Err(BodyError::TooSlow.into()) };
        let Some(frame) = frame else { return Ok(()) };
        let frame = frame.map_err(|_| BodyError::Broken)?;
        let Some(piece) = frame.data_ref() else { continue };
        bytes += piece.len();
        pieces += 1;
        let steady = begun.elapsed().saturating_sub(SLOW_START).as_secs_f64();
        let is_slow = (bytes as f64) < steady * LEAST_BYTES_PER_SECOND as f64;
        if is_slow || (pieces > SMALL_PIECES && bytes < pieces * SMALL_PIECE_BYTES) {
            return Err(BodyError::TooSlow.into());
        }
        take(piece)?;
    }
}

/// Reads what is left of a body without keeping it: a connection that is closed with unread bytes takes the answer
/// with it.
pub(super) async fn discard(mut body: Body) {
    let read = async {
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            // The end of a body of tiny pieces is not worth waiting for.
            bytes += frame.data_ref().map_or(0, |piece| piece.len().max(SMALL_PIECE_BYTES));
            if bytes > MOST_DISCARDED_BYTES {
                break;
            }
        }
    };
    // Whoever sends more, or slowly, loses the connection, and perhaps the answer.
    drop(timeout(DISCARD_LIMIT, read).await);
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Bytes;
    use axum::http::HeaderValue;

    async fn receive_pieces(pieces: Vec<&'static [u8]>, length: Option<usize>) -> Result<Vec<u8>, BodyError> {
        let pieces = pieces.into_iter().map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece)));
        let mut body = Body::from_stream(tokio_stream::iter(pieces.collect::<Vec<_>>()));
        let mut headers = HeaderMap::new();
        if let Some(length) = length {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        receive(&mut body, &headers, 1 << 20, &BodyBudget::default()).await.map(|received| received.bytes)
    }

    #[tokio::test]
    async fn a_body_comes_whole_and_as_long_as_it_was_announced() {
        assert_eq!(receive_pieces(vec![b"ab", b"c"], Some(3)).await, Ok(b"abc".to_vec()));
        assert_eq!(receive_pieces(vec![b"abcd"], Some(3)).await, Err(BodyError::Broken));
        assert_eq!(receive_pieces(vec![b"abc"], None).await, Err(BodyError::NoLength));
        assert_eq!(receive_pieces(vec![b"abc"], Some(2 << 20)).await, Err(BodyError::TooLong));
    }

    #[tokio::test]
    async fn a_body_of_single_bytes_is_given_up() {
        assert_eq!(receive_pieces(vec![b"x"; 3000], Some(3000)).await, Err(BodyError::TooSlow));
        assert_eq!(receive_pieces(vec![b"x"; 1000], Some(1000)).await.map(|bytes| bytes.len()), Ok(1000));
    }

    #[tokio::test]
    async fn all_bodies_together_have_a_bound_by_what_they_hold() {
        let budget = BodyBudget::default();
        let all = u32::try_from(BUDGET_BYTES / PERMIT_BYTES).unwrap();
        let held = budget.0.try_acquire_many(all - 4).unwrap();
        let headers = HeaderMap::from_iter([(header::CONTENT_LENGTH, HeaderValue::from(5000))]);
        let body = || Body::from(vec![b'x'; 5000]);
        let refused = receive(&mut body(), &headers, 1 << 20, &budget).await;
        assert_eq!(refused.map(|_| ()), Err(BodyError::NoRoom));
        drop(held);
        let received = receive(&mut body(), &headers, 1 << 20, &budget).await.unwrap();
        assert_eq!(budget.0.available_permits(), all as usize - 5, "for as long as it is held");
        drop(received);
        assert_eq!(budget.0.available_permits(), all as usize);
    }
}
