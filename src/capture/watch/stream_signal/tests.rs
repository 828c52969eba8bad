//! Real streams of a still scene through which something passes: where sizes tell, where they do not, and what is seen in time.

mod encoded;

use self::encoded::{FPS, Sizes, Stream};
use super::*;

fn at(frame: usize) -> Monotonic {
    Monotonic::from_nanos(frame as u64 * 1_000_000_000 / FPS as u64)
}

/// A camera that is watched, as far as its signal is concerned.
#[derive(Debug, Default)]
struct Camera {
    signal: Signal,
    /// Seconds from one keyframe to the next.
    group: u64,
    frames: usize,
    still_at: Option<Monotonic>,
    keyframes: usize,
    decoded: usize,
    /// The frames that were raised.
    raised: Vec<usize>,
}

impl Camera {
    /// Receives a stream in which something moves in frames of `moving`. Comparisons and units miss nothing that is decoded:
    /// while something moves, each frame is; otherwise keyframes are, as far as the signal does not say that they need not.
    fn receive(&mut self, sizes: &Sizes, moving: impl Fn(usize) -> bool) {
        for (frame, (is_keyframe, bytes)) in sizes.iter().enumerate() {
            let now = at(self.frames);
            if self.signal.take_in(*is_keyframe, now, *bytes) {
                self.raised.push(frame);
            }
            let may_pass = || {
                let still_at = self.still_at?;
                let is_near = now.since(still_at) + Duration::from_secs(self.group) <= Duration::from_secs(10);
                Some(is_near && self.signal.is_quiet_since(still_at))
            };
            if moving(frame) {
                self.signal.found(Found::Differs, now);
                self.signal.found(Found::Movement, now);
            } else if *is_keyframe {
                self.keyframes += 1;
                if may_pass() != Some(true) {
                    self.decoded += 1;
                    self.still_at = Some(now);
                    self.signal.found(Found::Same, now);
                }
            }
            self.frames += 1;
        }
    }

    fn after(sizes: &Sizes, group: usize, moving: impl Fn(usize) -> bool) -> Self {
        let mut camera = Self { group: group as u64, ..Self::default() };
        camera.receive(sizes, moving);
        camera
    }

    /// A camera that has seen 60 groups of stillness, and six passages of eight groups with as much stillness between them.
    fn taught(stream: Stream, group: usize) -> Self {
        Self::after(&lesson(stream, group), group, |frame| moves_in_lesson(frame / group))
    }

    /// Forgets what was counted.
    fn count_anew(&mut self) {
        (self.keyframes, self.decoded, self.raised) = (0, 0, Vec::new());
    }
}

/// With groups of a second.
fn moves_in_lesson(frame: usize) -> bool {
    let second = frame / FPS;
    (60..156).contains(&second) && (second - 60) % 16 < 8
}

fn lesson(stream: Stream, group: usize) -> Sizes {
    stream.encode(group * FPS, group * 156 * FPS, |frame| moves_in_lesson(frame / group))
}

/// A minute of stillness, with something that passes for 2 s beginning within a group.
const TRIAL: usize = 60 * FPS;
const PASSES: std::ops::Range<usize> = 445..445 + 2 * FPS;

/// Teaches a camera, and holds that at most this share of keyframes is decoded afterwards, and what passes is seen in time.
fn check_used(stream: Stream, group: usize, most: f32) {
    let mut camera = Camera::taught(stream, group);
    let state = camera.signal.state();
    assert!(state.used == SignalUse::Sizes && state.auc_percent >= Some(98), "{stream:?}: {state:?}, {camera:?}");
    camera.count_anew();
    let passes = |frame: usize| PASSES.contains(&frame);
    camera.receive(&stream.encode(group * FPS, TRIAL, passes), passes);
    let share = camera.decoded as f32 / camera.keyframes as f32;
    println!("{stream:?}, keyframes each {group} s: {share:.2} of {} are decoded, {state:?}", camera.keyframes);
    assert!(share <= most, "{stream:?}: {} of {} keyframes were decoded", camera.decoded, camera.keyframes);
    // A second after it began, at the latest.
    let in_time = camera.raised.iter().any(|frame| (PASSES.start..=PASSES.start + FPS).contains(frame));
    assert!(in_time, "{stream:?}: raised at {:?} instead of {PASSES:?}", camera.raised);
}

#[test]
fn sizes_tell_what_moves_in_streams_of_constant_quality() {
    check_used(Stream::CONSTANT_QUALITY, 1, 0.25);
    check_used(Stream::CONSTANT_QUALITY, 2, 0.4);
    check_used(Stream::H265, 1, 0.25);
}

#[test]
fn sizes_tell_nothing_where_the_bit_rate_is_constant_or_noise_takes_it_all() {
    for stream in [Stream::CONSTANT_RATE, Stream::CONSTANT_QUALITY.with_noise(40)] {
        let mut camera = Camera::taught(stream, 1);
        let state = camera.signal.state();
        println!("{stream:?}: {state:?}");
        assert_eq!(state.used, SignalUse::None, "{stream:?}: {state:?}");
        camera.count_anew();
        camera.receive(&stream.encode(FPS, TRIAL, |_| false), |_| false);
        assert!(camera.decoded == camera.keyframes && camera.raised.is_empty(), "{stream:?}: each keyframe is decoded");
    }
}

#[test]
fn the_quantiser_tells_what_bytes_alone_do_not_where_the_bit_rate_is_constant() {
    let auc = |stream| Camera::taught(stream, 1).signal.state().auc_percent.unwrap();
    for stream in [Stream::STEADY_RATE, Stream::CONSTANT_RATE] {
        let (weighed, plain) = (auc(stream), auc(stream.unweighed()));
        println!("{stream:?}: {weighed} % with the quantiser, {plain} % without");
        assert!(weighed >= plain + 5, "{stream:?}: {weighed} % with the quantiser, {plain} % without");
    }
}

#[test]
fn a_signal_that_stops_to_tell_what_moves_is_used_no_more() {
    let mut camera = Camera::taught(Stream::CONSTANT_QUALITY, 1);
    assert_eq!(camera.signal.state().used, SignalUse::Sizes);
    // The noise of the night, in which what moves is hardly larger.
    let night = Stream::CONSTANT_QUALITY.with_noise(40);
    camera.receive(&lesson(night, 1), moves_in_lesson);
    assert_eq!(camera.signal.state().used, SignalUse::None);
}

#[test]
fn what_was_seen_too_seldom_is_not_used_and_a_stream_of_keyframes_has_no_signal() {
    let still = Stream::CONSTANT_QUALITY.encode(FPS, 60 * FPS, |_| false);
    let camera = Camera::after(&still, 1, |_| false);
    assert_eq!(camera.signal.state(), StreamSignal { used: SignalUse::Learning, auc_percent: None });
    assert_eq!(camera.decoded, camera.keyframes);
    // One long passage is one example.
    let moving = Stream::CONSTANT_QUALITY.encode(FPS, 60 * FPS, |frame| frame > 100);
    let mut camera = Camera::after(&still, 1, |_| false);
    camera.receive(&moving, |frame| frame > 100);
    let state = camera.signal.state();
    assert!(state.used == SignalUse::Learning && state.auc_percent > Some(90), "{state:?}");

    let keyframes: Sizes = (0..600).map(|_| (true, 20_000.0)).collect();
    let camera = Camera::after(&keyframes, 1, |frame| frame % 100 > 50);
    assert_eq!(camera.signal.state().used, SignalUse::None);
    assert_eq!(camera.decoded, camera.keyframes);
}
