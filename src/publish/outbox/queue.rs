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

/// How long a camera's events rest of which the broker has refused one.
const REST: Duration = Duration::from_secs(60);

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
    /// Cameras whose events the broker refuses, and when one is tried again.
    rests: BTreeMap<Arc<str>, Monotonic>,
    is_connected: bool,
    pace: TokenBucket,
    live: LiveRate,
}

impl Queue {
    pub(super) fn new(now: Monotonic) -> Self {
        Self {
            waiting: BTreeMap::new(),
            on_their_way: BTreeMap::new(),
            rests: BTreeMap::new(),
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
        self.rests.clear();
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
            let may_leave = |camera: &Arc<str>| self.rests.get(camera).is_none_or(|until| now >= *until);
            let lanes = self.waiting.iter().filter(|(_, lane)| (lane.len() > BEHIND) == is_behind);
            lanes.filter(|(camera, _)| may_leave(camera)).filter_map(|(_, lane)| lane.front().copied()).min()
        };
        let (behind, live) = (oldest(true), oldest(false));
        let rate = (2.0 * self.live.per_second(now)).max(MIN_DRAIN_RATE);
        // The drain has its turn first, or a busy camera would keep the others' past waiting for ever.
        let wait = match behind.map(|position| (position, self.pace.take(rate, (rate / 10.0).max(1.0), now))) {
            Some((position, Ok(()))) => return self.take(position, now),
            Some((_, Err(wait))) => Some(wait),
            None => None,
        };
        match (live, wait) {
            (Some(position), _) => self.take(position, now),
            (None, Some(wait)) => Next::Wait(wait),
            (None, None) => Next::Nothing,
        }
    }

    fn take(&mut self, position: Position, now: Monotonic) -> Next {
        let lane = self.waiting.iter_mut().find(|(_, lane)| lane.front() == Some(&position));
        if let Some((camera, lane)) = lane {
            lane.pop_front();
            self.on_their_way.insert(position, Arc::clone(camera));
            // After a rest one is tried, and the others of its camera wait for its answer.
            self.rests.entry(Arc::clone(camera)).and_modify(|until| *until = now + REST);
        }
        self.waiting.retain(|_, lane| !lane.is_empty());
        Next::Send(position)
    }

    /// The broker does not have it now: it goes back to its place, and its camera rests. The others go on.
    pub(super) fn put_off(&mut self, position: Position, now: Monotonic) {
        if let Some(camera) = self.on_their_way.remove(&position) {
            let lane = self.waiting.entry(Arc::clone(&camera)).or_default();
            lane.insert(lane.partition_point(|one| *one < position), position);
            self.rests.insert(camera, now + REST);
        }
    }

    /// The disk knows that this event was delivered, or given up.
    pub(super) fn settled(&mut self, position: Position) {
        match self.on_their_way.remove(&position) {
            Some(camera) => drop(self.rests.remove(&camera)),
            // It was acknowledged after its connection was given up for lost.
            None => {
                self.waiting.values_mut().for_each(|lane| lane.retain(|one| *one != position));
                self.waiting.retain(|_, lane| !lane.is_empty());
            }
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
mod tests;
