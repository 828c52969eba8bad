//! The outbox's own thread, which alone waits for the disk, and the handles on it.

use crate::os::clock::{monotonic_now, wall_now_ms};
use crate::publish::outbox::keeper::{Departure, Keeper, OutboxRules};
use crate::publish::outbox::queue::WINDOW;
use crate::publish::outbox::record::{Position, Record};
use crate::publish::outbox::{OutboxStatus, Settled};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// Events that wait for the thread; when the disk is so slow that it is full, further ones are dropped and counted.
const QUEUE: usize = 1024;

/// How many events one step of the disk takes in.
const BATCH: usize = 256;

/// New events that a follower may lag behind; then it is told how many it has missed.
const FOLLOW: usize = 256;

/// Queries that wait; who asks then waits too.
const QUERIES: usize = 4;

/// The longest time between two looks at the clock.
const TICK: Duration = Duration::from_millis(250);

/// Why the outbox did not begin.
#[derive(Debug, thiserror::Error)]
#[error("the thread of the outbox cannot be had")]
pub struct OutboxError(#[from] std::io::Error);

/// What the thread is given.
#[derive(Debug)]
enum Input {
    Event {
        camera: Arc<str>,
        payload: Vec<u8>,
    },
    /// Answered when all that came before is on the disk, or in the ring, and has left if it may.
    Flush(oneshot::Sender<()>),
}

/// An event as those who follow get it.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The camera's id.
    pub camera: Arc<str>,
    /// JSON.
    pub payload: Arc<[u8]>,
}

/// A question for events.
#[derive(Debug)]
enum EventQuery {
    Since { ms: i64, after: Position, limit: usize, answer: oneshot::Sender<Result<(Vec<Record>, Position), String>> },
    Follow(oneshot::Sender<broadcast::Receiver<NewEvent>>),
}

/// Where events are recorded.
#[derive(Debug)]
pub struct Outbox {
    records: mpsc::Sender<Input>,
    dropped_at_door: Arc<AtomicI64>,
    status: watch::Receiver<OutboxStatus>,
    log: EventLog,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// The sink's end: what leaves, and what became of it.
#[derive(Debug)]
pub struct SinkEnd {
    /// Set while a connection stands: a channel of [`WINDOW`] places.
    pub link: watch::Sender<Option<mpsc::Sender<Departure>>>,
    /// Has room for all that may be on its way.
    pub settled: mpsc::Sender<Settled>,
}

/// Where events are read.
#[derive(Clone, Debug)]
pub struct EventLog {
    queries: mpsc::Sender<EventQuery>,
}

impl Outbox {
    /// Opens the store and starts the thread. A store that cannot be opened is no error: events are kept in memory
    /// until it can.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(rules: OutboxRules) -> Result<(Self, SinkEnd), OutboxError> {
        let (records, record_receiver) = mpsc::channel(QUEUE);
        let (link, link_watch) = watch::channel(None);
        // Twice: what an earlier connection has had settled may still be in it.
        let (settled, settled_receiver) = mpsc::channel(2 * WINDOW);
        let (queries, query_receiver) = mpsc::channel(QUERIES);
        let (new, _) = broadcast::channel(FOLLOW);
        let (status, status_watch) = watch::channel(OutboxStatus::default());
        let dropped_at_door = Arc::new(AtomicI64::new(0));
        let worker = Worker {
            records: record_receiver,
            settled: settled_receiver,
            queries: query_receiver,
            link: Some(link_watch),
            departures: None,
            dropped_at_door: Arc::clone(&dropped_at_door),
            new,
            status,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let thread =
            std::thread::Builder::new().name("outbox".into()).spawn(move || runtime.block_on(worker.run(rules)))?;
        let outbox =
            Self { records, dropped_at_door, status: status_watch, log: EventLog { queries }, thread: Some(thread) };
        Ok((outbox, SinkEnd { link, settled }))
    }

