//! A day of a camera in simulated time: it changes its rate, size and groups of pictures at dusk and dawn, reboots, loses its
//! network, ends its stream, and stays silent for a while. What decides here is the code of the daemon; the capture process
//! and the camera are played.

use super::*;
use crate::vision::stream_counts::SkippedFrames;

const STALL: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);
/// Steps in a second.
const STEPS: u64 = 10;
const DAY: u64 = 24 * 3600;
/// How soon its packets must be back.
const BACK: u64 = 5 * STEPS;
/// A refused login is tried again after five seconds, more or less.
const BACK_AFTER_REFUSAL: u64 = 7 * STEPS;

/// How the camera is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Weather {
    Well,
    /// Connections stay, and nothing comes.
    Silent,
    /// Nobody listens.
    Refuses,
    /// It refuses every login.
    Boots,
}

/// Seconds of the day from, to, and how it is meanwhile.
const OUTAGES: [(u64, u64, Weather); 8] = [
    // The nightly reboot.
    (3 * 3600, 3 * 3600 + 50, Weather::Refuses),
    (3 * 3600 + 50, 3 * 3600 + 58, Weather::Boots),
    // The encoder starts anew at dawn and at dusk.
    (DAWN, DAWN + 3, Weather::Silent),
    (DUSK, DUSK + 3, Weather::Silent),
    // A switch loses its power, a cable is pulled, and the camera's software is replaced.
    (8 * 3600, 8 * 3600 + 60, Weather::Silent),
    (10 * 3600, 10 * 3600 + 2, Weather::Refuses),
    (13 * 3600, 13 * 3600 + 100, Weather::Refuses),
    (22 * 3600, 22 * 3600 + 90, Weather::Silent),
];
const DAWN: u64 = 6 * 3600 + 1800;
const DUSK: u64 = 20 * 3600;
/// For ten minutes the network brings nothing in six seconds of twenty.
const CONGESTION: std::ops::Range<u64> = 12 * 3600..12 * 3600 + 600;
/// For ten minutes the camera ends its stream each thirty seconds.
const RESTLESS: std::ops::Range<u64> = 15 * 3600..15 * 3600 + 600;

fn weather(second: u64) -> Weather {
    if CONGESTION.contains(&second) && second % 20 < 6 {
        return Weather::Silent;
    }
    let now = OUTAGES.iter().find(|(from, to, _)| (*from..*to).contains(&second));
    now.map_or(Weather::Well, |(_, _, weather)| *weather)
}

fn is_night(second: u64) -> bool {
    !(DAWN..DUSK).contains(&second)
}

/// Pictures a second; at night it exposes for longer.
fn rate(second: u64) -> u64 {
    if is_night(second) { 5 } else { 20 }
}

/// Seconds between keyframes; at night, when nothing moves, a smart codec makes long groups.
fn group(second: u64) -> u64 {
    if is_night(second) { 60 } else { 2 }
}

fn info(second: u64) -> StreamInfo {
    let (width, height) = if is_night(second) { (1280, 720) } else { (1920, 1080) };
    StreamInfo { codec: "h264".into(), decoder: "avdec_h264".into(), width, height, frame_rate_milli: 0 }
}

/// The capture process and the camera.
#[derive(Debug, Default)]
struct Played {
    /// The open connection: its first step, and what has come over it.
    open: Option<(u64, StreamCounts)>,
    shown: Option<u32>,
    /// Frames that came over all connections.
    sent: u64,
    logins: u64,
    losses: u64,
}

impl Played {
    /// What becomes of the connection in this step.
    fn step(&mut self, camera: &mut Camera, step: u64) {
        let (second, now) = (step / STEPS, at(step));
        let Some((since, mut counts)) = self.open else { return };
        let is_new = counts.packets == 0;
        let loss = match weather(second) {
            Weather::Silent if is_new && step - since >= 5 * STEPS => Some(LossKind::TimedOut),
            Weather::Silent => None,
            Weather::Refuses if is_new => Some(LossKind::Refused),
            Weather::Boots if is_new => Some(LossKind::AuthFailed),
            Weather::Refuses | Weather::Boots => Some(LossKind::Ended),
            Weather::Well if RESTLESS.contains(&second) && step.is_multiple_of(30 * STEPS) => Some(LossKind::Ended),
            Weather::Well => {
                self.send(camera, &mut counts, step);
                None
            }
        };
        self.open = Some((since, counts));
        if step.is_multiple_of(STEPS) || loss.is_some() {
            camera.progress(counts, now);
        }
        if let Some(kind) = loss {
            self.logins += u64::from(kind == LossKind::AuthFailed);
            self.lose(camera, kind, now);
        }
    }

