//! Keeps the events: on disk, or in a memory ring while the disk refuses. Decides which event is sent next.

mod departures;
mod disk;
mod settlements;

use crate::publish::outbox::queue::{Queue, WINDOW};
use crate::publish::outbox::record::{Position, Record};
use crate::publish::outbox::settings::OutboxSettings;
use crate::publish::outbox::store::{Dropped, Store, StoreError};
use crate::publish::outbox::{OutboxStatus, Settled};
use crate::vision::monotonic::Monotonic;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Capacity of the memory ring while the disk refuses writes. A full ring drops the oldest events and counts them.
pub const RING: usize = 1000;

/// So many settled events are marked at once if neither a new event nor a sync comes before: they occupy the send window.
const MARK_AT_ONCE: usize = WINDOW / 4;

/// How often old events are deleted, and how many rows a pass reads at most.
const FORGET_EVERY: Duration = Duration::from_secs(10);
const FORGET_AT_ONCE: usize = 1000;

/// How many events are deleted at once when the store is too large.
const DROP_AT_ONCE: usize = 64;

/// Where and how an outbox keeps events.
#[derive(Clone, Debug)]
pub struct OutboxRules {
    /// The SQLite file; created if missing.
    pub file: PathBuf,
    /// Name of an SQLite VFS instead of the default one, for fault tests.
    pub vfs: Option<String>,
    /// Upper limit of the events' size on disk.
    pub max_bytes: u64,
    /// Retention of delivered events.
    pub keep: Duration,
    /// How long a write may stay unsynced, without the duration of the sync itself.
    pub sync_after: Duration,
    /// False: events are only kept for reading, and count as delivered at once.
    pub has_sink: bool,
}

impl OutboxRules {
    /// From the settings, with the file in `directory`.
    pub fn new(settings: &OutboxSettings, directory: &Path, has_sink: bool) -> Self {
        Self {
            file: directory.join("events.db"),
            vfs: None,
            max_bytes: u64::from(settings.max_mib) << 20,
            keep: Duration::from_secs(3600 * u64::from(settings.keep_hours)),
            // The other half is for the sync itself.
            sync_after: Duration::from_millis(500 * u64::from(settings.sync_seconds)),
            has_sink,
        }
    }
}

/// An event to send.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Departure {
    /// Returned in [`Settled`].
    pub position: Position,
    /// The camera's id.
    pub camera: Arc<str>,
    /// The JSON message.
    pub payload: Vec<u8>,
}

/// The outbox without its thread.
#[derive(Debug)]
pub(super) struct Keeper {
    rules: OutboxRules,
    store: Option<Store>,
    queue: Queue,
    /// Events that were recorded while the disk refused.
    ring: VecDeque<Record>,
    next_position: Position,
    /// Settled events that are not marked on disk yet.
    settled: Vec<Position>,
    /// Counts of dropped events that are not on disk yet.
    dropped: Dropped,
    /// The `dropped` count that each event in flight carries.
    reports: BTreeMap<Position, i64>,
    unsynced_since: Option<Monotonic>,
    heal_at: Monotonic,
    forget_at: Monotonic,
    /// The queue lacks events that are on disk, because they could not be read.
    must_reload: bool,
    /// A sync has failed, so the log must be written again.
    must_rewrite: bool,
    status: OutboxStatus,
}

impl Keeper {
    /// Opens the store, or begins without it.
    pub(super) fn new(rules: OutboxRules, now: Monotonic) -> Self {
        let mut keeper = Self {
            rules,
            store: None,
            queue: Queue::new(now),
            ring: VecDeque::new(),
            // Until the store is open its newest position is unknown. No event on disk has one of these.
            next_position: Position::MIN,
            settled: Vec::new(),
            dropped: Dropped::default(),
            reports: BTreeMap::new(),
            unsynced_since: None,
            heal_at: now,
            forget_at: now,
            must_reload: true,
            must_rewrite: false,
            status: OutboxStatus::default(),
        };
        keeper.heal(now);
        keeper
    }

    /// Writes new events in one transaction. It also marks the settled ones, which wait for it or for the next sync: a
    /// mark of its own would write a page.
    pub(super) fn take_in(&mut self, new: Vec<(Arc<str>, Vec<u8>)>, settled: &[Settled], wall_ms: i64, now: Monotonic) {
        self.count_settled(settled, now);
        if new.is_empty() && self.status.trouble.is_none() && self.settled.len() < MARK_AT_ONCE {
            if !self.settled.is_empty() {
                self.unsynced_since.get_or_insert(now);
            }
            return;
        }
        self.write(new, wall_ms, now);
    }

    fn write(&mut self, new: Vec<(Arc<str>, Vec<u8>)>, wall_ms: i64, now: Monotonic) {
        let records: Vec<Record> =
            new.into_iter().map(|(camera, payload)| self.record(camera, payload, wall_ms)).collect();
        let delivered = self.delivered_with(&records);
        let written = match (&mut self.store, &self.status.trouble) {
            (Some(store), None) => store.write(&records, &delivered, self.dropped),
            _ => Err(StoreError::Unusable(String::new())),
        };
        match written {
            Ok(()) => {
                self.saved();
                self.unsynced_since.get_or_insert(now);
                self.status.recorded += records.len() as u64;
                if self.rules.has_sink {
                    records.iter().for_each(|one| self.queue.push(one.position, Arc::clone(&one.camera), now));
                }
                self.make_room(now);
            }
            Err(error) => {
                self.keep_in_ring(records, now);
                self.refused(&error, now);
            }
        }
    }

