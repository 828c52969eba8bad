//! Clips of events: the received video of a camera, from some seconds before an event to some seconds after its end, on the disk.
//!
//! ```text
//!  events ──▶ recordings ──order──▶ capture process ── pipe ──▶ recorder ──▶ writer: one thread, disk
//!             (begin, extend, end)                              (a task each)   └── ring: what makes room
//! ```
//!
//! Nothing is encoded, and the daemon parses no video: it writes what the capture process gives it. `recordings` and `ring`
//! decide and are given `now`; `recorder` reads pipes, `writer` and `disk` write. A disk that is full, slow or broken costs
//! clips, which are counted, and nothing else.

mod clip_entry;
mod disk;
mod library;
mod recorder;
mod recordings;
mod ring;
pub mod settings;
mod shared;
mod withheld;
mod writer;

pub use self::recorder::{ClipOrder, ClipRules, Clips};
pub use self::shared::FoundClip;
