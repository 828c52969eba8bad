//! Durable events: on disk before they are sent, and until the broker has acknowledged them.
//!
//! ```text
//!  event loop ─record─▶ thread of the outbox ──Departure──▶ sink ──▶ broker
//!                        │ disk, or a ring of memory         │
//!                        └◀────────────── Settled ◀── PUBACK ┘
//! ```
//! Delivery is at least once and in order per camera, across broker outage, daemon crash and power cut. A commit is
//! written at once and synced within `outbox.sync_seconds`, one without a setting: a crash of the daemon loses what has not
//! reached the thread, a power cut also what was not synced. An acknowledgement is written with the next event or the next
//! sync, because a commit of its own would write a page. An event is kept until it is acknowledged, or the broker rejects it for good, or the store is full.
//! It never depends on the memory of the MQTT client.
//!
//! Sending is limited twice. At most [`WINDOW`] events are in flight, which bounds duplicates after a fault. The backlogs
//! of all cameras together drain at twice the rate of new events, and at least at 20 a second.
//!
//! Order has two limits: while a disk cannot be read, events in memory are sent before older ones on disk; and events
//! that a broker accepts after it rejected one for now overtake that one.
//!
//! # Why SQLite
//! Judged beside redb 4 and fjall 3 by crash safety, writes to an SD card, and size:
//! * a commit of its write-ahead log survives the daemon without a sync, so events may leave at once and share one
//!   sync a second. redb's commits are durable only with a sync each, or lost with the process; copying its path to
//!   the root for a lone event is twenty to thirty kilobytes where SQLite's log takes one or two pages of four.
//! * fjall's log is as frugal, but its compaction writes events again that are forgotten within a day, and it has
//!   neither a way to put another file system below it nor a record of power-cut tests; SQLite's are the field's measure.
//! * a damaged byte is an error code and not a panic, its file format is a promise, and `rescue` can read it.
//! * its price is a C library of 1.2 MB in the binary. No other program writes its file.

mod disk_work;
mod event_log;
mod keeper;
mod queue;
mod record;
mod rescue;
pub mod settings;
mod store;
mod thread;

pub use event_log::{EventLog, NewEvent};
pub use keeper::{Departure, OutboxRules, RING};
pub use queue::WINDOW;
pub use record::{Position, Record};
pub use thread::{Outbox, OutboxError, SinkEnd};

/// The result of an event that was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Settled {
    /// The broker has acknowledged it.
    Delivered(Position),
    /// The broker rejected it for good: its topic or payload is not allowed.
    Refused(Position),
    /// The broker rejected it for now: it is retried, and the other events of its camera wait.
    PutOff(Position),
}

/// The state of the outbox. Counts are since the start of the daemon.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OutboxStatus {
    /// Events that wait to be sent.
    pub waiting: u64,
    /// Events in flight, at most [`WINDOW`].
    pub on_their_way: u64,
    /// Events written to disk.
    pub recorded: u64,
    /// Events that the broker has acknowledged.
    pub delivered: u64,
    /// Events that the broker rejected for good.
    pub refused: u64,
    /// How often the broker rejected an event for now.
    pub put_off: u64,
    /// Events dropped because there was no room.
    pub dropped: u64,
    /// Events lost to disk damage.
    pub damaged: u64,
    /// Bytes that all stored events take on the disk, delivered ones too.
    pub bytes: u64,
    /// Dropped events that no delivered event has reported yet.
    pub unreported: i64,
    /// Why events are kept in memory only, or not at all: the disk refuses them or does not answer, or the thread has
    /// ended.
    pub trouble: Option<String>,
}
