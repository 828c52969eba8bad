//! The placer in virtual time: one helper, [`Cluster`], that applies what is decided, as the boxes would.

mod day;
mod decoding;
mod dying_and_draining;
mod invariants;
mod simulated_days;
mod site;
mod slow_moves;
mod wishes;

use super::{BoxState, CameraNeed, Decision, Move, MoveReason, Placer, PlacerSettings};
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;

/// Long enough for a new placer to move cameras for balance.
const A_WHILE: u64 = 61;

/// Boxes, cameras and a plan that is always carried out.
#[derive(Debug)]
struct Cluster {
    placer: Placer,
    boxes: BTreeMap<String, BoxState>,
    cameras: BTreeMap<CameraId, CameraNeed>,
    plan: BTreeMap<CameraId, String>,
    second: u64,
}

impl Cluster {
    /// Boxes by name and capacity for the model `m`.
    fn new(boxes: &[(&str, f32)]) -> Self {
        let mut cluster = Self {
            placer: Placer::new(PlacerSettings::default()),
            boxes: BTreeMap::new(),
            cameras: BTreeMap::new(),
            plan: BTreeMap::new(),
            second: 1_000,
        };
        boxes.iter().for_each(|(name, tps)| cluster.comes(name, *tps));
        cluster
    }

    fn comes(&mut self, name: &str, tps: f32) {
        let capacity_tps = [("m".to_owned(), tps)].into();
        self.boxes.insert(name.to_owned(), BoxState { capacity_tps, ..BoxState::default() });
    }

    fn dies(&mut self, name: &str) -> BoxState {
        self.boxes.remove(name).unwrap()
    }

    fn of(&mut self, name: &str) -> &mut BoxState {
        self.boxes.get_mut(name).unwrap()
    }

    /// Cameras `PREFIX-000`, `PREFIX-001`, ... that need `tps` of the model `m`.
    fn cameras(&mut self, prefix: &str, count: usize, tps: f32) {
        for number in 0..count {
            let need = CameraNeed { model: "m".to_owned(), tps, ..CameraNeed::default() };
            self.cameras.insert(id(&format!("{prefix}-{number:03}")), need);
        }
    }

    fn need(&mut self, camera: &str) -> &mut CameraNeed {
        self.cameras.get_mut(&id(camera)).unwrap()
    }

    fn box_of(&self, camera: &str) -> &str {
        &self.plan[&id(camera)]
    }

    fn count_on(&self, name: &str) -> usize {
        self.plan.values().filter(|at| *at == name).count()
    }

    /// Decides now, and carries it out.
    fn decide(&mut self) -> Decision {
        let now = Monotonic::from_nanos(self.second * 1_000_000_000);
        let decision = self.placer.decide(&self.boxes, &self.cameras, &self.plan, now);
        for Move { camera, from, to, .. } in &decision.moves {
            assert_eq!(self.plan.insert(camera.clone(), to.clone()), *from, "{camera} moves from where it is");
        }
        decision.unplaced.iter().for_each(|unplaced| drop(self.plan.remove(&unplaced.camera)));
        decision
    }

    /// Decides each second, and returns all moves.
    fn run(&mut self, seconds: u64) -> Vec<Move> {
        let mut moves = Vec::new();
        for _ in 0..seconds {
            self.second += 1;
            moves.extend(self.decide().moves);
        }
        moves
    }
}

fn id(camera: &str) -> CameraId {
    CameraId::new(camera).unwrap()
}

fn count(moves: &[Move], why: MoveReason) -> usize {
    moves.iter().filter(|one| one.why == why).count()
}

#[test]
fn cameras_fill_unequal_boxes_to_the_same_share() {
    let mut cluster = Cluster::new(&[("a", 100.0), ("b", 300.0), ("c", 200.0)]);
    cluster.cameras("small", 30, 5.0);
    cluster.cameras("big", 10, 15.0);
    let decision = cluster.decide();
    assert_eq!(count(&decision.moves, MoveReason::New), 40);
    for (name, used) in &decision.use_of {
        assert!((0.45..=0.55).contains(used), "{name}: {used}");
    }
    assert_eq!(cluster.run(200), [], "and stay");
}

#[test]
fn what_no_box_can_take_is_told_with_the_reasons() {
    let mut cluster = Cluster::new(&[("a", 100.0), ("b", 0.0), ("c", 100.0)]);
    cluster.cameras("cam", 1, 5.0);
    cluster.of("a").cannot.insert(id("cam-000"), "package 12ab is missing".into());
    cluster.of("c").is_draining = true;
    let decision = cluster.decide();
    assert_eq!(decision.moves, []);
    let why = &decision.unplaced[0].why;
    assert_eq!(why, "no box can take it (c: draining; b: no capacity for model `m`; a: package 12ab is missing)");
    cluster.boxes.clear();
    assert_eq!(cluster.decide().unplaced[0].why, "no box is there");
    cluster.comes("b", 10.0);
    assert_eq!(cluster.decide().moves.len(), 1);
}

#[test]
fn a_full_cluster_takes_cameras_and_says_so() {
    let mut cluster = Cluster::new(&[("a", 100.0), ("b", 100.0)]);
    cluster.cameras("cam", 60, 5.0);
    let decision = cluster.decide();
    assert_eq!((decision.moves.len(), decision.unplaced.len()), (60, 0));
    let overfull: Vec<(&str, f32)> = decision.overfull().collect();
    assert_eq!(overfull, [("a", 1.5), ("b", 1.5)]);
    cluster.comes("c", 200.0);
    assert_eq!(cluster.run(29), [], "until the new box has settled");
    let moves = cluster.run(60);
    assert!(count(&moves, MoveReason::Overfull) >= 20, "{moves:?}");
    assert!(cluster.decide().overfull().next().is_none());
}

#[test]
fn cameras_that_need_nothing_yet_are_spread() {
    let mut cluster = Cluster::new(&[("a", 100.0), ("b", 100.0)]);
    cluster.cameras("cam", 20, 0.0);
    cluster.need("cam-003").tps = f32::NAN;
    cluster.decide();
    assert_eq!((cluster.count_on("a"), cluster.count_on("b")), (10, 10));
}

#[test]
fn reasons_have_names_of_their_own() {
    let names: std::collections::BTreeSet<&str> = MoveReason::ALL.iter().map(|why| why.name()).collect();
    let words: std::collections::BTreeSet<&str> = MoveReason::ALL.iter().map(|why| why.words()).collect();
    assert_eq!((names.len(), words.len()), (8, 8));
}

#[test]
fn a_thousand_cameras_take_little_time() {
    // No bar of time: a figure for the log, and a count that shows what was decided.
    let mut cluster = Cluster::new(&[]);
    (0..30_u8).for_each(|number| cluster.comes(&format!("box-{number:02}"), 300.0 + 20.0 * f32::from(number)));
    cluster.cameras("cam", 1_000, 10.0);
    let timed = |what: &str, cluster: &mut Cluster| {
        let began = std::time::Instant::now();
        let moves = cluster.decide().moves.len();
        println!("placer: {what}: {moves} moves in {:?}", began.elapsed());
        moves
    };
    assert_eq!(timed("1,000 new cameras on 30 boxes", &mut cluster), 1_000);
    assert_eq!(timed("nothing new", &mut cluster), 0);
    let lost = cluster.count_on("box-29");
    cluster.dies("box-29");
    assert_eq!(timed("the largest box dies", &mut cluster), lost);
    cluster.second += 100;
    assert_eq!(timed("nothing new", &mut cluster), 0);
}
