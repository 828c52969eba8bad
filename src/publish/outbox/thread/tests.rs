//! A thread that ends unexpectedly, and one that hangs in the disk.

use super::*;
use crate::os::tests::watched_disk::WatchedDisk;
use std::path::Path;

fn rules(home: &Path, vfs: Option<String>) -> OutboxRules {
    let (file, keep) = (home.join("events.db"), Duration::from_secs(3600));
    OutboxRules { file, vfs, max_bytes: 1 << 20, keep, sync_after: Duration::from_millis(500), has_sink: false }
}

#[test]
fn a_thread_that_has_panicked_is_trouble_at_once_and_what_is_recorded_then_counts_as_dropped() {
    let home = tempfile::tempdir().unwrap();
    let (mut outbox, _end) = Outbox::start(rules(home.path(), None)).unwrap();
    assert_eq!(outbox.status().trouble, None);
    let (records, receiver) = mpsc::channel(1);
    let (outbox_thread, begin) = (outbox.thread.take().unwrap(), std::sync::mpsc::sync_channel::<()>(1));
    outbox.records = records;
    // The sender of records is gone, so the thread ends in order.
    outbox_thread.join().unwrap();
    let panicking = std::thread::spawn(move || {
        let _receiver = receiver;
        begin.1.recv().unwrap();
        panic!("as a fault of the outbox would");
    });
    outbox.thread = Some(panicking);
    assert_eq!(outbox.status().trouble, None);
    begin.0.send(()).unwrap();
    while !outbox.thread.as_ref().unwrap().is_finished() {
        std::thread::yield_now();
    }
    outbox.record("yard".into(), b"{}".to_vec());
    let status = outbox.status();
    assert!(status.trouble.unwrap().contains("restart the daemon"));
    assert_eq!(status.dropped, 1);
    outbox.close();
}

#[tokio::test]
async fn a_disk_that_does_not_answer_is_trouble_after_five_seconds_and_what_is_dropped_meanwhile_is_counted() {
    let (home, disk) = (tempfile::tempdir().unwrap(), WatchedDisk::new());
    let (outbox, _end) = Outbox::start(rules(home.path(), Some(disk.vfs.clone()))).unwrap();
    let record = || outbox.record("yard".into(), b"{}".to_vec());
    let state_after = |seconds: u64, since: Monotonic| {
        let status = outbox.status_at(since + Duration::from_secs(seconds));
        (status.dropped, status.trouble)
    };
    outbox.flush().await;
    let began = monotonic_now();
    disk.hang();
    record();
    disk.wait_until_it_hangs();
    let room = outbox.records.capacity();
    (0..room + 10).for_each(|_| record());
    assert_eq!(state_after(0, began), (10, None));
    let hung = state_after(6, monotonic_now());
    assert_eq!(hung.0, 10);
    assert!(hung.1.as_ref().unwrap().contains("does not answer"));
    assert_eq!(state_after(60, monotonic_now()), hung, "the text stays the same");
    disk.answer();
    outbox.flush().await;
    assert_eq!(state_after(0, monotonic_now()), (10, None));
    assert_eq!(outbox.status().recorded, room as u64 + 1);
    outbox.close();
}
