//! One thread that writes the daemon's state files.
//!
//! A disk may be full, read-only, slow or gone. So code that decides or serves never writes a file itself: it hands the
//! whole content to [`FileKeeper`], which calls back. Each file is replaced as a whole
//! ([`atomic_file`](crate::os::atomic_file)), in the order of requests. If several contents wait for one path, only the
//! newest is written: it includes the earlier changes.

mod file_writer;

use crate::kept::file_writer::{Busy, Done, Refused, Write, lock};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

pub(crate) use crate::kept::file_writer::{FileWriter, OnRefusal};

/// Queue capacity for writes and jobs. When the queue is full they are refused, but the newest content of each file that is
/// to be retried is kept beside it.
const QUEUE_CAPACITY: usize = 64;

/// How often a refused content is retried.
const RETRY_PERIOD: Duration = Duration::from_secs(5);

/// A write that takes longer is reported: the disk neither takes nor refuses it.
const HANG_LIMIT: Duration = Duration::from_secs(5);

const TOO_MANY: &str = "too many files wait for the disk";

enum Job {
    Write { path: PathBuf, content: Vec<u8>, on_refusal: OnRefusal, done: Done },
    Run(Box<dyn FnOnce(&mut FileWriter) + Send>),
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
        path: &Path,
        content: Vec<u8>,
        on_refusal: OnRefusal,
        done: impl FnOnce(Result<(), String>) + Send + 'static,
    ) -> Result<(), &'static str> {
        let mut overflow = lock(&self.overflow);
        let job = Job::Write { path: path.to_owned(), content, on_refusal, done: Box::new(done) };
        match self.jobs.try_send(job) {
            Ok(()) => {
                overflow.remove(path);
                return Ok(());
            }
            Err(TrySendError::Full(Job::Write { content, on_refusal: OnRefusal::TryAgain, .. })) => {
                overflow.insert(path.to_owned(), content);
            }
            Err(_) => {}
        }
        self.refused.note(path, &Err(TOO_MANY.to_owned()));
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
        self.write(&path, content, OnRefusal::GiveUp, move |result| drop(done.send(result)))?;
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
