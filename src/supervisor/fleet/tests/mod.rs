//! Tests of the fleet without child processes. Random commands and faults check that every frame ends once.

mod batches;
mod frames;
mod limits;
mod models;
mod new_versions;
mod returning;
mod transactions;
mod zones;

use super::*;
use crate::admission::{Controller, Gate, ImageId, ImageQueue, Ledger};
use crate::ipc::messages::{LoadModel, RegionId};
use crate::model::execution_provider::NodeCounts;
use crate::supervisor::model_version::ModelVersion;
use crate::supervisor::pool::{TpsQuota, UnitBounds, UnitDeadlines};
use crate::vision::frame::{Colorimetry, Frame, Picture, PixelFormat};
use crate::vision::framing::{Framing, Tiling};
use crate::vision::look_options::LookOptions;
use crate::vision::model_state::ModelState;
use crate::vision::outcome::{Outcome, ShedReason};
use proptest::prelude::*;
use std::time::Duration;

const MODEL: &str = "m";

/// A box with scripted units.
struct TestBox {
    fleet: Fleet,
    now: Monotonic,
    numbers: u64,
    /// The batch size that units report.
    batch: u32,
    /// What a unit says of a run when it is ready.
    run_time: Duration,
    dispatched: Vec<(UnitId, RequestId)>,
    /// The number of items in each dispatch.
    together: Vec<(UnitId, usize)>,
    ended: Vec<(u64, Outcome)>,
    images: Vec<(ImageId, Outcome)>,
    retry_after: Duration,
    versions: Vec<String>,
    killed: Vec<UnitId>,
    stopped: Vec<UnitId>,
    started: Vec<(UnitId, Vec<u16>)>,
}

fn fixed(min: usize) -> UnitBounds {
    UnitBounds { min, max: None }
}

/// Tiles that count as five transactions.
fn tiles() -> Framing {
    Framing { tiling: Some(Tiling { columns: 2, rows: 2, overlap: 0.2, whole: true }), ..Framing::default() }
}

fn version(fleet: &mut Fleet, name: &str) -> ModelVersion {
    version_of(fleet, MODEL, name)
}

fn version_of(fleet: &mut Fleet, model: &str, name: &str) -> ModelVersion {
    let package = Package { model: model.into(), name: name.into(), version: name.into(), ..Package::default() };
    let load = LoadModel { directory: name.into(), intra_op_threads: 1, ..LoadModel::default() };
    ModelVersion { id: fleet.next_version(), package: Arc::new(package), load }
}

/// The node counts that units report.
fn cpu_nodes() -> NodeCounts {
    let mut nodes = NodeCounts::default();
    nodes.add("CPUExecutionProvider", 162);
    nodes
}

/// The stopped pool of a model.
fn pool(fleet: &mut Fleet, model: &str, bounds: UnitBounds, quota: Option<TpsQuota>, now: Monotonic) -> Pool {
    let deadlines = UnitDeadlines { load: Duration::from_secs(60), inference: Duration::from_secs(10) };
    let version = version_of(fleet, model, "v1");
    let gate = Gate::new(Controller::new(Duration::from_secs(1)), ImageQueue::new(Duration::from_secs(1)), 0.5);
    Pool::new(version, bounds, gate, quota, deadlines, now)
}

impl TestBox {
    fn new(units: usize) -> Self {
        Self::with_zones(fixed(units), &["only"])
    }

    fn with_zones(bounds: UnitBounds, zones: &[&str]) -> Self {
        Self::with_quota(bounds, zones, None)
    }

    fn with_quota(bounds: UnitBounds, zones: &[&str], quota: Option<TpsQuota>) -> Self {
        Self::with_images(bounds, zones, quota, Framing::default())
    }

