//! The supervisor without a child: a box is driven by verbs and every frame must end once.

use super::*;
use crate::ipc::messages::RegionId;
use crate::vision::frame::{Colorimetry, Frame, Picture, PixelFormat};
use proptest::prelude::*;

/// A box with scripted units.
struct TestBox {
    supervisor: Supervisor,
    now: Monotonic,
    numbers: u64,
    dispatched: Vec<(usize, RequestId)>,
    ended: Vec<(u64, Outcome)>,
    killed: Vec<usize>,
    started: Vec<usize>,
}

impl TestBox {
    fn new(units: usize) -> Self {
        let now = Monotonic::from_nanos(1_000_000_000);
        let mut controller = Controller::new(Duration::from_secs(1));
        controller.add_camera(CameraId::new("a").unwrap(), 1);
        controller.add_camera(CameraId::new("b").unwrap(), 1);
        let supervisor = Supervisor::new(units, controller, Duration::from_secs(60), Duration::from_secs(10), now);
        let (dispatched, ended, killed, started) = Default::default();
        Self { supervisor, now, numbers: 0, dispatched, ended, killed, started }
    }

    fn ready(units: usize) -> Self {
        let mut test_box = Self::new(units);
        test_box.wait(0);
        for unit in 0..units {
            test_box.load(unit);
        }
        test_box
    }

    fn carry_out(&mut self, actions: Vec<SupervisorAction>) {
        for action in actions {
            match action {
                SupervisorAction::Start { unit } => {
                    self.started.push(unit);
                    self.supervisor.unit_started(unit, self.now);
                }
                SupervisorAction::Kill { unit, .. } => self.killed.push(unit),
                SupervisorAction::Dispatch { unit, request, .. } => self.dispatched.push((unit, request)),
                SupervisorAction::Ended { work, outcome, .. } => self.ended.push((work.number, outcome)),
            }
        }
    }

    fn wait(&mut self, ms: u64) {
        self.now = self.now + Duration::from_millis(ms);
        let actions = self.supervisor.tick(self.now);
        self.carry_out(actions);
    }

    fn load(&mut self, unit: usize) {
        let actions = self.supervisor.unit_ready(unit, self.now);
        self.carry_out(actions);
    }

    fn capture(&mut self, camera: &str) -> u64 {
        self.numbers += 1;
        let picture = Picture::new(PixelFormat::I420, 64, 64, Colorimetry::default()).unwrap();
        let frame = Frame { sequence: self.numbers, captured_at: self.now, slot: 0, picture };
        let camera = CameraId::new(camera).unwrap();
        let work = FrameWork { camera, number: self.numbers, frame, region: RegionId(0) };
        let actions = self.supervisor.frame_captured(work, self.now);
        self.carry_out(actions);
        self.numbers
    }

    fn miss_a_slot(&mut self) {
        self.supervisor.frame_without_slot(&CameraId::new("a").unwrap());
        self.ended.push((0, Outcome::Shed(ShedReason::NoFreeSlot)));
    }

    fn answer(&mut self, unit: usize, request: RequestId) {
        let answer = Answer { detections: vec![], timing: UnitTiming::default(), queued: Duration::ZERO };
        let actions = self.supervisor.unit_answered(unit, request, Ok(answer), self.now);
        self.carry_out(actions);
    }

    fn die(&mut self, unit: usize) {
        let actions = self.supervisor.unit_ended(unit, self.now);
        self.carry_out(actions);
    }

    fn assert_ledger_closes(&self) {
        let mut total = Ledger::default();
        self.supervisor.status().ledgers.values().for_each(|ledger| total.add(ledger));
        assert!(total.closes(self.supervisor.in_flight()), "{total:?} + {}", self.supervisor.in_flight());
        assert_eq!(total.ended(), self.ended.len() as u64, "each outcome is told once");
    }
}

#[test]
fn a_frame_goes_to_an_idle_unit_and_comes_back_detected() {
    let mut test_box = TestBox::ready(1);
    let frame = test_box.capture("a");
    let (unit, request) = test_box.dispatched[0];
    test_box.answer(unit, request);
    assert_eq!(test_box.ended, [(frame, Outcome::Detected)]);
    test_box.assert_ledger_closes();
}

#[test]
fn while_the_unit_is_busy_only_the_newest_frame_waits() {
    let mut test_box = TestBox::ready(1);
    test_box.capture("a");
    let older = test_box.capture("a");
    test_box.capture("a");
    assert_eq!(test_box.ended, [(older, Outcome::Shed(ShedReason::Superseded))]);
    assert_eq!(test_box.supervisor.in_flight(), 2);
}

