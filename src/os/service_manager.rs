//! What systemd is told (`Type=notify`); nothing happens outside of it.

use sd_notify::NotifyState;

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "systemd cannot be told");
    }
}

/// The service is up.
pub fn ready() {
    tell(NotifyState::Ready);
}

/// The service is alive (`WatchdogSec=`).
pub fn watchdog() {
    tell(NotifyState::Watchdog);
}

/// The service is stopping.
pub fn stopping() {
    tell(NotifyState::Stopping);
}

/// One line for `systemctl status`.
pub fn status(text: &str) {
    tell(NotifyState::Status(text));
}