    fn with_images(bounds: UnitBounds, zones: &[&str], quota: Option<TpsQuota>, images: Framing) -> Self {
        let now = Monotonic::from_nanos(1_000_000_000);
        let placement = |(core, name): (usize, &&str)| ZonePlacement {
            name: (*name).to_owned(),
            cores: vec![u16::try_from(core).unwrap()],
            ..ZonePlacement::default()
        };
        let placements = zones.iter().enumerate().map(placement).collect();
        let names = zones.iter().map(|name| (*name).to_owned()).collect();
        let limits = BoxLimits { units: 8, models: 2, reserve_bytes: 100 };
        let mut fleet = Fleet::new(placements, Zones::new(names, Duration::from_secs(30)), limits);
        let pool = pool(&mut fleet, MODEL, bounds, quota, now);
        fleet.add_model(pool.with_image_framing(images));
        for camera in ["a", "b"] {
            fleet.add_camera(CameraId::new(camera).unwrap(), 1, MODEL);
        }
        fleet.start(MODEL, None).unwrap();
        let (dispatched, ended, images, versions, killed, stopped, started) = Default::default();
        let (batch, retry_after, together) = (1, Duration::ZERO, Vec::new());
        Self {
            fleet,
            now,
            numbers: 0,
            batch,
            run_time: Duration::ZERO,
            dispatched,
            together,
            ended,
            images,
            retry_after,
            versions,
            killed,
            stopped,
            started,
        }
    }

    /// A box with this many units in service.
    fn ready(units: usize) -> Self {
        let mut test_box = Self::new(units);
        test_box.bring_up();
        test_box
    }

    /// A box with this many units in service, and this batch size.
    fn with_batch(units: usize, batch: u32) -> Self {
        let mut test_box = Self::new(units);
        test_box.batch = batch;
        test_box.bring_up();
        test_box
    }

    /// Lets units load and exit at once, until no more are started.
    fn bring_up(&mut self) {
        let mut seen = usize::MAX;
        while seen != self.started.len() {
            seen = self.started.len();
            self.wait(0);
            for (unit, _) in self.started.clone() {
                self.load(unit);
            }
            for unit in std::mem::take(&mut self.stopped) {
                self.die(unit);
            }
        }
    }

    fn carry_out(&mut self, actions: Vec<SupervisorAction>) {
        for action in actions {
            match action {
                SupervisorAction::Start { unit, load, .. } => {
                    self.started.push((unit, load.cores));
                }
                SupervisorAction::Stop { unit } => self.stopped.push(unit),
                SupervisorAction::Kill { unit, .. } => self.killed.push(unit),
                SupervisorAction::Dispatch { unit, items } => {
                    self.together.push((unit, items.len()));
                    self.dispatched.extend(items.into_iter().map(|(request, _)| (unit, request)));
                }
                SupervisorAction::Ended { work, outcome, answer } => {
                    self.ended.push((work.number, outcome));
                    self.versions.extend(answer.map(|(_, package)| package.version.clone()));
                }
                SupervisorAction::ImageEnded { work, outcome, retry_after, .. } => {
                    self.retry_after = retry_after;
                    self.images.push((work.id, outcome));
                }
                SupervisorAction::Swapped { .. } | SupervisorAction::Scaled { .. } => {}
            }
        }
    }

    fn status(&self) -> ModelStatus {
        self.fleet.status().remove(MODEL).unwrap()
    }

    /// Replies to all open requests.
    fn answer_all(&mut self) {
        for (unit, request) in std::mem::take(&mut self.dispatched) {
            self.answer(unit, request);
        }
    }

    fn wait(&mut self, ms: u64) {
        self.now = self.now + Duration::from_millis(ms);
        let actions = self.fleet.tick(self.now);
        self.carry_out(actions);
    }

    fn load(&mut self, unit: UnitId) {
        let ready =
            Readiness { providers: cpu_nodes(), batch: self.batch, run_time: self.run_time, cache_problem: None };
        let actions = self.fleet.unit_ready(unit, ready, self.now);
        self.carry_out(actions);
    }

    fn capture(&mut self, camera: &str) -> u64 {
        self.capture_in(camera, Framing::default())
    }

