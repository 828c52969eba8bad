//! Which event leaves next: decides, and touches neither disk nor network.

use crate::publish::outbox::record::Position;
use crate::vision::monotonic::Monotonic;
use crate::vision::token_bucket::TokenBucket;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Events on their way: handed to the connection, and not yet known to the disk as delivered. It bounds what a fault
/// can have a subscriber see twice.
pub const WINDOW: usize = 100;

/// A camera with more events waiting is behind: it catches up at the drain's pace, and the others go before it.
const BEHIND: usize = 8;

/// How far back the live rate is measured.
const RATE_SECONDS: usize = 10;

/// The drain is never slower than this, events a second, so that a box whose cameras have gone quiet catches up too.
const MIN_DRAIN_RATE: f64 = 20.0;

/// What to do now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Next {
    /// Send this event.
    Send(Position),
    /// Ask again after this time.
    Wait(Duration),
    /// Nothing may leave until something happens.
    Nothing,
}

/// What has not been delivered.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: BTreeMap<Arc<str>, VecDeque<Position>>,
    on_their_way: BTreeMap<Position, Arc<str>>,
    is_connected: bool,
    pace: TokenBucket,
    live: LiveRate,
}

impl Queue {
    pub(super) fn new(now: Monotonic) -> Self {
        Self {
            waiting: BTreeMap::new(),
            on_their_way: BTreeMap::new(),
            is_connected: false,
            pace: TokenBucket::new(0.0, now),
            live: LiveRate::default(),
        }
    }

    /// An event of an earlier run.
    pub(super) fn restore(&mut self, position: Position, camera: Arc<str>) {
        self.waiting.entry(camera).or_default().push_back(position);
    }

    /// A new event.
    pub(super) fn push(&mut self, position: Position, camera: Arc<str>, now: Monotonic) {
        self.live.count(now);
        self.restore(position, camera);
    }

    pub(super) fn connected(&mut self) {
        self.is_connected = true;
    }

    /// What was on its way and was not acknowledged goes again, in its old place.
    pub(super) fn disconnected(&mut self) {
        self.is_connected = false;
        for (position, camera) in std::mem::take(&mut self.on_their_way).into_iter().rev() {
            self.waiting.entry(camera).or_default().push_front(position);
        }
    }

    /// Which event may leave, oldest first within a camera. Cameras that keep up go at once; those that are behind at
    /// twice the live rate.
    pub(super) fn next(&mut self, now: Monotonic) -> Next {
        if !self.is_connected || self.on_their_way.len() >= WINDOW {
            return Next::Nothing;
        }
        let oldest = |is_behind: bool| {
            let lanes = self.waiting.values().filter(move |lane| (lane.len() > BEHIND) == is_behind);
            lanes.filter_map(|lane| lane.front().copied()).min()
        };
        let (behind, live) = (oldest(true), oldest(false));
        let rate = (2.0 * self.live.per_second(now)).max(MIN_DRAIN_RATE);
        // The drain has its turn first, or a busy camera would keep the others' past waiting for ever.
        let wait = match behind.map(|position| (position, self.pace.take(rate, (rate / 10.0).max(1.0), now))) {
            Some((position, Ok(()))) => return self.take(position),
            Some((_, Err(wait))) => Some(wait),
            None => None,
        };
        match (live, wait) {
            (Some(position), _) => self.take(position),
            (None, Some(wait)) => Next::Wait(wait),
            (None, None) => Next::Nothing,
        }
    }

    fn take(&mut self, position: Position) -> Next {
        let lane = self.waiting.iter_mut().find(|(_, lane)| lane.front() == Some(&position));
        if let Some((camera, lane)) = lane {
            lane.pop_front();
            self.on_their_way.insert(position, Arc::clone(camera));
        }
        self.waiting.retain(|_, lane| !lane.is_empty());
        Next::Send(position)
    }

    /// The disk knows that this event was delivered, or given up.
    pub(super) fn settled(&mut self, position: Position) {
        if self.on_their_way.remove(&position).is_none() {
            // It was acknowledged after its connection was given up for lost.
            self.waiting.values_mut().for_each(|lane| lane.retain(|one| *one != position));
            self.waiting.retain(|_, lane| !lane.is_empty());
        }
    }

    /// Takes out the oldest `count` events that are not on their way, because there is no room for them.
    pub(super) fn drop_oldest(&mut self, count: usize) -> Vec<Position> {
        let mut dropped = Vec::new();
        while dropped.len() < count {
            let oldest = self.waiting.values().filter_map(|lane| lane.front().copied()).min();
            let Some(oldest) = oldest else { break };
            for lane in self.waiting.values_mut().filter(|lane| lane.front() == Some(&oldest)) {
                lane.pop_front();
            }
            dropped.push(oldest);
        }
        self.waiting.retain(|_, lane| !lane.is_empty());
        dropped
    }

    /// Forgets all that waits but this, until it can be read again.
    pub(super) fn keep_only(&mut self, keep: impl Fn(Position) -> bool) {
        self.waiting.values_mut().for_each(|lane| lane.retain(|position| keep(*position)));
        self.waiting.retain(|_, lane| !lane.is_empty());
        self.on_their_way.retain(|position, _| keep(*position));
    }

    /// Forgets all that is not delivered, to be told of it anew.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.on_their_way.clear();
    }

    /// Events that are not delivered.
    pub(super) fn len(&self) -> usize {
        self.on_their_way.len() + self.waiting.values().map(VecDeque::len).sum::<usize>()
    }

    pub(super) fn on_their_way(&self) -> usize {
        self.on_their_way.len()
    }
}

/// New events a second over the last [`RATE_SECONDS`], also while nobody takes them.
#[derive(Debug, Default)]
struct LiveRate {
    /// Events in each second that had some, newest last.
    seconds: VecDeque<(u64, u32)>,
}

impl LiveRate {
    fn count(&mut self, now: Monotonic) {
        let second = now.as_nanos() / 1_000_000_000;
        match self.seconds.back_mut() {
            Some((last, count)) if *last == second => *count += 1,
            _ => self.seconds.push_back((second, 1)),
        }
        self.forget_before(second);
    }

    fn forget_before(&mut self, second: u64) {
        while self.seconds.front().is_some_and(|(at, _)| at + RATE_SECONDS as u64 <= second) {
            self.seconds.pop_front();
        }
    }

    fn per_second(&mut self, now: Monotonic) -> f64 {
        let second = now.as_nanos() / 1_000_000_000;
        self.forget_before(second);
        let span = self.seconds.front().map_or(1, |(first, _)| second.saturating_sub(*first) + 1);
        let count: u32 = self.seconds.iter().map(|(_, count)| count).sum();
        f64::from(count) / span as f64
    }
}

#[cfg(test)]
mod tests {
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

    /// All that leaves at once, each settled as soon as it has left.
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
        assert_eq!(queue.next(at(0)), Next::Nothing, "nobody is connected");
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
            assert!(camera != "live" || left.contains(&position), "a live event leaves at once");
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
}
