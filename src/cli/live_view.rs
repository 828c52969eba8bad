//! The terminal view of `ocelli run --live`, renewed each second.

use crate::control::{ApplianceStatus, CameraView};
use crate::vision::camera_status::CameraStatus;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

const PERIOD: Duration = Duration::from_secs(1);

/// Remembers the counts of the last second, so that rates can be shown.
#[derive(Debug, Default)]
pub(super) struct LiveView {
    last: BTreeMap<String, (u64, u64)>,
    drawn_lines: usize,
}

impl LiveView {
    /// Draws for ever; the task is ended with the daemon.
    pub(super) async fn show(mut self, status: watch::Receiver<ApplianceStatus>) {
        let in_place = std::io::stdout().is_terminal();
        let mut drawn_at = Instant::now();
        loop {
            tokio::time::sleep(PERIOD).await;
            let text = self.draw(&status.borrow(), drawn_at.elapsed());
            drawn_at = Instant::now();
            if in_place && self.drawn_lines > 0 {
                // Back to the first line of the last drawing, and clear from there.
                print_line(&format!("\x1b[{}A\x1b[J{text}", self.drawn_lines));
            } else {
                print_line(&text);
            }
            self.drawn_lines = text.lines().count();
        }
    }

    fn draw(&mut self, status: &ApplianceStatus, since: Duration) -> String {
        let mut text = String::new();
        for (id, camera) in &status.cameras {
            let counts = (camera.decoded, camera.ledger.detected);
            let before = self.last.insert(id.to_string(), counts).unwrap_or(counts);
            let rate = |now: u64, before: u64| (now.saturating_sub(before)) as f64 / since.as_secs_f64();
            let rates = (rate(counts.0, before.0), rate(counts.1, before.1));
            add_line(&mut text, &camera_line(id.as_str(), camera, rates));
        }
        let total = status.total();
        for (name, model) in &status.models {
            let line = format!(
                "model    {name}: {}   {} of {} units in service   {:.1} TPS of {:.1} TPS capacity   {} restarted",
                model.state.name(),
                model.in_service,
                model.desired,
                model.load_tps,
                model.capacity_tps,
                model.restarts
            );
            add_line(&mut text, &line);
        }
        add_line(
            &mut text,
            &format!(
                "frames   {} captured = {} detected + {} shed + {} failed + {} in flight",
                total.captured,
                total.detected,
                total.shed.values().sum::<u64>(),
                total.failed.values().sum::<u64>(),
                status.in_flight
            ),
        );
        let broker = match status.broker_connected {
            None => "switched off",
            Some(true) => "connected",
            Some(false) => "not connected",
        };
        add_line(&mut text, &format!("mqtt     {broker}   {} published", status.published));
        for reason in &status.degraded {
            add_line(&mut text, &format!("degraded {reason}"));
        }
        text.truncate(text.trim_end().len());
        text
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

fn add_line(text: &mut String, line: &str) {
    // Writing to a string cannot fail.
    writeln!(text, "{line}").unwrap_or(());
}

/// Prints to standard output. A pipe that its reader has closed is no error.
pub(super) fn print_line(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).unwrap_or(());
}
