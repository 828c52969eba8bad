//! When clips begin, go on and end, in simulated time.

use super::*;
use EventKind::{Began, Changed, Ended};

const TIMES: ClipTimes = ClipTimes { after: Duration::from_secs(5), longest: Duration::from_secs(55) };

fn at(seconds: u64) -> Monotonic {
    Monotonic::from_nanos(seconds * 1_000_000_000)
}

fn camera(name: &str) -> CameraId {
    CameraId::new(name).unwrap()
}

#[test]
fn events_of_a_camera_share_a_clip_that_ends_after_the_last_of_them() {
    let (mut clips, yard) = (Recordings::new(TIMES), camera("yard"));
    assert_eq!(clips.event(&yard, 1, Began, "a", at(10)), Noted::Begins(1));
    assert_eq!(clips.event(&yard, 1, Changed, "b", at(11)), Noted::Shares);
    assert_eq!(clips.event(&yard, 2, Began, "c", at(12)), Noted::Shares);
    assert_eq!(clips.event(&camera("gate"), 1, Began, "d", at(12)), Noted::Begins(2));
    assert_eq!(clips.event(&yard, 1, Ended, "e", at(15)), Noted::Shares);
    assert!(!clips.is_over(1, at(30)), "the second one is in view");
    clips.event(&yard, 2, Ended, "f", at(30));
    assert!(!clips.is_over(1, at(34)) && clips.is_over(1, at(35)));
    assert_eq!(clips.events(1), ["a", "b", "c", "e", "f"]);
    assert!(clips.has("c") && clips.has("d") && !clips.has("g"));
}

#[test]
fn one_that_comes_before_the_end_extends_it_and_one_that_comes_later_has_its_own() {
    let (mut clips, yard) = (Recordings::new(TIMES), camera("yard"));
    clips.event(&yard, 1, Began, "a", at(10));
    clips.event(&yard, 1, Ended, "b", at(12));
    assert_eq!(clips.event(&yard, 2, Began, "c", at(16)), Noted::Shares);
    assert!(!clips.is_over(1, at(40)));
    clips.event(&yard, 2, Ended, "d", at(40));
    assert_eq!(clips.event(&yard, 3, Began, "e", at(45)), Noted::Begins(2));
    assert_eq!((clips.events(1).len(), clips.events(2).len()), (4, 1));
}

#[test]
fn no_clip_is_longer_than_the_longest_whatever_stays_in_view() {
    let (mut clips, yard) = (Recordings::new(TIMES), camera("yard"));
    clips.event(&yard, 1, Began, "a", at(10));
    clips.event(&yard, 2, Began, "b", at(64));
    assert!(!clips.is_over(1, at(64)) && clips.is_over(1, at(65)));
    // What goes on afterwards begins nothing: an object that comes does.
    assert_eq!(clips.event(&yard, 1, Changed, "c", at(70)), Noted::Without);
    assert_eq!(clips.event(&yard, 2, Ended, "d", at(71)), Noted::Without);
    assert_eq!(clips.event(&yard, 3, Began, "e", at(72)), Noted::Begins(2));
}

#[test]
fn while_a_disk_writes_nothing_no_further_clips_are_begun() {
    let (mut clips, yard) = (Recordings::new(TIMES), camera("yard"));
    clips.event(&yard, 1, Began, "a", at(10));
    clips.event(&yard, 2, Began, "b", at(100));
    assert_eq!(clips.event(&yard, 3, Began, "c", at(200)), Noted::Busy);
    assert_eq!(clips.event(&camera("gate"), 3, Began, "d", at(200)), Noted::Begins(3));
    clips.forget(1);
    assert_eq!(clips.event(&yard, 3, Began, "c", at(200)), Noted::Begins(4));
}

#[test]
fn the_end_of_its_stream_is_the_end_of_a_clip() {
    let (mut clips, yard) = (Recordings::new(TIMES), camera("yard"));
    clips.event(&yard, 1, Began, "a", at(10));
    clips.stop(1);
    assert!(clips.is_over(1, at(10)) && clips.has("a"));
    assert_eq!(clips.event(&yard, 2, Began, "b", at(11)), Noted::Begins(2));
    for event in 0..3000 {
        let noted = clips.event(&yard, 2, Changed, &event.to_string(), at(12));
        // Those that would not be found by it are not said to have it.
        assert_eq!(noted == Noted::Shares, clips.has(&event.to_string()), "{event}");
    }
    assert_eq!(clips.events(2).len(), MOST_EVENTS);
    clips.forget(1);
    clips.forget(2);
    assert_eq!(clips.len(), 0);
    assert!(clips.is_over(2, at(12)));
}
