//! Commands for all boxes, and what one box makes of them.

use super::*;
use crate::cluster::{Share, UnitsAt};

const MODEL: &str = "coco-ssd";

fn local(state: ModelState, min_units: usize, max_units: Option<usize>) -> ModelStatus {
    ModelStatus { state, min_units, max_units, ..ModelStatus::default() }
}

/// Three boxes: the own one has `share`, and another `others` units in service of as many that it is to have.
fn place(min_units: usize, share: Option<Share>, own: usize, others: usize) -> ModelPlace {
    let at = |share, in_service| UnitsAt { share, in_service, ..UnitsAt::default() };
    let other = (others > 0).then_some(Share { min: others, max: None });
    ModelPlace {
        is_wanted: true,
        min_units,
        in_service: own + others,
        boxes: [("own".to_owned(), at(share, own)), ("other".to_owned(), at(other, others))].into(),
        revision: 7,
        ..ModelPlace::default()
    }
}

fn next_with(place: &ModelPlace, local: &ModelStatus, has_cameras: bool) -> Option<Command> {
    next_command(MODEL, place, ("own", has_cameras), local, false)
}

fn next(place: &ModelPlace, local: &ModelStatus) -> Option<Command> {
    next_with(place, local, false)
}

fn share(min: usize, max: Option<usize>) -> Option<Share> {
    Some(Share { min, max })
}

fn start(min: usize, max: Option<usize>) -> Option<Command> {
    Some(Command::StartModel { model: MODEL.into(), bounds: Some(UnitBounds { min, max }) })
}

fn scale(min: usize, max: Option<usize>) -> Option<Command> {
    Some(Command::ScaleModel { model: MODEL.into(), bounds: UnitBounds { min, max } })
}

fn stop() -> Option<Command> {
    Some(Command::StopModel { model: MODEL.into() })
}

#[test]
fn a_box_runs_its_share_and_gives_up_units_once_others_have_them() {
    use ModelState::{Running, Starting, Stopped, Stopping};
    let two = share(2, Some(3));
    for (place, local, expected) in [
        (place(4, two, 0, 2), local(Stopped, 1, None), start(2, Some(3))),
        (place(4, two, 0, 2), local(Stopping, 1, None), None),
        (place(4, two, 2, 2), local(Running, 2, Some(3)), None),
        (place(4, two, 1, 2), local(Starting, 1, None), scale(2, Some(3))),
        // Fewer units than before: only with two at others.
        (place(4, two, 4, 1), local(Running, 4, None), None),
        (place(4, two, 4, 2), local(Running, 4, None), scale(2, Some(3))),
        // None any more: only with four at others, or when nobody wants it.
        (place(4, None, 2, 3), local(Running, 2, None), None),
        (place(4, None, 2, 4), local(Running, 2, None), stop()),
        (ModelPlace { is_wanted: false, ..place(4, None, 2, 0) }, local(Starting, 2, None), stop()),
        (place(4, None, 0, 4), local(Stopped, 2, None), None),
        // What has no place anywhere is waited for by nobody.
        (ModelPlace { missing: 2, ..place(4, None, 2, 2) }, local(Running, 2, None), stop()),
    ] {
        assert_eq!(next(&place, &local), expected, "{place:?} {local:?}");
    }
}

#[test]
fn units_that_another_box_gives_up_too_are_not_counted_on() {
    let mut place = place(3, None, 2, 1);
    let other = UnitsAt { share: None, in_service: 1, ..UnitsAt::default() };
    let back = UnitsAt { share: Some(Share { min: 3, max: None }), in_service: 2, ..UnitsAt::default() };
    place.boxes.extend([("other".to_owned(), other), ("back".to_owned(), back)]);
    let running = local(ModelState::Running, 2, None);
    assert_eq!(next(&place, &running), None, "two of three at the box that keeps them");
    place.boxes.insert("back".to_owned(), UnitsAt { in_service: 3, ..back });
    assert_eq!(next(&place, &running), stop());
}