    fn send(&mut self, camera: &mut Camera, counts: &mut StreamCounts, step: u64) {
        let second = step / STEPS;
        // All of a second's pictures in its first steps, two at most.
        let pictures = rate(second).saturating_sub(step % STEPS * 2).min(2);
        for picture in 0..pictures {
            let is_key = picture == 0 && step.is_multiple_of(STEPS) && second.is_multiple_of(group(second));
            counts.packets += 1;
            counts.received += 1;
            self.sent += 1;
            let is_readable = is_key || counts.decoded > 0;
            if is_readable {
                counts.decoded += 1;
            } else {
                counts.skipped.before_keyframe += 1;
            }
            let width = info(second).width;
            if is_key && (counts.decoded == 1 || self.shown != Some(width)) {
                self.shown = Some(width);
                camera.streaming(info(second), at(step));
            }
        }
    }

    fn lose(&mut self, camera: &mut Camera, kind: LossKind, now: Monotonic) {
        camera.lost(kind, kind.words().into(), now);
        self.open = None;
        self.losses += 1;
    }
}

fn at(step: u64) -> Monotonic {
    Monotonic::from_nanos(step * (1_000_000_000 / STEPS))
}

/// True if the camera has been well for so long.
fn is_well_for(second: u64, seconds: u64) -> bool {
    (second.saturating_sub(seconds)..=second).all(|second| weather(second) == Weather::Well)
}

#[test]
fn a_day_and_a_night_of_a_camera_cost_no_more_than_its_outages() {
    let json = serde_json::json!({"id": "yard", "url": "rtsp://127.0.0.1/", "fps": 0.0});
    let mut camera = Camera::new(serde_json::from_value(json).unwrap(), at(0));
    let mut played = Played::default();
    let (mut back_by, mut sent_before, mut statuses) = (BACK, 0, Vec::new());
    for step in 0..DAY * STEPS {
        let (second, now) = (step / STEPS, at(step));
        match camera.due(STALL, CONNECT, now) {
            CameraDue::Wait => {}
            CameraDue::Open => {
                camera.opened(now);
                played.open = Some((step, StreamCounts::default()));
            }
            CameraDue::Close { why } => {
                let is_silent = (second - STALL.as_secs() + 1..=second).all(|second| weather(second) != Weather::Well);
                assert!(is_silent, "closed at {second} s, although the camera sends: {why}");
                played.lose(&mut camera, LossKind::Stalled, now);
            }
        }
        played.step(&mut camera, step);
        let grace = if weather(second) == Weather::Boots { BACK_AFTER_REFUSAL } else { BACK };
        if played.sent > sent_before || weather(second) != Weather::Well {
            (back_by, sent_before) = (back_by.max(step + grace), played.sent);
        }
        assert!(step <= back_by, "it is well, and nothing has come since {} s", back_by / STEPS);
        let counts = camera.counts();
        assert!(counts.closes(), "{counts:?}");
        if statuses.last() != Some(&camera.status()) {
            statuses.push(camera.status());
        }
        // A minute after its last keyframe could have come, the rate is known again.
        if step.is_multiple_of(STEPS) && second >= 180 && is_well_for(second, 180) && !RESTLESS.contains(&second) {
            let (found, real) = (camera.wanted_fps().unwrap_or_default(), rate(second) as f64);
            assert!((found / real - 1.0).abs() < 0.1, "{found} pictures a second at {second} s, not {real}");
            let width = camera.stream_info().map(|info| info.width);
            assert_eq!(width, Some(info(second).width), "at {second} s");
        }
    }
    let counts = camera.counts();
    // What has come since the last heartbeat is not told yet.
    assert!((counts.received..=counts.received + rate(DAY)).contains(&played.sent), "{} sent, {counts:?}", played.sent);
    assert_eq!(camera.reconnects(), played.losses);
    assert!((1..=3).contains(&played.logins), "{} logins were refused while it boots", played.logins);
    // Each outage and each end of the stream is told once, and once that it is over.
    let ends = OUTAGES.len() as u64 + 600 / 30;
    assert!(statuses.len() as u64 <= 2 * ends, "{} changes of the state: {statuses:?}", statuses.len());
    let skipped = counts.skipped;
    assert_eq!(skipped, SkippedFrames { before_keyframe: skipped.before_keyframe, ..SkippedFrames::default() });
}
