//! The terminal view of `ocelli run --live`, renewed each second.

use crate::cli::screen::Rows;
use crate::control::{ApplianceStatus, CameraView, judge};
use crate::os::terminal::{self, TerminalSize};
use crate::publish::broker_status::BrokerStatus;
use crate::vision::camera_status::CameraStatus;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

const PERIOD: Duration = Duration::from_secs(1);

/// Remembers the counts of the last second, so that rates can be shown.
#[derive(Debug, Default)]
pub(super) struct LiveView {
    last: BTreeMap<String, (u64, u64)>,
    /// The rows of the last drawing, and the terminal that they were drawn for.
    drawn: Option<(usize, TerminalSize)>,
}

impl LiveView {
    /// Draws for ever; the task is ended with the daemon.
    pub(super) async fn show(mut self, status: watch::Receiver<ApplianceStatus>) {
        let mut drawn_at = Instant::now();
        loop {
            tokio::time::sleep(PERIOD).await;
            let size = terminal::of_standard_output();
            let rows = self.rows(&status.borrow(), drawn_at.elapsed()).fit(size);
            drawn_at = Instant::now();
            print_line(&format!("{}{}", self.to_the_start(size), rows.join("\n")));
            self.drawn = size.map(|size| (rows.len(), size));
        }
    }

    /// What brings the cursor to the first row of the last drawing, and clears from there. A terminal whose size has
    /// changed may have wrapped rows, so all of it is cleared.
    fn to_the_start(&self, size: Option<TerminalSize>) -> String {
        match (self.drawn, size) {
            (Some((rows, drawn_for)), Some(size)) if size == drawn_for => format!("\x1b[{rows}A\x1b[J"),
            (Some(_), Some(_)) => "\x1b[2J\x1b[H".to_owned(),
            _ => String::new(),
        }
    }

    fn rows(&mut self, status: &ApplianceStatus, since: Duration) -> Rows {
        let mut rows = Rows::default();
        for (id, camera) in &status.cameras {
            let counts = (camera.counts.decoded, camera.ledger.detected);
            let before = self.last.insert(id.to_string(), counts).unwrap_or(counts);
            let rate = |now: u64, before: u64| (now.saturating_sub(before)) as f64 / since.as_secs_f64();
            let rates = (rate(counts.0, before.0), rate(counts.1, before.1));
            let is_well = matches!(camera.state.state, CameraStatus::Streaming | CameraStatus::Disabled);
            rows.cameras.push((is_well, camera_line(id.as_str(), camera, rates)));
        }
        let total = status.total();
        for (name, model) in &status.models {
            rows.rest.push(format!(
                "model    {name}: {}   {} of {} units in service   {:.1} TPS of {:.1} TPS capacity   {} restarted",
                model.state.name(),
                model.in_service,
                model.desired,
                model.load_tps,
                model.capacity_tps,
                model.restarts
            ));
        }
        rows.rest.push(format!(
            "frames   {} captured = {} detected + {} shed + {} failed + {} in flight",
            total.captured,
            total.detected,
            total.shed.values().sum::<u64>(),
            total.failed.values().sum::<u64>(),
            status.in_flight
        ));
        let broker = match status.broker {
            BrokerStatus::Off => "switched off",
            BrokerStatus::Connected => "connected",
            BrokerStatus::Away(_) => "not connected",
            BrokerStatus::Refused(_) => "refused",
        };
        rows.rest.push(format!("mqtt     {broker}   {} published", status.published));
        let reasons = judge::reasons(status, status.made_at.unwrap_or_default());
        rows.rest.extend(reasons.iter().map(|reason| format!("degraded {}", reason.text)));
        rows
    }
}

fn camera_line(id: &str, camera: &CameraView, (decoded, analysed): (f64, f64)) -> String {
    let state = match camera.state.state {
        CameraStatus::Streaming => {
            let size = camera.state.width.zip(camera.state.height);
            let size = size.map(|(width, height)| format!(" {width}x{height}")).unwrap_or_default();
            format!("streaming {}{size}", camera.state.codec.as_deref().unwrap_or_default())
        }
        other => {
            let reason = camera.state.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("{other:?}{reason}").to_lowercase()
        }
    };
    let seen: Vec<String> = camera.seen.iter().map(|(label, count)| format!("{count} {label}")).collect();
    let seen = if seen.is_empty() { "nothing".to_owned() } else { seen.join(", ") };
    format!("camera   {id}: {state}   {decoded:.1} fps decoded, {analysed:.1} fps analysed   sees {seen}")
}

/// Prints to standard output. A pipe that its reader has closed is no error.
pub(super) fn print_line(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).unwrap_or(());
}
