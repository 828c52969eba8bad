//! How often a capture process sends a heartbeat, and how long it may stay silent.
//!
//! Both sides use these constants. If the parent took its limit from elsewhere, it could be shorter than the child's
//! period, and healthy processes would be killed.

use std::time::Duration;

/// Period at which the main loop of a capture process sends `Alive`, and `Progress` for each open camera.
pub const HEARTBEAT: Duration = Duration::from_secs(1);

/// The shortest silence after which a parent may treat a capture process as hung: on a busy box one heartbeat may be
/// late and another still in transit.
pub const SHORTEST_SILENCE: Duration = HEARTBEAT.saturating_mul(3);

/// Time limit from `Hello` to `Initialized`. GStreamer scans its plugins in between. At the first start, and after each
/// upgrade, that takes seconds of CPU time; on a slow and busy box, a minute and more.
pub const INITIALIZATION_LIMIT: Duration = Duration::from_secs(120);
