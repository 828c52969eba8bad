//! The order of writes, and contents that the disk refuses.

use super::*;
use tempfile::TempDir;

/// A state directory that cannot be made, because a file lies in its place. It can be once that file is removed.
fn blocked_directory() -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let blocked = home.path().join("state");
    std::fs::write(&blocked, "a file where the directory should be").unwrap();
    (home, blocked)
}

async fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < deadline, "not within 10 s: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_file_is_replaced_as_a_whole_and_its_directory_created() {
    let home = tempfile::tempdir().unwrap();
    let (keeper, path) = (FileKeeper::start().unwrap(), home.path().join("state/a.json"));
    keeper.replace(path.clone(), b"one".to_vec()).await.unwrap();
    keeper.replace(path.clone(), b"two".to_vec()).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"two");
    assert!(keeper.degraded().is_empty());
}

#[tokio::test]
async fn a_refused_change_in_force_is_written_later_and_a_given_up_one_is_not() {
    let (_home, blocked) = blocked_directory();
    let keeper = FileKeeper::with_limits(Duration::from_millis(10), HANG_LIMIT).unwrap();
    let (done, result) = oneshot::channel();
    let in_force = blocked.join("models.json");
    keeper.write(&in_force, b"1".to_vec(), OnRefusal::TryAgain, move |result| drop(done.send(result))).unwrap();
    assert!(result.await.unwrap().is_err());
    let given_up = blocked.join("catalog.json");
    assert!(keeper.replace(given_up.clone(), b"2".to_vec()).await.is_err());
    assert_eq!(keeper.degraded().len(), 2);
    std::fs::remove_file(&blocked).unwrap();
    wait_until("it is retried", || in_force.exists()).await;
    assert!(!given_up.exists());
    keeper.replace(given_up, b"3".to_vec()).await.unwrap();
    assert!(keeper.degraded().is_empty(), "it has healed");
}

#[tokio::test]
async fn queued_contents_are_still_written_when_the_last_handle_is_dropped() {
    let home = tempfile::tempdir().unwrap();
    let keeper = FileKeeper::start().unwrap();
    let (done, result) = oneshot::channel();
    for number in 0..20_u8 {
        keeper.write(&home.path().join("a"), vec![number], OnRefusal::TryAgain, |_| {}).unwrap();
    }
    keeper.write(&home.path().join("a"), vec![99], OnRefusal::TryAgain, move |result| drop(done.send(result))).unwrap();
    drop(keeper);
    result.await.unwrap().unwrap();
    assert_eq!(std::fs::read(home.path().join("a")).unwrap(), [99]);
}

#[tokio::test]
async fn files_are_written_in_the_order_of_requests_and_an_old_content_never_replaces_a_newer_one() {
    let home = tempfile::tempdir().unwrap();
    let (path, blocked) = (home.path().join("a"), home.path().join("state"));
    std::fs::write(&blocked, "a file where the directory should be").unwrap();
    let keeper = FileKeeper::with_limits(Duration::from_secs(60), HANG_LIMIT).unwrap();
    // The thread is busy until all requests are queued.
    let (begin, began) = sync_channel(1);
    keeper.run(move |_| began.recv().unwrap()).unwrap();
    keeper.write(&path, b"1".to_vec(), OnRefusal::TryAgain, |_| {}).unwrap();
    let refused = blocked.join("b");
    keeper.write(&refused, b"1".to_vec(), OnRefusal::TryAgain, |_| {}).unwrap();
    let (newer, unblocked) = (path.clone(), (blocked.clone(), refused.clone()));
    keeper
        .run(move |writer| {
            writer.replace(&newer, b"2").unwrap();
            std::fs::remove_file(unblocked.0).unwrap();
            writer.replace(&unblocked.1, b"2").unwrap();
        })
        .unwrap();
    begin.send(()).unwrap();
    keeper.replace(home.path().join("last"), Vec::new()).await.unwrap();
    assert_eq!((std::fs::read(&path).unwrap(), std::fs::read(&refused).unwrap()), (b"2".to_vec(), b"2".to_vec()));
}

#[test]
fn a_refused_content_is_not_retried_after_a_newer_one_was_written() {
    let (_home, blocked) = blocked_directory();
    let mut writer = FileWriter::new(Refused::default(), Arc::default());
    let (path, on_refusal) = (blocked.join("a"), OnRefusal::TryAgain);
    writer.write(path.clone(), Write { content: b"1".to_vec(), on_refusal, waiting: Vec::new() });
    std::fs::remove_file(&blocked).unwrap();
    writer.replace(&path, b"2").unwrap();
    writer.retry();
    assert_eq!(std::fs::read(&path).unwrap(), b"2");
}

