//! A camera's states in simulated time.

use super::*;
use crate::vision::stream_counts::SkippedFrames;

const STALL: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);

fn at(seconds: u64) -> Monotonic {
    Monotonic::from_nanos(seconds * 1_000_000_000)
}

fn camera() -> Camera {
    let json = serde_json::json!({"id": "yard", "url": "rtsp://127.0.0.1/"});
    Camera::new(serde_json::from_value(json).unwrap(), at(0))
}

fn info() -> StreamInfo {
    StreamInfo { codec: "h264".into(), decoder: "avdec_h264".into(), width: 640, height: 480, frame_rate_milli: 0 }
}

#[test]
fn a_camera_connects_streams_and_is_retried_after_a_loss() {
    let mut camera = camera();
    assert_eq!(camera.due(STALL, CONNECT, at(0)), CameraDue::Open);
    camera.opened(at(0));
    assert_eq!(camera.status(), CameraStatus::Connecting);
    camera.streaming(info(), at(1));
    assert_eq!(camera.stream_info().map(|info| info.width), Some(640));
    camera.lost(LossKind::Ended, "the stream ended".into(), at(2));
    assert_eq!(camera.status(), CameraStatus::Offline);
    assert_eq!(camera.reason(), Some("the stream ended"));
    assert_eq!(camera.due(STALL, CONNECT, at(2)), CameraDue::Wait);
    assert_eq!(camera.due(STALL, CONNECT, at(4)), CameraDue::Open);
}

/// Counts of `frames` frames that were all decoded.
fn counts(frames: u64) -> StreamCounts {
    StreamCounts { packets: frames, received: frames, decoded: frames, ..StreamCounts::default() }
}

fn must_close(camera: &Camera, now: Monotonic) -> bool {
    matches!(camera.due(STALL, CONNECT, now), CameraDue::Close { .. })
}

#[test]
fn ten_seconds_without_a_packet_are_a_stall_even_if_the_process_lives() {
    let mut camera = camera();
    camera.opened(at(0));
    camera.streaming(info(), at(1));
    camera.progress(counts(5), at(9));
    camera.progress(counts(5), at(17));
    assert_eq!(camera.due(STALL, CONNECT, at(19)), CameraDue::Wait);
    assert!(must_close(&camera, at(20)));
    camera.lost(LossKind::Stalled, String::new(), at(20));
    assert_eq!(camera.status(), CameraStatus::Stalled);
    assert_eq!(camera.counts().decoded, 5);
}

#[test]
fn a_further_try_shows_the_failure_before_until_it_has_an_end_of_its_own() {
    let mut camera = camera();
    camera.opened(at(0));
    assert_eq!(camera.status(), CameraStatus::Connecting);
    camera.lost(LossKind::Unreachable, "no route".into(), at(1));
    for second in 2..20 {
        camera.opened(at(second));
        assert_eq!((camera.status(), camera.reason()), (CameraStatus::Offline, Some("no route")));
        camera.lost(LossKind::Unreachable, "no route".into(), at(second));
    }
    camera.opened(at(30));
    camera.streaming(info(), at(31));
    assert_eq!((camera.status(), camera.reason()), (CameraStatus::Streaming, None));
}

#[test]
fn a_camera_that_sends_and_has_no_keyframe_yet_is_not_given_up_and_says_so() {
    let mut camera = camera();
    camera.opened(at(0));
    for second in 1..59 {
        let received = second * 25;
        let skipped = SkippedFrames { before_keyframe: received, ..SkippedFrames::default() };
        let counts = StreamCounts { packets: received, received, skipped, ..StreamCounts::default() };
        camera.progress(counts, at(second));
        assert_eq!(camera.due(STALL, CONNECT, at(second)), CameraDue::Wait);
    }
    assert_eq!(camera.status(), CameraStatus::Connecting);
    assert_eq!(camera.reason(), Some("frames arrive, and the first keyframe is awaited"));
    camera.streaming(info(), at(60));
    assert_eq!((camera.status(), camera.reason()), (CameraStatus::Streaming, None));
    assert!(must_close(&camera, at(71)));
}

