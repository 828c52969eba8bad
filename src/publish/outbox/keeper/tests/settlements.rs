//! Acknowledgements: what they write, and that none is forgotten; and when the store looks for old events.

use super::*;
use crate::os::tests::watched_disk::{Step, WatchedDisk};

/// The pages that were written to the log since the last call.
fn pages_written(disk: &WatchedDisk) -> usize {
    let steps = disk.take_steps();
    let of_log = steps
        .iter()
        .filter(|step| matches!(step, Step::Write { file, bytes, .. } if file.ends_with("-wal") && bytes.len() == 24));
    of_log.count()
}

#[test]
fn an_acknowledgement_is_written_with_the_next_event_or_the_next_sync_and_not_by_itself() {
    let (home, disk) = (tempfile::tempdir().unwrap(), WatchedDisk::new());
    let mut keeper = Keeper::new(OutboxRules { vfs: Some(disk.vfs.clone()), ..rules(&home) }, at(0));
    keeper.set_connected(true, at(0));
    let frames = |keeper: &mut Keeper, at_ms: u64, events: usize| {
        drop(disk.take_steps());
        if events > 0 {
            record(keeper, 1..=events, at(at_ms));
        }
        deliver(keeper, at(at_ms));
        keeper.tick(1_000, at(at_ms));
        pages_written(&disk)
    };
    let first = frames(&mut keeper, 1, 1);
    assert_eq!((first > 0, keeper.settled.len()), (true, 1), "the acknowledgement waits");
    assert_eq!(frames(&mut keeper, 2, 0), 0, "and nothing is written for it");
    let with_event = frames(&mut keeper, 3, 1);
    assert_eq!(keeper.settled.len(), 1, "the first is marked with the second event");
    assert!(with_event <= 2, "{with_event} pages");
    assert_eq!((frames(&mut keeper, 501, 0), keeper.settled.len()), (1, 0), "the second with the sync, on one page");
    assert_eq!(keeper.store.as_ref().unwrap().undelivered().unwrap(), []);
}

#[test]
fn what_was_acknowledged_does_not_go_again_over_another_connection() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::new(rules(&home), at(0));
    keeper.set_connected(true, at(0));
    record(&mut keeper, 1..=2, at(0));
    let departure = keeper.next(at(0)).unwrap();
    keeper.take_in(Vec::new(), &[Settled::Delivered(departure.position)], 1_000, at(1));
    keeper.set_connected(false, at(2));
    keeper.set_connected(true, at(3));
    assert_eq!(sequence(&deliver(&mut keeper, at(3))), [2]);
}

#[test]
fn a_scan_for_old_events_waits_until_one_can_be_old() {
    let home = tempfile::tempdir().unwrap();
    let mut store = Store::open(&home.path().join("events.db"), None).unwrap();
    let at_ms = |position: Position, recorded_ms: i64| Record {
        position,
        recorded_ms,
        camera: "yard".into(),
        payload: b"{}".to_vec(),
    };
    store.write(&[at_ms(1, 1_000), at_ms(2, 2_000), at_ms(3, 3_000)], &[1, 3], Dropped::default()).unwrap();
    assert_eq!(store.forget_delivered(500, 10, 10), Ok(0));
    assert_eq!(store.none_before_ms(), 1_000);
    assert_eq!(store.forget_delivered(1_000, 10, 10), Ok(0));
    assert_eq!(store.forget_delivered(1_001, 10, 10), Ok(1));
    assert_eq!(store.none_before_ms(), 3_000);
    // The one that was passed is delivered, and the clock was set back for the next.
    store.write(&[], &[2], Dropped::default()).unwrap();
    assert_eq!(store.forget_delivered(2_500, 10, 10), Ok(1));
    store.write(&[at_ms(4, 10)], &[4], Dropped::default()).unwrap();
    assert_eq!(store.forget_delivered(1_000, 10, 10), Ok(1));
    assert_eq!(store.forget_delivered(i64::MAX, 10, 10), Ok(1));
}

#[test]
fn an_acknowledgement_that_comes_after_its_connection_was_lost_counts() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::new(rules(&home), at(0));
    keeper.set_connected(true, at(0));
    record(&mut keeper, 1..=1, at(0));
    let departure = keeper.next(at(0)).unwrap();
    keeper.set_connected(false, at(1));
    keeper.set_connected(true, at(2));
    keeper.take_in(Vec::new(), &[Settled::Delivered(departure.position)], 1_000, at(3));
    assert_eq!(keeper.next(at(3)), Err(None));
}

#[test]
fn a_sync_that_has_only_marks_of_events_that_are_gone_is_one_all_the_same() {
    let (home, disk) = (tempfile::tempdir().unwrap(), WatchedDisk::new());
    let mut store = Store::open(&home.path().join("events.db"), Some(&disk.vfs)).unwrap();
    let kept = Record { position: 1, recorded_ms: 1, camera: "yard".into(), payload: b"{}".to_vec() };
    store.write(&[kept], &[], Dropped::default()).unwrap();
    let written = disk.step_count();
    store.sync(&[99], Dropped::default()).unwrap();
    assert!(disk.has_synced_since(written, "-wal"));
}