    /// Hands over an event; never waits. `payload` is a JSON object of at most 16 KiB.
    pub fn record(&self, camera: Arc<str>, payload: Vec<u8>) {
        if self.records.try_send(Input::Event { camera, payload }).is_err() {
            self.dropped_at_door.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all that was handed over is on the disk, or in the ring, and has left if it may.
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.records.send(Input::Flush(done)).await.is_ok() {
            // The thread answers unless it has panicked, which `close` says.
            drop(flushed.await);
        }
    }

    /// How it is. A thread that has ended, which only a panic makes it do before `close`, is `trouble`.
    pub fn status(&self) -> OutboxStatus {
        let mut status = self.status.borrow().clone();
        if self.thread.as_ref().is_some_and(std::thread::JoinHandle::is_finished) {
            status.trouble = Some("its thread has ended: restart the daemon, the log says why it ended".into());
            status.dropped += u64::try_from(self.dropped_at_door.load(Ordering::Relaxed)).unwrap_or(0);
        }
        status
    }

    /// For whoever reads events.
    pub fn log(&self) -> EventLog {
        self.log.clone()
    }

    /// Takes no more events, writes and syncs what it has. Blocks as long as the disk does.
    pub fn close(self) {
        let Self { records, thread, .. } = self;
        drop(records);
        if let Some(Err(_)) = thread.map(std::thread::JoinHandle::join) {
            tracing::error!("the thread of the outbox has panicked");
        }
    }
}

impl EventLog {
    /// Up to `limit` events after a position (0: from the first) that were recorded at a time or later, oldest first,
    /// and the position to go on from.
    ///
    /// # Errors
    /// A sentence, while the disk cannot be read.
    pub async fn since(&self, ms: i64, after: Position, limit: usize) -> Result<(Vec<Record>, Position), String> {
        let (answer, answered) = oneshot::channel();
        let query = EventQuery::Since { ms, after, limit, answer };
        let gone = || "the daemon is stopping".to_owned();
        self.queries.send(query).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Every new event from now on, until the daemon stops; `None` when it already does.
    pub async fn follow(&self) -> Option<broadcast::Receiver<NewEvent>> {
        let (answer, answered) = oneshot::channel();
        self.queries.send(EventQuery::Follow(answer)).await.ok()?;
        answered.await.ok()
    }
}

struct Worker {
    records: mpsc::Receiver<Input>,
    settled: mpsc::Receiver<Settled>,
    queries: mpsc::Receiver<EventQuery>,
    /// None: the sink has ended.
    link: Option<watch::Receiver<Option<mpsc::Sender<Departure>>>>,
    departures: Option<mpsc::Sender<Departure>>,
    dropped_at_door: Arc<AtomicI64>,
    new: broadcast::Sender<NewEvent>,
    status: watch::Sender<OutboxStatus>,
}

impl Worker {
    /// Until nobody records any more.
    async fn run(mut self, rules: OutboxRules) {
        let mut keeper = Keeper::new(rules, monotonic_now());
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
            let flushes = self.take_in(&mut keeper, inputs, settled);
            wait = self.send(&mut keeper);
            self.status.send_replace(keeper.status());
            for done in flushes {
                // Who asked may have gone.
                let _gone = done.send(());
            }
        }
        drop(self.take_in(&mut keeper, Vec::new(), Vec::new()));
        keeper.sync(monotonic_now());
        self.status.send_replace(keeper.status());
    }

    /// Who asked may have gone.
    fn answer(&self, keeper: &Keeper, query: EventQuery) {
        match query {
            EventQuery::Since { ms, after, limit, answer } => {
                drop(answer.send(keeper.since(ms, after, limit).map_err(|error| error.to_string())));
            }
            EventQuery::Follow(answer) => drop(answer.send(self.new.subscribe())),
        }
    }

    /// What has come goes to the disk; who is to be told when it has.
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
        keeper.count_dropped(self.dropped_at_door.swap(0, Ordering::Relaxed));
        let (mut events, mut flushes) = (Vec::new(), Vec::new());
        for input in inputs {
            match input {
                Input::Event { camera, payload } => {
                    // Nobody may be following.
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
            keeper.set_connected(link.is_some());
            self.departures = link;
        }
    }

    /// Sends what may leave; how long to wait for more.
    fn send(&mut self, keeper: &mut Keeper) -> Duration {
        let Some(departures) = &self.departures else { return TICK };
        loop {
            match keeper.next(monotonic_now()) {
                Ok(departure) => {
                    // There is room for a whole window; a closed channel is seen by the watch.
                    if departures.try_send(departure).is_err() {
                        return TICK;
                    }
                }
                Err(wait) => return wait.map_or(TICK, |wait| wait.min(TICK)),
            }
        }
    }
}

/// Waits for another connection; for ever when there will be none.
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
