//! How units spread, on boxes of equal and unequal size.

use super::*;
use crate::cluster::records::ModelUnits;

/// A box for so many units with these shared models.
fn a_box(most_units: usize, models: &[&str]) -> BoxRecord {
    let units = ModelUnits { is_shared: true, ..ModelUnits::default() };
    BoxRecord {
        most_units,
        most_models: 4,
        models: models.iter().map(|model| ((*model).to_owned(), units)).collect(),
        ..BoxRecord::default()
    }
}

fn want(min_units: usize, max_units: Option<usize>) -> ModelRecord {
    ModelRecord { is_running: true, min_units, max_units, at_ms: 0 }
}

fn spread(wanted: &[(&str, ModelRecord)], boxes: &[(&str, BoxRecord)]) -> Shares {
    let wanted: Vec<(String, ModelRecord)> =
        wanted.iter().map(|(model, record)| ((*model).to_owned(), record.clone())).collect();
    let wanted: Vec<(&String, &ModelRecord)> = wanted.iter().map(|(model, record)| (model, record)).collect();
    let boxes: BTreeMap<String, BoxRecord> =
        boxes.iter().map(|(id, record)| ((*id).to_owned(), record.clone())).collect();
    shares(&wanted, boxes.iter())
}

/// The units of a model at each box that has some, as `min-max`.
fn shown(shares: &Shares, model: &str) -> Vec<String> {
    let of_box = |(id, share): (&String, &Share)| match share.max {
        Some(max) => format!("{id} {}-{max}", share.min),
        None => format!("{id} {}", share.min),
    };
    shares.of.get(model).into_iter().flatten().map(of_box).collect()
}

#[test]
fn units_stand_on_as_many_boxes_as_there_are_and_large_boxes_have_more() {
    let three = [("a", a_box(4, &["m"])), ("b", a_box(4, &["m"])), ("c", a_box(8, &["m"]))];
    for (min, max, expected) in [
        (1, None, &["c 1"][..]),
        (2, None, &["a 1", "c 1"]),
        (4, None, &["a 1", "b 1", "c 2"]),
        (16, None, &["a 4", "b 4", "c 8"]),
        (1, Some(4), &["a 1-1", "b 1-1", "c 1-2"]),
        (4, Some(8), &["a 1-2", "b 1-2", "c 2-4"]),
        // More than there is room for at most is no fault: those units are borrowed.
        (4, Some(100), &["a 1-4", "b 1-4", "c 2-8"]),
    ] {
        let shares = spread(&[("m", want(min, max))], &three);
        assert_eq!(shown(&shares, "m"), expected, "{min} to {max:?}");
        assert_eq!(shares.missing, BTreeMap::new());
    }
    assert_eq!(spread(&[("m", want(20, None))], &three).missing, BTreeMap::from([("m".into(), 4)]));
}

#[test]
fn only_boxes_that_can_run_a_model_have_units_of_it() {
    let failing = |model: &str| {
        let mut record = a_box(4, &[model]);
        record.models.get_mut(model).unwrap().state = ModelState::Failed;
        record
    };
    let unshared = |model: &str| {
        let mut record = a_box(4, &[model]);
        record.models.get_mut(model).unwrap().is_shared = false;
        record
    };
    let boxes = [
        ("drains", BoxRecord { is_draining: true, ..a_box(4, &["m"]) }),
        ("fails", failing("m")),
        ("good", a_box(4, &["m"])),
        ("old", BoxRecord::default()),
        ("other", a_box(4, &["n"])),
        ("unshared", unshared("m")),
    ];
    let shares = spread(&[("m", want(5, None))], &boxes);
    assert_eq!((shown(&shares, "m"), shares.missing["m"]), (vec!["good 4".to_owned()], 1));
    assert_eq!(spread(&[("m", want(1, None))], &[]).missing["m"], 1);
}

