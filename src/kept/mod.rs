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

/// Queue capacity for writes and jobs. When the queue is full they are refused, but the newest content of each file that is
/// to be retried is kept beside it.
const QUEUE_CAPACITY: usize = 64;

/// How often a refused content is retried.
const RETRY_PERIOD: Duration = Duration::from_secs(5);

/// A write that takes longer is reported: the disk neither takes nor refuses it.
const HANG_LIMIT: Duration = Duration::from_secs(5);

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
    busy: Arc<Mutex<Option<Busy>>>,
    /// Refused contents that are to be retried.
    retries: BTreeMap<PathBuf, Vec<u8>>,
    /// What this run has written, for files that somebody removes.
    written: BTreeMap<PathBuf, Vec<u8>>,
}

impl FileWriter {
    fn new(refused: Refused, busy: Arc<Mutex<Option<Busy>>>) -> Self {
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

/// The write that is going on.
#[derive(Debug)]
struct Busy {
    path: PathBuf,
    since: Instant,
    is_reported: bool,
}

/// Contents that found the queue full, the newest of each path. Its lock is held while a job is queued.
type Overflow = Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>;

/// A handle to the thread. Clones share it; the thread ends when the last one is dropped.
#[derive(Clone, Debug)]
pub struct FileKeeper {
    jobs: SyncSender<Job>,
    overflow: Overflow,
    refused: Refused,
    busy: Arc<Mutex<Option<Busy>>>,
    hang_limit: Duration,
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
        Self::with_limits(RETRY_PERIOD, HANG_LIMIT)
    }

    fn with_limits(retry_period: Duration, hang_limit: Duration) -> io::Result<Self> {
        let (jobs, inbox) = sync_channel(QUEUE_CAPACITY);
        let (refused, busy, overflow) = (Refused::default(), Arc::default(), Overflow::default());
        let writer = FileWriter::new(refused.clone(), Arc::clone(&busy));
        let late = Arc::clone(&overflow);
        std::thread::Builder::new().name("files".into()).spawn(move || keep(&inbox, &late, writer, retry_period))?;
        Ok(Self { jobs, overflow, refused, busy, hang_limit })
    }

    /// Queues the replacement of a file. `done` runs on the thread with the result of the first try, and must not block.
    ///
    /// # Errors
    /// When the queue is full: `done` is dropped then. A content that is to be retried is written all the same, once the
    /// thread has worked off its queue.
    pub(crate) fn write(
        &self,
        path: PathBuf,
        content: Vec<u8>,
        on_refusal: OnRefusal,
        done: impl FnOnce(Result<(), String>) + Send + 'static,
    ) -> Result<(), &'static str> {
        let mut overflow = lock(&self.overflow);
        let job = Job::Write { path: path.clone(), content, on_refusal, done: Box::new(done) };
        match self.jobs.try_send(job) {
            Ok(()) => {
                overflow.remove(&path);
                return Ok(());
            }
            Err(TrySendError::Full(Job::Write { content, on_refusal: OnRefusal::TryAgain, .. })) => {
                overflow.insert(path.clone(), content);
            }
            Err(_) => {}
        }
        self.refused.note(&path, &Err(TOO_MANY.to_owned()));
        Err(TOO_MANY)
    }

    /// Queues a job for the thread, behind earlier requests.
    ///
    /// # Errors
    /// When the queue is full.
    pub(crate) fn run(&self, job: impl FnOnce(&mut FileWriter) + Send + 'static) -> Result<(), &'static str> {
        let _overflow = lock(&self.overflow);
        self.jobs.try_send(Job::Run(Box::new(job))).map_err(|_| TOO_MANY)
    }

    /// Replaces a file and waits until it is on disk.
    ///
    /// # Errors
    /// The disk's error, or that the queue is full.
    pub(crate) async fn replace(&self, path: PathBuf, content: Vec<u8>) -> Result<(), String> {
        let (done, result) = oneshot::channel();
        // A caller that is gone needs no result.
        self.write(path, content, OnRefusal::GiveUp, move |result| drop(done.send(result)))?;
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
        let refused = refused.iter().map(|(path, why)| format!("{} cannot be written: {why}", path.display()));
        refused.chain(self.hanging()).collect()
    }

    /// What the operator is told of a write that takes too long; logged once.
    fn hanging(&self) -> Option<String> {
        let mut busy = lock(&self.busy);
        let busy = busy.as_mut().filter(|busy| busy.since.elapsed() >= self.hang_limit)?;
        let file = busy.path.display();
        if !std::mem::replace(&mut busy.is_reported, true) {
            tracing::error!(%file, "a state file cannot be written: the disk does not answer");
        }
        Some(format!("{file} cannot be written: the disk does not answer"))
    }
}

impl Refused {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, String>> {
        lock(&self.0)
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

/// What a panic elsewhere has left is still valid: all of it is plain data.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves requests until no handle is left, then writes what is still queued.
fn keep(inbox: &Receiver<Job>, overflow: &Overflow, mut writer: FileWriter, period: Duration) {
    let mut retry_at = Instant::now() + period;
    let mut next = None;
    loop {
        let wait = || inbox.recv_timeout(retry_at.saturating_duration_since(Instant::now()));
        let first = next.take().map_or_else(wait, Ok);
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
        // Only behind an empty queue: what is queued is older. Nothing is queued meanwhile, because of the lock.
        let mut late = lock(overflow);
        match inbox.try_recv() {
            Ok(job) => next = Some(job),
            Err(_) => writer.retries.append(&mut late),
        }
        drop(late);
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
