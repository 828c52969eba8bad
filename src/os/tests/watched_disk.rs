//! A disk for SQLite that records all operations and injects faults. It uses the machine's own files.

use crate::os::tests::watched_disk_vfs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

const NO_PANIC: &str = "nothing panics with the lock held";

/// An operation of the disk. Files are named without their directory.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A new file was created.
    Create {
        file: Arc<str>,
    },
    Write {
        file: Arc<str>,
        offset: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        file: Arc<str>,
        size: usize,
    },
    /// All earlier writes to the file are durable.
    Sync {
        file: Arc<str>,
    },
    /// `fsync` failed. The kernel then marks the pages as clean: they are never written again, but reads return them
    /// until the power fails.
    FailedSync {
        file: Arc<str>,
    },
    Delete {
        file: Arc<str>,
    },
    /// Set by the test: the number of its operations so far.
    Mark(usize),
}

/// An injected fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// ENOSPC.
    Full,
    /// EROFS.
    ReadOnly,
    /// EIO of `write`.
    Write,
    /// EIO of `fsync`.
    Sync,
    /// EIO of `read`.
    Read,
}

/// The test's handle on the disk.
#[derive(Debug)]
pub(crate) struct WatchedDisk {
    /// The name of its SQLite VFS.
    pub(crate) vfs: String,
    shared: &'static Shared,
}

/// The state that the VFS functions use.
#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Notified when the disk begins or ceases to hang.
    hanging: Condvar,
}

#[derive(Debug, Default)]
struct State {
    steps: Vec<Step>,
    fault: Option<Fault>,
    /// How many operations that match the fault still succeed.
    spared: usize,
    refused: usize,
    /// Operations neither succeed nor fail.
    must_hang: bool,
    /// An operation hangs.
    is_hanging: bool,
}

impl WatchedDisk {
    /// Registers a new disk. It stays registered until the process ends.
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let vfs = format!("watched-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let shared: &'static Shared = Box::leak(Box::default());
        watched_disk_vfs::register(&vfs, shared);
        Self { vfs, shared }
    }

    /// Sets or clears the fault.
    pub(crate) fn set_fault(&self, fault: Option<Fault>) {
        let mut state = self.shared.lock();
        (state.fault, state.spared) = (fault, 0);
    }

    /// Sets the fault for all but the next `spared` operations that match it.
    pub(crate) fn set_fault_after(&self, spared: usize, fault: Fault) {
        let mut state = self.shared.lock();
        (state.fault, state.spared) = (Some(fault), spared);
    }

    /// From now on, no operation returns until [`Self::answer`].
    pub(crate) fn hang(&self) {
        self.shared.lock().must_hang = true;
    }

    /// Waits until an operation hangs.
    pub(crate) fn wait_until_it_hangs(&self) {
        let state = self.shared.hanging.wait_while(self.shared.lock(), |state| !state.is_hanging);
        drop(state.expect(NO_PANIC));
    }

    /// The operation that hangs, and those after it, return.
    pub(crate) fn answer(&self) {
        self.shared.lock().must_hang = false;
        self.shared.hanging.notify_all();
    }

    /// The number of failed operations.
    pub(crate) fn refused(&self) -> usize {
        self.shared.lock().refused
    }

    /// Records the number of the test's operations.
    pub(crate) fn mark(&self, operations: usize) {
        self.shared.note(Step::Mark(operations));
    }

    /// The number of recorded steps.
    pub(crate) fn step_count(&self) -> usize {
        self.shared.lock().steps.len()
    }

    /// True if a file whose name ends in `file_end` was synced at or after this step.
    pub(crate) fn has_synced_since(&self, step: usize, file_end: &str) -> bool {
        let is_it = |step: &Step| matches!(step, Step::Sync { file } if file.ends_with(file_end));
        self.shared.lock().steps[step..].iter().any(is_it)
    }

    /// Removes and returns all steps.
    pub(crate) fn take_steps(&self) -> Vec<Step> {
        std::mem::take(&mut self.shared.lock().steps)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(NO_PANIC)
    }

    pub(super) fn note(&self, step: Step) {
        self.lock().steps.push(step);
    }

    /// Counts an operation, and returns true if it must fail because one of these faults is set. Hangs while it must.
    pub(super) fn refuses(&self, faults: &[Fault]) -> bool {
        let mut state = self.lock();
        while state.must_hang {
            state.is_hanging = true;
            self.hanging.notify_all();
            state = self.hanging.wait(state).expect(NO_PANIC);
        }
        state.is_hanging = false;
        let is_met = state.fault.is_some_and(|fault| faults.contains(&fault));
        let refuses = is_met && state.spared == 0;
        state.spared = state.spared.saturating_sub(usize::from(is_met));
        state.refused += usize::from(refuses);
        refuses
    }
}