#[test]
fn models_share_a_box_and_what_it_runs_by_its_own_settings_is_left_to_it() {
    let mut own = a_box(4, &["m", "n", "o"]);
    let running = ModelUnits {
        state: ModelState::Running,
        min_units: 1,
        in_service: 1,
        is_shared: true,
        ..ModelUnits::default()
    };
    own.models.insert("o".into(), running);
    own.models.insert("imported:v1".into(), ModelUnits { is_shared: false, ..running });
    let boxes = [("a", own.clone())];
    // Two are left. Every model gets what it needs at least before any gets more.
    let shares = spread(&[("m", want(1, Some(9))), ("n", want(1, None))], &boxes);
    assert_eq!((shown(&shares, "m"), shown(&shares, "n")), (vec!["a 1-1".into()], vec!["a 1".into()]));
    // A model that is being stopped holds its units for a moment, which moves no other one.
    own.models.insert("m".into(), ModelUnits { state: ModelState::Stopping, min_units: 2, ..running });
    let stopped = ModelRecord { is_running: false, ..want(2, None) };
    let shares = spread(&[("m", stopped), ("n", want(2, None))], &[("a", own)]);
    assert_eq!((shown(&shares, "m"), shown(&shares, "n")), (vec![], vec!["a 2".to_owned()]));
}

#[test]
fn a_box_that_dies_leaves_its_units_to_the_others_and_nothing_else_moves() {
    let site = |count: u8| -> Vec<(String, BoxRecord)> {
        (0..count).map(|number| (format!("box-{number}"), a_box(8, &["m"]))).collect()
    };
    let of = |boxes: &[(String, BoxRecord)]| {
        let boxes: Vec<(&str, BoxRecord)> = boxes.iter().map(|(id, record)| (id.as_str(), record.clone())).collect();
        spread(&[("m", want(10, Some(15)))], &boxes).of["m"].clone()
    };
    let (whole, mut without) = (site(5), site(5));
    without.remove(2);
    let (before, after) = (of(&whole), of(&without));
    assert_eq!(before.values().map(|share| share.min).sum::<usize>(), 10);
    assert_eq!(after.values().map(|share| share.min).sum::<usize>(), 10);
    assert_eq!(after.values().filter_map(|share| share.max).sum::<usize>(), 15);
    assert!(after.iter().all(|(id, share)| share.min >= before[id].min), "nobody gives up units at a death: {after:?}");
}

#[test]
fn an_older_order_keeps_its_places_and_a_box_is_given_no_more_than_it_can_take() {
    let boxes = [("a", a_box(2, &["m", "n"])), ("b", a_box(2, &["m", "n"]))];
    let shares = spread(&[("n", want(4, None)), ("m", want(2, None))], &boxes);
    assert_eq!((shares.missing.get("n"), shares.missing["m"]), (None, 2), "by the order of the orders");
    // It has refused a second unit, for want of memory.
    let mut narrow = a_box(8, &["m"]);
    narrow.models.get_mut("m").unwrap().cap = Some(1);
    let shares = spread(&[("m", want(4, None))], &[("narrow", narrow), ("wide", a_box(4, &["m"]))]);
    assert_eq!(shown(&shares, "m"), ["narrow 1", "wide 3"]);
    let one_model = BoxRecord { most_models: 1, ..a_box(8, &["m", "n"]) };
    let shares = spread(&[("m", want(1, None)), ("n", want(1, None))], &[("a", one_model)]);
    assert_eq!((shown(&shares, "m").len(), shares.missing["n"]), (1, 1));
    // A model that fails keeps its places at a box.
    let mut failing = a_box(4, &["m", "n"]);
    let units = failing.models.get_mut("m").unwrap();
    (units.state, units.min_units) = (ModelState::Failed, 3);
    let shares = spread(&[("m", want(3, None)), ("n", want(2, None))], &[("a", failing)]);
    assert_eq!((shown(&shares, "n"), shares.missing["m"]), (vec!["a 1".to_owned()], 3));
}