#[test]
fn a_camera_that_is_switched_off_is_not_connected_until_it_is_switched_on() {
    let mut camera = camera();
    camera.opened(at(0));
    camera.streaming(info(), at(1));
    camera.progress(counts(5), at(2));
    camera.switch_off(at(3));
    assert_eq!((camera.status(), camera.counts().decoded), (CameraStatus::Disabled, 5));
    camera.lost(LossKind::Ended, String::new(), at(3));
    assert_eq!(camera.due(STALL, CONNECT, at(1000)), CameraDue::Wait);
    camera.switch_on(at(1000));
    assert_eq!(camera.due(STALL, CONNECT, at(1000)), CameraDue::Open);
    camera.opened(at(1000));
    camera.switch_on(at(1001));
    assert_eq!(camera.status(), CameraStatus::Connecting, "it was on already");
}

#[test]
fn a_connection_attempt_without_a_reply_is_closed() {
    let mut camera = camera();
    camera.opened(at(0));
    assert_eq!(camera.due(STALL, CONNECT, at(15)), CameraDue::Wait);
    assert!(must_close(&camera, at(16)));
}

#[test]
fn a_throttled_camera_says_so_and_a_new_connection_is_not_throttled() {
    let mut camera = camera();
    camera.opened(at(0));
    camera.streaming(info(), at(1));
    assert_eq!(camera.wanted_fps(), None, "its rate is not known yet");
    camera.progress(counts(25), at(2));
    assert_eq!(camera.wanted_fps(), Some(5.0), "the settings want fewer than the stream has");
    assert_eq!(camera.pace(None), None);
    assert_eq!(camera.pace(Some(3.0)), Some(3.0));
    assert_eq!(camera.pace(Some(3.1)), None, "a change below 5 % is not sent");
    assert!((camera.fps() - 3.0).abs() < 1e-6);
    assert!(camera.brown_out().unwrap().contains("3 of 5"));
    assert_eq!(camera.pace(None), Some(5.0));
    camera.pace(Some(3.0));
    camera.lost(LossKind::Ended, String::new(), at(3));
    camera.opened(at(4));
    assert_eq!(camera.brown_out(), None);
}

#[test]
fn a_keyframes_only_stream_lives_while_packets_arrive() {
    let json = serde_json::json!({"id": "yard", "url": "rtsp://127.0.0.1/", "keyframes_only": true});
    let mut camera = Camera::new(serde_json::from_value(json).unwrap(), at(0));
    camera.opened(at(0));
    camera.streaming(info(), at(1));
    for second in 2..60 {
        // One keyframe in 20 s.
        let (received, decoded) = (second * 25, second / 20);
        let skipped = SkippedFrames { keyframes_only: received - decoded, ..SkippedFrames::default() };
        camera.progress(StreamCounts { packets: received, received, decoded, skipped, ..counts(0) }, at(second));
        assert_eq!(camera.due(STALL, CONNECT, at(second)), CameraDue::Wait);
    }
    assert!(must_close(&camera, at(70)), "nothing was received for 11 s");
    assert!(camera.wanted_fps().is_some_and(|fps| fps < 0.2), "its rate is that of keyframes");
}

#[test]
fn a_camera_whose_process_cannot_be_started_says_so() {
    let mut camera = camera();
    camera.lost(LossKind::ProcessDied, "the capture process ended: killed".into(), at(1));
    assert_eq!(camera.status(), CameraStatus::Offline);
    assert_eq!(camera.reason(), Some("the capture process ended: killed"));
    assert_eq!(camera.due(STALL, CONNECT, at(1)), CameraDue::Open, "it waits for nothing else");
}

#[test]
fn a_camera_knows_since_when_it_streams_or_does_not() {
    let mut camera = camera();
    camera.opened(at(1));
    camera.lost(LossKind::Unreachable, String::new(), at(2));
    camera.opened(at(4));
    assert_eq!(camera.since(), at(0), "each further try changes nothing");
    camera.streaming(info(), at(5));
    camera.streaming(info(), at(6));
    assert_eq!(camera.since(), at(5), "nor does another size");
    camera.lost(LossKind::Ended, String::new(), at(7));
    assert_eq!(camera.since(), at(7));
    camera.switch_off(at(8));
    camera.switch_off(at(9));
    assert_eq!(camera.since(), at(8));
    camera.switch_on(at(10));
    assert_eq!(camera.since(), at(10));
}

