//! What a child may take: no core dumps (they would hold pictures), few descriptors, and the
//! first place in line when memory runs out.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Descriptors a child may have open: its libraries, its socket and one region a camera.
const DESCRIPTORS: u64 = 1024;

/// The most memory that [`cap_memory`] leaves, mapped files not counted.
const SMALL_MEMORY_BYTES: u64 = 512 << 20;

/// Lowers this process's limits. Best effort: a limit that cannot be set is logged, not fatal.
pub fn apply() {
    let set = |resource, value| setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) });
    for (name, result) in [("core", set(Resource::Core, 0)), ("nofile", set(Resource::Nofile, DESCRIPTORS))] {
        if let Err(error) = result {
            tracing::debug!(limit = name, %error, "a limit could not be set");
        }
    }
    // The kernel then ends a unit before the daemon that can replace it.
    if let Err(error) = std::fs::write("/proc/self/oom_score_adj", "500") {
        tracing::debug!(%error, "oom_score_adj could not be set");
    }
}

/// Bounds what this process can allocate, for a child that reads a file and computes nothing: one that would take more
/// is aborted. Best effort, as all limits here.
pub fn cap_memory() {
    cap_memory_at(SMALL_MEMORY_BYTES);
}

/// [`cap_memory`] at so many bytes, for a child that computes.
pub fn cap_memory_at(bytes: u64) {
    let most = Some(bytes);
    if let Err(error) = setrlimit(Resource::Data, Rlimit { current: most, maximum: most }) {
        tracing::debug!(limit = "data", %error, "a limit could not be set");
    }
}
