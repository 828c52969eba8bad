//! Resource limits of child processes: no core dumps (they would contain pictures), few descriptors, and the first to
//! be killed when memory runs out.

use crate::os::core_files;
use rustix::process::{Resource, Rlimit, setrlimit};

/// Maximum of open descriptors: libraries, the socket and one region per camera.
const DESCRIPTORS: u64 = 1024;

/// The limit of [`cap_memory`] in bytes, without file mappings.
const SMALL_MEMORY_BYTES: u64 = 512 << 20;

/// Lowers the limits of this process. Best effort: a limit that cannot be set is only logged.
pub fn apply() {
    core_files::refuse();
    let most = Some(DESCRIPTORS);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }) {
        tracing::debug!(limit = "nofile", %error, "a limit could not be set");
    }
    // The OOM killer then chooses a child before the daemon, which can restart it.
    if let Err(error) = std::fs::write("/proc/self/oom_score_adj", "500") {
        tracing::debug!(%error, "oom_score_adj could not be set");
    }
}

/// Limits the memory of this process to 512 MiB, for a child that only parses a file. An allocation beyond it fails,
/// which aborts the process. Best effort.
pub fn cap_memory() {
    cap_memory_at(SMALL_MEMORY_BYTES);
}

/// [`cap_memory`] with another limit, for a child that computes.
pub fn cap_memory_at(bytes: u64) {
    let most = Some(bytes);
    if let Err(error) = setrlimit(Resource::Data, Rlimit { current: most, maximum: most }) {
        tracing::debug!(limit = "data", %error, "a limit could not be set");
    }
}
