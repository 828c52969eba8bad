//! Which execution provider, file and number of threads compute a model fastest on this box (`execution_provider = "auto"`).
//!
//! [`measure_all`] runs each candidate in a confined unit of its own, `judge` says whether it sees what the float
//! model sees on the CPU, [`Choice`] which of those that do is taken, and [`Records`] remembers that. A candidate that crashes,
//! hangs, answers wrongly or takes too much memory is refused with its reason, and costs the box nothing else.
//!
//! Speed is transactions per second of processor time, not of the clock: the box may be busy while it measures, and what it
//! has is cores.

mod bench;
mod choice;
mod engine;
mod identity;
mod judge;
mod pictures;
mod records;

pub use bench::{Bench, BenchLimits, measure_all};
pub use choice::{Choice, Room, Trial, TrialResult};
pub use engine::{Engine, Wanted};
pub use identity::key;
pub use records::{FILE_NAME, Records};
