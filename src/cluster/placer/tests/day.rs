//! One simulated day: what happens to boxes, the placer's decisions carried out, and the books kept of both.

use super::site::{BOXES, DAY, Dice, Event, Machine, REST, cameras, course, machine};
use super::{BoxState, CameraNeed, Move, MoveReason, Placer, PlacerSettings};
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;

/// How long boxes may be used unevenly after something has happened to one, in seconds: they settle for 30, and a camera a
/// second moves.
pub(super) const WINDOW: u64 = 120;

/// The counts of one day, or several.
#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    pub(super) deaths: u64,
    pub(super) returns: u64,
    pub(super) at_once: u64,
    pub(super) slow: u64,
    pub(super) others_at_a_death: u64,
    pub(super) at_returns: u64,
    pub(super) most_at_a_return: u64,
    pub(super) by_wobble: u64,
    pub(super) uneven_late: u64,
    pub(super) longest_uneven: u64,
    pub(super) judged: u64,
    pub(super) not_judged: u64,
    pub(super) late_at_rest: u64,
    pub(super) decisions: u64,
}

impl Books {
    pub(super) fn add(&mut self, other: &Self) {
        self.deaths += other.deaths;
        self.returns += other.returns;
        self.at_once += other.at_once;
        self.slow += other.slow;
        self.others_at_a_death += other.others_at_a_death;
        self.at_returns += other.at_returns;
        self.most_at_a_return = self.most_at_a_return.max(other.most_at_a_return);
        self.by_wobble += other.by_wobble;
        self.uneven_late += other.uneven_late;
        self.longest_uneven = self.longest_uneven.max(other.longest_uneven);
        self.judged += other.judged;
        self.not_judged += other.not_judged;
        self.late_at_rest += other.late_at_rest;
        self.decisions += other.decisions;
    }
}

/// The site in the course of its day.
#[derive(Debug)]
pub(super) struct Day {
    placer: Placer,
    machines: Vec<Machine>,
    boxes: BTreeMap<String, BoxState>,
    cameras: BTreeMap<CameraId, CameraNeed>,
    plan: BTreeMap<CameraId, String>,
    events: Vec<(u64, usize, Event)>,
    books: Books,
    /// The last event but for wobbling, and when it was.
    last: (u64, Event),
    since_return: u64,
    uneven_since: Option<u64>,
    /// What the placer takes for uneven, or nearly so.
    may_be_uneven: bool,
}

impl Day {
    pub(super) fn new(seed: u64, moves_per_second: f32) -> Self {
        let mut dice = Dice(seed);
        let machines: Vec<Machine> = (0..BOXES).map(|number| machine(&mut dice, number)).collect();
        let cameras = cameras(&mut dice, &machines);
        let mut events: Vec<_> = (0..BOXES).flat_map(|number| course(&mut dice, number)).collect();
        events.sort_by_key(|(second, number, _)| (*second, *number));
        let boxes = machines.iter().map(|machine| (machine.name.clone(), machine.state())).collect();
        let placer = Placer::new(PlacerSettings { moves_per_second, ..PlacerSettings::default() });
        let (plan, books, last) = (BTreeMap::new(), Books::default(), (0, Event::Returns));
        Self {
            placer,
            machines,
            boxes,
            cameras,
            plan,
            events,
            books,
            last,
            since_return: 0,
            uneven_since: None,
            may_be_uneven: true,
        }
    }

    /// Lets the day pass, and returns what was counted.
    pub(super) fn run(mut self) -> Books {
        let mut second = 0;
        let mut moved_at = 0;
        for (due, number, event) in std::mem::take(&mut self.events) {
            second = self.pass(second, due, &mut moved_at);
            self.happen(second, number, event, &mut moved_at);
        }
        self.pass(second, DAY, &mut moved_at);
        self.books
    }

    /// Decides each second while cameras move, every five while some may, and not at all while nothing can happen.
    fn pass(&mut self, from: u64, to: u64, moved_at: &mut u64) -> u64 {
        let mut second = from;
        while second < to {
            let busy_until = (*moved_at).max(self.last.0) + 100;
            let step = if second < *moved_at + 3 { 1 } else { 5 };
            let next = if second < busy_until { (second + step).min(to) } else { to };
            self.judge(second, next);
            second = next;
            if second < to && !self.decide(second).is_empty() {
                *moved_at = second;
            }
        }
        second
    }

