//! Learns whether the sizes of a camera's frames tell that something moves, and says so of the frames that arrive.
//!
//! An encoder spends bytes on what changes. With constant quality, frames of a still scene are small, and grow where something
//! moves. With a constant bit rate, or where noise takes most of the bytes, they say nothing. So each camera's groups of
//! pictures are compared with what was found in them: by comparing pictures, and by units. Knows neither clock nor pictures.

mod group;
mod learned;

use self::group::Group;
use self::learned::{Learned, Means};
use crate::vision::monotonic::Monotonic;
use crate::vision::stream_signal::{SignalUse, StreamSignal};
use std::collections::VecDeque;
use std::time::Duration;

/// So long units may take to say that something moves.
const LATEST_SIGHT: Duration = Duration::from_secs(4);

/// A group of which nothing is known by then is left out.
const LONGEST_UNKNOWN: Duration = Duration::from_secs(30);

/// What is found again so soon says nothing more.
const SAME_FINDING: Duration = Duration::from_millis(100);

/// A group moves if something moved in it for so long, or before, in and after it. Where movement begins or ends, its frames
/// need not show it: those of the next group or the one before do.
const LEAST_MOVEMENT: Duration = Duration::from_secs(1);

/// A group is still if nothing was seen so long before and after it either.
const GUARD: Duration = Duration::from_secs(1);

/// Movements that are farther apart are two passages.
const BETWEEN_PASSAGES: Duration = Duration::from_secs(5);

/// Findings of [`LONGEST_UNKNOWN`] with [`SAME_FINDING`] between those of each kind.
const MOST_FINDINGS: usize = 900;

/// Groups that wait for what is found in them.
const MOST_GROUPS: usize = 64;

/// What was found in a picture.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Found {
    /// It looks like the scene.
    Same,
    /// It differs.
    Differs,
    /// A unit saw something move.
    Movement,
}

#[derive(Debug)]
struct Closed {
    from: Monotonic,
    to: Monotonic,
    means: Means,
}

/// The signal of one connection.
#[derive(Debug, Default)]
pub(super) struct Signal {
    group: Option<Group>,
    /// Their content is not known yet.
    closed: VecDeque<Closed>,
    findings: VecDeque<(Monotonic, Found)>,
    learned: Learned,
    /// The end of the newest group that was not quiet.
    unquiet_at: Option<Monotonic>,
    moved_until: Option<Monotonic>,
    /// The newest group had no frame but its keyframe.
    is_bare: bool,
}

impl Signal {
    /// Takes in a frame of so many bytes, weighed by its quantiser where that is known. True if frames rise far above those of a still scene, where that means something.
    pub(super) fn take_in(&mut self, is_keyframe: bool, at: Monotonic, bytes: f32) -> bool {
        if is_keyframe {
            if let Some(group) = self.group.replace(Group::new(at)) {
                self.close(group, at);
            }
            return false;
        }
        let Some((slot, mean)) = self.group.as_mut().and_then(|group| group.add(at, bytes)) else { return false };
        let limits = self.learned.limits().zip(self.learned.rise_in(slot, mean));
        limits.is_some_and(|(limits, rise)| rise >= limits.raised)
    }

    /// True if all groups that have ended since `keyframe` are known to be as those of a still scene.
    pub(super) fn is_quiet_since(&self, keyframe: Monotonic) -> bool {
        self.learned.limits().is_some() && self.unquiet_at.is_none_or(|unquiet| unquiet <= keyframe)
    }

    /// Something was found in a picture that arrived at `at`.
    pub(super) fn found(&mut self, found: Found, at: Monotonic) {
        let is_known = |(before, what): &(Monotonic, Found)| {
            *what == found && at.since(*before).max(before.since(at)) < SAME_FINDING
        };
        if !self.findings.iter().rev().take(8).any(is_known) {
            if self.findings.len() == MOST_FINDINGS {
                self.findings.pop_front();
            }
            self.findings.push_back((at, found));
        }
    }

