//! What a panic says, without secrets: its message can be made of anything that is in memory.

use crate::telemetry::logging::Redactor;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write as _;
use std::panic;
use std::thread;

/// From now on what panics of this process say goes through `redactor`. It goes straight to standard error, as before: the
/// process may end before a queue is written.
pub(super) fn redact(redactor: Redactor) {
    panic::set_hook(Box::new(move |panic| {
        let backtrace = Backtrace::capture();
        let mut text = format!("thread '{}' {panic}\n", thread::current().name().unwrap_or("<unnamed>"));
        if backtrace.status() == BacktraceStatus::Captured {
            text += &format!("stack backtrace:\n{backtrace}");
        }
        // There is nobody to tell that it cannot be written.
        drop(std::io::stderr().write_all(redactor.redact(&text).as_bytes()));
    }));
}
