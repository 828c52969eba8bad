//! A failure, and what every place that tells of the health of a box must say of it.

use crate::support::broker::Broker;
use crate::support::daemon::Daemon;
use crate::support::wait_within;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a failure may take to be told.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What every place must say of one failure.
pub struct Lie<'a> {
    /// What has failed.
    pub what: &'a str,
    /// In the reasons of `/api/status`, of `/readyz` and of the state over MQTT, and in the table of `ocelli status`.
    pub reason: &'a str,
    /// In the line that systemd shows.
    pub summary: &'a str,
    /// The answer of `/readyz`: 503 only if a model lacks units.
    pub readyz: u16,
    /// A metric and its value, beside `ocelli_degraded`.
    pub metric: (&'a str, f64),
    /// The subject that `ocelli check` finds fault with, and its words. Empty for what only a running box can know.
    pub check: (&'a str, &'a str),
}

pub fn json_of(daemon: &Daemon, path: &str) -> (u16, Value) {
    let (status, body) = daemon.get(path).unwrap_or_default();
    (status, serde_json::from_str(&body).unwrap_or_default())
}

fn has(reasons: &Value, text: &str) -> bool {
    reasons.as_array().into_iter().flatten().any(|reason| reason.as_str().unwrap().contains(text))
}

/// The first place that does not say it, and what it says instead.
fn liar(daemon: &Daemon, lie: &Lie<'_>) -> Result<(), String> {
    let said =
        |is_true: bool, place: &str, text: String| if is_true { Ok(()) } else { Err(format!("{place}: {text}")) };
    let (_, status) = json_of(daemon, "/api/status");
    said(status["status"] == "degraded" && has(&status["reasons"], lie.reason), "/api/status", status.to_string())?;
    let line = daemon.status_line();
    said(line.contains(lie.summary) && status["summary"] == line.as_str(), "systemd", format!("{line}, {status}"))?;
    let (code, ready) = json_of(daemon, "/readyz");
    said(code == lie.readyz && has(&ready["reasons"], lie.reason), "/readyz", format!("{code} {ready}"))?;
    let (code, table) = daemon.command(&["status"]);
    let is_told = table.contains("box box: DEGRADED") && table.contains(lie.reason) && table.contains(lie.summary);
    said(code.code() == Some(1) && is_told, "ocelli status", format!("{code} {table}"))?;
    let (name, value) = lie.metric;
    let metrics = daemon.metrics(name);
    said(daemon.sum("ocelli_degraded") >= 1.0, "ocelli_degraded", String::new())?;
    said(!metrics.is_empty() && metrics.values().all(|one| *one == value), "metric", format!("{metrics:?}"))
}

/// Asserts that all places tell of all lies: those that a running box has, and `ocelli check`. `broker` is where the state
/// is published, if anywhere.
pub fn assert_told(daemon: &Daemon, broker: Option<&Broker>, lies: &[Lie<'_>]) {
    for lie in lies {
        let mut last = String::new();
        let told = wait_within(PATIENCE, || liar(daemon, lie).map_err(|liar| last = liar).ok());
        assert!(told.is_some(), "{}: {last}", lie.what);
        if let Some(broker) = broker {
            let states = broker.subscribe("ocelli/box/state");
            states.wait_json(lie.what, PATIENCE.as_secs(), "/state", |state| {
                state["status"] == "degraded" && has(&state["degraded"], lie.reason)
            });
        }
    }
    if lies.iter().all(|lie| lie.check.0.is_empty()) {
        return;
    }
    let (code, text) = daemon.command(&["check", "--json"]);
    assert_ne!(code.code(), Some(0), "{text}");
    let report: Value = serde_json::from_str(text.lines().find(|line| line.starts_with('{')).unwrap_or(&text)).unwrap();
    for Lie { what, check: (subject, words), .. } in lies.iter().filter(|lie| !lie.check.0.is_empty()) {
        let is_told = |finding: &Value| {
            let text = format!("{} {}", finding["what"], finding["cure"]);
            let is_bad = finding["severity"] == "failed" || finding["severity"] == "mistake";
            is_bad && finding["subject"] == *subject && text.contains(words)
        };
        assert!(report["findings"].as_array().unwrap().iter().any(is_told), "{what}: {report:#}");
    }
}

/// Every place says that all is well.
pub fn assert_well(daemon: &Daemon, summary: &str) {
    let mut last = String::new();
    let well = wait_within(PATIENCE, || {
        let ((code, ready), (_, status)) = (json_of(daemon, "/readyz"), json_of(daemon, "/api/status"));
        last = format!("{code} {ready} {status} {}", daemon.status_line());
        let is_ok = status["status"] == "ok" && status["summary"] == summary && status["reasons"] == json!([]);
        (is_ok && code == 200 && ready["reasons"] == json!([]) && daemon.status_line() == summary).then_some(())
    });
    assert!(well.is_some(), "{last}");
    assert_eq!(daemon.sum("ocelli_degraded"), 0.0);
    let table = daemon.succeed(&["status"]);
    assert!(table.starts_with("box box: ok") && table.contains(summary) && !table.contains("wrong now"), "{table}");
}

/// A daemon is there.
pub fn wait_up(daemon: &Daemon) {
    assert!(wait_within(PATIENCE, || daemon.get("/healthz")).is_some(), "the daemon does not answer");
}