    /// For the camera's state.
    pub(super) fn state(&self) -> StreamSignal {
        match self.is_bare {
            true => StreamSignal { used: SignalUse::None, auc_percent: None },
            false => self.learned.state(),
        }
    }

    fn close(&mut self, group: Group, to: Monotonic) {
        let (from, means) = (group.from, group.means());
        let rise = self.learned.rise(&means);
        let is_quiet = self.learned.limits().zip(rise).is_some_and(|(limits, rise)| rise <= limits.quiet);
        if !is_quiet {
            self.unquiet_at = Some(to);
        }
        self.is_bare = means.is_empty();
        if !self.is_bare {
            if self.closed.len() == MOST_GROUPS {
                self.closed.pop_front();
            }
            self.closed.push_back(Closed { from, to, means });
        }
        self.settle(to);
    }

    /// Learns from the groups whose content is known by `now`.
    fn settle(&mut self, now: Monotonic) {
        while let Some(group) = self.closed.front() {
            let is_known = now.since(group.to) >= LATEST_SIGHT && self.first_look_after(group.to).is_some();
            let is_given_up = now.since(group.to) >= LONGEST_UNKNOWN;
            let Some(group) = self.closed.pop_front_if(|_| is_known || is_given_up) else { break };
            if !is_known {
                continue;
            }
            if self.moves(&group) {
                self.learn_movement(&group);
            } else if self.is_still(&group) {
                self.learned.was_still(group.means);
            }
        }
        while self.findings.front().is_some_and(|(at, _)| now.since(*at) > 2 * LONGEST_UNKNOWN) {
            self.findings.pop_front();
        }
    }

    fn learn_movement(&mut self, group: &Closed) {
        let is_new = self.moved_until.is_none_or(|until| group.from.since(until) >= BETWEEN_PASSAGES);
        self.moved_until = Some(group.to);
        self.learned.moved(&group.means, is_new);
    }

    /// True if something moves in it for long enough, or before, in and after it. A model that sees now and then what is not
    /// there says so too, so the pictures must differ as well.
    fn moves(&self, group: &Closed) -> bool {
        let lasts = group.to.since(group.from);
        let near = lasts.max(GUARD);
        let when = |what| self.findings.iter().filter(move |(_, found)| *found == what).map(|(at, _)| *at);
        let is_before = |at: Monotonic| at < group.from && group.from.since(at) <= near;
        let is_after = |at: Monotonic| at >= group.to && at.since(group.to) <= near;
        let seen: Vec<Monotonic> = when(Found::Movement).collect();
        let within = seen.iter().filter(|at| (group.from..group.to).contains(at));
        let Some((first, last)) = within.clone().min().zip(within.max()) else { return false };
        let goes_on = seen.iter().any(|at| is_before(*at)) && seen.iter().any(|at| is_after(*at));
        let is_long = last.since(*first) >= LEAST_MOVEMENT;
        let differs = when(Found::Differs).any(|at| at + near >= group.from && at <= group.to + near);
        differs && (is_long || goes_on)
    }

    /// True if the pictures before, in and after it look like the scene.
    fn is_still(&self, group: &Closed) -> bool {
        let differs = |(at, found): &(Monotonic, Found)| {
            *found != Found::Same && *at + GUARD >= group.from && *at <= group.to + GUARD
        };
        let looks = self.findings.iter().filter(|(_, found)| *found != Found::Movement);
        let before = looks.filter(|(at, _)| *at <= group.from).max_by_key(|(at, _)| *at);
        before.is_some_and(|(_, found)| *found == Found::Same)
            && self.first_look_after(group.to) == Some(Found::Same)
            && !self.findings.iter().any(differs)
    }

    fn first_look_after(&self, at: Monotonic) -> Option<Found> {
        let looks = self.findings.iter().filter(|(_, found)| *found != Found::Movement);
        Some(looks.filter(|(look, _)| *look >= at).min_by_key(|(look, _)| *look)?.1)
    }
}

#[cfg(test)]
mod tests;
