//! What holds whatever boxes, cameras and plans there are.

use super::{BoxState, CameraNeed, Decision, Monotonic, Placer, PlacerSettings, id};
use crate::vision::camera_id::CameraId;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const MODELS: [&str; 2] = ["person", "vehicle"];
const BOXES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

type Boxes = BTreeMap<String, BoxState>;
type Cameras = BTreeMap<CameraId, CameraNeed>;
type Plan = BTreeMap<CameraId, String>;

fn a_box() -> impl Strategy<Value = BoxState> {
    let tps = prop_oneof![1 => Just(None), 1 => Just(Some(0.0_f32)), 6 => (10.0_f32..500.0).prop_map(Some)];
    let cannot = prop::collection::btree_set(0_usize..40, 0..4);
    (prop::collection::vec(tps, 2), 0..2_u8, prop::bool::weighted(0.15), cannot).prop_map(
        |(capacity, zone, is_draining, cannot)| BoxState {
            capacity_tps: MODELS
                .iter()
                .zip(capacity)
                .filter_map(|(model, tps)| Some(((*model).into(), tps?)))
                .collect(),
            processors: [0.0, 4.0][usize::from(zone)],
            zone: format!("zone-{zone}"),
            is_draining,
            cannot: cannot.into_iter().map(|number| (camera(number), "no package".to_owned())).collect(),
        },
    )
}

fn camera(number: usize) -> CameraId {
    id(&format!("cam-{number:02}"))
}

fn a_need() -> impl Strategy<Value = CameraNeed> {
    let pin = prop_oneof![9 => Just(None), 1 => (0_usize..6).prop_map(|index| Some(BOXES[index].to_owned()))];
    let apart = prop_oneof![3 => Just(None), 1 => (0..4_u8).prop_map(|group| Some(format!("group-{group}")))];
    (0_usize..2, 0.0_f32..40.0, 0.0_f32..0.5, pin, apart).prop_map(|(model, tps, cores, pin, apart)| CameraNeed {
        model: MODELS[model].to_owned(),
        tps,
        cores,
        pin,
        apart,
    })
}

fn boxes() -> impl Strategy<Value = Boxes> {
    prop::collection::btree_map((0_usize..6).prop_map(|index| BOXES[index].to_owned()), a_box(), 0..7)
}

fn cameras() -> impl Strategy<Value = Cameras> {
    prop::collection::btree_map((0_usize..40).prop_map(camera), a_need(), 0..40)
}

/// A plan of anybody's, with boxes that are not there and cameras that nobody knows.
fn a_plan() -> impl Strategy<Value = Plan> {
    let name = (0_usize..7).prop_map(|index| BOXES.get(index).unwrap_or(&"gone").to_string());
    prop::collection::btree_map((0_usize..44).prop_map(camera), name, 0..44)
}

fn at(second: u64) -> Monotonic {
    Monotonic::from_nanos(second * 1_000_000_000)
}

fn takes(state: &BoxState, camera: &CameraId, need: &CameraNeed) -> bool {
    let has_capacity = state.capacity_tps.get(&need.model).is_some_and(|tps| *tps > 0.0);
    has_capacity && !state.is_draining && !state.cannot.contains_key(camera)
}

/// Carries a decision out, and checks it and the plan that follows.
fn apply(decision: &Decision, boxes: &Boxes, cameras: &Cameras, plan: &mut Plan) -> Result<(), TestCaseError> {
    let mut moved = BTreeSet::new();
    for one in &decision.moves {
        prop_assert!(moved.insert(&one.camera), "{} moves twice", one.camera);
        prop_assert!(takes(&boxes[&one.to], &one.camera, &cameras[&one.camera]), "{one:?}");
        prop_assert!(one.from.as_deref() != Some(one.to.as_str()), "{one:?}");
        prop_assert_eq!(plan.insert(one.camera.clone(), one.to.clone()), one.from.clone());
    }
    let unplaced: BTreeSet<&CameraId> = decision.unplaced.iter().map(|one| &one.camera).collect();
    let held: BTreeSet<&CameraId> = decision.held.iter().map(|one| &one.camera).collect();
    unplaced.iter().for_each(|camera| drop(plan.remove(camera)));
    for (camera, need) in cameras {
        let could = boxes.values().any(|state| takes(state, camera, need));
        prop_assert_eq!(unplaced.contains(camera), !could && !held.contains(camera), "{}", camera);
        if !unplaced.contains(camera) && !held.contains(camera) {
            prop_assert!(takes(&boxes[&plan[camera]], camera, need), "{camera} on {}", plan[camera]);
        }
    }
    let names: Vec<&String> = decision.use_of.keys().collect();
    prop_assert_eq!(names, boxes.keys().collect::<Vec<_>>());
    Ok(())
}

proptest! {
    #[test]
    fn each_camera_is_on_one_box_that_can_take_it_and_a_second_look_moves_nothing(
        turns in prop::collection::vec((boxes(), 1_u64..90), 1..8), cameras in cameras(), plan in a_plan(),
        slack in 0.0_f32..0.3, rate in 0_u16..20, settle in 0_u64..40,
    ) {
        let settings =
            PlacerSettings { slack, moves_per_second: f32::from(rate), settle: Duration::from_secs(settle) };
        let (mut placer, mut twin) = (Placer::new(settings.clone()), Placer::new(settings));
        let (mut plan, mut second) = (plan, 500);
        for (boxes, seconds) in turns {
            for _ in 0..4 {
                let decision = placer.decide(&boxes, &cameras, &plan, at(second));
                prop_assert_eq!(&decision, &twin.decide(&boxes, &cameras, &plan, at(second)), "chance plays no part");
                apply(&decision, &boxes, &cameras, &mut plan)?;
                let slow = decision.moves.iter().filter(|one| one.why.is_slow()).count();
                prop_assert!(slow <= 10 + 10 * usize::from(rate), "{slow} slow moves at once");
                let again = placer.decide(&boxes, &cameras, &plan, at(second));
                prop_assert_eq!(&again, &twin.decide(&boxes, &cameras, &plan, at(second)));
                prop_assert_eq!(&again.moves, &vec![], "with the same input and the plan carried out");
                prop_assert_eq!((&again.unplaced, &again.held), (&decision.unplaced, &decision.held));
                second += seconds;
            }
        }
    }

    #[test]
    fn from_every_start_the_plan_comes_to_rest(
        boxes in boxes(), cameras in cameras(), plan in a_plan(), slack in 0.0_f32..0.3,
    ) {
        let settings = PlacerSettings { slack, moves_per_second: 5.0, settle: Duration::from_secs(10) };
        let mut placer = Placer::new(settings);
        let mut plan = plan;
        for step in 0..300 {
            let decision = placer.decide(&boxes, &cameras, &plan, at(500 + step * 5));
            prop_assert!(step < 200 || decision.moves.is_empty(), "after {} s: {:?}", step * 5, decision.moves);
            apply(&decision, &boxes, &cameras, &mut plan)?;
        }
    }
}
