//! The messages that the publisher passes to a sink, and the sink's counters.

use crate::publish::broker_status::BrokerStatus;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, PoisonError};

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
    /// Messages that the broker has taken: acknowledged, or with QoS 0 written to the connection.
    pub published: AtomicU64,
    /// Retained messages, replies and subscriptions that the broker has refused.
    pub refused: AtomicU64,
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
    /// Messages that the broker has taken: acknowledged, or with QoS 0 written to the connection.
    pub published: u64,
    /// Retained messages, replies and subscriptions that the broker has refused.
    pub refused: u64,
    /// Detections dropped because the broker was away.
    pub dropped_broker_away: u64,
    /// Detections dropped because the queue was full.
    pub dropped_queue_full: u64,
}

/// The newest payload of each retained topic. An empty payload removes the topic from the broker.
pub type States = BTreeMap<String, Arc<[u8]>>;

/// What a box publishes about. The sink clears what the broker retains of anything else.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Inventory {
    /// The cameras in the settings.
    pub cameras: Vec<CameraId>,
    /// The cameras whose labels are known, and how often they were set.
    pub labelled: BTreeMap<CameraId, u64>,
}

/// What is wrong with a sink now. The sink sets it; the status reads it.
#[derive(Debug, Default)]
pub(in crate::publish) struct SinkTroubles {
    /// `None` while the broker is connected, and before the first try.
    connection: Mutex<Option<BrokerStatus>>,
    /// In sentences for the operator.
    refusals: Mutex<Vec<String>>,
}

impl SinkTroubles {
    pub(in crate::publish) fn set_connection(&self, trouble: Option<BrokerStatus>) {
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    pub(in crate::publish) fn set_refusals(&self, troubles: Vec<String>) {
        *self.refusals.lock().unwrap_or_else(PoisonError::into_inner) = troubles;
    }

    pub(in crate::publish) fn connection(&self) -> Option<BrokerStatus> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(in crate::publish) fn refusals(&self) -> Vec<String> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
