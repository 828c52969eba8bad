//! Boxes that die, come back, drain, come and go; a site that gets its power back.

use super::{A_WHILE, Cluster, Monotonic, MoveReason, count, id};

/// Three boxes with 60 cameras, 20 each, half full.
fn three() -> Cluster {
    let mut cluster = Cluster::new(&[("a", 200.0), ("b", 200.0), ("c", 200.0)]);
    cluster.cameras("cam", 60, 5.0);
    cluster.decide();
    assert_eq!(cluster.run(A_WHILE), []);
    cluster
}

#[test]
fn a_dead_boxs_cameras_move_at_once_and_no_others() {
    let mut cluster = three();
    cluster.dies("b");
    let moves = cluster.decide().moves;
    assert_eq!(moves.len(), 20);
    assert!(moves.iter().all(|one| one.from.as_deref() == Some("b") && one.why == MoveReason::BoxGone));
    assert_eq!((cluster.count_on("a"), cluster.count_on("c")), (30, 30));
    assert_eq!(cluster.run(300), []);
}

#[test]
fn a_box_that_is_back_after_seconds_finds_its_cameras_elsewhere_and_gets_few_slowly() {
    let mut cluster = three();
    let b = cluster.dies("b");
    cluster.run(4);
    cluster.boxes.insert("b".into(), b);
    assert_eq!(cluster.run(30), [], "nothing until it has settled");
    let moves = cluster.run(600);
    assert!((10..20).contains(&moves.len()), "{} moves until the difference is within the slack", moves.len());
    assert_eq!(count(&moves, MoveReason::Balance), moves.len());
    assert!(moves.iter().all(|one| one.to == "b"));
}

#[test]
fn one_camera_a_second_goes_back() {
    let mut cluster = three();
    let b = cluster.dies("b");
    cluster.run(100);
    cluster.boxes.insert("b".into(), b);
    cluster.run(31);
    for second in 0..10 {
        assert_eq!(cluster.run(1).len(), 1, "after {second} s");
    }
    assert_eq!(cluster.decide().moves, [], "not two in one second, however often it is asked");
}

#[test]
fn a_draining_box_gives_all_away_and_gets_none() {
    let mut cluster = three();
    cluster.of("a").is_draining = true;
    let moves = cluster.decide().moves;
    assert_eq!((moves.len(), count(&moves, MoveReason::Draining)), (20, 20));
    cluster.cameras("new", 10, 5.0);
    cluster.run(300);
    assert_eq!(cluster.count_on("a"), 0);
    cluster.of("a").is_draining = false;
    assert!(cluster.run(300).iter().all(|one| one.to == "a" && one.why == MoveReason::Balance));
    assert!(cluster.count_on("a") > 10);
}

#[test]
fn a_camera_that_no_other_box_can_take_stays_on_the_draining_one() {
    let mut cluster = three();
    let camera = cluster.plan.iter().find(|(_, at)| *at == "a").map(|(camera, _)| camera.clone()).unwrap();
    ["b", "c"].iter().for_each(|name| drop(cluster.of(name).cannot.insert(camera.clone(), "no package".into())));
    cluster.of("a").is_draining = true;
    let decision = cluster.decide();
    assert_eq!((decision.moves.len(), decision.unplaced.len(), decision.held.len()), (19, 0, 1));
    assert_eq!(decision.held[0].camera, camera);
    assert_eq!(cluster.run(200), []);
    cluster.dies("a");
    assert_eq!(cluster.decide().unplaced.len(), 1, "a dead box does not go on");
}

#[test]
fn a_box_that_can_no_longer_take_a_camera_loses_it() {
    let mut cluster = three();
    let camera = cluster.plan.iter().find(|(_, at)| *at == "a").map(|(camera, _)| camera.clone()).unwrap();
    cluster.of("a").cannot.insert(camera.clone(), "the package differs".into());
    let moves = cluster.decide().moves;
    assert_eq!((moves.len(), &moves[0].camera, moves[0].why), (1, &camera, MoveReason::CannotTake));
    cluster.of("b").capacity_tps.clear();
    let lost = cluster.count_on("b");
    let moves = cluster.decide().moves;
    assert_eq!((moves.len(), count(&moves, MoveReason::CannotTake)), (lost, lost));
}

#[test]
fn a_box_that_comes_and_goes_gets_nothing_and_does_not_keep_the_others_from_balance() {
    let mut cluster = three();
    let mut moved = 0;
    for _ in 0..20 {
        let b = cluster.dies("b");
        moved += cluster.run(10).len();
        cluster.boxes.insert("b".into(), b);
        moved += cluster.run(15).len();
    }
    assert_eq!(moved, 20, "its cameras once");
    let d = ("d", 400.0);
    cluster.comes(d.0, d.1);
    for _ in 0..10 {
        let b = cluster.dies("b");
        cluster.run(10);
        cluster.boxes.insert("b".into(), b);
        cluster.run(15);
    }
    assert!(cluster.count_on("d") > 10, "a new box has got cameras meanwhile");
}

#[test]
fn the_first_box_after_a_power_cut_does_not_get_the_cameras_of_all_that_still_start() {
    let mut cluster = three();
    let before = cluster.plan.clone();
    let (b, c) = (cluster.dies("b"), cluster.dies("c"));
    cluster.placer = Cluster::new(&[]).placer;
    let decision = cluster.decide();
    assert_eq!((decision.moves.len(), decision.held.len()), (0, 40));
    assert_eq!(decision.held[0].why, "its box `b` may still be on its way back");
    cluster.run(5);
    cluster.boxes.insert("b".into(), b.clone());
    assert_eq!(cluster.run(1).len(), 20, "most are there, so the third is taken for dead");
    cluster.plan = before;
    cluster.placer = Cluster::new(&[]).placer;
    cluster.dies("b");
    assert_eq!(cluster.run(20), []);
    assert_eq!(cluster.run(1).len(), 40, "they wait for 20 seconds and no longer");
    cluster.boxes.extend([("b".into(), b), ("c".into(), c)]);
    cluster.run(A_WHILE);
    cluster.dies("b");
    cluster.dies("c");
    assert_eq!(cluster.decide().held, [], "a placer that has seen them does not wait");
}

#[test]
fn after_etcd_was_away_every_box_is_waited_for_since_all_leases_are_gone() {
    let mut cluster = three();
    let wait = |cluster: &mut Cluster| {
        let now = Monotonic::from_nanos(cluster.second * 1_000_000_000);
        cluster.placer.wait_for_each(&cluster.plan, now);
    };
    wait(&mut cluster);
    let c = cluster.dies("c");
    assert_eq!(cluster.decide().held.len(), 20);
    assert_eq!(cluster.run(5), []);
    cluster.boxes.insert("c".into(), c);
    assert_eq!(cluster.run(A_WHILE), []);
    wait(&mut cluster);
    cluster.dies("c");
    assert_eq!(cluster.run(9), []);
    assert_eq!(cluster.run(1).len(), 20, "they wait for ten seconds and no longer");
}

#[test]
fn a_new_placer_moves_a_single_dead_boxs_cameras_at_once() {
    let mut cluster = three();
    cluster.dies("a");
    cluster.placer = Cluster::new(&[]).placer;
    assert_eq!(cluster.decide().moves.len(), 20);
    let mut pair = Cluster::new(&[("a", 100.0), ("b", 100.0)]);
    pair.cameras("cam", 1, 5.0);
    pair.plan.insert(id("cam-000"), "b".into());
    pair.dies("b");
    assert_eq!(pair.decide().moves.len(), 1, "all cameras were on one of two boxes");
}
