//! What the publisher hands to a sink, and the counts that the sink keeps of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// A message for one topic.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outgoing {
    /// Whole topic.
    pub topic: String,
    /// At most 16 KiB.
    pub payload: Vec<u8>,
}

/// Counts of one sink: the sink writes them, the status and the metrics read them.
#[derive(Debug, Default)]
pub struct PublishCounters {
    /// The broker is connected.
    pub connected: AtomicBool,
    /// Messages written to the connection.
    pub published: AtomicU64,
    /// Detections dropped because the broker was away.
    pub dropped_broker_away: AtomicU64,
    /// Detections dropped because the queue was full.
    pub dropped_queue_full: AtomicU64,
}

/// [`PublishCounters`] at one moment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PublishStatus {
    /// The broker is connected.
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
