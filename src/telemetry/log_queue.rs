//! Takes log lines off the threads that log.
//!
//! A disk may be full, read-only, slow or gone, and a journal may not read. So no line is written where it is logged: it
//! goes through a bounded queue to one thread. A queue that is full drops new lines and counts them. A file that refuses
//! is tried again every second, and meanwhile its lines go to standard error.

use crate::telemetry::log_file::LogFile;
use crate::telemetry::troubles::Troubles;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Lines that wait to be written; a full queue drops new ones.
const QUEUE_LINES: usize = 1024;

/// How often a file or standard error that refuses is tried again.
const RETRY_PERIOD: Duration = Duration::from_secs(1);

/// The parts that [`Troubles`] names.
const SPEED: &str = "log queue";
const TARGET: &str = "log";

/// The queue in front of the log's thread. Clones share it.
#[derive(Clone, Debug)]
pub struct LogQueue(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    lines: Mutex<Lines>,
    changed: Condvar,
    troubles: Troubles,
}

#[derive(Debug, Default)]
struct Lines {
    waiting: VecDeque<Vec<u8>>,
    /// The thread has taken a line and is not done with it.
    is_writing: bool,
    /// Since the start.
    dropped: u64,
    /// Of those, the ones that no line of the log tells of yet.
    unreported: u64,
    /// Since the start.
    left_out: u64,
}

impl LogQueue {
    /// Starts the thread, which writes to `file`, or to standard error. A file that cannot be opened is tried again.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(file: Option<&Path>, troubles: Troubles) -> io::Result<Self> {
        let shared = Shared { lines: Mutex::default(), changed: Condvar::new(), troubles: troubles.clone() };
        let queue = Self(Arc::new(shared));
        let output = Output { file: file.map(LogFile::new), troubles, failed: None };
        let reader = queue.clone();
        std::thread::Builder::new().name("log".into()).spawn(move || write_lines(&reader, output))?;
        Ok(queue)
    }

    /// Hands a line over; never waits for the disk.
    pub(super) fn push(&self, line: &[u8]) {
        let mut lines = self.lock();
        if lines.waiting.len() < QUEUE_LINES {
            lines.waiting.push_back(line.to_owned());
        } else {
            lines.dropped += 1;
            lines.unreported += 1;
            let count = lines.unreported;
            self.0.troubles.set(SPEED, format!("the log cannot be written fast enough; {count} lines are dropped"));
        }
        drop(lines);
        self.0.changed.notify_all();
    }

    /// Lines that were dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// Adds to the lines that were left out on purpose.
    pub(super) fn count_left_out(&self, lines: u64) {
        self.lock().left_out += lines;
    }

    /// Lines that were left out on purpose since the start, because others can repeat them without end.
    pub fn left_out(&self) -> u64 {
        self.lock().left_out
    }

    /// Waits until every line is written, at most `limit`.
    pub fn flush(&self, limit: Duration) {
        let is_busy = |lines: &mut Lines| lines.is_writing || !lines.waiting.is_empty();
        drop(self.0.changed.wait_timeout_while(self.lock(), limit, is_busy));
    }

    /// The next line; `None` when there was none for `limit`.
    fn next(&self, limit: Option<Duration>) -> Option<Vec<u8>> {
        let mut lines = self.lock();
        if lines.is_writing {
            lines.is_writing = false;
            self.0.changed.notify_all();
        }
        let is_empty = |lines: &mut Lines| lines.waiting.is_empty();
        let changed = &self.0.changed;
        lines = match limit {
            Some(limit) => {
                changed.wait_timeout_while(lines, limit, is_empty).map_or_else(|e| e.into_inner().0, |r| r.0)
            }
            None => changed.wait_while(lines, is_empty).unwrap_or_else(PoisonError::into_inner),
        };
        let line = lines.waiting.pop_front();
        lines.is_writing = line.is_some();
        line
    }

    /// Counts a line that nothing took.
    fn count_dropped(&self) {
        self.lock().dropped += 1;
    }

    /// Logs how many lines a full queue has dropped, once there is room again.
    fn report_dropped(&self) {
        let mut lines = self.lock();
        if lines.unreported == 0 || !lines.waiting.is_empty() {
            return;
        }
        let count = std::mem::take(&mut lines.unreported);
        self.0.troubles.clear(SPEED);
        // This line goes into the queue too.
        drop(lines);
        tracing::warn!(lines = count, "log lines were dropped: the log could not be written fast enough");
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread. It lives as long as the process: what is logged last must be written too.
fn write_lines(queue: &LogQueue, mut output: Output) {
    loop {
        let retry_in = output.failed.as_ref().map(|failed| failed.retry_at.saturating_duration_since(Instant::now()));
        match queue.next(retry_in) {
            Some(line) => {
                if !output.write(&line) {
                    queue.count_dropped();
                }
            }
            None => output.retry(),
        }
        queue.report_dropped();
    }
}

/// Where lines go.
struct Output {
    /// Standard error without one.
    file: Option<LogFile>,
    troubles: Troubles,
    failed: Option<FailedFile>,
}

/// A file that refused.
struct FailedFile {
    /// The line that it refused. It is what is tried again, so that the file shows where its gap begins.
    line: Vec<u8>,
    retry_at: Instant,
}

impl Output {
    /// Writes a line to the file, or to standard error while the file refuses. False if neither takes it.
    fn write(&mut self, line: &[u8]) -> bool {
        if self.failed.as_ref().is_some_and(|failed| Instant::now() >= failed.retry_at) {
            self.retry();
        }
        if self.failed.is_some() {
            return io::stderr().write_all(line).is_ok();
        }
        let Some(file) = &mut self.file else { return self.write_to_standard_error(line) };
        let Err(error) = file.append(line) else { return true };
        let path = file.path().display().to_string();
        self.failed = Some(FailedFile { line: line.to_owned(), retry_at: Instant::now() + RETRY_PERIOD });
        self.troubles.set(TARGET, format!("the log file {path} cannot be written: {error}"));
        let is_taken = io::stderr().write_all(line).is_ok();
        tracing::error!(file = path, %error, "the log file cannot be written; lines go to standard error");
        is_taken
    }

    /// Tries a file again that has refused.
    fn retry(&mut self) {
        let (Some(failed), Some(file)) = (&mut self.failed, &mut self.file) else { return };
        let path = file.path().display().to_string();
        match file.append(&failed.line) {
            Ok(()) => {
                self.failed = None;
                self.troubles.clear(TARGET);
                tracing::warn!(file = path, "the log file can be written again; what is missing is on standard error");
            }
            Err(error) => {
                failed.retry_at = Instant::now() + RETRY_PERIOD;
                self.troubles.set(TARGET, format!("the log file {path} cannot be written: {error}"));
            }
        }
    }

    fn write_to_standard_error(&self, line: &[u8]) -> bool {
        match io::stderr().write_all(line) {
            Ok(()) => {
                self.troubles.clear(TARGET);
                true
            }
            Err(error) => {
                self.troubles.set(TARGET, format!("log lines are lost: standard error cannot be written: {error}"));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
