//! `ocelli events`: the events of a running daemon.

use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::daemon::Daemon;
use crate::cli::live_view::print_line;
use crate::vision::camera_id::CameraId;
use serde_json::Value;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli events
  ocelli events --since 10m --camera yard
  ocelli events --follow
  ocelli events --since 1d --json > yesterday.ndjson

Delivered events are kept for a day (outbox.keep_hours).
Exit codes: 0 done, 1 no daemon, or its events cannot be read, 78 the settings are wrong.")]
pub(super) struct EventsArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Show the events of the last 30s, 10m, 1h or 1d. Default: an hour; with --follow: none of the past.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    since: Option<u32>,
    /// Go on with new events until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// Show this camera's events only.
    #[arg(long, value_parser = |id: &str| CameraId::new(id))]
    camera: Option<CameraId>,
    /// Print each event as the JSON that is published.
    #[arg(long)]
    json: bool,
}

const HOUR_SECONDS: u32 = 3600;

pub(super) fn events(arguments: &EventsArguments) -> ExitCode {
    let since = arguments.since.or((!arguments.follow).then_some(HOUR_SECONDS));
    let mut path = format!("/api/events?follow={}", arguments.follow);
    if let Some(seconds) = since {
        path.push_str(&format!("&since_seconds={seconds}"));
    }
    if let Some(camera) = &arguments.camera {
        path.push_str(&format!("&camera={camera}"));
    }
    let show = |line: &str| print_line(&if arguments.json { line.to_owned() } else { sentence(line) });
    with_settings(&arguments.config, async |settings| Ok(Daemon::of(settings)?.read_lines(&path, show).await?))
}

/// `30s`, `10m`, `1h` or `1d` in seconds.
fn seconds(text: &str) -> Result<u32, String> {
    let wrong = || format!("`{text}` is not a time: write 30s, 10m, 1h or 1d");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => HOUR_SECONDS,
        "d" => 24 * HOUR_SECONDS,
        _ => return Err(wrong()),
    };
    number.parse::<u32>().ok().and_then(|number| number.checked_mul(factor)).ok_or_else(wrong)
}

/// An event as a line for a person.
fn sentence(line: &str) -> String {
    let Ok(event) = serde_json::from_str::<Value>(line) else { return line.to_owned() };
    if let Some(message) = event["error"]["message"].as_str() {
        return format!("! {message}");
    }
    let text = |key: &str| event[key].as_str().unwrap_or("?").to_owned();
    let regions: Vec<&str> = event["regions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let regions = if regions.is_empty() { String::new() } else { format!("  in {}", regions.join(", ")) };
    let confidence = event["confidence"].as_f64().unwrap_or(0.0);
    format!(
        "{}  {:<12} {:<8} {} #{}  {confidence:.2}{regions}",
        text("at"),
        text("camera"),
        text("type"),
        text("label"),
        event["track"]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_others_are_named() {
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("10m"), Ok(600));
        assert_eq!(seconds("1d"), Ok(86_400));
        for wrong in ["", "h", "1", "1w", "-1h", "9999999d", "1\u{e4}"] {
            assert!(seconds(wrong).unwrap_err().contains("1h"), "{wrong}");
        }
    }

    #[test]
    fn an_event_is_one_line_for_a_person() {
        let event = r#"{"at":"2026-11-24T08:15:30.123Z","camera":"yard","type":"began","label":"person","track":17,
            "confidence":0.912,"regions":["door"]}"#;
        let shown = sentence(event);
        assert_eq!(shown, "2026-11-24T08:15:30.123Z  yard         began    person #17  0.91  in door");
        assert_eq!(sentence(r#"{"error":{"message":"3 events were missed"}}"#), "! 3 events were missed");
    }
}
