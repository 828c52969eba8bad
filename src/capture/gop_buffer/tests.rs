//! What waits, what is held, and what is counted as passed over.

use super::*;

fn at(ms: u64) -> Arrival {
    Arrival { at: Monotonic::from_nanos(ms * 1_000_000), camera_ms: None, media_us: 0 }
}

/// Receives `frames` at 25 a second with a keyframe each `gop`; one is taken each `step` frames. Returns what was taken.
fn run(buffer: &mut GopBuffer<()>, frames: u64, gop: u64, step: u64) -> Vec<AccessUnit<()>> {
    let mut taken = Vec::new();
    for frame in 0..frames {
        buffer.push(frame % gop == 0, at(frame * 40), 10_000, ());
        if frame % step == 0 {
            taken.extend(buffer.take());
        }
        let counted = taken.len() as u64 + buffer.skipped().total() + buffer.len() as u64;
        assert_eq!(buffer.received(), counted, "at frame {frame}");
    }
    taken
}

#[test]
fn a_decoder_that_keeps_up_gets_every_frame() {
    let mut buffer = GopBuffer::new(false);
    assert_eq!(run(&mut buffer, 500, 50, 1).len(), 500);
    assert_eq!((buffer.skipped().total(), buffer.keyframe_interval()), (0, Duration::from_secs(2)));
}

#[test]
fn a_slow_decoder_goes_on_at_keyframes_and_never_misses_a_reference() {
    for (gop, step) in [(50, 2), (50, 3), (250, 2), (1500, 4), (1, 5)] {
        let mut buffer = GopBuffer::new(false);
        let taken = run(&mut buffer, 3000, gop, step);
        let skips = taken.windows(2).filter(|pair| pair[1].number != pair[0].number + 1);
        for pair in skips {
            assert!(pair[1].is_keyframe, "GOP {gop}: {} does not follow {}", pair[1].number, pair[0].number);
        }
        let behind = 40 * (buffer.len() as u64);
        assert!(behind <= 10_000 && buffer.skipped().behind > 500, "GOP {gop}: {behind} ms behind");
        assert_eq!(buffer.skipped().before_keyframe, 0);
        // Whoever decodes is never left without work while keyframes come within the longest lag.
        let least = if gop <= 250 { 3000 / step - 80 } else { 150 };
        assert!(taken.len() as u64 >= least, "GOP {gop}: {} frames in {step}", taken.len());
    }
}

#[test]
fn nothing_is_decoded_before_the_first_keyframe() {
    let mut buffer = GopBuffer::new(false);
    (0..30).for_each(|frame| buffer.push(frame == 20, at(frame * 40), 1, ()));
    assert_eq!((buffer.skipped().before_keyframe, buffer.take().unwrap().number, buffer.len()), (20, 20, 9));
}

#[test]
fn with_keyframes_only_the_rest_is_skipped_for_that_reason() {
    let mut buffer = GopBuffer::new(true);
    let taken = run(&mut buffer, 100, 25, 1);
    assert!(taken.len() == 4 && taken.iter().all(|unit| unit.is_keyframe));
    assert_eq!(buffer.skipped().keyframes_only, 96);
}

#[test]
fn what_waits_is_bounded_in_bytes_also_when_it_arrives_at_once() {
    let mut buffer = GopBuffer::new(false);
    for frame in 0..100 {
        buffer.push(frame == 0, at(0), 1 << 20, ());
        assert!(buffer.len() <= 16);
    }
    assert_eq!(buffer.skipped().behind, 100 - buffer.len() as u64);
    let mut tiny = GopBuffer::new(false);
    (0..5000).for_each(|frame| tiny.push(frame == 0, at(0), 1, ()));
    assert!(tiny.len() <= MOST_UNITS && tiny.skipped().behind > 0);
}
/// 25 frames a second with a keyframe each two seconds, from frame `from` on.
fn receive(buffer: &mut GopBuffer<()>, frames: std::ops::Range<u64>) {
    for frame in frames {
        buffer.push(frame % 50 == 0, at(frame * 40), 10_000, ());
    }
}

fn closes(buffer: &GopBuffer<()>, taken: u64) -> bool {
    buffer.received() == taken + buffer.skipped().total() + buffer.len() as u64
}

#[test]
fn while_a_scene_is_still_only_keyframes_are_given_out_and_the_rest_is_skipped() {
    let mut buffer = GopBuffer::new(false);
    receive(&mut buffer, 0..20);
    assert!(buffer.take().is_some_and(|unit| unit.is_keyframe) && buffer.watch().is_none(), "no keyframe is next");
    assert_eq!(std::iter::from_fn(|| buffer.take()).count(), 19);
    for frame in 20..50 {
        receive(&mut buffer, frame..frame + 1);
        assert!(buffer.take().is_some());
    }
    receive(&mut buffer, 50..51);
    let glance = buffer.watch().unwrap();
    assert!(glance.is_glance && glance.number == 50 && buffer.len() == 0 && closes(&buffer, 51));
    receive(&mut buffer, 51..110);
    let glance = buffer.take().unwrap();
    assert_eq!((glance.number, glance.is_glance, buffer.take().map(|unit| unit.number)), (100, true, None));
    assert!(!buffer.is_waited_for());
    buffer.is_still(100);
    assert_eq!((buffer.skipped().still, buffer.len()), (49, 9));
    assert!(closes(&buffer, 52));
}