#[test]
fn a_hung_unit_is_killed_and_its_frame_is_counted_as_failed() {
    let mut test_box = TestBox::ready(1);
    let frame = test_box.capture("a");
    test_box.wait(9_999);
    assert!(test_box.killed.is_empty());
    test_box.wait(2);
    assert_eq!(test_box.killed, [0]);
    assert_eq!(test_box.ended, [(frame, Outcome::Failed(FailureCause::UnitHung))]);
    test_box.die(0);
    test_box.wait(250);
    assert_eq!(test_box.started, [0, 0]);
    test_box.assert_ledger_closes();
}

#[test]
fn a_measured_service_time_shortens_the_deadline_to_two_seconds() {
    let mut test_box = TestBox::ready(1);
    test_box.capture("a");
    test_box.wait(30);
    let (unit, request) = test_box.dispatched[0];
    test_box.answer(unit, request);
    test_box.capture("a");
    test_box.wait(2_100);
    assert_eq!(test_box.killed, [0]);
}

#[test]
fn a_dead_unit_costs_its_frame_and_another_unit_works_on() {
    let mut test_box = TestBox::ready(2);
    let lost = test_box.capture("a");
    test_box.die(0);
    assert_eq!(test_box.ended, [(lost, Outcome::Failed(FailureCause::UnitDied))]);
    test_box.capture("a");
    assert_eq!(test_box.dispatched[1].0, 1);
    test_box.assert_ledger_closes();
}

#[test]
fn a_unit_that_hangs_while_loading_is_killed() {
    let mut test_box = TestBox::new(1);
    test_box.wait(0);
    test_box.wait(60_001);
    assert_eq!(test_box.killed, [0]);
}

#[test]
fn an_answer_to_an_unknown_request_kills_the_unit_and_fails_its_frame() {
    let mut test_box = TestBox::ready(1);
    let frame = test_box.capture("a");
    test_box.answer(0, RequestId(999));
    assert_eq!(test_box.killed, [0]);
    assert_eq!(test_box.ended, [(frame, Outcome::Failed(FailureCause::UnitDied))]);
    test_box.answer(0, test_box.dispatched[0].1);
    assert_eq!(test_box.ended.len(), 1, "what a dying unit says does not count");
    test_box.assert_ledger_closes();
}

#[test]
fn a_frame_that_waits_for_a_unit_too_long_is_shed_as_stale() {
    let mut test_box = TestBox::new(1);
    let frame = test_box.capture("a");
    test_box.wait(1_001);
    assert_eq!(test_box.ended, [(frame, Outcome::Shed(ShedReason::Stale))]);
}

#[test]
fn draining_finishes_what_units_do_and_sheds_the_rest() {
    let mut test_box = TestBox::ready(1);
    let worked_on = test_box.capture("a");
    let waiting = test_box.capture("a");
    let actions = test_box.supervisor.drain();
    test_box.carry_out(actions);
    let late = test_box.capture("a");
    let draining = Outcome::Shed(ShedReason::Draining);
    assert_eq!(test_box.ended, [(waiting, draining), (late, draining)]);
    let (unit, request) = test_box.dispatched[0];
    test_box.answer(unit, request);
    assert_eq!(test_box.ended[2], (worked_on, Outcome::Detected));
    assert_eq!(test_box.supervisor.in_flight(), 0);
    test_box.assert_ledger_closes();
}

proptest! {
    #[test]
    fn whatever_happens_every_frame_ends_once(verbs in prop::collection::vec((0u8..8, 0usize..3), 1..400)) {
        let mut test_box = TestBox::ready(3);
        for (verb, unit) in verbs {
            match verb {
                0..=2 => drop(test_box.capture(if unit == 0 { "a" } else { "b" })),
                3 => {
                    if let Some(&(unit, request)) = test_box.dispatched.last() {
                        test_box.answer(unit, request);
                    }
                }
                4 => test_box.die(unit),
                5 => test_box.load(unit),
                6 => test_box.miss_a_slot(),
                _ => test_box.wait(777),
            }
            test_box.assert_ledger_closes();
        }
        let actions = test_box.supervisor.abandon();
        test_box.carry_out(actions);
        prop_assert_eq!(test_box.supervisor.in_flight(), 0);
        test_box.assert_ledger_closes();
    }
}
