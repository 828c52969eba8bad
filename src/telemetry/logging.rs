//! Sets up the log. Secrets are removed from every line just before it is written, whatever wrote it: our own code, a
//! library's debug output or a child's standard error. What a panic says is no line of it, and goes through the same redactor.

use crate::telemetry::journal::WithPriority;
use crate::telemetry::left_out::LeftOutCounter;
use crate::telemetry::log_queue::LogQueue;
use crate::telemetry::panics;
use crate::telemetry::settings::{LogFormat, LogSettings};
use crate::telemetry::troubles::Troubles;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, reload};

pub use crate::telemetry::redactor::Redactor;

/// Takes whole lines without secrets.
type Target = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// Writes whole lines through the redactor.
struct RedactingWriter {
    redactor: Redactor,
    target: Target,
}

impl Write for RedactingWriter {
    /// The subscriber hands over one line at a time.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = self.redactor.redact(&String::from_utf8_lossy(line));
        (self.target)(text.as_bytes());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for RedactingWriter {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        Self { redactor: self.redactor.clone(), target: Arc::clone(&self.target) }
    }
}

/// Why the log cannot be set up. A log file that cannot be opened is no reason: it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// `log.level` cannot be parsed.
    #[error("`log.level` is no filter: use error, warn, info, debug, trace or target=level pairs")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// The system is out of threads.
    #[error("the thread that writes the log cannot be started")]
    Thread(#[from] io::Error),
    /// The process has a log already.
    #[error("the log is set up already")]
    Twice,
}

/// Where the daemon's log goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LogTarget {
    /// Standard error, for a person or a program that keeps it.
    StandardError,
    /// Standard error that the systemd journal reads: with priorities, and without times, which the journal adds.
    Journal,
    /// A file, which is appended to.
    File(PathBuf),
}

/// Changes `log.level` while the log is in use.
#[derive(Clone, Debug)]
pub struct LevelSwitch(reload::Handle<EnvFilter, Registry>);

impl LevelSwitch {
    /// Logs at this level from now on. One that is no level changes nothing: the settings were checked.
    pub fn set(&self, level: &str) {
        let result = EnvFilter::try_new(level).map(|filter| self.0.reload(filter));
        if !matches!(result, Ok(Ok(()))) {
            tracing::error!(level, "the log level could not be changed");
        }
    }
}

/// Sets up the daemon's log. Its trouble with the target is set in `troubles`. The caller flushes the queue that is
/// returned before the process ends.
///
/// # Errors
/// [`LoggingError`].
pub fn init(
    settings: &LogSettings,
    redactor: Redactor,
    to: &LogTarget,
    troubles: Troubles,
) -> Result<(LogQueue, LevelSwitch), LoggingError> {
    let filter = EnvFilter::try_new(&settings.level)?;
    let file = match to {
        LogTarget::File(path) => Some(path.as_path()),
        LogTarget::StandardError | LogTarget::Journal => None,
    };
    panics::redact(redactor.clone());
    let queue = LogQueue::start(file, troubles)?;
    let target = queue.clone();
    let writer = RedactingWriter { redactor, target: Arc::new(move |line| target.push(line)) };
    let (filter, switch) = reload::Layer::new(filter);
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(writer);
    // JSON keeps its time in the journal too: its readers look for the field.
    let layer = match (settings.format, *to == LogTarget::Journal) {
        (LogFormat::Human, false) => layer.with_target(false).boxed(),
        (LogFormat::Human, true) => layer.with_target(false).without_time().map_event_format(WithPriority).boxed(),
        (LogFormat::Json, false) => layer.json().flatten_event(true).boxed(),
        (LogFormat::Json, true) => layer.json().flatten_event(true).map_event_format(WithPriority).boxed(),
    };
    let counter = LeftOutCounter(queue.clone());
    tracing_subscriber::registry()
        .with(filter)
        .with(layer)
        .with(counter)
        .try_init()
        .map_err(|_| LoggingError::Twice)?;
    Ok((queue, LevelSwitch(switch)))
}

/// Sets up a child's log: plain lines to the parent, which adds time and name and redacts.
pub fn init_child() {
    let level = std::env::var("OCELLI_LOG").unwrap_or_else(|_| "info".into());
    // ONNX Runtime logs a lot about each session at `info`. Set `ort=info` to see it.
    let level = if level.contains("ort=") { level } else { format!("{level},ort=warn") };
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info,ort=warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_target(false);
    if builder.without_time().with_writer(io::stderr).try_init().is_err() {
        tracing::warn!("the log is set up already");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use std::sync::Mutex;

    fn redactor() -> Redactor {
        let redactor = Redactor::default();
        redactor.register(&Secret::new("hunter2"));
        redactor
    }

    #[test]
    fn a_secret_reaches_neither_a_human_nor_a_json_line() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&written);
        let writer = RedactingWriter {
            redactor: redactor(),
            target: Arc::new(move |line| sink.lock().unwrap().extend_from_slice(line)),
        };
        let subscriber = tracing_subscriber::fmt().json().with_writer(writer).finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(url = "rtsp://u:hunter2@cam/", "login with hunter2 at rtsp://a:b@c");
        });
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        assert!(text.contains("login with ***") && !text.contains("hunter2") && !text.contains("a:b"), "{text}");
    }
}