#[test]
fn what_was_held_is_given_out_from_the_last_still_keyframe_on() {
    let mut buffer = GopBuffer::new(false);
    receive(&mut buffer, 0..1);
    assert!(buffer.watch().is_some());
    receive(&mut buffer, 1..60);
    assert_eq!(buffer.take().unwrap().number, 50);
    buffer.follow(at(2_400).at);
    assert_eq!(buffer.catches_up_from(), Some(at(0).at));
    let units: Vec<AccessUnit<()>> = std::iter::from_fn(|| buffer.take()).collect();
    assert!(units.iter().map(|unit| unit.number).eq(0..60));
    assert!(units.iter().all(|unit| unit.is_again == unit.is_keyframe && !unit.is_glance));
    assert!(closes(&buffer, 60) && buffer.skipped().total() == 0 && buffer.catches_up_from().is_none());
}

#[test]
fn a_keyframe_that_is_passed_over_is_held_with_the_group_before_it_and_counted_once() {
    let mut buffer = GopBuffer::new(false);
    receive(&mut buffer, 0..1);
    assert!(buffer.watch().is_some() && buffer.glance_next().is_none());
    for group in 1..4 {
        receive(&mut buffer, 50 * group - 49..50 * group + 1);
        assert_eq!(buffer.glance_next(), Some(at(2_000 * group).at));
        buffer.pass();
        assert!(buffer.take().is_none() && !buffer.is_waited_for() && buffer.glance_next().is_none());
        assert!(buffer.len() <= 51 && closes(&buffer, 1), "{buffer:?}");
    }
    assert_eq!(buffer.skipped().still, 99, "of the first two groups, whose first keyframe was decoded");
    receive(&mut buffer, 151..170);
    buffer.follow(at(6_800).at);
    let units: Vec<AccessUnit<()>> = std::iter::from_fn(|| buffer.take()).collect();
    assert!(units.iter().map(|unit| unit.number).eq(100..170) && units.iter().all(|unit| !unit.is_again));
    assert!(closes(&buffer, 71));
}

#[test]
fn a_keyframe_that_was_counted_and_is_not_decoded_again_is_counted_once() {
    let mut buffer = GopBuffer::new(false);
    buffer.push(true, at(0), 1, ());
    assert!(buffer.watch().is_some());
    buffer.push(true, at(800), 1, ());
    assert!(buffer.take().is_some_and(|unit| unit.is_glance));
    buffer.follow(at(800).at);
    let again: Vec<bool> = std::iter::from_fn(|| buffer.take()).map(|unit| unit.is_again).collect();
    assert!(again == [true, true] && closes(&buffer, 2));
}

#[test]
fn catching_up_may_take_longer_than_a_lag_and_is_bounded_all_the_same() {
    let mut buffer = GopBuffer::new(false);
    receive(&mut buffer, 0..1);
    assert!(buffer.watch().is_some());
    receive(&mut buffer, 1..100);
    buffer.follow(at(4_000).at);
    receive(&mut buffer, 100..200);
    assert_eq!(buffer.take().map(|unit| unit.number), Some(0), "nothing is skipped: decoding may be 9 s behind");
    receive(&mut buffer, 200..300);
    assert_eq!((buffer.take().map(|unit| unit.number), buffer.skipped().behind), (Some(200), 199));
    assert!(closes(&buffer, 2));
}

#[test]
fn what_is_held_of_a_still_scene_is_bounded_and_begins_with_a_keyframe() {
    let mut buffer = GopBuffer::new(false);
    buffer.push(true, at(0), 1 << 20, ());
    assert!(buffer.watch().is_some());
    for frame in 1..100 {
        buffer.push(frame % 40 == 0, at(frame * 40), 1 << 20, ());
    }
    assert!(buffer.len() <= 16 && closes(&buffer, 1), "{buffer:?}");
    buffer.follow(at(4_000).at);
    assert!(buffer.take().is_none_or(|unit| unit.is_keyframe));
}

#[test]
fn of_a_rationed_group_the_keyframe_is_left() {
    let mut buffer = GopBuffer::new(false);
    receive(&mut buffer, 0..20);
    buffer.ration();
    assert_eq!(buffer.take().map(|unit| unit.number), Some(0));
    buffer.ration();
    assert_eq!((buffer.len(), buffer.skipped().rationed), (0, 19));
    receive(&mut buffer, 20..60);
    buffer.ration();
    assert_eq!((buffer.take().map(|unit| unit.number), buffer.skipped().rationed), (Some(50), 49));
    assert!(closes(&buffer, 2));
}

#[test]
fn what_is_passed_over_because_the_units_are_behind_is_rationed() {
    let mut buffer = GopBuffer::new(false);
    buffer.set_rationed(true);
    receive(&mut buffer, 0..60);
    assert_eq!((buffer.skipped().rationed, buffer.skipped().behind), (50, 0));
    assert_eq!(buffer.take().map(|unit| unit.number), Some(50));
}
