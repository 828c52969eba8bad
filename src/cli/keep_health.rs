//! Tells readiness, health and systemd's watchdog from what the event loop says.

use crate::cli::signals::report_while_draining;
use crate::control::ApplianceStatus;
use crate::control::health::BoxHealth;
use crate::http::server::HealthReport;
use crate::os::clock::monotonic_now;
use crate::os::service_manager;
use std::time::Duration;
use tokio::sync::watch;

/// By then systemd is told that the service is up, even if units are missing: cameras, health and metrics work, `/readyz`
/// and the status line say what is wrong, and a restart would not help.
const READY_AT_LATEST: Duration = Duration::from_secs(60);

/// Derives health, readiness and systemd's watchdog from the event loop's status. Only a loop that turns renews it, so
/// that all three notice one that hangs.
pub(super) async fn keep_health(
    mut status: watch::Receiver<ApplianceStatus>,
    health: watch::Sender<HealthReport>,
    is_draining: watch::Receiver<bool>,
) {
    let (mut was_ready, started) = (false, monotonic_now());
    while status.changed().await.is_ok() {
        let now = monotonic_now();
        let BoxHealth { ready, reasons, summary, .. } = BoxHealth::of(&status.borrow_and_update(), now);
        let report = HealthReport { alive_at: now, ready, reasons };
        health.send_modify(|last| *last = report_while_draining(report, *is_draining.borrow()));
        service_manager::watchdog();
        service_manager::status(&summary);
        let is_late = now.since(started) > READY_AT_LATEST;
        if (ready || is_late) && !was_ready && !*is_draining.borrow() {
            was_ready = true;
            service_manager::ready();
        }
    }
    service_manager::stopping();
}
