//! The messages that the publisher passes to a sink, and the sink's counters.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// A message that is not retained.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outgoing {
    /// The whole topic.
    pub topic: String,
    /// The payload, at most 16 KiB.
    pub payload: Vec<u8>,
}

/// Counters of one sink since the start. The sink writes them; the status and the metrics read them.
#[derive(Debug, Default)]
pub struct PublishCounters {
    /// True while the broker is connected.
    pub connected: AtomicBool,
    /// Messages written to the connection.
    pub published: AtomicU64,
    /// Detections dropped because the broker was away.
    pub dropped_broker_away: AtomicU64,
    /// Detections dropped because the queue was full.
    pub dropped_queue_full: AtomicU64,
}

/// A snapshot of [`PublishCounters`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PublishStatus {
    /// True while the broker is connected.
    pub connected: bool,
    /// Messages written to the connection.
    pub published: u64,
    /// Detections dropped because the broker was away.
    pub dropped_broker_away: u64,
    /// Detections dropped because the queue was full.
    pub dropped_queue_full: u64,
}

/// The newest payload of each retained topic. An empty payload removes the topic from the broker.
pub type States = BTreeMap<String, Arc<[u8]>>;
