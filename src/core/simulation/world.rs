//! The simulated world around a core: a queue of planned actions of children, disk and clients, and the shell's turns.

use crate::core::simulation::books::Books;
use crate::core::simulation::box_of::BoxSettings;
use crate::core::simulation::children::{SimCamera, SimCapture, SimUnit};
use crate::core::simulation::dice::Dice;
use crate::core::simulation::faults::Fault;
use crate::core::simulation::wanted::Wanted;
use crate::core::{Core, Event};
use crate::ipc::messages::{CameraIndex, RequestId};
use crate::supervisor::unit_state::UnitId;
use crate::vision::monotonic::Monotonic;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

/// Nanoseconds of a millisecond.
pub(super) const MS: u64 = 1_000_000;

/// The period of ticks while the core is at rest, as the shell has it.
const TICK_AT_REST_MS: u64 = 250;

/// A planned action. The `u64` of a process is its generation.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Next {
    Tick,
    Memory,
    Check,
    UnitReady(UnitId, u64),
    UnitFails(UnitId, u64),
    UnitAnswers(UnitId, u64, RequestId),
    UnitExits(UnitId, u64),
    CaptureStarts(usize, u64),
    Heartbeat(usize, u64),
    CaptureExits(usize, u64),
    Connects(usize, u64, CameraIndex),
    Frame(usize, u64, CameraIndex),
    /// A pending result arrives: of the disk, a package or a picture.
    Result(usize),
    ImageComes(usize, u64),
    Fault(usize),
    Resume,
}

/// The violation that ended a run.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) at_ms: u64,
    pub(super) what: String,
}

/// The simulated world.
#[derive(Debug)]
pub(super) struct World {
    pub(super) core: Core,
    pub(super) settings: BoxSettings,
    /// Cameras and models of the settings in force.
    pub(super) wanted: Wanted,
    pub(super) now: u64,
    pub(super) dice: Dice,
    pub(super) tick_ms: u64,
    /// The period of checks of the whole status.
    check_ms: u64,
    queue: BinaryHeap<Reverse<(u64, u64, Next)>>,
    order: u64,
    pub(super) faults: Vec<(u64, Fault)>,
    pub(super) units: BTreeMap<UnitId, SimUnit>,
    pub(super) captures: Vec<SimCapture>,
    pub(super) cameras: Vec<SimCamera>,
    pub(super) generations: u64,
    /// Pending results, taken out when they arrive.
    pub(super) results: Vec<Option<Event>>,
    /// Events that the shell has not read yet.
    pub(super) inbox: VecDeque<Event>,
    is_paused: bool,
    /// The total time in nanoseconds for which the daemon was suspended.
    pub(super) paused: u64,
    last_turn: u64,
    tick_is_due: bool,
    /// When each fault of the box ends.
    pub(super) trouble: Trouble,
    pub(super) books: Books,
    pub(super) failure: Option<Failure>,
    /// Events that the core has applied.
    pub(super) events: u64,
    /// The last actions, if the run is traced.
    pub(super) trace: Option<VecDeque<String>>,
}

/// When each fault of the box ends, in nanoseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble {
    pub(super) zones: [u64; 2],
    pub(super) processes: u64,
    pub(super) shared_memory: u64,
    pub(super) disk_refuses: u64,
    pub(super) disk_slow: u64,
    pub(super) memory: u64,
}

impl World {
    pub(super) fn new(settings: BoxSettings, faults: Vec<(u64, Fault)>, seed: u64, tick_ms: u64) -> Self {
        let wanted = settings.wanted();
        Self::with(settings, wanted, faults, seed, tick_ms)
    }

    /// A box whose settings were edited before it started.
    pub(super) fn with(
        settings: BoxSettings,
        wanted: Wanted,
        faults: Vec<(u64, Fault)>,
        seed: u64,
        tick_ms: u64,
    ) -> Self {
        let start = 1_000 * MS;
        let core = Core::new(settings.plan(&wanted), Monotonic::from_nanos(start));
        let groups = settings.cameras.div_ceil(usize::from(settings.cameras_per_process));
        let mut world = Self {
            core,
            now: start,
            dice: Dice::new(seed),
            tick_ms,
            check_ms: tick_ms * 50,
            queue: BinaryHeap::new(),
            order: 0,
            units: BTreeMap::new(),
            captures: (0..groups).map(|_| SimCapture::default()).collect(),
            cameras: vec![SimCamera::default(); settings.cameras],
            settings,
            wanted,
            generations: 0,
            results: Vec::new(),
            inbox: VecDeque::new(),
            is_paused: false,
            paused: 0,
            last_turn: start,
            tick_is_due: false,
            trouble: Trouble::default(),
            books: Books::default(),
            failure: None,
            events: 0,
            trace: None,
            faults,
        };
        for fault in 0..world.faults.len() {
            world.plan_at(start + world.faults[fault].0 * MS, Next::Fault(fault));
        }
        for next in [Next::Tick, Next::Memory, Next::Check] {
            world.plan(0, next);
        }
        world
    }

    pub(super) fn monotonic(&self) -> Monotonic {
        Monotonic::from_nanos(self.now)
    }

