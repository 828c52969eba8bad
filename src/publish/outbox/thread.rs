//! The outbox's thread, which is the only one to wait for the disk, and the handles on it.

use crate::os::clock::{monotonic_now, wall_now_ms};
use crate::publish::outbox::disk_work::DiskWork;
use crate::publish::outbox::event_log::{EventLog, EventQuery, NewEvent};
use crate::publish::outbox::keeper::{Departure, Keeper, OutboxRules};
use crate::publish::outbox::queue::WINDOW;
use crate::publish::outbox::{OutboxStatus, Settled};
use crate::vision::monotonic::Monotonic;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// Capacity of the queue in front of the thread. When a slow disk fills it, new events are dropped and counted.
const QUEUE: usize = 1024;

/// Largest number of events in one transaction.
const BATCH: usize = 256;

/// How many events a follower may lag behind. Beyond that it misses events, and gets their number.
const FOLLOW: usize = 256;

/// The longest time between two runs of the time-driven work.
const TICK: Duration = Duration::from_millis(250);

/// The outbox's thread cannot be started.
#[derive(Debug, thiserror::Error)]
#[error("the thread of the outbox cannot be started")]
pub struct OutboxError(#[from] std::io::Error);

/// Input of the thread.
#[derive(Debug)]
enum Input {
    Event {
        camera: Arc<str>,
        payload: Vec<u8>,
    },
    /// Answered when all earlier events are on disk or in the ring, and were sent if possible.
    Flush(oneshot::Sender<()>),
}

/// The status as the thread has last published it, and how many events it counts that were dropped at the door.
type Published = (OutboxStatus, i64);

/// The recording end of the outbox.
#[derive(Debug)]
pub struct Outbox {
    records: mpsc::Sender<Input>,
    /// Only grows.
    dropped_at_door: Arc<AtomicI64>,
    status: watch::Receiver<Published>,
    disk: Arc<DiskWork>,
    log: EventLog,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// The sink's end of the outbox: takes events to send, and reports their results.
#[derive(Clone, Debug)]
pub struct SinkEnd {
    /// Set while connected: a channel with a capacity of [`WINDOW`].
    pub link: watch::Sender<Option<mpsc::Sender<Departure>>>,
    /// Takes results; has room for all events in flight.
    pub settled: mpsc::Sender<Settled>,
}

impl Outbox {
    /// Starts the thread, which opens the store. While the store cannot be opened, events are kept in memory.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(rules: OutboxRules) -> Result<(Self, SinkEnd), OutboxError> {
        let (records, record_receiver) = mpsc::channel(QUEUE);
        let (link, link_watch) = watch::channel(None);
        // Twice the window: results of an earlier connection may still be in it.
        let (settled, settled_receiver) = mpsc::channel(2 * WINDOW);
        let (log, queries) = EventLog::new();
        let (new, _) = broadcast::channel(FOLLOW);
        let (status, status_watch) = watch::channel(Published::default());
        let (dropped_at_door, disk) = (Arc::new(AtomicI64::new(0)), Arc::new(DiskWork::default()));
        let worker = Worker {
            records: record_receiver,
            settled: settled_receiver,
            queries,
            link: Some(link_watch),
            departures: None,
            dropped_at_door: Arc::clone(&dropped_at_door),
            counted_at_door: 0,
            new,
            status,
            disk: Arc::clone(&disk),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let thread =
            std::thread::Builder::new().name("outbox".into()).spawn(move || runtime.block_on(worker.run(rules)))?;
        let (status, thread) = (status_watch, Some(thread));
        Ok((Self { records, dropped_at_door, status, disk, log, thread }, SinkEnd { link, settled }))
    }

    /// Records an event without waiting. `payload` is a JSON object of at most 16 KiB.
    pub fn record(&self, camera: Arc<str>, payload: Vec<u8>) {
        if self.records.try_send(Input::Event { camera, payload }).is_err() {
            self.dropped_at_door.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all recorded events are on disk or in the ring, and were sent if possible.
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.records.send(Input::Flush(done)).await.is_ok() {
            // The thread replies unless it has panicked, which `close` reports.
            drop(flushed.await);
        }
    }

    /// The current status. A disk that does not answer is `trouble`, and so is a thread that has ended before `close`,
    /// because it has panicked.
    pub fn status(&self) -> OutboxStatus {
        self.status_at(monotonic_now())
    }

    fn status_at(&self, now: Monotonic) -> OutboxStatus {
        let (mut status, counted_at_door) = self.status.borrow().clone();
        let uncounted = self.dropped_at_door.load(Ordering::Relaxed) - counted_at_door;
        status.dropped += u64::try_from(uncounted).unwrap_or(0);
        if self.thread.as_ref().is_some_and(std::thread::JoinHandle::is_finished) {
            status.trouble = Some("its thread has ended: restart the daemon; the log has the reason".into());
        } else if let Some(trouble) = self.disk.trouble(now) {
            status.trouble = Some(trouble);
        }
        status
    }

    /// A handle for reading events.
    pub fn log(&self) -> EventLog {
        self.log.clone()
    }

    /// Writes and syncs what is recorded, and ends the thread. Blocks as long as the disk does.
    pub fn close(self) {
        let Self { records, thread, .. } = self;
        drop(records);
        if let Some(Err(_)) = thread.map(std::thread::JoinHandle::join) {
            tracing::error!("the thread of the outbox has panicked");
        }
    }
}

struct Worker {
    records: mpsc::Receiver<Input>,
    settled: mpsc::Receiver<Settled>,
    queries: mpsc::Receiver<EventQuery>,
    /// `None` once the sink has ended.
    link: Option<watch::Receiver<Option<mpsc::Sender<Departure>>>>,
    departures: Option<mpsc::Sender<Departure>>,
    dropped_at_door: Arc<AtomicI64>,
    /// How many of these the keeper has counted.
    counted_at_door: i64,
    new: broadcast::Sender<NewEvent>,
    status: watch::Sender<Published>,
    disk: Arc<DiskWork>,
}

impl Worker {
    /// Runs until the recording end is closed.
    async fn run(mut self, rules: OutboxRules) {
        self.disk.begin(monotonic_now());
        let mut keeper = Keeper::new(rules, monotonic_now());
        self.disk.end();
        let mut wait = Duration::ZERO;
        loop {
            let (mut inputs, mut settled) = (Vec::new(), Vec::new());
            tokio::select! {
                count = self.records.recv_many(&mut inputs, BATCH) => if count == 0 { break },
                Some(one) = self.settled.recv() => settled.push(one),
                Some(query) = self.queries.recv() => self.answer(&keeper, query),
                () = changed(&mut self.link) => {}
                () = tokio::time::sleep(wait) => {}
            }
            self.disk.begin(monotonic_now());
            let flushes = self.take_in(&mut keeper, inputs, settled);
            wait = self.send(&mut keeper);
            self.publish(&keeper);
            for done in flushes {
                // The caller may have given up.
                let _gone = done.send(());
            }
        }
        self.disk.begin(monotonic_now());
        drop(self.take_in(&mut keeper, Vec::new(), Vec::new()));
        keeper.sync(monotonic_now());
        self.publish(&keeper);
    }

    /// Publishes what has come of a piece of work on the disk.
    fn publish(&self, keeper: &Keeper) {
        self.status.send_replace((keeper.status(), self.counted_at_door));
        self.disk.end();
    }

    /// Answers a query. The caller may have given up, so a failed send is ignored.
    fn answer(&self, keeper: &Keeper, query: EventQuery) {
        match query {
            EventQuery::Since { ms, after, limit, answer } => {
                self.disk.begin(monotonic_now());
                let found = keeper.since(ms, after, limit);
                self.disk.end();
                drop(answer.send(found.map_err(|error| error.to_string())));
            }
            EventQuery::Follow(answer) => drop(answer.send(self.new.subscribe())),
        }
    }

    /// Writes the inputs and results. Returns the flushes to answer afterwards.
    fn take_in(
        &mut self,
        keeper: &mut Keeper,
        inputs: Vec<Input>,
        mut settled: Vec<Settled>,
    ) -> Vec<oneshot::Sender<()>> {
        let (now, wall_ms) = (monotonic_now(), wall_now_ms());
        while let Ok(one) = self.settled.try_recv() {
            settled.push(one);
        }
        let at_door = self.dropped_at_door.load(Ordering::Relaxed);
        keeper.count_dropped(at_door - self.counted_at_door);
        self.counted_at_door = at_door;
        let (mut events, mut flushes) = (Vec::new(), Vec::new());
        for input in inputs {
            match input {
                Input::Event { camera, payload } => {
                    // There may be no followers.
                    drop(self.new.send(NewEvent { camera: Arc::clone(&camera), payload: payload.as_slice().into() }));
                    events.push((camera, payload));
                }
                Input::Flush(done) => flushes.push(done),
            }
        }
        if !events.is_empty() || !settled.is_empty() {
            keeper.take_in(events, &settled, wall_ms, now);
        }
        keeper.tick(wall_ms, now);
        self.follow_link(keeper);
        flushes
    }

    fn follow_link(&mut self, keeper: &mut Keeper) {
        let link = self.link.as_mut().and_then(|link| link.borrow_and_update().clone());
        let is_same = match (&link, &self.departures) {
            (Some(new), Some(old)) => new.same_channel(old),
            (None, None) => true,
            _ => false,
        };
        if !is_same {
            keeper.set_connected(link.is_some(), monotonic_now());
            self.departures = link;
        }
    }

    /// Sends as many events as possible; returns how long to wait for more.
    fn send(&mut self, keeper: &mut Keeper) -> Duration {
        let Some(departures) = &self.departures else { return TICK };
        loop {
            match keeper.next(monotonic_now()) {
                Ok(departure) => {
                    // The channel has room for a whole window; the watch reports a closed one.
                    if departures.try_send(departure).is_err() {
                        return TICK;
                    }
                }
                Err(wait) => return wait.map_or(TICK, |wait| wait.min(TICK)),
            }
        }
    }
}

/// Waits until the connection changes. Never returns once the sink has ended.
async fn changed(link: &mut Option<watch::Receiver<Option<mpsc::Sender<Departure>>>>) {
    let has_changed = match link {
        Some(link) => link.changed().await.is_ok(),
        None => std::future::pending().await,
    };
    if !has_changed {
        *link = None;
    }
}

#[cfg(test)]
mod tests;
