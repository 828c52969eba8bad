//! `ocelli cameras`: what each camera of a running daemon sends, and what becomes of it.

use crate::cli::columns::{columns, span};
use crate::cli::config_arguments::{ConfigArguments, load_settings};
use crate::cli::live_view::print_line;
use crate::cli::status::{EXIT_NO_ANSWER, ask_health};
use crate::control::health::{CameraHealth, MainStreamHealth, StreamHealth};
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
two of them. CLOCK is how far the clock of the camera is ahead, if it tells its time. ATTENTION is `watched` while nothing
moves and only keyframes are decoded, else `followed`, or `catching_up` with what came shortly before something moved. A
camera with a detect_url has a second line for its main stream, which is decoded for snapshots only.

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
    match cameras.iter().any(|(id, camera)| !reasons(id, camera).is_empty()) {
        true => ExitCode::from(EXIT_TROUBLE),
        false => ExitCode::SUCCESS,
    }
}

const COLUMNS: usize = 14;

/// The lines, without a line break at the end.
fn table(cameras: &BTreeMap<String, CameraHealth>) -> String {
    if cameras.is_empty() {
        return "there is no camera: `ocelli camera add` adds one".to_owned();
    }
    let head: [&str; COLUMNS] = [
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
        "SIGNAL",
    ];
    let rows = cameras.iter().flat_map(|(id, camera)| {
        let main = camera.main.as_ref().map(|main| main_row(id, main));
        std::iter::once(row(id, camera)).chain(main).map(Vec::from)
    });
    let mut lines = columns(&head, rows.collect());
    let reasons: Vec<String> = cameras.iter().flat_map(|(id, camera)| reasons(id, camera)).collect();
    if !reasons.is_empty() {
        lines.extend([String::new(), "wrong now:".to_owned()]);
        lines.extend(reasons);
    }
    lines.join("\n")
}

/// What is wrong with a camera, and with its main stream. While a camera is away, so is its main stream.
fn reasons(id: &str, camera: &CameraHealth) -> Vec<String> {
    let own = camera.reason.as_ref().map(|why| format!("  {id}: {why}"));
    let main = camera.main.as_ref().filter(|main| camera.reason.is_none() && main.state != CameraStatus::Streaming);
    let main = main.and_then(|main| Some(format!("  {id}, main stream: {}", main.reason.as_ref()?)));
    own.into_iter().chain(main).collect()
}

fn none() -> String {
    "-".to_owned()
}

fn what(codec: Option<&String>, width: Option<u32>, height: Option<u32>) -> String {
    let size = width.zip(height).map(|(width, height)| format!("{width}x{height}"));
    let what: Vec<String> = [codec.cloned(), size].into_iter().flatten().collect();
    if what.is_empty() { none() } else { what.join(" ") }
}

fn interval(stream: &StreamHealth) -> String {
    let seconds = stream.keyframe_interval_seconds;
    if seconds > 0.0 { format!("{seconds:.1} s") } else { none() }
}

fn clock(stream: &StreamHealth) -> String {
    stream.clock_offset_seconds.map_or_else(none, |seconds| format!("{seconds:+.1} s"))
}

/// What the sizes of frames are used for, and how well they tell movement from stillness.
fn signal(stream: &StreamHealth) -> String {
    let Some(used) = stream.signal else { return none() };
    let auc = stream.signal_auc.map_or_else(String::new, |auc| format!(" {auc:.2}"));
    format!("{}{auc}", used.name())
}

/// The main stream: none of its frames is analysed, and none is skipped that should have been decoded.
fn main_row(id: &str, main: &MainStreamHealth) -> [String; COLUMNS] {
    let stream = &main.stream;
    let is_streaming = main.state == CameraStatus::Streaming;
    let rate = |rate: String| if is_streaming { rate } else { none() };
    [
        format!("{id}/main"),
        main.state.name().to_owned(),
        span(main.since_seconds),
        what(main.codec.as_ref(), main.width, main.height),
        rate(format!("{:.0}", stream.kilobits_per_second)),
        rate(format!("{:.1}", stream.received_fps)),
        none(),
        none(),
        none(),
        stream.packets_lost.to_string(),
        interval(stream),
        clock(stream),
        none(),
        none(),
    ]
}

fn row(id: &str, camera: &CameraHealth) -> [String; COLUMNS] {
    let stream = &camera.stream;
    let is_streaming = camera.state == CameraStatus::Streaming;
    let rate = |fps: f64| if is_streaming { format!("{fps:.1}") } else { none() };
    let lost = |reason: &str| stream.skipped.get(reason).copied().unwrap_or_default();
    [
        id.to_owned(),
        camera.state.name().to_owned(),
        span(camera.since_seconds),
        what(camera.codec.as_ref(), camera.width, camera.height),
        if is_streaming { format!("{:.0}", stream.kilobits_per_second) } else { none() },
        rate(stream.received_fps),
        rate(camera.decoded_fps),
        rate(camera.analysed_fps),
        (lost("behind") + lost("undecodable")).to_string(),
        stream.packets_lost.to_string(),
        interval(stream),
        clock(stream),
        if is_streaming { stream.attention.name().to_owned() } else { none() },
        if is_streaming { signal(stream) } else { none() },
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
                    "clock_offset_seconds": -0.4, "attention": "watched", "signal": "sizes", "signal_auc": 0.99, "received": 100_000, "waiting": 0, "packets": 1_000_000, "packets_lost": 3,
                    "skipped": {"behind": 9_000, "undecodable": 1_000}},
                "main": {"state": "offline", "reason": "no such path", "since_seconds": 60, "decoded": 4, "reconnects": 2,
                    "stream": {"packets_lost": 1}}},
            "gate": {"state": "offline", "reason": "no route to host", "since": "", "since_seconds": 60, "fps": 5.0,
                "decoded_fps": 0.0, "analysed_fps": 0.0, "model": "coco-ssd", "decoded": 0, "reconnects": 3, "seen": {},
                "outcomes": {"captured": 0, "detected": 0, "shed": {}, "failed": {}}},
        });
        let cameras: BTreeMap<String, CameraHealth> = serde_json::from_value(json).unwrap();
        let text = table(&cameras);
        let words = |line: usize| text.lines().nth(line).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            words(2),
            "yard streaming 2 h 3 min h264 1920x1080 2048 25.0 15.0 5.0 10000 3 2.0 s -0.4 s watched sizes 0.99"
        );
        assert_eq!(words(1), "gate offline 1 min - - - - - 0 0 - - - -");
        assert_eq!(words(3), "yard/main offline 1 min - - - - - - 1 - - - -");
        let wrong = "wrong now:\n  gate: no route to host\n  yard, main stream: no such path";
        assert!(text.ends_with(wrong), "{text}");
        assert!(table(&BTreeMap::new()).contains("ocelli camera add"));
    }
}
