//! Decides which event is sent next. Touches neither disk nor network.

use crate::publish::outbox::record::Position;
use crate::vision::monotonic::Monotonic;
use crate::vision::token_bucket::TokenBucket;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Send window: the events that were handed to the connection and are not marked as delivered on disk. A fault can
/// duplicate at most this many.
pub const WINDOW: usize = 100;

/// A camera with more queued events has a backlog: it is throttled to the drain rate, and the others overtake it.
const BEHIND: usize = 8;

/// Length of the window over which the rate of new events is measured.
const RATE_SECONDS: usize = 10;

/// Lower limit of the drain rate in events a second, so that a box with quiet cameras works off its backlog too.
const MIN_DRAIN_RATE: f64 = 20.0;

/// How long a camera's events pause after the broker rejected one.
const REST: Duration = Duration::from_secs(60);

/// What the keeper should do now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Next {
    /// Send this event.
    Send(Position),
    /// Ask again after this time.
    Wait(Duration),
    /// Nothing can be sent until something changes.
    Nothing,
}

/// The undelivered events.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: BTreeMap<Arc<str>, VecDeque<Position>>,
    on_their_way: BTreeMap<Position, Arc<str>>,
    /// Cameras whose events the broker rejects, and when the next one is tried.
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

    /// Adds an event of an earlier run.
    pub(super) fn restore(&mut self, position: Position, camera: Arc<str>) {
        self.waiting.entry(camera).or_default().push_back(position);
    }

    /// Adds a new event.
    pub(super) fn push(&mut self, position: Position, camera: Arc<str>, now: Monotonic) {
        self.live.count(now);
        self.restore(position, camera);
    }

    pub(super) fn connected(&mut self) {
        self.is_connected = true;
    }

    /// Puts events in flight back to their old places, to be sent again.
    pub(super) fn disconnected(&mut self) {
        self.is_connected = false;
        self.rests.clear();
        for (position, camera) in std::mem::take(&mut self.on_their_way).into_iter().rev() {
            self.waiting.entry(camera).or_default().push_front(position);
        }
    }

    /// The event to send now, oldest first within a camera. Cameras without a backlog send at once; all backlogs
    /// together drain at twice the rate of new events.
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
        // Backlogs come first, or one busy camera could starve them.
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
            // After a pause one event is tried, and the others of its camera wait for the result.
            self.rests.entry(Arc::clone(camera)).and_modify(|until| *until = now + REST);
        }
        self.waiting.retain(|_, lane| !lane.is_empty());
        Next::Send(position)
    }

    /// The broker rejected the event for now: it goes back to its place, and its camera pauses. Other cameras go on.
    pub(super) fn put_off(&mut self, position: Position, now: Monotonic) {
        if let Some(camera) = self.on_their_way.remove(&position) {
            let lane = self.waiting.entry(Arc::clone(&camera)).or_default();
            lane.insert(lane.partition_point(|one| *one < position), position);
            self.rests.insert(camera, now + REST);
        }
    }

    /// The event is marked on disk as delivered or given up.
    pub(super) fn settled(&mut self, position: Position) {
        match self.on_their_way.remove(&position) {
            Some(camera) => drop(self.rests.remove(&camera)),
            // It was acknowledged after its connection counted as lost.
            None => {
                self.waiting.values_mut().for_each(|lane| lane.retain(|one| *one != position));
                self.waiting.retain(|_, lane| !lane.is_empty());
            }
        }
    }

    /// Removes the oldest `count` events that are not in flight, because the store is full.
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

    /// Removes all events but these, until the others can be read again.
    pub(super) fn keep_only(&mut self, keep: impl Fn(Position) -> bool) {
        self.waiting.values_mut().for_each(|lane| lane.retain(|position| keep(*position)));
        self.waiting.retain(|_, lane| !lane.is_empty());
        self.on_their_way.retain(|position, _| keep(*position));
    }

    /// Removes all events, to be filled again from disk.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.on_their_way.clear();
    }

    /// Number of undelivered events.
    pub(super) fn len(&self) -> usize {
        self.on_their_way.len() + self.waiting.values().map(VecDeque::len).sum::<usize>()
    }

    /// True for an event that was handed to the present connection.
    pub(super) fn is_on_its_way(&self, position: Position) -> bool {
        self.on_their_way.contains_key(&position)
    }

    pub(super) fn on_their_way(&self) -> usize {
        self.on_their_way.len()
    }
}

/// New events a second over the last [`RATE_SECONDS`], also while disconnected.
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