    fn capture_in(&mut self, camera: &str, framing: Framing) -> u64 {
        self.numbers += 1;
        let picture = Picture::new(PixelFormat::I420, 64, 64, Colorimetry::default()).unwrap();
        let (sequence, now) = (self.numbers, self.now);
        let frame =
            Frame { sequence, captured_at: now, decoded_at: now, camera_ms: None, media_us: 0, slot: 0, picture };
        let (camera, number, region) = (CameraId::new(camera).unwrap(), self.numbers, RegionId(0));
        let work = FrameWork { camera, number, frame, region, framing, attempts: 0, failed_in: None };
        let actions = self.fleet.frame_captured(work, self.now);
        self.carry_out(actions);
        self.numbers
    }

    fn offer_image(&mut self) -> ImageId {
        self.numbers += 1;
        let (id, region, deadline) = (ImageId(self.numbers), RegionId(9), self.now + Duration::from_secs(5));
        let work = ImageWork {
            id,
            region,
            slot: 0,
            bytes: 1,
            arrived_at: self.now,
            deadline,
            options: LookOptions::default(),
            is_first_try: false,
            attempts: 0,
            failed_in: None,
        };
        let actions = self.fleet.image_offered(MODEL, work, self.now).unwrap();
        self.carry_out(actions);
        id
    }

    fn miss_a_slot(&mut self) {
        self.fleet.frame_kept_back(&CameraId::new("a").unwrap(), ShedReason::NoFreeSlot);
        self.ended.push((0, Outcome::Shed(ShedReason::NoFreeSlot)));
    }

    fn answer(&mut self, unit: UnitId, request: RequestId) {
        let answer = Answer { size: (64, 64), ..Answer::default() };
        let actions = self.fleet.unit_answered(unit, request, Ok(answer), self.now);
        self.carry_out(actions);
    }

    fn die(&mut self, unit: UnitId) {
        let actions = self.fleet.unit_ended(unit, self.now);
        self.carry_out(actions);
    }

    fn assert_ledger_closes(&self) {
        let mut total = Ledger::default();
        self.status().ledgers.values().for_each(|ledger| total.add(ledger));
        total.add(&self.status().images);
        assert!(total.closes(self.fleet.in_flight()), "{total:?} + {}", self.fleet.in_flight());
        assert_eq!(total.ended(), (self.ended.len() + self.images.len()) as u64, "each outcome is reported once");
    }
}

proptest! {
    #[test]
    fn whatever_happens_every_frame_ends_once(
        verbs in prop::collection::vec((0u8..14, 0u32..5), 1..400), batch in 1u32..6, images_in_tiles in any::<bool>(),
    ) {
        let images = if images_in_tiles { tiles() } else { Framing::default() };
        let bounds = UnitBounds { min: 2, max: Some(4) };
        let mut test_box = TestBox::with_images(bounds, &["left", "right"], Some(TpsQuota::Measured), images);
        test_box.batch = batch;
        test_box.bring_up();
        for (verb, number) in verbs {
            let unit = UnitId(number);
            match verb {
                0..=2 => drop(test_box.capture(if number == 0 { "a" } else { "b" })),
                3 => {
                    if let Some(&(unit, request)) = test_box.dispatched.last() {
                        test_box.answer(unit, request);
                    }
                }
                4 => test_box.die(unit),
                5 => test_box.load(unit),
                6 => test_box.miss_a_slot(),
                7 => drop(test_box.fleet.scale(MODEL, fixed(1 + number as usize))),
                8 => drop(test_box.fleet.stop(MODEL)),
                9 => drop(test_box.fleet.start(MODEL, None)),
                10 => {
                    let next = version(&mut test_box.fleet, "next");
                    drop(test_box.fleet.swap(MODEL, next));
                }
                11 => (0..=number).for_each(|_| {
                    test_box.offer_image();
                }),
                12 => {
                    test_box.capture_in("a", tiles());
                },
                _ => test_box.wait(777),
            }
            test_box.assert_ledger_closes();
            prop_assert!(test_box.together.iter().all(|(_, items)| *items <= batch as usize));
            prop_assert!(test_box.status().in_service <= 9, "never more than the box carries");
        }
        let actions = test_box.fleet.abandon(test_box.now);
        test_box.carry_out(actions);
        prop_assert_eq!(test_box.fleet.in_flight(), 0);
        test_box.assert_ledger_closes();
    }
}
