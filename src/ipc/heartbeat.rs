//! How often a capture process says that it lives, and how long it may be silent.
//!
//! Both sides use these constants: a limit that the parent takes from elsewhere can contradict the rate of the child,
//! and then healthy processes are killed.

use std::time::Duration;

/// The main loop of a capture process sends `Alive`, and `Progress` for each open camera, this often.
pub const HEARTBEAT: Duration = Duration::from_secs(1);

/// A parent takes a capture process for hung after this much silence at the earliest: one heartbeat may be late on a
/// busy box, and one may be on its way.
pub const SHORTEST_SILENCE: Duration = HEARTBEAT.saturating_mul(3);

/// A process that has said `Hello` has so long to say `Initialized`. GStreamer looks at all its plugins in between: at
/// the first start, and after each upgrade, that takes seconds of CPU time, on a slow and busy box a minute and more.
pub const INITIALIZATION_LIMIT: Duration = Duration::from_secs(120);
