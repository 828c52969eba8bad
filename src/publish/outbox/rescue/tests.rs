//! A power cut during a rescue.

use super::*;
use std::fs;

fn record(position: Position) -> Record {
    Record {
        position,
        recorded_ms: 5,
        camera: "yard".into(),
        payload: vec![b'x'; 300 * usize::try_from(position).unwrap()],
    }
}

fn positions(file: &Path) -> Vec<Position> {
    finish(file).unwrap();
    let (records, _) = Store::open(file, None).unwrap().since(0, 0, 1_000).unwrap();
    records.iter().map(|record| record.position).collect()
}

/// A store with these events, closed.
fn store(file: &Path, events: std::ops::RangeInclusive<Position>) {
    let records: Vec<Record> = events.map(record).collect();
    Store::open(file, None).unwrap().write(&records, &[], Dropped::default()).unwrap();
}

#[test]
fn a_rescue_goes_on_wherever_it_was_interrupted() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("events.db");
    for done in 0..=3 {
        // The damaged store with its log, and the complete replacement.
        store(&file, 1..=9);
        fs::write(log_of(&file), "not the log of the replacement").unwrap();
        store(&replacement(&file), 1..=7);
        if done >= 1 {
            fs::rename(&file, with_suffix(&file, ".damaged")).unwrap();
        }
        if done >= 2 {
            fs::remove_file(log_of(&file)).unwrap();
        }
        if done >= 3 {
            fs::rename(replacement(&file), &file).unwrap();
        }
        assert_eq!(positions(&file), (1..=7).collect::<Vec<_>>(), "after {done} steps");
        assert!(with_suffix(&file, ".damaged").exists() && !replacement(&file).exists());
        fs::remove_file(&file).unwrap();
    }
}

#[test]
fn a_rescue_that_did_not_come_to_its_end_begins_anew() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("events.db");
    store(&file, 1..=50);
    // Larger than a page, and in the middle of the tree.
    fs::write(with_suffix(&file, ".part"), "half a store").unwrap();
    fs::write(with_suffix(&file, ".part-wal"), "half a log").unwrap();
    let mut bytes = fs::read(&file).unwrap();
    bytes[..100].fill(0xAA);
    fs::write(&file, bytes).unwrap();
    assert_eq!(set_aside(&file, None).unwrap(), 50, "those longer than a page too");
    assert_eq!(positions(&file), (1..=50).collect::<Vec<_>>());
    let left: Vec<_> = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn without_room_for_the_replacement_the_damaged_store_stays_as_it_is() {
    use crate::os::tests::watched_disk::{Fault, WatchedDisk};
    let (home, disk) = (tempfile::tempdir().unwrap(), WatchedDisk::new());
    let file = home.path().join("events.db");
    store(&file, 1..=50);
    let damaged = fs::read(&file).unwrap();
    disk.set_fault(Some(Fault::Full));
    assert!(set_aside(&file, Some(&disk.vfs)).is_err());
    assert_eq!(fs::read(&file).unwrap(), damaged);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "no file is left on the full disk");
}

#[test]
fn a_store_with_the_larger_pages_of_earlier_versions_is_used_and_rescued() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("events.db");
    let earlier = rusqlite::Connection::open(&file).unwrap();
    earlier.execute_batch("PRAGMA page_size = 4096; CREATE TABLE some (one); DROP TABLE some;").unwrap();
    drop(earlier);
    store(&file, 1..=50);
    assert!(!has_damaged_header(&file).unwrap());
    let mut bytes = fs::read(&file).unwrap();
    assert_eq!(bytes[16..18], [0x10, 0], "its pages stay as they are");
    assert_eq!(positions(&file), (1..=50).collect::<Vec<_>>());
    bytes[..100].fill(0xAA);
    fs::write(&file, bytes).unwrap();
    assert_eq!(set_aside(&file, None).unwrap(), 50);
    assert_eq!(positions(&file), (1..=50).collect::<Vec<_>>());
    assert_eq!(fs::read(&file).unwrap()[16..18], [0x04, 0]);
}

#[test]
fn a_header_with_the_other_size_of_a_page_hides_no_event() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("events.db");
    store(&file, 1..=50);
    let mut bytes = fs::read(&file).unwrap();
    bytes[16] = 0x10;
    fs::write(&file, bytes).unwrap();
    assert_eq!(set_aside(&file, None).unwrap(), 50);
    assert_eq!(positions(&file), (1..=50).collect::<Vec<_>>());
}
