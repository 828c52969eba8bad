//! A thread that ends unexpectedly.

use super::*;

#[test]
fn a_thread_that_has_panicked_is_trouble_at_once_and_what_is_recorded_then_counts_as_dropped() {
    let home = tempfile::tempdir().unwrap();
    let rules = OutboxRules {
        file: home.path().join("events.db"),
        vfs: None,
        max_bytes: 1 << 20,
        keep: Duration::from_secs(3600),
        has_sink: false,
    };
    let (mut outbox, _end) = Outbox::start(rules).unwrap();
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