#[test]
fn a_box_keeps_a_unit_for_its_cameras_as_long_as_the_model_is_wanted() {
    let (place, running) = (place(2, None, 2, 2), local(ModelState::Running, 2, None));
    assert_eq!((next(&place, &running), next_with(&place, &running, true)), (stop(), scale(1, None)));
    assert_eq!(next_with(&place, &local(ModelState::Stopped, 2, None), true), start(1, None));
    assert_eq!(next_with(&ModelPlace { is_wanted: false, ..place }, &running, true), stop());
}

#[test]
fn a_model_that_fails_begins_anew_with_the_next_order_only() {
    let (place, failed) = (place(2, share(1, None), 0, 0), local(ModelState::Failed, 1, None));
    let mut in_force = InForce::default();
    let mut next = |place: &ModelPlace| {
        let is_new = in_force.is_new(MODEL, place.revision);
        next_command(MODEL, place, ("own", false), &failed, is_new)
    };
    assert_eq!((next(&place), next(&place)), (stop(), None));
    assert_eq!(next(&ModelPlace { revision: 8, ..place.clone() }), stop());
    in_force.keep(|_| false);
    assert!(in_force.0.is_empty());
}

#[test]
fn what_is_wanted_follows_from_the_command_and_the_state_of_all_boxes() {
    let running =
        SharedModel { state: ModelState::Running, min_units: 4, max_units: Some(6), ..SharedModel::default() };
    let record = |is_running, min_units, max_units| ModelRecord { is_running, min_units, max_units, at_ms: 5 };
    let ask = |command: Option<Command>, now: &SharedModel| wanted(&command.unwrap(), now, 5);
    assert_eq!(ask(stop(), &running).unwrap(), record(false, 4, Some(6)));
    assert_eq!(ask(scale(2, None), &running).unwrap(), record(true, 2, None));
    let bare = Some(Command::StartModel { model: MODEL.into(), bounds: None });
    let stopped = SharedModel { state: ModelState::Stopped, ..running.clone() };
    assert_eq!(ask(start(3, None), &stopped).unwrap(), record(true, 3, None));
    assert_eq!(ask(bare.clone(), &stopped).unwrap(), record(true, 4, Some(6)));
    assert_eq!(ask(scale(2, None), &stopped).unwrap(), record(false, 2, None));
    let wrong = |done: Result<ModelRecord, ControlError>| match done {
        Err(ControlError::Fleet(FleetError::WrongState { state, .. })) => state,
        other => panic!("{other:?}"),
    };
    assert_eq!((wrong(ask(bare, &running)), wrong(ask(stop(), &stopped))), ("RUNNING", "STOPPED"));
    for bounds in [(0, None), (3, Some(2))] {
        let done = ask(scale(bounds.0, bounds.1), &running);
        assert!(matches!(done, Err(ControlError::Fleet(FleetError::Invalid(_)))), "{done:?}");
    }
}

#[test]
fn before_the_first_order_the_numbers_are_those_of_the_boxes_that_run_it() {
    let units = |state, min_units, max_units| ModelUnits {
        state,
        min_units,
        max_units,
        in_service: 1,
        is_shared: true,
        ..ModelUnits::default()
    };
    let found = |all: &[ModelUnits]| by_settings(all.iter()).map(|it| (it.state, it.min_units, it.max_units));
    use ModelState::{Failed, Running, Stopped};
    let two = [units(Running, 2, None), units(Running, 2, Some(4)), units(Stopped, 8, None)];
    assert_eq!(found(&two), Some((Running, 4, Some(6))));
    assert_eq!(found(&[units(Stopped, 2, None), units(Failed, 1, None)]), Some((Failed, 3, None)));
    assert_eq!(found(&[ModelUnits { is_shared: false, ..units(Running, 2, None) }]), None);
}
