//! Keeps the events: on disk while it can be had, in a ring of memory while it cannot, and says which leaves next.

mod departures;
mod disk;

use crate::publish::outbox::queue::Queue;
use crate::publish::outbox::record::{Position, Record};
use crate::publish::outbox::settings::OutboxSettings;
use crate::publish::outbox::store::{Dropped, Store, StoreError};
use crate::publish::outbox::{OutboxStatus, Settled};
use crate::vision::monotonic::Monotonic;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Events kept in memory while the disk refuses them; beyond it the oldest go, and are counted.
pub const RING: usize = 1000;

/// How long what was written may stay unsynced; with the sync's own time it stays below a second.
const SYNC_AFTER: Duration = Duration::from_millis(500);

/// How often old events are forgotten, and how many events a pass looks at.
const FORGET_EVERY: Duration = Duration::from_secs(10);
const FORGET_AT_ONCE: usize = 1000;

/// How many events make room at once when there is none.
const DROP_AT_ONCE: usize = 64;

/// What an outbox keeps to.
#[derive(Clone, Debug)]
pub struct OutboxRules {
    /// The store's file; made if it is not there.
    pub file: PathBuf,
    /// The name of another file system than the machine's, registered with SQLite; for tests of faults.
    pub vfs: Option<String>,
    /// The most that events may take on disk.
    pub max_bytes: u64,
    /// How long delivered events are kept.
    pub keep: Duration,
    /// False: nobody takes events away, they are only kept.
    pub has_sink: bool,
}

impl OutboxRules {
    /// As the settings say, in this directory.
    pub fn new(settings: &OutboxSettings, directory: &Path, has_sink: bool) -> Self {
        Self {
            file: directory.join("events.db"),
            vfs: None,
            max_bytes: u64::from(settings.max_mib) << 20,
            keep: Duration::from_secs(3600 * u64::from(settings.keep_hours)),
            has_sink,
        }
    }
}

