//! Writes files on the thread, and knows which of them the disk refuses.

use crate::os::atomic_file;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub(super) type Done = Box<dyn FnOnce(Result<(), String>) + Send>;

/// What to do with a content that the disk refuses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OnRefusal {
    /// Drop it: the caller undoes the change.
    GiveUp,
    /// Retry until the disk accepts it: the change is already in force.
    TryAgain,
}

/// Writes files on the thread. Jobs use it to decide there what to write.
#[derive(Debug)]
pub(crate) struct FileWriter {
    refused: Refused,
    busy: Arc<Mutex<Option<Busy>>>,
    /// Refused contents that are to be retried.
    pub(super) retries: BTreeMap<PathBuf, Vec<u8>>,
    /// What this run has written, for files that somebody removes.
    written: BTreeMap<PathBuf, Vec<u8>>,
}

impl FileWriter {
    pub(super) fn new(refused: Refused, busy: Arc<Mutex<Option<Busy>>>) -> Self {
        Self { refused, busy, retries: BTreeMap::new(), written: BTreeMap::new() }
    }

    /// Replaces a file as a whole.
    ///
    /// # Errors
    /// The disk's error. The old file is still in place then.
    pub(crate) fn replace(&mut self, path: &Path, content: &[u8]) -> Result<(), String> {
        *lock(&self.busy) = Some(Busy { path: path.to_owned(), since: Instant::now(), is_reported: false });
        let result = atomic_file::replace(path, content).map_err(|error| error.to_string());
        *lock(&self.busy) = None;
        self.refused.note(path, &result);
        if result.is_ok() {
            self.retries.remove(path);
            self.written.insert(path.to_owned(), content.to_vec());
        }
        result
    }

    /// Keeps a damaged file as `<name>.damaged`, to be called before it is replaced. It is copied, so that what is left
    /// of it stays until then; a file that cannot be read is moved.
    ///
    /// # Errors
    /// The disk's error. The file must not be replaced then.
    pub(crate) fn set_aside(&mut self, path: &Path) -> Result<(), String> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".damaged");
        let aside = path.with_file_name(name);
        let kept = match std::fs::read(path) {
            Ok(bytes) => atomic_file::replace(&aside, &bytes),
            Err(_) => std::fs::rename(path, &aside),
        };
        let result = kept.map_err(|error| format!("it is damaged, and the disk refuses a copy of it: {error}"));
        match &result {
            Ok(()) => {
                tracing::error!(file = %path.display(), aside = %aside.display(), "a damaged state file is kept beside");
            }
            Err(_) => self.refused.note(path, &result),
        }
        result
    }

    pub(super) fn write(&mut self, path: PathBuf, write: Write) {
        let result = self.replace(&path, &write.content);
        if result.is_err() && write.on_refusal == OnRefusal::TryAgain {
            self.retries.insert(path, write.content);
        }
        write.waiting.into_iter().for_each(|done| done(result.clone()));
    }

    pub(super) fn retry(&mut self) {
        for (path, content) in std::mem::take(&mut self.retries) {
            if self.replace(&path, &content).is_err() {
                self.retries.insert(path, content);
            }
        }
        self.restore_removed();
        self.probe_undone();
    }

    /// Writes files anew that were there and are gone: an operator's mistake must not wait for the next change.
    fn restore_removed(&mut self) {
        let is_gone = |path: &PathBuf| matches!(path.try_exists(), Ok(false)) && !self.retries.contains_key(path);
        let written = self.written.iter().filter(|(path, _)| is_gone(path));
        let gone: Vec<(PathBuf, Vec<u8>)> = written.map(|(path, content)| (path.clone(), content.clone())).collect();
        for (path, content) in gone {
            tracing::warn!(file = %path.display(), "a state file is gone and is written anew");
            self.write(path, Write { content, on_refusal: OnRefusal::TryAgain, waiting: Vec::new() });
        }
    }

    /// Nothing waits for a file whose refused change was undone, so the disk is asked whether it takes what lies there.
    fn probe_undone(&mut self) {
        let refused: Vec<PathBuf> = self.refused.lock().keys().cloned().collect();
        for path in refused.iter().filter(|path| !self.retries.contains_key(*path)) {
            let result = atomic_file::rewrite(path).map_err(|error| error.to_string());
            self.refused.note(path, &result);
        }
    }
}

/// The newest content that waits for a path, and the callbacks of all requests for that path.
pub(super) struct Write {
    pub(super) content: Vec<u8>,
    pub(super) on_refusal: OnRefusal,
    pub(super) waiting: Vec<Done>,
}

/// The write that is going on.
#[derive(Debug)]
pub(super) struct Busy {
    pub(super) path: PathBuf,
    pub(super) since: Instant,
    pub(super) is_reported: bool,
}

/// The files that cannot be written now, with the disk's errors.
#[derive(Clone, Debug, Default)]
pub(super) struct Refused(Arc<Mutex<BTreeMap<PathBuf, String>>>);

impl Refused {
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, String>> {
        lock(&self.0)
    }

    /// Records the result of a try. Logs the first failure and the first success after it.
    pub(super) fn note(&self, path: &Path, result: &Result<(), String>) {
        let mut refused = self.lock();
        match result {
            Ok(()) => {
                if refused.remove(path).is_some() {
                    tracing::info!(file = %path.display(), "a state file can be written again");
                }
            }
            Err(why) => {
                if refused.insert(path.to_owned(), why.clone()).is_none() {
                    tracing::error!(file = %path.display(), why, "a state file cannot be written");
                }
            }
        }
    }
}

/// What a panic elsewhere has left is still valid: all of it is plain data.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