fn camera_with_two() -> Camera {
    let json = serde_json::json!({"id": "yard", "url": "rtsp://127.0.0.1/main", "detect_url": "rtsp://127.0.0.1/sub"});
    Camera::new(serde_json::from_value(json).unwrap(), at(0))
}

#[test]
fn the_main_stream_connects_while_the_analysed_one_streams_and_its_loss_disturbs_nothing() {
    let mut camera = camera_with_two();
    camera.opened(at(0));
    assert_eq!(camera.main_due(STALL, CONNECT, at(1)), CameraDue::Wait);
    camera.streaming(info(), at(1));
    assert_eq!(camera.main_due(STALL, CONNECT, at(1)), CameraDue::Open);
    camera.main_opened(at(1));
    camera.main_mut().unwrap().streaming(StreamInfo { width: 1920, ..info() }, at(2));
    assert_eq!(camera.main().unwrap().stream_info().map(|info| info.width), Some(1920));
    for second in 3..60 {
        camera.progress(counts(second), at(second));
        camera.main_mut().unwrap().progress(counts(second), at(second));
    }
    camera.main_lost(LossKind::NotFound, "no such path".into(), at(60));
    let main = camera.main().unwrap();
    assert_eq!((main.status(), main.reason()), (CameraStatus::Offline, Some("no such path")));
    assert_eq!((camera.status(), camera.reason(), camera.reconnects()), (CameraStatus::Streaming, None, 0));
    assert_eq!(camera.main_due(STALL, CONNECT, at(62)), CameraDue::Open);
    camera.lost(LossKind::Ended, String::new(), at(62));
    assert_eq!(camera.main_due(STALL, CONNECT, at(1000)), CameraDue::Wait, "the camera may be away");
    camera.switch_off(at(1000));
    assert_eq!(camera.main().unwrap().status(), CameraStatus::Disabled);
    assert!(self::camera().main().is_none());
}

#[test]
fn a_login_that_both_streams_share_is_refused_no_more_often_than_that_of_one() {
    let (mut camera, mut now, mut logins) = (camera_with_two(), 0, Vec::new());
    camera.opened(at(0));
    camera.streaming(info(), at(1));
    camera.main_opened(at(1));
    camera.main_mut().unwrap().streaming(info(), at(2));
    // Somebody changes the password, and the camera ends both streams, the main one first.
    camera.progress(counts(1), at(3000));
    camera.main_lost(LossKind::Ended, String::new(), at(3000));
    while now < 3600 {
        now += 1;
        let second = at(3000 + now);
        if now == 7 {
            camera.lost(LossKind::Ended, String::new(), second);
        } else if now < 7 {
            camera.progress(counts(now), second);
        }
        if camera.due(STALL, CONNECT, second) == CameraDue::Open {
            camera.opened(second);
            camera.lost(LossKind::AuthFailed, String::new(), second);
            logins.push(now);
        }
        if camera.main_due(STALL, CONNECT, second) == CameraDue::Open {
            camera.main_opened(second);
            camera.main_lost(LossKind::AuthFailed, String::new(), second);
            logins.push(now);
        }
    }
    // As one stream whose credentials have worked: at once, then after 2, 8 and twice 30 minutes, all of them ± 20 %.
    let in_first = |seconds: u64| logins.iter().filter(|at| **at <= seconds).count();
    assert!(in_first(60) == 3 && in_first(900) == 5 && logins.len() <= 7, "{logins:?}");
}

#[test]
fn a_main_stream_comes_and_goes_with_the_settings() {
    let mut camera = camera();
    let mut settings = camera.settings.clone();
    camera.switch_off(at(1));
    settings.detect_url = Some("rtsp://127.0.0.1/sub".into());
    camera.change(settings.clone());
    camera.reconnect(at(2));
    assert_eq!(camera.main().unwrap().status(), CameraStatus::Disabled);
    camera.switch_on(at(3));
    assert_eq!(camera.main().unwrap().status(), CameraStatus::Connecting);
    settings.detect_url = None;
    camera.change(settings);
    camera.reconnect(at(4));
    assert!(camera.main().is_none());
}
