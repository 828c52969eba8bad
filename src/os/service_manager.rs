//! Notifications to systemd (`Type=notify`). Without systemd they do nothing.

use sd_notify::NotifyState;

fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "systemd cannot be notified");
    }
}

/// The service is up.
pub fn ready() {
    notify(NotifyState::Ready);
}

/// The service is alive (`WatchdogSec=`).
pub fn watchdog() {
    notify(NotifyState::Watchdog);
}

/// The service is stopping.
pub fn stopping() {
    notify(NotifyState::Stopping);
}

/// One line for `systemctl status`.
pub fn status(text: &str) {
    notify(NotifyState::Status(text));
}