/// An event that leaves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Departure {
    /// Told back when it is settled.
    pub position: Position,
    /// The camera's id.
    pub camera: Arc<str>,
    /// JSON.
    pub payload: Vec<u8>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Keeper {
    rules: OutboxRules,
    store: Option<Store>,
    queue: Queue,
    /// Recorded while the disk refused.
    ring: VecDeque<Record>,
    next_position: Position,
    /// Settled, and the disk does not know it yet.
    settled: Vec<Position>,
    /// Dropped, and the disk does not know it yet.
    dropped: Dropped,
    /// What an event on its way says of dropped ones.
    reports: BTreeMap<Position, i64>,
    unsynced_since: Option<Monotonic>,
    heal_at: Monotonic,
    forget_at: Monotonic,
    /// The waiting events of the disk are not in the queue: they could not be read.
    must_reload: bool,
    /// A sync has failed.
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
            // Until the disk can be opened, what is on it is not known: these are given to nothing there.
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

    /// Takes in new events, and what has been settled of those on their way, in one step of the disk.
    pub(super) fn take_in(&mut self, new: Vec<(Arc<str>, Vec<u8>)>, settled: &[Settled], wall_ms: i64, now: Monotonic) {
        self.count_settled(settled, now);
        let records: Vec<Record> =
            new.into_iter().map(|(camera, payload)| self.record(camera, payload, wall_ms)).collect();
        let delivered = self.delivered_with(&records);
        let written = match (&mut self.store, &self.status.trouble) {
            (Some(store), None) => store.write(&records, &delivered, self.dropped),
            _ => Err(StoreError::Unusable(String::new())),
        };
        match written {
            Ok(()) => {
                self.saved(now);
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

    fn count_settled(&mut self, settled: &[Settled], now: Monotonic) {
        for one in settled {
            let position = match *one {
                Settled::Delivered(position) => {
                    self.status.delivered += 1;
                    if let Some(count) = self.reports.remove(&position) {
                        self.dropped.unreported -= count;
                    }
                    position
                }
                Settled::Refused(position) => {
                    self.status.refused += 1;
                    self.reports.remove(&position);
                    position
                }
                Settled::PutOff(position) => {
                    self.status.put_off += 1;
                    self.reports.remove(&position);
                    self.queue.put_off(position, now);
                    continue;
                }
            };
            self.settle(position);
        }
    }

    /// The disk is told with the next write; while it refuses, of what is on it only.
    fn settle(&mut self, position: Position) {
        let in_ring = self.ring.iter().position(|one| one.position == position);
        match in_ring.and_then(|at| self.ring.remove(at)) {
            Some(_) => self.queue.settled(position),
            None => self.settled.push(position),
        }
        // With no disk to tell, it no longer holds a place of the window.
        if self.status.trouble.is_some() {
            self.queue.settled(position);
        }
    }

    /// What counts as delivered once the disk has these: without a sink, nobody takes them away.
    fn delivered_with(&self, new: &[Record]) -> Vec<Position> {
        let nobodys = new.iter().filter(|_| !self.rules.has_sink).map(|one| one.position);
        self.settled.iter().copied().chain(nobodys).collect()
    }

    /// The disk knows all that was to be told.
    fn saved(&mut self, now: Monotonic) {
        for position in self.settled.drain(..) {
            self.queue.settled(position);
        }
        self.status.unreported += self.dropped.unreported;
        self.dropped = Dropped::default();
        self.unsynced_since.get_or_insert(now);
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

    /// The subscribers are told, and the disk when it can be written.
    pub(super) fn count_dropped(&mut self, count: i64) {
        self.dropped.total += count;
        self.dropped.unreported += count;
        self.status.dropped += u64::try_from(count).unwrap_or(0);
    }

    /// Keeps below the size: what was delivered goes first, then the oldest.
    fn make_room(&mut self, now: Monotonic) {
        let Some(store) = &mut self.store else { return };
        let done = (|| {
            while store.used_bytes()? > self.rules.max_bytes {
                if store.forget_delivered(i64::MAX, DROP_AT_ONCE, usize::MAX)? > 0 {
                    continue;
                }
                let oldest = self.queue.drop_oldest(DROP_AT_ONCE);
                if oldest.is_empty() {
                    break;
                }
                store.drop_events(&oldest)?;
                self.status.dropped += oldest.len() as u64;
                self.status.unreported += i64::try_from(oldest.len()).unwrap_or(0);
            }
            Ok(())
        })();
        if let Err(error) = done {
            // Some may have left the queue and not the disk.
            self.must_reload = true;
            self.refused(&error, now);
        }
    }

    /// What depends on time alone: syncing, healing, forgetting.
    pub(super) fn tick(&mut self, wall_ms: i64, now: Monotonic) {
        if self.status.trouble.is_some() && now >= self.heal_at {
            self.heal(now);
        }
        if self.unsynced_since.is_some_and(|since| now.since(since) >= SYNC_AFTER) {
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

    /// Makes what was written survive a power cut.
    pub(super) fn sync(&mut self, now: Monotonic) {
        self.unsynced_since = None;
        if let Some(Err(error)) = self.store.as_mut().filter(|_| self.status.trouble.is_none()).map(Store::sync) {
            self.must_rewrite = true;
            self.refused(&error, now);
        }
    }

    /// Events of the last time, oldest first, at most `limit`, and where to go on.
    pub(super) fn since(&self, ms: i64, after: Position, limit: usize) -> Result<(Vec<Record>, Position), StoreError> {
        match &self.store {
            Some(store) => store.since(ms, after, limit),
            None => Err(StoreError::Unusable(self.status.trouble.clone().unwrap_or_default())),
        }
    }

    /// How things are.
    pub(super) fn status(&self) -> OutboxStatus {
        let (waiting, on_their_way) = (self.queue.len() - self.queue.on_their_way(), self.queue.on_their_way());
        OutboxStatus { waiting: waiting as u64, on_their_way: on_their_way as u64, ..self.status.clone() }
    }
}

#[cfg(test)]
mod tests;
