//! Cameras whose decoding takes more of a box than their inference.

use super::{A_WHILE, Cluster, MoveReason, count};

#[test]
fn boxes_with_fast_units_share_cameras_by_their_processors() {
    let mut cluster = Cluster::new(&[("a", 1_000.0), ("b", 1_000.0)]);
    (cluster.of("a").processors, cluster.of("b").processors) = (2.0, 8.0);
    cluster.cameras("cam", 50, 1.0);
    cluster.decide();
    assert_eq!((cluster.count_on("a"), cluster.count_on("b")), (25, 25), "nobody has decoded them yet");
    (0..50).for_each(|number| cluster.need(&format!("cam-{number:03}")).cores = 0.1);
    let moves = cluster.run(3 * A_WHILE);
    assert!(count(&moves, MoveReason::Overfull) > 0, "{moves:?}");
    // 10 of them would take 71 % of the small box and 40 of them the same of the large one; the slack is 15 %.
    assert!((10..=12).contains(&cluster.count_on("a")), "{}", cluster.count_on("a"));
    assert!(cluster.run(A_WHILE).is_empty());
}
