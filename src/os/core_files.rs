//! Keeps what a process has in memory, passwords and pictures, out of core files and from other processes of its user.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// No core file of less than a page is written, so none is. Not zero, which the kernel does not look at where it hands cores
/// to a program, as most distributions have it; one is its sign that a process must have none (`core(5)`).
const NONE: u64 = 1;

/// No core of this process and of those that it starts is kept. Best effort: a limit that cannot be set is only logged.
pub fn refuse() {
    let set = |bytes| setrlimit(Resource::Core, Rlimit { current: Some(bytes), maximum: Some(bytes) });
    // A limit of zero that others have set cannot be raised.
    if let Err(error) = set(NONE).or_else(|_| set(0)) {
        tracing::debug!(limit = "core", %error, "a limit could not be set");
    }
}

/// Lets no other process of this user look into this one, but root: neither by its files in `/proc` nor as a debugger. Not
/// for a child, whose memory the parent reads to judge its calls. What it starts by `exec` can be looked into again.
pub fn refuse_onlookers() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::debug!(%error, "other processes of this user can look into this one");
    }
}
