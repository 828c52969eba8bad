//! Viewers in simulated time.

use super::*;
use crate::ipc::live_backlog::fragment;

const LIMITS: LiveLimits = LiveLimits { viewers: 3, bytes_per_second: 1_000_000 };

fn yard() -> CameraId {
    CameraId::new("yard").unwrap()
}

fn at(ms: u64) -> Monotonic {
    Monotonic::from_nanos(ms * 1_000_000)
}

fn init() -> LivePacket {
    let head = LiveHead::Init { codec: "avc3.4d001e".into(), width: 640, height: 480 };
    LivePacket { head, body: Arc::from([0; 10]) }
}

/// What a viewer gets: `i`, `k`, `f` and texts, with the frames that were left out before.
fn taken(state: &mut LiveState, viewer: ViewerId) -> String {
    let mut text = String::new();
    while let Some(Some(next)) = state.pop(&yard(), viewer) {
        match next {
            Outgoing::Text(said) => text.push_str(&said),
            Outgoing::Packet(packet) => match packet.head {
                LiveHead::Init { .. } => text.push('i'),
                LiveHead::Unplayable { .. } | LiveHead::Begins { .. } => text.push('u'),
                LiveHead::Fragment { is_keyframe, dropped } => {
                    text.push(if is_keyframe { 'k' } else { 'f' });
                    text.push_str(&if dropped > 0 { dropped.to_string() } else { String::new() });
                }
            },
        }
    }
    text
}

fn pass(state: &mut LiveState, stream: StreamId, frames: &str, bytes: usize, now: Monotonic) -> Passed {
    let mut all = Passed::default();
    for frame in frames.chars() {
        let packet = if frame == 'i' { init() } else { fragment(frame == 'k', vec![0; bytes]) };
        let passed = state.packet(&yard(), stream, &packet, now).unwrap();
        all = Passed { bytes: all.bytes + passed.bytes, dropped: all.dropped + passed.dropped };
    }
    all
}

#[test]
fn a_viewer_who_comes_later_begins_with_the_newest_group() {
    let mut state = LiveState::new(LIMITS);
    let (first, is_first) = state.join(&yard()).unwrap();
    assert!(is_first);
    let stream = state.begin(&yard()).unwrap();
    pass(&mut state, stream, "ikffkf", 10, at(0));
    let (second, is_first) = state.join(&yard()).unwrap();
    assert!(!is_first);
    pass(&mut state, stream, "f", 10, at(40));
    assert_eq!(taken(&mut state, first), "ikffkff");
    assert_eq!(taken(&mut state, second), "ikff");
    assert!(!state.leave(&yard(), first));
    assert!(state.leave(&yard(), second) && !state.is_watched(&yard()));
    assert_eq!(state.packet(&yard(), stream, &init(), at(80)), None);
}

#[test]
fn of_a_group_that_is_too_long_a_later_viewer_gets_nothing_up_to_the_next_keyframe() {
    let mut state = LiveState::new(LiveLimits { bytes_per_second: 1 << 40, ..LIMITS });
    let (first, _) = state.join(&yard()).unwrap();
    let stream = state.begin(&yard()).unwrap();
    pass(&mut state, stream, "ikfff", 1 << 20, at(0));
    taken(&mut state, first);
    let (second, _) = state.join(&yard()).unwrap();
    assert_eq!(taken(&mut state, second), "i");
}

#[test]
fn a_slow_viewer_loses_frames_and_the_others_none() {
    let mut state = LiveState::new(LiveLimits { bytes_per_second: 1 << 40, ..LIMITS });
    let (slow, _) = state.join(&yard()).unwrap();
    let (quick, _) = state.join(&yard()).unwrap();
    let stream = state.begin(&yard()).unwrap();
    pass(&mut state, stream, "i", 0, at(0));
    let mut seen = String::new();
    let mut dropped = 0;
    for second in 0..10 {
        dropped += pass(&mut state, stream, "kfffffffff", 100_000, at(second * 1000)).dropped;
        seen.push_str(&taken(&mut state, quick));
    }
    assert_eq!(seen, format!("i{}", "kfffffffff".repeat(10)));
    let late = taken(&mut state, slow);
    assert!(late.starts_with("ik") && dropped > 0, "{late}");
    // It goes on at the keyframe that took the place of everything before.
    let missed: u64 = late[2..].chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap();
    assert!(missed.is_multiple_of(10) && missed > 30, "{late}");
}

#[test]
fn a_camera_that_comes_back_begins_anew_and_late_packets_of_before_are_not_taken() {
    let mut state = LiveState::new(LIMITS);
    let (viewer, _) = state.join(&yard()).unwrap();
    let before = state.begin(&yard()).unwrap();
    pass(&mut state, before, "ikf", 10, at(0));
    state.end(&yard(), before);
    let (late, _) = state.join(&yard()).unwrap();
    assert_eq!(taken(&mut state, late), "");
    let after = state.begin(&yard()).unwrap();
    assert_eq!(state.packet(&yard(), before, &init(), at(50)), None);
    state.end(&yard(), before);
    pass(&mut state, after, "ik", 10, at(100));
    assert_eq!((taken(&mut state, viewer), taken(&mut state, late)), ("ikfik".into(), "ik".into()));
}

#[test]
fn viewers_and_bytes_are_bounded() {
    let mut state = LiveState::new(LIMITS);
    let viewers: Vec<ViewerId> = (0..3).map(|_| state.join(&yard()).unwrap().0).collect();
    assert_eq!(state.join(&yard()), Err(NotShown::Full(3)));
    let stream = state.begin(&yard()).unwrap();
    // Three viewers, 400 kB a frame, 1 MB a second: the third one gets its keyframe in the next second.
    let passed = pass(&mut state, stream, "ik", 400_000, at(0));
    assert_eq!(passed, Passed { bytes: 1_200_030, dropped: 0 });
    let passed = pass(&mut state, stream, "ff", 400_000, at(10));
    assert_eq!(passed, Passed { bytes: 0, dropped: 6 });
    pass(&mut state, stream, "k", 10, at(2_000));
    for viewer in viewers {
        assert_eq!(taken(&mut state, viewer), "ik3");
    }
}

#[test]
fn what_is_told_reaches_the_viewers_of_its_camera() {
    let mut state = LiveState::new(LIMITS);
    let (viewer, _) = state.join(&yard()).unwrap();
    state.tell(&yard(), &"a".into());
    state.tell(&CameraId::new("gate").unwrap(), &"b".into());
    assert_eq!(taken(&mut state, viewer), "a");
}
