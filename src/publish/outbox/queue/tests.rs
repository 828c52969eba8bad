//! The order and times of sending, in simulated time.

use super::*;

fn at(ms: u64) -> Monotonic {
    Monotonic::from_nanos(ms * 1_000_000)
}

/// A queue with events of these cameras, in this order, from position 1.
fn queue(cameras: &[&str]) -> Queue {
    let mut queue = Queue::new(at(0));
    for (position, camera) in (1..).zip(cameras) {
        queue.restore(position, (*camera).into());
    }
    queue.connected();
    queue
}

/// Sends all events that may be sent now, and settles each at once.
fn leaves(queue: &mut Queue, now: Monotonic) -> Vec<Position> {
    let mut left = Vec::new();
    while let Next::Send(position) = queue.next(now) {
        left.push(position);
        queue.settled(position);
    }
    left
}

#[test]
fn what_is_not_settled_bounds_what_is_on_its_way() {
    let mut queue = queue(&[]);
    (1..=150).for_each(|position| queue.restore(position, format!("camera-{position}").into()));
    let sent = std::iter::from_fn(|| match queue.next(at(0)) {
        Next::Send(position) => Some(position),
        _ => None,
    });
    assert_eq!(sent.collect::<Vec<_>>(), (1..=100).collect::<Vec<_>>());
    assert_eq!(queue.next(at(0)), Next::Nothing);
    queue.settled(7);
    assert_eq!(queue.next(at(0)), Next::Send(101));
}

#[test]
fn what_was_on_its_way_goes_again_in_its_old_place() {
    let mut queue = queue(&["a", "a", "b", "a"]);
    assert_eq!((queue.next(at(0)), queue.next(at(0))), (Next::Send(1), Next::Send(2)));
    queue.settled(1);
    queue.disconnected();
    assert_eq!(queue.next(at(0)), Next::Nothing, "no sink is connected");
    queue.connected();
    assert_eq!(leaves(&mut queue, at(0)), [2, 3, 4]);
    assert_eq!(queue.len(), 0);
}

#[test]
fn an_acknowledgement_after_the_connection_counts() {
    let mut queue = queue(&["a", "a"]);
    assert_eq!(queue.next(at(0)), Next::Send(1));
    queue.disconnected();
    queue.settled(1);
    queue.connected();
    assert_eq!(leaves(&mut queue, at(0)), [2]);
}

#[test]
fn a_camera_behind_drains_at_twice_the_live_rate_and_the_others_do_not_wait() {
    let mut queue = queue(&["behind"; 5000]);
    let (mut position, mut sent_behind, mut sent_live) = (5000, 0, 0);
    // 40 new events a second, half of them of each camera, for 20 s.
    for ms in (0..20_000).step_by(25) {
        position += 1;
        let camera = if ms % 50 == 0 { "behind" } else { "live" };
        queue.push(position, camera.into(), at(ms));
        let left = leaves(&mut queue, at(ms));
        assert!(camera != "live" || left.contains(&position), "a live event is sent at once");
        sent_live += usize::from(camera == "live");
        sent_behind += left.len() - usize::from(camera == "live");
    }
    assert_eq!(sent_live, 400);
    assert!((1400..=1600).contains(&sent_behind), "{sent_behind} in 20 s at 40 a second");
}

#[test]
fn a_quiet_box_drains_too_and_in_order() {
    let mut queue = queue(&["a"; 50]);
    let mut left = Vec::new();
    for ms in (0..5_000).step_by(10) {
        left.extend(leaves(&mut queue, at(ms)));
    }
    assert_eq!(left, (1..=50).collect::<Vec<_>>());
    assert!(matches!(queue.next(at(5_000)), Next::Nothing));
}

#[test]
fn the_oldest_are_dropped_but_not_what_is_on_its_way() {
    let mut queue = queue(&["a", "b", "a", "b"]);
    assert_eq!(queue.next(at(0)), Next::Send(1));
    assert_eq!(queue.drop_oldest(2), [2, 3]);
    assert_eq!(queue.len(), 2);
    assert_eq!(queue.drop_oldest(9), [4]);
}

#[test]
fn a_camera_that_is_refused_rests_and_the_others_go_on() {
    let mut queue = queue(&["a", "b", "a", "b"]);
    assert_eq!(leaves_unsettled(&mut queue, at(0)), [1, 2, 3, 4]);
    queue.put_off(1, at(10));
    queue.put_off(3, at(11));
    queue.settled(2);
    queue.settled(4);
    queue.push(5, "b".into(), at(20));
    queue.push(6, "a".into(), at(20));
    assert_eq!(leaves(&mut queue, at(20)), [5]);
    assert_eq!(queue.len(), 3, "none is lost");
    // One event is retried; while it is rejected the others wait.
    assert_eq!(leaves_unsettled(&mut queue, at(60_011)), [1]);
    queue.put_off(1, at(60_020));
    assert!(leaves_unsettled(&mut queue, at(120_000)).is_empty());
    assert_eq!(leaves_unsettled(&mut queue, at(120_020)), [1]);
    queue.settled(1);
    assert_eq!(leaves(&mut queue, at(120_030)), [3, 6]);
}

#[test]
fn another_connection_ends_a_rest() {
    let mut queue = queue(&["a"]);
    assert_eq!(queue.next(at(0)), Next::Send(1));
    queue.put_off(1, at(0));
    assert_eq!(queue.next(at(1)), Next::Nothing);
    queue.disconnected();
    queue.connected();
    assert_eq!(leaves(&mut queue, at(2)), [1]);
}

/// Sends all events that may be sent now, without settling them.
fn leaves_unsettled(queue: &mut Queue, now: Monotonic) -> Vec<Position> {
    let mut left = Vec::new();
    while let Next::Send(position) = queue.next(now) {
        left.push(position);
    }
    left
}
