//! A disk below SQLite that writes down what it is asked, and refuses on demand: the machine's own files behind it.

use crate::os::tests::watched_disk_vfs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// What the disk was asked and did, in order. Files are named without their directory.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A file that was not there.
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
    /// All that was written to the file before is on the disk.
    Sync {
        file: Arc<str>,
    },
    /// The kernel has told of an error, and takes what was written for clean: it will not be written again, though it
    /// is read back as long as there is power.
    FailedSync {
        file: Arc<str>,
    },
    Delete {
        file: Arc<str>,
    },
    /// The test's own: it has done so many operations.
    Mark(usize),
}

/// How the disk fails.
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

/// The disk as the test holds it.
#[derive(Debug)]
pub(crate) struct WatchedDisk {
    /// Its name with SQLite.
    pub(crate) vfs: String,
    shared: &'static Shared,
}

/// The disk as SQLite's calls see it.
#[derive(Debug, Default)]
pub(super) struct Shared(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    steps: Vec<Step>,
    fault: Option<Fault>,
    /// So often it still does what it would refuse.
    spared: usize,
    refused: usize,
}

impl WatchedDisk {
    /// A disk of its own. It stays registered until the process ends, as SQLite's names do.
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let vfs = format!("watched-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let shared: &'static Shared = Box::leak(Box::default());
        watched_disk_vfs::register(&vfs, shared);
        Self { vfs, shared }
    }

    /// From now on it fails so, or works.
    pub(crate) fn set_fault(&self, fault: Option<Fault>) {
        let mut state = self.shared.lock();
        (state.fault, state.spared) = (fault, 0);
    }

    /// It fails so after it has still done so much.
    pub(crate) fn set_fault_after(&self, spared: usize, fault: Fault) {
        let mut state = self.shared.lock();
        (state.fault, state.spared) = (Some(fault), spared);
    }

    /// How often it has refused.
    pub(crate) fn refused(&self) -> usize {
        self.shared.lock().refused
    }

    /// So many operations are done.
    pub(crate) fn mark(&self, operations: usize) {
        self.shared.note(Step::Mark(operations));
    }

    /// Steps since the beginning.
    pub(crate) fn step_count(&self) -> usize {
        self.shared.lock().steps.len()
    }

    /// True when a file with such an end was synced after so many steps.
    pub(crate) fn has_synced_since(&self, step: usize, file_end: &str) -> bool {
        let is_it = |step: &Step| matches!(step, Step::Sync { file } if file.ends_with(file_end));
        self.shared.lock().steps[step..].iter().any(is_it)
    }

    /// All steps.
    pub(crate) fn take_steps(&self) -> Vec<Step> {
        std::mem::take(&mut self.shared.lock().steps)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics with the lock held")
    }

    pub(super) fn note(&self, step: Step) {
        self.lock().steps.push(step);
    }

    /// True when the disk now fails in one of these ways.
    pub(super) fn refuses(&self, faults: &[Fault]) -> bool {
        let mut state = self.lock();
        let is_met = state.fault.is_some_and(|fault| faults.contains(&fault));
        let refuses = is_met && state.spared == 0;
        state.spared = state.spared.saturating_sub(usize::from(is_met));
        state.refused += usize::from(refuses);
        refuses
    }
}