    /// The time in nanoseconds for which the daemon was not suspended.
    pub(super) fn active(&self) -> u64 {
        self.now - self.paused
    }

    /// Milliseconds since the run began.
    pub(super) fn ms(&self) -> u64 {
        self.now / MS - 1_000
    }

    /// Plans an action after a delay in nanoseconds.
    pub(super) fn plan(&mut self, after: u64, next: Next) {
        self.plan_at(self.now + after, next);
    }

    fn plan_at(&mut self, at: u64, next: Next) {
        self.order += 1;
        self.queue.push(Reverse((at, self.order, next)));
    }

    /// Plans the arrival of a result after a delay in nanoseconds.
    pub(super) fn plan_result(&mut self, after: u64, event: Event) {
        let free = self.results.iter().position(Option::is_none).unwrap_or(self.results.len());
        if free == self.results.len() {
            self.results.push(None);
        }
        self.results[free] = Some(event);
        self.plan(after, Next::Result(free));
    }

    /// Ends the run with a violation.
    pub(super) fn fail(&mut self, what: impl Into<String>) {
        if self.failure.is_none() {
            self.failure = Some(Failure { at_ms: self.ms(), what: what.into() });
        }
    }

    pub(super) fn note(&mut self, what: impl FnOnce() -> String) {
        let ms = self.ms();
        if let Some(trace) = &mut self.trace {
            if trace.len() == 60 {
                trace.pop_front();
            }
            trace.push_back(format!("{ms} ms: {}", what()));
        }
    }

    /// Runs for some simulated seconds, or until a violation.
    pub(super) fn run(&mut self, seconds: u64) {
        let end = self.now + seconds * 1_000 * MS;
        // What is due later stays in the queue, for a further run.
        while self.queue.peek().is_some_and(|Reverse((at, _, _))| *at <= end) && self.failure.is_none() {
            let Some(Reverse((at, _, next))) = self.queue.pop() else { return };
            self.now = at;
            self.happen(next);
            if !self.is_paused {
                self.turn();
            }
        }
    }

    fn happen(&mut self, next: Next) {
        match next {
            Next::Tick => {
                self.tick_is_due = true;
                let jitter = self.dice.between(0, 2);
                let period = if self.core.is_at_rest() { self.tick_ms.max(TICK_AT_REST_MS) } else { self.tick_ms };
                self.plan((period + jitter) * MS, Next::Tick);
            }
            Next::Memory => {
                self.measure_memory();
                self.plan(2_000 * MS, Next::Memory);
            }
            Next::Check => {
                if !self.is_paused {
                    self.check();
                }
                self.plan(self.check_ms * MS, Next::Check);
            }
            Next::UnitReady(unit, generation) => self.unit_ready(unit, generation),
            Next::UnitFails(unit, generation) => self.unit_fails(unit, generation),
            Next::UnitAnswers(unit, generation, request) => self.unit_answers(unit, generation, request),
            Next::UnitExits(unit, generation) => self.unit_exits(unit, generation),
            Next::CaptureStarts(group, generation) => self.capture_starts(group, generation),
            Next::Heartbeat(group, generation) => self.heartbeat(group, generation),
            Next::CaptureExits(group, generation) => self.capture_exits(group, generation),
            Next::Connects(group, generation, index) => self.connects(group, generation, index),
            Next::Frame(group, generation, index) => self.frame(group, generation, index),
            Next::Result(number) => self.inbox.extend(self.results[number].take()),
            Next::ImageComes(model, patience_ms) => self.image(model, patience_ms),
            Next::Fault(fault) => {
                let fault = self.faults[fault].1;
                self.note(|| format!("{fault:?}"));
                self.happens(fault);
            }
            Next::Resume => self.is_paused = false,
        }
    }

    /// Suspends the daemon.
    pub(super) fn pause(&mut self, ms: u64) {
        if !self.is_paused {
            self.is_paused = true;
            self.plan(ms * MS, Next::Resume);
        }
    }

    /// One turn of the shell: everything that is queued, at most one tick, then all effects.
    fn turn(&mut self) {
        let gap = self.now - self.last_turn;
        self.last_turn = self.now;
        let mut events = VecDeque::new();
        if gap >= 500 * MS {
            events.push_back(Event::Paused(Duration::from_nanos(gap)));
            self.paused += gap;
        }
        events.append(&mut self.inbox);
        if std::mem::take(&mut self.tick_is_due) {
            events.push_back(Event::Tick);
        }
        while !events.is_empty() && self.failure.is_none() {
            let mut effects = Vec::new();
            for event in events.drain(..) {
                self.events += 1;
                let place = self.books.place_of(&event);
                let decided = self.core.apply(event, Monotonic::from_nanos(self.now));
                if let Some(place) = place {
                    self.books.announce(place, &decided);
                }
                effects.extend(decided);
            }
            for effect in effects {
                events.extend(self.perform(effect));
            }
            let (open, in_flight) = (self.books.open(), self.core.in_flight());
            // All frames and images that arrived or ended in this turn are recorded by now.
            if events.is_empty() && open != in_flight {
                self.fail(format!("{open} frames and images have no outcome, and {in_flight} are in flight"));
            }
        }
    }
}
