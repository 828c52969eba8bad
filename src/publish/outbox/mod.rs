//! Events on disk before they count as published, and until the broker has acknowledged them.
//!
//! ```text
//!  event loop ─record─▶ thread of the outbox ──Departure──▶ sink ──▶ broker
//!                        │ disk, or a ring of memory         │
//!                        └◀────────────── Settled ◀── PUBACK ┘
//! ```
//! At least once, in order per camera, over broker outage, daemon crash and power cut. A commit is written at once and
//! synced within a second, so a crash of the daemon costs what has not reached its thread, and a power cut the last
//! second. An event waits until it is acknowledged, or the broker says that it will never take it, or there is no room;
//! the client's memory is trusted with nothing.
//!
//! What may leave is bounded twice: [`WINDOW`] events are on their way at a time, which is how many a fault can have a
//! subscriber see twice, and cameras that are behind together drain at twice the live rate, 20 a second at least.
//!
//! Where order has its limits: while a disk cannot even be read, events in memory leave before older ones that are on it;
//! and what a broker accepts behind an event that it refused for now has gone before that one.
//!
//! # Why SQLite
//! Judged beside redb 4 and fjall 3 by crash safety, writes to an SD card, and size:
//! * a commit of its write-ahead log survives the daemon without a sync, so events may leave at once and share one
//!   sync a second. redb's commits are durable only with a sync each, or lost with the process; copying its path to
//!   the root for a lone event is twenty to thirty kilobytes where SQLite's log takes one or two pages of four.
//! * fjall's log is as frugal, but its compaction writes events again that are forgotten within a day, and it has
//!   neither a way to put another file system below it nor a record of power-cut tests; SQLite's are the field's measure.
//! * a damaged byte is an error code and not a panic, its file format is a promise, and `rescue` can read it.
//! * its price is a C library of 1.2 MB in the binary. Nobody but us writes its file.

mod keeper;
mod queue;
mod record;
mod rescue;
pub mod settings;
mod store;
mod thread;

pub use keeper::{Departure, OutboxRules, RING};
pub use queue::WINDOW;
pub use record::{Position, Record};
pub use thread::{EventLog, NewEvent, Outbox, OutboxError, SinkEnd};

/// What became of an event that had left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Settled {
    /// The broker has acknowledged it.
    Delivered(Position),
    /// The broker will never take it: its topic or payload is not allowed there.
    Refused(Position),
    /// The broker does not have it now: it is tried again, and its camera's others wait.
    PutOff(Position),
}

/// How the outbox is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OutboxStatus {
    /// Events that wait to leave.
    pub waiting: u64,
    /// Events that have left and are not settled, [`WINDOW`] at most.
    pub on_their_way: u64,
    /// Events written to disk since the daemon started.
    pub recorded: u64,
    /// Events that a broker has acknowledged since the daemon started.
    pub delivered: u64,
    /// Events that the broker will never take, since the daemon started.
    pub refused: u64,
    /// How often the broker has refused an event for now, since the daemon started.
    pub put_off: u64,
    /// Events dropped because there was no room, since the daemon started.
    pub dropped: u64,
    /// Events lost to damage of the disk, since the daemon started.
    pub damaged: u64,
    /// Dropped events of which no delivered one has told.
    pub unreported: i64,
    /// Why events are kept in memory only, or not at all: the disk refuses them, or the thread has ended.
    pub trouble: Option<String>,
}
