//! A capture process and its cameras in simulated time.

use super::*;
use crate::ipc::messages::{CameraIndex, StreamInfo};
use crate::vision::stream_counts::StreamCounts;

fn at_ms(ms: u64) -> Monotonic {
    Monotonic::from_nanos(ms * 1_000_000)
}

fn at(seconds: u64) -> Monotonic {
    at_ms(seconds * 1000)
}

fn camera(id: &str, now: Monotonic) -> Camera {
    let json = serde_json::json!({"id": id, "url": "rtsp://127.0.0.1/"});
    Camera::new(serde_json::from_value(json).unwrap(), now)
}

fn group_with(cameras: &[&str], stall: Duration) -> CaptureGroup {
    let cameras = cameras.iter().map(|id| camera(id, at(0)));
    CaptureGroup::new(cameras.collect(), stall, Duration::from_secs(5), at(0))
}

/// A group whose process is up and whose cameras connect.
fn group(cameras: &[&str]) -> CaptureGroup {
    let mut group = group_with(cameras, Duration::from_secs(10));
    bring_up(&mut group, at(0));
    group
}

fn bring_up(group: &mut CaptureGroup, now: Monotonic) {
    assert_eq!(group.tick(now), [CaptureAction::Start]);
    group.initialized(now);
    group.tick(now);
}

fn info() -> StreamInfo {
    StreamInfo { codec: "h264".into(), decoder: "d".into(), width: 1, height: 1, frame_rate_milli: 0 }
}

/// Counts of `frames` frames that were all decoded.
fn counts(frames: u64) -> StreamCounts {
    StreamCounts { packets: frames, received: frames, decoded: frames, ..StreamCounts::default() }
}

fn is_kill(actions: &[CaptureAction]) -> bool {
    actions.iter().any(|action| matches!(action, CaptureAction::Kill { .. }))
}

#[test]
fn the_process_is_started_and_each_camera_opened() {
    let mut group = group_with(&["a", "b"], Duration::from_secs(10));
    assert_eq!(group.tick(at(0)), [CaptureAction::Start]);
    assert!(group.tick(at(1)).is_empty(), "no camera is opened before GStreamer runs");
    group.initialized(at(2));
    assert_eq!(group.tick(at(2)).len(), 2);
    assert_eq!(group.find(CameraIndex(1)), Some(1));
}

#[test]
fn a_first_start_may_scan_plugins_for_two_minutes_and_no_longer() {
    let mut group = group_with(&["a"], Duration::from_secs(10));
    group.tick(at(0));
    assert!(group.tick(at(120)).is_empty());
    assert!(is_kill(&group.tick(at(121))));
}

#[test]
fn a_message_of_an_earlier_connection_is_ignored() {
    let mut group = group(&["a"]);
    group.lost(0, LossKind::Ended, String::new(), at(1));
    assert_eq!(group.find(CameraIndex(0)), None);
    assert_eq!(group.tick(at(3)), [CaptureAction::Open { camera: 0, index: CameraIndex(1) }]);
}

#[test]
fn a_silent_process_is_killed_and_restarted_and_its_cameras_are_lost() {
    let mut group = group(&["a"]);
    assert!(group.tick(at(5)).is_empty());
    assert!(is_kill(&group.tick(at(6))));
    group.process_ended("killed", at(6));
    assert_eq!(group.restarts(), 1);
    assert!(group.find(CameraIndex(0)).is_none());
    assert_eq!(group.tick(at(8)), [CaptureAction::Start]);
}

#[test]
fn a_heartbeat_that_is_late_kills_nothing_however_short_the_stall_limit_is() {
    for stall in [2.0, 3.0, 10.0, 600.0] {
        let mut group = group_with(&["a"], Duration::from_secs_f64(stall));
        bring_up(&mut group, at(0));
        group.streaming(0, info(), at(0));
        for beat in 1..200_u64 {
            // A busy box may take 1.5 s.
            let now = at_ms(beat * 1_500);
            group.alive(now);
            group.progress(0, counts(beat), now);
            for ms in (0..1_500).step_by(50) {
                let actions = group.tick(now + Duration::from_millis(ms));
                assert!(actions.is_empty(), "stall_seconds = {stall}: {actions:?}");
            }
        }
    }
}

#[test]
fn a_hung_main_loop_is_found_although_streaming_threads_go_on() {
    let mut group = group(&["a"]);
    group.streaming(0, info(), at(0));
    let mut killed_at = None;
    for ms in (0..60_000).step_by(200) {
        group.frame_announced();
        if is_kill(&group.tick(at_ms(ms))) {
            killed_at = Some(ms);
            break;
        }
    }
    assert_eq!(killed_at, Some(5_200));
}

