//! Balance: when cameras move for it, and that they come to rest.

use super::{A_WHILE, Cluster, MoveReason, count, id};
use std::collections::BTreeMap;

/// Two boxes of 100 TPS with cameras of 5 TPS, of which the plan has `on_a` on the first and `on_b` on the second.
fn two(on_a: usize, on_b: usize) -> Cluster {
    let mut cluster = Cluster::new(&[("a", 100.0), ("b", 100.0)]);
    cluster.cameras("cam", on_a + on_b, 5.0);
    let name = |number: usize| if number < on_a { "a" } else { "b" };
    cluster.plan = (0..on_a + on_b).map(|number| (id(&format!("cam-{number:03}")), name(number).to_owned())).collect();
    cluster
}

#[test]
fn a_difference_within_the_slack_is_left_alone_and_a_greater_one_lowered_to_it() {
    let mut cluster = two(10, 7);
    assert_eq!(cluster.run(300), []);
    let mut cluster = two(12, 4);
    assert_eq!(cluster.run(59), [], "a new placer does not know what has moved of late");
    let moves = cluster.run(300);
    assert_eq!((moves.len(), count(&moves, MoveReason::Balance)), (3, 3));
    assert_eq!((cluster.count_on("a"), cluster.count_on("b")), (9, 7));
}

#[test]
fn the_camera_that_lowers_the_difference_most_moves_and_none_that_turns_it_round() {
    let mut cluster = two(4, 0);
    cluster.cameras("huge", 1, 60.0);
    cluster.cameras("big", 2, 20.0);
    cluster.plan.extend(["huge-000", "big-000", "big-001"].map(|camera| (id(camera), "a".to_owned())));
    let moved: Vec<String> = cluster.run(300).iter().map(|one| one.camera.as_str().to_owned()).collect();
    // 120 % and 0 %: 60 % and 60 % by one camera.
    assert_eq!(moved, ["huge-000"]);
    cluster.need("huge-000").tps = 90.0;
    let moved: Vec<String> = cluster.run(300).iter().map(|one| one.camera.as_str().to_owned()).collect();
    assert_eq!(moved, [] as [&str; 0], "the only camera of the fuller box would turn it round");
}

#[test]
fn a_capacity_that_wobbles_by_a_tenth_moves_nothing() {
    for (on_a, on_b) in [(17, 14), (14, 14), (10, 7)] {
        let mut cluster = two(on_a, on_b);
        assert_eq!(cluster.run(A_WHILE), []);
        for (a, b) in [(90.0, 110.0), (110.0, 90.0), (90.0, 90.0), (110.0, 110.0), (100.0, 90.0)].repeat(10) {
            cluster.of("a").capacity_tps.insert("m".into(), a);
            cluster.of("b").capacity_tps.insert("m".into(), b);
            assert_eq!(cluster.run(20), []);
        }
        cluster.of("a").capacity_tps.insert("m".into(), 50.0);
        assert!(!cluster.run(120).is_empty(), "a box that has become slow does lose cameras");
    }
}

#[test]
fn no_camera_moves_twice_in_a_minute_for_a_reason_that_can_wait() {
    let mut cluster = two(15, 3);
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    let mut moved = 0;
    for round in 0..60 {
        // What is fast and what is slow changes faster than the placer can follow.
        let (a, b) = if round % 2 == 0 { (40.0, 200.0) } else { (200.0, 40.0) };
        cluster.of("a").capacity_tps.insert("m".into(), a);
        cluster.of("b").capacity_tps.insert("m".into(), b);
        for _ in 0..25 {
            let second = cluster.second + 1;
            for one in cluster.run(1) {
                moved += 1;
                if let Some(before) = last.insert(one.camera.as_str().to_owned(), second) {
                    assert!(second - before >= 60, "{}: {before} and {second}", one.camera);
                }
            }
        }
    }
    assert!(moved > 20, "{moved} moves");
}

#[test]
fn without_a_rate_nothing_moves_that_can_wait() {
    let mut cluster = two(16, 0);
    cluster.placer.settings.moves_per_second = 0.0;
    cluster.need("cam-000").pin = Some("b".into());
    assert_eq!(cluster.run(300), []);
    cluster.dies("a");
    assert_eq!(cluster.decide().moves.len(), 16);
}

#[test]
fn a_higher_rate_moves_more_in_a_second_and_saves_nothing_up() {
    let mut cluster = two(20, 0);
    cluster.placer.settings.moves_per_second = 3.0;
    cluster.run(A_WHILE - 1);
    let (first, second) = (cluster.run(1).len(), cluster.run(1).len());
    assert!(first <= 3 && second <= 3 && first + second > 3, "{first} and {second}");
}