#[tokio::test]
async fn a_content_in_force_is_retried_although_a_newer_one_was_undone() {
    let (_home, blocked) = blocked_directory();
    let keeper = FileKeeper::with_limits(Duration::from_millis(10), HANG_LIMIT).unwrap();
    let (begin, began) = sync_channel(1);
    keeper.run(move |_| began.recv().unwrap()).unwrap();
    let path = blocked.join("models.json");
    keeper.write(&path, b"in force".to_vec(), OnRefusal::TryAgain, |_| {}).unwrap();
    let (done, undone) = oneshot::channel();
    keeper.write(&path, b"undone".to_vec(), OnRefusal::GiveUp, move |result| drop(done.send(result))).unwrap();
    begin.send(()).unwrap();
    assert!(undone.await.unwrap().is_err());
    std::fs::remove_file(&blocked).unwrap();
    wait_until("it is retried", || path.exists()).await;
    assert_eq!(std::fs::read(&path).unwrap(), b"in force");
}

#[tokio::test]
async fn a_change_that_was_undone_is_no_trouble_once_the_disk_takes_files_again() {
    let (_home, blocked) = blocked_directory();
    let keeper = FileKeeper::with_limits(Duration::from_millis(10), HANG_LIMIT).unwrap();
    let path = blocked.join("catalog.json");
    assert!(keeper.replace(path.clone(), b"undone".to_vec()).await.is_err());
    assert_eq!(keeper.degraded().len(), 1);
    std::fs::remove_file(&blocked).unwrap();
    wait_until("the disk is asked again", || keeper.degraded().is_empty()).await;
    assert!(!path.exists(), "the change was undone");
}

#[tokio::test]
async fn a_flush_waits_for_what_is_queued_and_not_for_ever() {
    let home = tempfile::tempdir().unwrap();
    let keeper = FileKeeper::start().unwrap();
    let (begin, began) = sync_channel(1);
    keeper.run(move |_| began.recv().unwrap()).unwrap();
    let path = home.path().join("models.json");
    keeper.write(&path, b"kept".to_vec(), OnRefusal::TryAgain, |_| {}).unwrap();
    assert!(!keeper.flush(Duration::from_millis(10)).await, "the disk hangs");
    begin.send(()).unwrap();
    assert!(keeper.flush(Duration::from_secs(10)).await);
    assert_eq!(std::fs::read(&path).unwrap(), b"kept");
}

#[tokio::test]
async fn a_file_that_somebody_removes_is_written_anew() {
    let home = tempfile::tempdir().unwrap();
    let keeper = FileKeeper::with_limits(Duration::from_millis(10), HANG_LIMIT).unwrap();
    let path = home.path().join("state/models.json");
    keeper.replace(path.clone(), b"kept".to_vec()).await.unwrap();
    // One step, unlike a removal, which fails when the file is written anew in its midst.
    std::fs::rename(home.path().join("state"), home.path().join("elsewhere")).unwrap();
    wait_until("it is there again", || path.exists()).await;
    assert_eq!(std::fs::read(&path).unwrap(), b"kept");
    wait_until("the end of the trouble", || keeper.degraded().is_empty()).await;
}

#[tokio::test]
async fn a_full_queue_refuses_and_the_newest_content_of_each_file_is_written_all_the_same() {
    let home = tempfile::tempdir().unwrap();
    let keeper = FileKeeper::with_limits(Duration::from_millis(10), HANG_LIMIT).unwrap();
    let (begin, began) = sync_channel(1);
    keeper.run(move |_| began.recv().unwrap()).unwrap();
    let path = home.path().join("models.json");
    let write = |content: String| keeper.write(&path, content.into_bytes(), OnRefusal::TryAgain, |_| {});
    let refused = (0..200).filter(|number| write(number.to_string()).is_err()).count();
    assert!(refused >= 200 - QUEUE_CAPACITY - 1, "{refused}");
    assert!(keeper.degraded()[0].contains(TOO_MANY), "{:?}", keeper.degraded());
    begin.send(()).unwrap();
    wait_until("the newest one", || std::fs::read(&path).is_ok_and(|content| content == b"199")).await;
    wait_until("the end of the trouble", || keeper.degraded().is_empty()).await;
    write("200".into()).unwrap();
    assert!(keeper.flush(Duration::from_secs(10)).await);
    assert_eq!(std::fs::read(&path).unwrap(), b"200");
}

#[test]
fn a_write_that_hangs_is_reported_while_it_hangs() {
    let keeper = FileKeeper::with_limits(RETRY_PERIOD, Duration::ZERO).unwrap();
    assert!(keeper.degraded().is_empty());
    *lock(&keeper.busy) = Some(Busy { path: "models.json".into(), since: Instant::now(), is_reported: false });
    assert_eq!(keeper.degraded(), ["models.json cannot be written: the disk does not answer"]);
    *lock(&keeper.busy) = None;
    assert!(keeper.degraded().is_empty());
}
