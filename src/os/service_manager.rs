//! Notifications to systemd (`Type=notify`). Without systemd they do nothing.

use sd_notify::NotifyState;

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

/// Sets the line that `systemctl status` shows.
pub fn status(text: &str) {
    notify(NotifyState::Status(text));
}
