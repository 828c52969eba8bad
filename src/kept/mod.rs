//! One thread that writes the state files of the daemon.
//!
//! A disk may be full, read-only, slow or gone, so nothing that decides or serves writes a file itself: it hands the whole
//! content to [`FileKeeper`] and is called back. Files are replaced whole ([`atomic_file`]), in the order of requests. Of
//! contents that wait for one path only the newest is written, which holds the changes of the others too.

use crate::os::atomic_file;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Contents that wait for the disk. Above it they are refused, and their callers are told.
const MAX_WAITING: usize = 64;

/// A content that the disk has refused is tried again this often.
const RETRY_PERIOD: Duration = Duration::from_secs(5);

const TOO_MANY: &str = "too many files wait for the disk";

type Done = Box<dyn FnOnce(Result<(), String>) + Send>;

/// What becomes of a content that the disk refuses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OnRefusal {
    /// It is dropped: its caller undoes the change.
    GiveUp,
    /// It is written as soon as the disk takes it: the change is in force.
    TryAgain,
}

enum Job {
    Write { path: PathBuf, content: Vec<u8>, on_refusal: OnRefusal, done: Done },
    Run(Box<dyn FnOnce(&mut FileWriter) + Send>),
}

/// Writes files on the thread, for jobs that decide there what to write.
#[derive(Debug)]
pub(crate) struct FileWriter {
    refused: Refused,
    /// Contents in force that the disk has refused.
    again: BTreeMap<PathBuf, Vec<u8>>,
}

impl FileWriter {
    /// Replaces a file whole.
    ///
    /// # Errors
    /// Why the disk refuses it; the old file is still there then.
    pub(crate) fn replace(&mut self, path: &Path, content: &[u8]) -> Result<(), String> {
        let result = atomic_file::replace(path, content).map_err(|error| error.to_string());
        self.refused.note(path, &result);
        if result.is_ok() {
            self.again.remove(path);
        }
        result
    }

    fn write(&mut self, path: PathBuf, write: Write) {
        let result = self.replace(&path, &write.content);
        if result.is_err() && write.on_refusal == OnRefusal::TryAgain {
            self.again.insert(path, write.content);
        }
        write.waiting.into_iter().for_each(|done| done(result.clone()));
    }

    fn try_again(&mut self) {
        for (path, content) in std::mem::take(&mut self.again) {
            if self.replace(&path, &content).is_err() {
                self.again.insert(path, content);
            }
        }
    }
}

/// The newest content that waits for a path, and all who wait for it.
struct Write {
    content: Vec<u8>,
    on_refusal: OnRefusal,
    waiting: Vec<Done>,
}

/// The handle on the thread. Handles are cheap and all the same.
#[derive(Clone, Debug)]
pub struct FileKeeper {
    jobs: SyncSender<Job>,
    refused: Refused,
}

/// Why files cannot be written now.
#[derive(Clone, Debug, Default)]
struct Refused(Arc<Mutex<BTreeMap<PathBuf, String>>>);

impl FileKeeper {
    /// Starts the thread.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start() -> io::Result<Self> {
        Self::with_retry_period(RETRY_PERIOD)
    }

    fn with_retry_period(period: Duration) -> io::Result<Self> {
        let (jobs, inbox) = sync_channel(MAX_WAITING);
        let refused = Refused::default();
        let writer = FileWriter { refused: refused.clone(), again: BTreeMap::new() };
        std::thread::Builder::new().name("files".into()).spawn(move || keep(&inbox, writer, period))?;
        Ok(Self { jobs, refused })
    }

    /// Has a file replaced. `done` is called on the thread with the result of the first try, and must not wait.
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

    /// Runs a job on the thread, behind those that were given before.
    ///
    /// # Errors
    /// When too many wait for the disk.
    pub(crate) fn run(&self, job: impl FnOnce(&mut FileWriter) + Send + 'static) -> Result<(), &'static str> {
        self.jobs.try_send(Job::Run(Box::new(job))).map_err(|_| TOO_MANY)
    }

    /// Replaces a file, and waits until it is on the disk.
    ///
    /// # Errors
    /// Why it is not.
    pub(crate) async fn replace(&self, path: PathBuf, content: Vec<u8>) -> Result<(), String> {
        let (done, result) = oneshot::channel();
        // A caller that has gone meanwhile does not need the result.
        self.write(path, content, OnRefusal::GiveUp, move |result| drop(done.send(result)));
        result.await.unwrap_or_else(|_| Err("the thread that writes files has ended".into()))
    }

    /// The files that cannot be written now, and why, for the operator.
    pub(crate) fn degraded(&self) -> Vec<String> {
        let refused = self.refused.lock();
        refused.iter().map(|(path, why)| format!("{} cannot be written: {why}", path.display())).collect()
    }
}

impl Refused {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers the result of a try, and logs when it is another one than before.
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
                    tracing::error!(file = %path.display(), why, "a state file cannot be written; it is tried again");
                }
            }
        }
    }
}

/// Writes until no handle is left, and then what still waits.
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
                    // A content that is in force must not be dropped with one that its caller takes back.
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
            writer.try_again();
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
