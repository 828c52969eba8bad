//! Notifications to systemd (`Type=notify`), and whether its journal reads the log. Without systemd they do nothing.

use rustix::fs::fstat;
use sd_notify::NotifyState;
use std::time::Duration;

fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "systemd cannot be notified");
    }
}

/// Reports that the service has started.
pub fn ready() {
    notify(NotifyState::Ready);
}

/// Feeds the watchdog (`WatchdogSec=`).
pub fn watchdog() {
    notify(NotifyState::Watchdog);
}

/// Reports that the service is stopping.
pub fn stopping() {
    notify(NotifyState::Stopping);
}

/// Asks for this long from now instead of what is left of `TimeoutStopSec=`, if that is less.
pub fn extend_timeout(time: Duration) {
    notify(NotifyState::ExtendTimeoutUsec(u32::try_from(time.as_micros()).unwrap_or(u32::MAX)));
}

/// Sets the line that `systemctl status` shows.
pub fn status(text: &str) {
    notify(NotifyState::Status(text));
}

/// True if standard error goes to the systemd journal. Not if it was redirected since: `JOURNAL_STREAM` is inherited.
pub fn journal_reads_standard_error() -> bool {
    let (Ok(stream), Ok(file)) = (std::env::var("JOURNAL_STREAM"), fstat(std::io::stderr())) else { return false };
    is_stream(&stream, file.st_dev, file.st_ino)
}

/// Compares `<device>:<inode>` with a file.
fn is_stream(stream: &str, device: u64, inode: u64) -> bool {
    let parsed = stream.split_once(':').and_then(|(device, inode)| Some((device.parse().ok()?, inode.parse().ok()?)));
    parsed == Some((device, inode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_is_known_by_device_and_inode() {
        assert!(is_stream("8:2748", 8, 2748));
        for other in ["8:2749", "9:2748", "8", "8:", ":2748", "8:2748:1", ""] {
            assert!(!is_stream(other, 8, 2748), "{other}");
        }
    }
}
