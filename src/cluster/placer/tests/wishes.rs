//! Pins, and cameras that are to be apart.

use super::{A_WHILE, Cluster, MoveReason, count, id};
use std::collections::BTreeMap;

/// Four boxes in two halls, with 40 cameras.
fn two_halls() -> Cluster {
    let mut cluster = Cluster::new(&[("a", 200.0), ("b", 200.0), ("c", 200.0), ("d", 200.0)]);
    ["a", "b"].iter().for_each(|name| cluster.of(name).zone = "north".into());
    ["c", "d"].iter().for_each(|name| cluster.of(name).zone = "south".into());
    cluster.cameras("cam", 40, 5.0);
    cluster
}

#[test]
fn a_pinned_camera_is_on_its_box_and_goes_back_to_it_slowly() {
    let mut cluster = two_halls();
    ["cam-000", "cam-001", "cam-002"].iter().for_each(|camera| cluster.need(camera).pin = Some("d".into()));
    cluster.decide();
    assert_eq!([cluster.box_of("cam-000"), cluster.box_of("cam-002")], ["d", "d"]);
    cluster.run(A_WHILE);
    let d = cluster.dies("d");
    cluster.run(1);
    assert_ne!(cluster.box_of("cam-000"), "d");
    cluster.boxes.insert("d".into(), d);
    assert_eq!(cluster.run(30), []);
    let moves = cluster.run(3);
    assert_eq!((moves.len(), count(&moves, MoveReason::Pinned)), (3, 3));
    cluster.of("d").is_draining = true;
    cluster.run(300);
    assert_ne!(cluster.box_of("cam-001"), "d", "to drain is more than a pin");
}

#[test]
fn a_pin_wins_over_room_and_what_is_pinned_stays_when_boxes_are_balanced() {
    let mut cluster = Cluster::new(&[("a", 100.0), ("b", 100.0)]);
    cluster.cameras("cam", 24, 5.0);
    (0..24).for_each(|number| cluster.need(&format!("cam-{number:03}")).pin = Some("a".into()));
    let decision = cluster.decide();
    assert_eq!((cluster.count_on("a"), decision.overfull().count()), (24, 1));
    assert_eq!(cluster.run(300), []);
    cluster.need("cam-007").pin = Some("b".into());
    cluster.need("cam-008").pin = Some("nowhere".into());
    let moves = cluster.run(300);
    assert_eq!((moves.len(), moves[0].why), (2, MoveReason::Pinned));
    assert_eq!(moves[1].why, MoveReason::Overfull, "whose pin is not there moves as others do");
}

#[test]
fn cameras_of_one_hall_go_to_different_zones_and_then_to_different_boxes() {
    let mut cluster = two_halls();
    (0..4).for_each(|number| cluster.need(&format!("cam-{number:03}")).apart = Some("gate".into()));
    cluster.decide();
    let boxes: Vec<&str> = ["cam-000", "cam-001", "cam-002", "cam-003"].map(|camera| cluster.box_of(camera)).into();
    let mut sorted = boxes.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["a", "b", "c", "d"]);
    let north = |name: &str| ["a", "b"].contains(&name);
    assert_ne!(north(boxes[0]), north(boxes[1]), "the first two are in different zones");
    cluster.dies("a");
    cluster.dies("b");
    cluster.dies("c");
    cluster.decide();
    assert_eq!(cluster.count_on("d"), 40, "to be apart is no reason to be blind");
}

#[test]
fn cameras_that_are_asked_to_be_apart_later_move_slowly_and_then_stay() {
    let mut cluster = two_halls();
    cluster.decide();
    cluster.run(A_WHILE);
    let on_a: Vec<String> =
        cluster.plan.iter().filter(|(_, at)| *at == "a").map(|(camera, _)| camera.as_str().to_owned()).collect();
    on_a.iter().for_each(|camera| cluster.need(camera).apart = Some("gate".into()));
    let moves = cluster.run(300);
    assert!(count(&moves, MoveReason::Apart) >= on_a.len() * 3 / 4 - 1, "{moves:?}");
    let mut on: BTreeMap<&str, usize> = BTreeMap::new();
    on_a.iter().for_each(|camera| *on.entry(cluster.box_of(camera)).or_default() += 1);
    assert!(on.len() == 4 && on.values().all(|count| (2..=3).contains(count)), "{on:?}");
    let zones: usize = on.iter().filter(|(name, _)| ["a", "b"].contains(name)).map(|(_, count)| count).sum();
    assert_eq!(zones, on_a.len() / 2);
    assert_eq!(cluster.run(300), []);
}

#[test]
fn balance_puts_no_camera_beside_one_that_it_is_to_be_apart_from() {
    let mut cluster = Cluster::new(&[("a", 100.0), ("b", 100.0)]);
    cluster.cameras("cam", 2, 40.0);
    (0..2).for_each(|number| cluster.need(&format!("cam-{number:03}")).apart = Some("gate".into()));
    cluster.cameras("small", 4, 5.0);
    cluster.plan = [("cam-000", "a"), ("cam-001", "b")].map(|(camera, at)| (id(camera), at.to_owned())).into();
    (0..4).for_each(|number| drop(cluster.plan.insert(id(&format!("small-{number:03}")), "a".into())));
    let moves = cluster.run(300);
    assert!(!moves.is_empty() && moves.iter().all(|one| one.camera.as_str().starts_with("small")), "{moves:?}");
}