#[test]
fn a_process_that_was_healthy_for_a_day_is_restarted_at_once_after_a_hang() {
    let mut group = group(&["a"]);
    let mut now = 0;
    for _ in 0..9 {
        group.streaming(0, info(), at(now));
        for frame in 1..=43_200_u64 {
            now += 2;
            group.alive(at(now));
            group.frame_announced();
            group.progress(0, counts(frame), at(now));
            assert!(!is_kill(&group.tick(at(now))));
        }
        now += 6;
        assert!(is_kill(&group.tick(at(now))));
        group.process_ended("killed", at(now));
        now += 2;
        assert_eq!(group.tick(at(now)), [CaptureAction::Start], "the backoff starts anew");
        group.initialized(at(now));
        group.tick(at(now));
    }
}

#[test]
fn a_camera_that_takes_the_place_of_one_that_crashed_does_not_wait_for_its_crashes() {
    let mut group = group(&["a"]);
    for second in [0, 100, 200, 300, 400, 500] {
        group.process_ended("signal 11", at(second));
        group.tick(at(second + 61));
        group.initialized(at(second + 61));
    }
    group.process_ended("signal 11", at(600));
    assert!(group.tick(at(605)).is_empty(), "the crashes of `a` have added up");
    drop(group.remove(0));
    assert!(group.is_unused());
    group.add(camera("b", at(606)));
    assert_eq!(group.tick(at(606)), [CaptureAction::Start]);
}

#[test]
fn a_killed_process_that_does_not_end_is_given_up_and_replaced() {
    let mut group = group(&["a"]);
    assert!(is_kill(&group.tick(at(6))));
    assert!(group.tick(at(16)).is_empty());
    assert!(group.tick(at(17)).is_empty());
    assert_eq!((group.undead(), group.restarts()), (1, 1));
    assert_eq!(group.tick(at(20)), [CaptureAction::Start]);
    group.undead_ended();
    assert_eq!(group.undead(), 0);
}

#[test]
fn a_process_that_was_given_up_and_ends_before_its_successor_starts_counts_once() {
    let mut group = group(&["a"]);
    for now in [6, 16, 17] {
        group.tick(at(now));
    }
    assert_eq!((group.undead(), group.restarts()), (1, 1));
    group.process_ended("it ended after all", at(18));
    assert_eq!((group.undead(), group.restarts()), (0, 1));
    assert_eq!(group.tick(at(20)), [CaptureAction::Start]);
}

#[test]
fn no_connection_gets_the_index_of_another_however_long_one_camera_is_dead() {
    let mut group = group(&["live", "dead"]);
    group.streaming(0, info(), at(0));
    let live = group.index_of(0).unwrap();
    let mut now = 0;
    for _ in 0..70_000 {
        now += 75;
        group.alive(at(now));
        group.progress(0, counts(now), at(now));
        group.tick(at(now));
        assert_eq!(group.find(live), Some(0));
        if group.index_of(1).is_some() {
            group.lost(1, LossKind::Unreachable, String::new(), at(now));
        }
    }
}

#[test]
fn a_pause_of_the_daemon_kills_and_closes_nothing() {
    let mut group = group(&["a"]);
    group.streaming(0, info(), at(1));
    group.paused(Duration::from_secs(60));
    assert!(group.tick(at(61)).is_empty());
    assert!(is_kill(&group.tick(at(70))), "silence counts again afterwards");
}

#[test]
fn a_process_whose_cameras_all_wait_is_not_killed() {
    let mut group = group(&["a"]);
    for second in 0..3 {
        group.lost(0, LossKind::AuthFailed, String::new(), at(second));
        group.tick(at(second));
    }
    for second in 3..500 {
        group.alive(at(second));
        assert!(!is_kill(&group.tick(at(second))));
    }
}

#[test]
fn a_main_stream_has_a_connection_of_its_own_that_ends_alone_or_with_its_process() {
    let json = serde_json::json!({"id": "a", "url": "rtsp://127.0.0.1/main", "detect_url": "rtsp://127.0.0.1/sub"});
    let camera = Camera::new(serde_json::from_value(json).unwrap(), at(0));
    let mut group = CaptureGroup::new(vec![camera], Duration::from_secs(10), Duration::from_secs(5), at(0));
    bring_up(&mut group, at(0));
    group.streaming(0, info(), at(1));
    assert_eq!(group.tick(at(1)), [CaptureAction::OpenMain { camera: 0, index: CameraIndex(1) }]);
    assert_eq!((group.find(CameraIndex(1)), group.find_main(CameraIndex(1))), (None, Some(0)));
    group.main_streaming(0, info(), at(2));
    for second in 2..=13 {
        group.alive(at(second));
        group.progress(0, counts(second), at(second));
        let actions = group.tick(at(second));
        let expected = CaptureAction::CloseMain { camera: 0, index: CameraIndex(1) };
        assert_eq!(actions, if second == 13 { vec![expected] } else { Vec::new() }, "at {second}");
    }
    assert!(group.camera(0).is_streaming() && group.main_of(0).is_none());
    group.alive(at(15));
    group.progress(0, counts(15), at(15));
    assert_eq!(group.tick(at(15)), [CaptureAction::OpenMain { camera: 0, index: CameraIndex(2) }]);
    group.process_ended("killed", at(16));
    assert!(group.main_of(0).is_none() && group.index_of(0).is_none());
    assert_eq!(group.camera(0).main().unwrap().reason(), Some("killed"));
}
