//! Log lines for the systemd journal: each begins with its priority (`<4>`), as `sd-daemon(3)` describes.

use std::fmt;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// The priority of an error.
const ERROR: u8 = 3;

/// Puts the priority of an event before each line that another format writes of it. Without one, the journal takes a line
/// for information, and `journalctl -p warning` shows none of our warnings.
#[derive(Debug)]
pub(super) struct WithPriority<F>(pub(super) F);

impl<S, N, F> FormatEvent<S, N> for WithPriority<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut text = String::new();
        self.0.format_event(context, Writer::new(&mut text), event)?;
        out.write_str(&with_priority(priority(*event.metadata().level()), &text))
    }
}

/// Why a command fails, for the journal: each line has the priority of an error.
pub fn failure(text: &str) -> String {
    with_priority(ERROR, text)
}

/// The syslog priority of a level.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => ERROR,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

/// The lines of a text, each with the priority: the journal makes an entry of each.
fn with_priority(priority: u8, text: &str) -> String {
    text.lines().map(|line| format!("<{priority}>{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_has_the_priority_of_its_level_and_no_time_of_its_own() {
        let written = Written::default();
        let sink = written.clone();
        let builder = tracing_subscriber::fmt().with_max_level(Level::DEBUG).with_ansi(false).with_target(false);
        let builder = builder.without_time().map_event_format(WithPriority).with_writer(move || sink.clone());
        tracing::subscriber::with_default(builder.finish(), || {
            tracing::error!("one");
            tracing::warn!(camera = "yard", "two\nthree");
            tracing::info!("four");
            tracing::debug!("five");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<String> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            ["<3>ERROR one", "<4> WARN two", "<4>three camera=\"yard\"", "<6> INFO four", "<7>DEBUG five"]
        );
    }
}
