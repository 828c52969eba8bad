//! What signals do to the daemon: SIGTERM and SIGINT drain it, a second one ends it at once, and SIGHUP never ends it.

use crate::http::server::HealthReport;
use crate::os::service_manager;
use crate::telemetry::log_queue::LogQueue;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// The time that a stop may take after its drain: `TimeoutStopSec=` of systemd/ocelli.service.
const STOP_TIME: Duration = Duration::from_secs(20);

/// The reason of `/readyz` during a drain.
const DRAINING: &str = "the daemon is stopping: it answers calls until it ends, send new ones elsewhere";

/// The signals that the daemon handles.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Received {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP: the settings have changed, or the terminal is gone.
    HangUp,
}

/// What a signal causes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reaction {
    /// The settings are to be read again.
    Reload,
    /// No new calls are invited; the daemon ends after the time to drain.
    Drain,
    /// The process ends now.
    EndAtOnce,
}

/// The reaction to a signal. The live view ends with its terminal; every other hang-up asks for a reload.
fn reaction(received: Received, has_live_view: bool, is_stopping: bool) -> Option<Reaction> {
    match received {
        Received::HangUp if is_stopping => None,
        Received::HangUp if !has_live_view => Some(Reaction::Reload),
        Received::HangUp => Some(Reaction::Drain),
        Received::Stop if is_stopping => Some(Reaction::EndAtOnce),
        Received::Stop => Some(Reaction::Drain),
    }
}

/// The signals of this process, from its start on: none of them ends it any more.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

/// What a stop changes.
#[derive(Debug)]
pub(super) struct Stop {
    /// The time during which `/readyz` is 503 and calls are still answered.
    pub(super) drain: Duration,
    /// Turned true at the end of that time.
    pub(super) stop: watch::Sender<bool>,
    /// Turned true at its beginning.
    pub(super) draining: watch::Sender<bool>,
    /// What `/readyz` reads.
    pub(super) health: watch::Sender<HealthReport>,
    /// Flushed before the process ends at once.
    pub(super) log: LogQueue,
}

impl Signals {
    /// Takes over the signals. Must be called inside the Tokio runtime.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub(super) fn take() -> std::io::Result<Self> {
        let [terminate, interrupt, hang_up] =
            [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
        Ok(Self { terminate: terminate?, interrupt: interrupt?, hang_up: hang_up? })
    }

    /// Reacts to signals for ever. `reload` is called for each SIGHUP.
    pub(super) async fn serve(mut self, stop: Stop, has_live_view: bool, reload: impl Fn()) {
        loop {
            let received = tokio::select! {
                _ = self.terminate.recv() => Received::Stop,
                _ = self.interrupt.recv() => Received::Stop,
                _ = self.hang_up.recv() => Received::HangUp,
            };
            let is_stopping = *stop.draining.borrow();
            match reaction(received, has_live_view, is_stopping) {
                None => {}
                Some(Reaction::Reload) => reload(),
                Some(Reaction::Drain) => stop.begin(),
                Some(Reaction::EndAtOnce) => end_at_once(&stop.log),
            }
        }
    }
}

impl Stop {
    fn begin(&self) {
        self.draining.send_replace(true);
        self.health.send_modify(|report| *report = report_while_draining(report.clone(), true));
        service_manager::stopping();
        if self.drain.is_zero() {
            self.stop.send_replace(true);
            return;
        }
        let seconds = self.drain.as_secs_f32();
        tracing::info!(seconds, "draining: /readyz says 503, calls are answered; a second signal stops at once");
        service_manager::extend_timeout(self.drain + STOP_TIME);
        let (drain, stop) = (self.drain, self.stop.clone());
        tokio::spawn(async move {
            tokio::time::sleep(drain).await;
            stop.send_replace(true);
        });
    }
}

/// A report as `/readyz` is to show it.
pub(super) fn report_while_draining(mut report: HealthReport, is_draining: bool) -> HealthReport {
    if is_draining {
        report.ready = false;
        report.reasons.retain(|reason| reason != DRAINING);
        report.reasons.insert(0, DRAINING.to_owned());
    }
    report
}

#[expect(clippy::exit, reason = "the operator asked twice, and children end with their parent")]
fn end_at_once(log: &LogQueue) {
    tracing::warn!("stopping at once: a second signal has come");
    log.flush(Duration::from_millis(200));
    std::process::exit(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::clock::monotonic_now;

    #[test]
    fn a_hang_up_asks_for_a_reload_and_ends_nothing_but_the_live_view() {
        assert_eq!(reaction(Received::HangUp, false, false), Some(Reaction::Reload));
        assert_eq!(reaction(Received::HangUp, true, false), Some(Reaction::Drain), "its terminal is gone");
        for has_live_view in [false, true] {
            assert_eq!(reaction(Received::HangUp, has_live_view, true), None, "it drains to its end");
        }
    }

    #[test]
    fn the_first_stop_drains_and_the_second_ends_at_once() {
        assert_eq!(reaction(Received::Stop, false, false), Some(Reaction::Drain));
        assert_eq!(reaction(Received::Stop, false, true), Some(Reaction::EndAtOnce));
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_is_told_at_once_and_the_stop_comes_after_its_time() {
        for seconds in [0, 30] {
            let (stop, mut stopped) = watch::channel(false);
            let mut report = HealthReport::starting(monotonic_now());
            (report.ready, report.reasons) = (true, vec!["a camera is lost".into()]);
            let (health, seen) = watch::channel(report);
            let (draining, begun) = (watch::Sender::new(false), tokio::time::Instant::now());
            let log = LogQueue::start(None, crate::telemetry::troubles::Troubles::default()).unwrap();
            Stop { drain: Duration::from_secs(seconds), stop, draining: draining.clone(), health, log }.begin();
            assert!(*draining.borrow() && !seen.borrow().ready);
            assert_eq!(seen.borrow().reasons, [DRAINING, "a camera is lost"]);
            stopped.wait_for(|stopped| *stopped).await.unwrap();
            assert_eq!(begun.elapsed().as_secs(), seconds);
        }
    }

    #[test]
    fn a_report_says_once_that_the_daemon_drains() {
        let report = HealthReport::starting(monotonic_now());
        assert_eq!(report_while_draining(report.clone(), false).reasons, report.reasons);
        let draining = report_while_draining(report_while_draining(report, true), true);
        assert_eq!(draining.reasons, [DRAINING, "starting"]);
    }
}