    fn record(&mut self, camera: Arc<str>, payload: Vec<u8>, recorded_ms: i64) -> Record {
        let position = self.next_position;
        self.next_position += 1;
        Record { position, recorded_ms, camera, payload }
    }

    /// The events to mark as delivered with this write. Without a sink, new events count as delivered at once.
    fn delivered_with(&self, new: &[Record]) -> Vec<Position> {
        let without_sink = new.iter().filter(|_| !self.rules.has_sink).map(|one| one.position);
        self.settled.iter().copied().chain(without_sink).collect()
    }

    /// Everything that was pending is on disk.
    fn saved(&mut self) {
        for position in self.settled.drain(..) {
            self.queue.settled(position);
        }
        self.status.unreported += self.dropped.unreported;
        self.dropped = Dropped::default();
    }

    fn keep_in_ring(&mut self, records: Vec<Record>, now: Monotonic) {
        for record in records {
            if self.rules.has_sink {
                self.queue.push(record.position, Arc::clone(&record.camera), now);
            }
            self.ring.push_back(record);
        }
        while self.ring.len() > RING
            && let Some(oldest) = self.ring.pop_front()
        {
            self.queue.settled(oldest.position);
            self.count_dropped(1);
        }
    }

    /// Counts dropped events. A later event reports them, and the next write stores the count.
    pub(super) fn count_dropped(&mut self, count: i64) {
        self.dropped.total += count;
        self.dropped.unreported += count;
        self.status.dropped += u64::try_from(count).unwrap_or(0);
    }

    /// Deletes events while the store is too large: delivered ones first, then the oldest.
    fn make_room(&mut self, now: Monotonic) {
        let Some(store) = &mut self.store else { return };
        let done = (|| {
            loop {
                self.status.bytes = store.used_bytes()?;
                if self.status.bytes <= self.rules.max_bytes {
                    return Ok(());
                }
                if store.forget_delivered(i64::MAX, DROP_AT_ONCE, usize::MAX)? > 0 {
                    continue;
                }
                let oldest = self.queue.drop_oldest(DROP_AT_ONCE);
                if oldest.is_empty() {
                    return Ok(());
                }
                store.drop_events(&oldest)?;
                self.status.dropped += oldest.len() as u64;
                self.status.unreported += i64::try_from(oldest.len()).unwrap_or(0);
            }
        })();
        if let Err(error) = done {
            // Some events may have left the queue but not the disk.
            self.must_reload = true;
            self.refused(&error, now);
        }
    }

    /// Time-driven work: sync, recovery, deleting old events.
    pub(super) fn tick(&mut self, wall_ms: i64, now: Monotonic) {
        if self.status.trouble.is_some() && now >= self.heal_at {
            self.heal(now);
        }
        if self.unsynced_since.is_some_and(|since| now.since(since) >= self.rules.sync_after) {
            self.sync(now);
        }
        if now >= self.forget_at && self.status.trouble.is_none() {
            self.forget_at = now + FORGET_EVERY;
            if self.is_removed() {
                return self.refused(&StoreError::Unusable("its file was removed".into()), now);
            }
            let keep_ms = i64::try_from(self.rules.keep.as_millis()).unwrap_or(i64::MAX);
            let before_ms = wall_ms.saturating_sub(keep_ms);
            let forget = |store: &mut Store| store.forget_delivered(before_ms, FORGET_AT_ONCE, FORGET_AT_ONCE);
            let forgotten = self.store.as_mut().map(forget);
            if let Some(Err(error)) = forgotten {
                self.refused(&error, now);
            }
        }
    }

    /// Marks settled events, and syncs, so that what was written survives a power cut.
    pub(super) fn sync(&mut self, now: Monotonic) {
        self.unsynced_since = None;
        let Some(store) = self.store.as_mut().filter(|_| self.status.trouble.is_none()) else { return };
        match store.sync(&self.settled, self.dropped) {
            Ok(()) => self.saved(),
            Err(error) => {
                self.must_rewrite = true;
                self.refused(&error, now);
            }
        }
    }

    /// Recorded events since a time, oldest first, at most `limit`, and the position to continue after.
    pub(super) fn since(&self, ms: i64, after: Position, limit: usize) -> Result<(Vec<Record>, Position), StoreError> {
        match &self.store {
            Some(store) => store.since(ms, after, limit),
            None => Err(StoreError::Unusable(self.status.trouble.clone().unwrap_or_default())),
        }
    }

    /// The current status.
    pub(super) fn status(&self) -> OutboxStatus {
        let (waiting, on_their_way) = (self.queue.len() - self.queue.on_their_way(), self.queue.on_their_way());
        OutboxStatus { waiting: waiting as u64, on_their_way: on_their_way as u64, ..self.status.clone() }
    }
}

#[cfg(test)]
mod tests;