    fn happen(&mut self, second: u64, number: usize, event: Event, moved_at: &mut u64) {
        let was_at_rest = second > (*moved_at).max(self.last.0) + 100;
        let machine = &mut self.machines[number];
        match event {
            Event::Dies => machine.is_alive = false,
            Event::Returns => (machine.is_alive, machine.throttle) = (true, 1.0),
            Event::Drains => machine.is_draining = true,
            Event::Undrains => machine.is_draining = false,
            Event::Throttles(share) => machine.throttle = share,
            Event::Wobbles(share) => machine.wobble = share,
        }
        let (name, state) = (machine.name.clone(), machine.is_alive.then(|| machine.state()));
        match state {
            Some(state) => drop(self.boxes.insert(name.clone(), state)),
            None => drop(self.boxes.remove(&name)),
        }
        if !matches!(event, Event::Wobbles(_)) {
            (self.last, self.since_return) = ((second, event), 0);
        }
        let moves = self.decide(second);
        if !moves.is_empty() {
            *moved_at = second;
        }
        match event {
            Event::Dies => {
                self.books.deaths += 1;
                let others = moves.iter().filter(|one| one.from.as_ref() != Some(&name));
                self.books.others_at_a_death += others.filter(|one| one.why != MoveReason::New).count() as u64;
            }
            Event::Returns => self.books.returns += 1,
            Event::Wobbles(_) if was_at_rest => self.books.by_wobble += moves.len() as u64,
            _ => {}
        }
    }

    fn decide(&mut self, second: u64) -> Vec<Move> {
        let now = Monotonic::from_nanos((second + 1) * 1_000_000_000);
        let decision = self.placer.decide(&self.boxes, &self.cameras, &self.plan, now);
        assert!(decision.unplaced.is_empty() && decision.held.is_empty(), "{decision:?}");
        let used = || decision.use_of.values().copied();
        // What counts is within a quarter of the truth.
        self.may_be_uneven = used().any(|used| used > 0.76) && used().any(|used| used < 0.76);
        for Move { camera, to, why, .. } in &decision.moves {
            self.plan.insert(camera.clone(), to.clone());
            if !why.is_slow() {
                self.books.at_once += u64::from(*why != MoveReason::New);
                continue;
            }
            self.books.slow += 1;
            if self.last.1 == Event::Returns && self.last.0 > 0 {
                self.since_return += 1;
                self.books.at_returns += 1;
                self.books.most_at_a_return = self.books.most_at_a_return.max(self.since_return);
            }
        }
        if second > DAY - REST / 2 {
            self.books.late_at_rest += decision.moves.len() as u64;
        }
        self.books.decisions += 1;
        decision.moves
    }

    /// Counts how boxes are used from one second to another, by what they really can do.
    fn judge(&mut self, from: u64, to: u64) {
        let late = to.saturating_sub(from.max(self.last.0 + WINDOW));
        self.books.judged += late;
        self.books.not_judged += to - from - late;
        if !self.may_be_uneven || !self.is_uneven() {
            self.uneven_since = None;
            return;
        }
        let since = *self.uneven_since.get_or_insert(from);
        self.books.longest_uneven = self.books.longest_uneven.max(to - since);
        self.books.uneven_late += late;
    }

    fn is_uneven(&self) -> bool {
        let mut used: BTreeMap<&str, f64> = BTreeMap::new();
        let machines = self.machines.iter().filter(|machine| machine.is_alive && !machine.is_draining);
        let by_name: BTreeMap<&str, &Machine> = machines.map(|machine| (machine.name.as_str(), machine)).collect();
        used.extend(by_name.keys().map(|name| (*name, 0.0)));
        for (camera, name) in &self.plan {
            let (Some(machine), need) = (by_name.get(name.as_str()), &self.cameras[camera]) else { continue };
            let share = f64::from(need.tps) / (machine.speed[need.model.as_str()] * machine.throttle);
            *used.get_mut(name.as_str()).unwrap() += share;
        }
        used.values().any(|used| *used > 0.95) && used.values().any(|used| *used < 0.60)
    }
}
