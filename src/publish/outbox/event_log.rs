//! Reads the events that the outbox keeps, and follows new ones.

use crate::publish::outbox::record::{Position, Record};
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, oneshot};

/// Capacity of the queue of queries; a full queue makes callers wait.
const QUERIES: usize = 4;

/// An event as followers receive it.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The camera's id.
    pub camera: Arc<str>,
    /// The JSON message.
    pub payload: Arc<[u8]>,
}

/// A query of [`EventLog`].
#[derive(Debug)]
pub(super) enum EventQuery {
    Since { ms: i64, after: Position, limit: usize, answer: oneshot::Sender<Result<(Vec<Record>, Position), String>> },
    Follow(oneshot::Sender<broadcast::Receiver<NewEvent>>),
}

/// The reading end of the outbox, for queries and followers.
#[derive(Clone, Debug)]
pub struct EventLog {
    queries: mpsc::Sender<EventQuery>,
}

impl EventLog {
    /// A log, and what the thread takes its queries from.
    pub(super) fn new() -> (Self, mpsc::Receiver<EventQuery>) {
        let (queries, receiver) = mpsc::channel(QUERIES);
        (Self { queries }, receiver)
    }

    /// Up to `limit` events after a position (0: from the first) that were recorded at a time or later, oldest first,
    /// and the position to continue after.
    ///
    /// # Errors
    /// The reason, while the disk cannot be read.
    pub async fn since(&self, ms: i64, after: Position, limit: usize) -> Result<(Vec<Record>, Position), String> {
        let (answer, answered) = oneshot::channel();
        let query = EventQuery::Since { ms, after, limit, answer };
        let gone = || "the daemon is stopping".to_owned();
        self.queries.send(query).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Subscribes to new events until the daemon stops; `None` when it is stopping.
    pub async fn follow(&self) -> Option<broadcast::Receiver<NewEvent>> {
        let (answer, answered) = oneshot::channel();
        self.queries.send(EventQuery::Follow(answer)).await.ok()?;
        answered.await.ok()
    }
}
