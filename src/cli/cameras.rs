//! `ocelli cameras`: what each camera of a running daemon sends, and what becomes of it.

use crate::cli::columns::{columns, span};
use crate::cli::config_arguments::{ConfigArguments, load_settings};
use crate::cli::live_view::print_line;
use crate::cli::status::{EXIT_NO_ANSWER, ask_health};
use crate::control::health::CameraHealth;
use crate::vision::camera_status::CameraStatus;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// A camera does not stream, is not analysed, or there is none of that name.
const EXIT_TROUBLE: u8 = 1;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli cameras
  ocelli cameras yard
  ocelli cameras --json | jq '.yard.stream.skipped'

SENT, DECODED and ANALYSED are frames a second over the last ten seconds. SKIPPED are frames since the daemon started that
arrived and were not decoded though they should have been, LOST packets that did not arrive. KEYFRAMES is the time between
two of them. CLOCK is how far the clock of the camera is ahead, if it tells its time. ATTENTION is `watched` while nothing moves and only
keyframes are decoded, else `followed`, or `catching_up` with what came shortly before something moved.

Exit codes: 0 all cameras are well, 1 one is not, 69 no daemon answers, 78 the settings are wrong.")]
pub(super) struct CamerasArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Only this camera.
    id: Option<String>,
    /// Print them as JSON, as `cameras` of `GET /api/cameras`.
    #[arg(long)]
    json: bool,
}

pub(super) fn cameras(arguments: &CamerasArguments) -> ExitCode {
    let settings = match load_settings(&arguments.config) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let mut cameras = match ask_health(&settings) {
        Ok((_, health)) => health.cameras,
        Err(error) => {
            eprintln!("ocelli: {error}");
            return ExitCode::from(EXIT_NO_ANSWER);
        }
    };
    if let Some(id) = &arguments.id {
        let all: Vec<String> = cameras.keys().cloned().collect();
        cameras.retain(|camera, _| camera == id);
        if cameras.is_empty() {
            eprintln!("ocelli: there is no camera {id}: there are {}", all.join(", "));
            return ExitCode::from(EXIT_TROUBLE);
        }
    }
    let text = match arguments.json {
        true => serde_json::to_string_pretty(&cameras).unwrap_or_default(),
        false => table(&cameras),
    };
    print_line(&text);
    match cameras.values().any(|camera| camera.reason.is_some()) {
        true => ExitCode::from(EXIT_TROUBLE),
        false => ExitCode::SUCCESS,
    }
}

/// The lines, without a line break at the end.
fn table(cameras: &BTreeMap<String, CameraHealth>) -> String {
    if cameras.is_empty() {
        return "there is no camera: `ocelli camera add` adds one".to_owned();
    }
    let head = [
        "CAMERA",
        "STATE",
        "SINCE",
        "STREAM",
        "KBIT/S",
        "SENT",
        "DECODED",
        "ANALYSED",
        "SKIPPED",
        "LOST",
        "KEYFRAMES",
        "CLOCK",
        "ATTENTION",
    ];
    let mut lines = columns(&head, cameras.iter().map(|(id, camera)| row(id, camera)).collect());
    let reasons: Vec<String> =
        cameras.iter().filter_map(|(id, camera)| Some(format!("  {id}: {}", camera.reason.as_ref()?))).collect();
    if !reasons.is_empty() {
        lines.extend([String::new(), "wrong now:".to_owned()]);
        lines.extend(reasons);
    }
    lines.join("\n")
}

fn row(id: &str, camera: &CameraHealth) -> Vec<String> {
    let stream = &camera.stream;
    let none = || "-".to_owned();
    let size = camera.width.zip(camera.height).map(|(width, height)| format!("{width}x{height}"));
    let what: Vec<String> = [camera.codec.clone(), size].into_iter().flatten().collect();
    let is_streaming = camera.state == CameraStatus::Streaming;
    let rate = |fps: f64| if is_streaming { format!("{fps:.1}") } else { none() };
    let lost = |reason: &str| stream.skipped.get(reason).copied().unwrap_or_default();
    let interval = stream.keyframe_interval_seconds;
    vec![
        id.to_owned(),
        camera.state.name().to_owned(),
        span(camera.since_seconds),
        if what.is_empty() { none() } else { what.join(" ") },
        if is_streaming { format!("{:.0}", stream.kilobits_per_second) } else { none() },
        rate(stream.received_fps),
        rate(camera.decoded_fps),
        rate(camera.analysed_fps),
        (lost("behind") + lost("undecodable")).to_string(),
        stream.packets_lost.to_string(),
        if interval > 0.0 { format!("{interval:.1} s") } else { none() },
        stream.clock_offset_seconds.map_or_else(none, |seconds| format!("{seconds:+.1} s")),
        if is_streaming { stream.attention.name().to_owned() } else { none() },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_camera_has_a_row_and_reasons_come_last() {
        let json = serde_json::json!({
            "yard": {"state": "streaming", "since": "", "since_seconds": 7380, "codec": "h264", "width": 1920, "height": 1080,
                "fps": 5.0, "decoded_fps": 15.0, "analysed_fps": 5.0, "model": "coco-ssd", "decoded": 90_000, "reconnects": 0,
                "seen": {}, "outcomes": {"captured": 0, "detected": 0, "shed": {}, "failed": {}},
                "stream": {"received_fps": 25.0, "kilobits_per_second": 2048.4, "keyframe_interval_seconds": 2.0,
                    "clock_offset_seconds": -0.4, "attention": "watched", "received": 100_000, "waiting": 0, "packets": 1_000_000, "packets_lost": 3,
                    "skipped": {"behind": 9_000, "undecodable": 1_000}}},
            "gate": {"state": "offline", "reason": "no route to host", "since": "", "since_seconds": 60, "fps": 5.0,
                "decoded_fps": 0.0, "analysed_fps": 0.0, "model": "coco-ssd", "decoded": 0, "reconnects": 3, "seen": {},
                "outcomes": {"captured": 0, "detected": 0, "shed": {}, "failed": {}}},
        });
        let cameras: BTreeMap<String, CameraHealth> = serde_json::from_value(json).unwrap();
        let text = table(&cameras);
        let words = |line: usize| text.lines().nth(line).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(2), "yard streaming 2 h 3 min h264 1920x1080 2048 25.0 15.0 5.0 10000 3 2.0 s -0.4 s watched");
        assert_eq!(words(1), "gate offline 1 min - - - - - 0 0 - - -");
        assert!(text.ends_with("wrong now:\n  gate: no route to host"), "{text}");
        assert!(table(&BTreeMap::new()).contains("ocelli camera add"));
    }
}
