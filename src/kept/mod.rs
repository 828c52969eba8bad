//! One thread that writes the daemon's state files.
//!
//! A disk may be full, read-only, slow or gone. So code that decides or serves never writes a file itself: it hands the
//! whole content to [`FileKeeper`], which calls back. Each file is replaced as a whole ([`atomic_file`]), in the order of
//! requests. If several contents wait for one path, only the newest is written: it includes the earlier changes.

use crate::os::atomic_file;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Queue capacity for writes and jobs. When the queue is full they are refused.
const QUEUE_CAPACITY: usize = 64;

/// How often a refused content is retried.
const RETRY_PERIOD: Duration = Duration::from_secs(5);

const TOO_MANY: &str = "too many files wait for the disk";

type Done = Box<dyn FnOnce(Result<(), String>) + Send>;

/// What to do with a content that the disk refuses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OnRefusal {
    /// Drop it: the caller undoes the change.
    GiveUp,
    /// Retry until the disk accepts it: the change is already in force.
    TryAgain,
}

enum Job {
    Write { path: PathBuf, content: Vec<u8>, on_refusal: OnRefusal, done: Done },
    Run(Box<dyn FnOnce(&mut FileWriter) + Send>),
}

/// Writes files on the thread. Jobs use it to decide there what to write.
#[derive(Debug)]
pub(crate) struct FileWriter {
    refused: Refused,
    /// Refused contents that are to be retried.
    retries: BTreeMap<PathBuf, Vec<u8>>,
    /// What this run has written, for files that somebody removes.
    written: BTreeMap<PathBuf, Vec<u8>>,
}

impl FileWriter {
    /// Replaces a file as a whole.
    ///
    /// # Errors
    /// The disk's error. The old file is still in place then.
    pub(crate) fn replace(&mut self, path: &Path, content: &[u8]) -> Result<(), String> {
        let result = atomic_file::replace(path, content).map_err(|error| error.to_string());
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

    fn write(&mut self, path: PathBuf, write: Write) {
        let result = self.replace(&path, &write.content);
        if result.is_err() && write.on_refusal == OnRefusal::TryAgain {
            self.retries.insert(path, write.content);
        }
        write.waiting.into_iter().for_each(|done| done(result.clone()));
    }

    fn retry(&mut self) {
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
struct Write {
    content: Vec<u8>,
    on_refusal: OnRefusal,
    waiting: Vec<Done>,
}

/// A handle to the thread. Clones share it; the thread ends when the last one is dropped.
#[derive(Clone, Debug)]
pub struct FileKeeper {
    jobs: SyncSender<Job>,
    refused: Refused,
}

/// The files that cannot be written now, with the disk's errors.
#[derive(Clone, Debug, Default)]
struct Refused(Arc<Mutex<BTreeMap<PathBuf, String>>>);

impl FileKeeper {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start() -> io::Result<Self> {
        Self::with_retry_period(RETRY_PERIOD)
    }

    fn with_retry_period(period: Duration) -> io::Result<Self> {
        let (jobs, inbox) = sync_channel(QUEUE_CAPACITY);
        let refused = Refused::default();
        let writer = FileWriter { refused: refused.clone(), retries: BTreeMap::new(), written: BTreeMap::new() };
        std::thread::Builder::new().name("files".into()).spawn(move || keep(&inbox, writer, period))?;
        Ok(Self { jobs, refused })
    }

    /// Queues the replacement of a file. `done` runs on the thread with the result of the first try, and must not block.
    pub(crate) fn write(
        &self,
        path: PathBuf,
        content: Vec<u8>,
        on_refusal: OnRefusal,
        done: impl FnOnce(Result<(), String>) + Send + 'static,
    ) {
        let job = Job::Write { path, content, on_refusal, done: Box::new(done) };
        if let Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) = self.jobs.try_send(job)
            && let Job::Write { done, .. } = job
        {
            done(Err(TOO_MANY.into()));
        }
    }

    /// Queues a job for the thread, behind earlier requests.
    ///
    /// # Errors
    /// When the queue is full.
    pub(crate) fn run(&self, job: impl FnOnce(&mut FileWriter) + Send + 'static) -> Result<(), &'static str> {
        self.jobs.try_send(Job::Run(Box::new(job))).map_err(|_| TOO_MANY)
    }

    /// Replaces a file and waits until it is on disk.
    ///
    /// # Errors
    /// The disk's error, or that the queue is full.
    pub(crate) async fn replace(&self, path: PathBuf, content: Vec<u8>) -> Result<(), String> {
        let (done, result) = oneshot::channel();
        // A caller that is gone needs no result.
        self.write(path, content, OnRefusal::GiveUp, move |result| drop(done.send(result)));
        result.await.unwrap_or_else(|_| Err("the thread that writes files has ended".into()))
    }

    /// Waits until the disk has taken or refused everything that is queued, at most for `limit`. True if it has.
    pub(crate) async fn flush(&self, limit: Duration) -> bool {
        let (done, flushed) = oneshot::channel();
        // A caller that no longer waits needs no word.
        let is_queued = self.run(move |_| done.send(()).unwrap_or_default()).is_ok();
        is_queued && tokio::time::timeout(limit, flushed).await.is_ok_and(|end| end.is_ok())
    }

    /// One sentence for the operator about each file that cannot be written now.
    pub(crate) fn degraded(&self) -> Vec<String> {
        let refused = self.refused.lock();
        refused.iter().map(|(path, why)| format!("{} cannot be written: {why}", path.display())).collect()
    }
}

impl Refused {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the result of a try. Logs the first failure and the first success after it.
    fn note(&self, path: &Path, result: &Result<(), String>) {
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

/// Serves requests until no handle is left, then writes what is still queued.
fn keep(inbox: &Receiver<Job>, mut writer: FileWriter, period: Duration) {
    let mut retry_at = Instant::now() + period;
    loop {
        let first = inbox.recv_timeout(retry_at.saturating_duration_since(Instant::now()));
        let is_last = matches!(first, Err(RecvTimeoutError::Disconnected));
        let mut writes = BTreeMap::new();
        for job in first.into_iter().chain(inbox.try_iter()) {
            match job {
                Job::Run(job) => {
                    write_all(&mut writer, &mut writes);
                    job(&mut writer);
                }
                Job::Write { path, content, on_refusal, done } => {
                    // A content that is in force must not be dropped together with one that its caller undoes.
                    if writes.get(&path).is_some_and(|write: &Write| write.on_refusal != on_refusal) {
                        write_all(&mut writer, &mut writes);
                    }
                    let mut waiting = writes.remove(&path).map(|write| write.waiting).unwrap_or_default();
                    waiting.push(done);
                    writes.insert(path, Write { content, on_refusal, waiting });
                }
            }
        }
        write_all(&mut writer, &mut writes);
        if Instant::now() >= retry_at || is_last {
            writer.retry();
            retry_at = Instant::now() + period;
        }
        if is_last {
            return;
        }
    }
}

fn write_all(writer: &mut FileWriter, writes: &mut BTreeMap<PathBuf, Write>) {
    for (path, write) in std::mem::take(writes) {
        writer.write(path, write);
    }
}

#[cfg(test)]
mod tests;
