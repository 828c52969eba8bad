//! The log against targets that really refuse: a directory, a full device, a removed file, a pipe that nobody reads.

use super::*;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const LIMIT: Duration = Duration::from_secs(20);

fn log_at(path: &Path) -> (LogQueue, Troubles) {
    let troubles = Troubles::default();
    (LogQueue::start(Some(path), troubles.clone()).unwrap(), troubles)
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < deadline, "{what} did not happen within {LIMIT:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn home() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("log");
    (home, path)
}

#[test]
fn lines_are_in_the_file_in_their_order_after_a_flush() {
    let (_home, path) = home();
    fs::write(&path, "earlier\n").unwrap();
    let (log, troubles) = log_at(&path);
    (0..100).for_each(|number| log.push(format!("{number}\n").as_bytes()));
    log.flush(LIMIT);
    let expected: String = (0..100).map(|number| format!("{number}\n")).collect();
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("earlier\n{expected}"));
    assert_eq!((log.dropped(), troubles.all()), (0, vec![]));
}

#[test]
fn a_file_that_cannot_be_opened_is_trouble_and_is_written_as_soon_as_it_can_be() {
    let (_home, path) = home();
    fs::create_dir(&path).unwrap();
    let (log, troubles) = log_at(&path);
    log.push(b"first\n");
    log.push(b"second\n");
    log.flush(LIMIT);
    let trouble = troubles.all().join("; ");
    assert!(trouble.contains("log cannot be written") && trouble.contains("directory"), "{trouble}");
    fs::remove_dir(&path).unwrap();
    // No further line is needed for that.
    wait_until("the end of the trouble", || troubles.all().is_empty());
    log.push(b"third\n");
    log.flush(LIMIT);
    assert_eq!(fs::read_to_string(&path).unwrap(), "first\nthird\n", "the second is on standard error");
    assert_eq!(log.dropped(), 0);
}

#[test]
fn a_full_disk_is_trouble_that_names_it_and_stops_no_one_who_logs() {
    let (_home, path) = home();
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let (log, troubles) = log_at(&path);
    log.push(b"a line\n");
    wait_until("the trouble", || troubles.all().iter().any(|why| why.contains("No space left")));
    fs::remove_file(&path).unwrap();
    wait_until("the end of the trouble", || troubles.all().is_empty());
    assert_eq!(fs::read_to_string(&path).unwrap(), "a line\n");
}

#[test]
fn a_file_that_was_removed_or_rotated_is_made_again() {
    let (home, path) = home();
    let (log, troubles) = log_at(&path);
    log.push(b"before\n");
    log.flush(LIMIT);
    for rotated in [None, Some(home.path().join("log.1"))] {
        match &rotated {
            None => fs::remove_file(&path).unwrap(),
            Some(place) => fs::rename(&path, place).unwrap(),
        }
        wait_until("a new file", || {
            log.push(b"after\n");
            log.flush(LIMIT);
            path.exists()
        });
    }
    assert!(fs::read_to_string(&path).unwrap().starts_with("after\n"));
    assert!(troubles.all().is_empty());
}

#[test]
fn a_target_that_hangs_holds_up_no_one_and_what_is_dropped_is_counted() {
    let (_home, path) = home();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (log, troubles) = log_at(&path);
    let started = Instant::now();
    let pushed = 3 * QUEUE_LINES as u64;
    (0..pushed).for_each(|_| log.push(b"a line\n"));
    log.flush(Duration::from_millis(100));
    assert!(started.elapsed() < Duration::from_secs(5), "whoever logs does not wait for the pipe");
    // The one that the thread holds is not in the queue.
    let dropped = log.dropped();
    assert!((pushed - QUEUE_LINES as u64 - 1..=pushed - QUEUE_LINES as u64).contains(&dropped), "{dropped}");
    assert!(troubles.all()[0].contains(&format!("{dropped} lines are dropped")), "{:?}", troubles.all());

    let mut reader = Command::new("cat").arg(&path).stdout(std::process::Stdio::null()).spawn().unwrap();
    wait_until("the end of the trouble", || troubles.all().is_empty());
    log.flush(LIMIT);
    reader.kill().unwrap();
    reader.wait().unwrap();
}

#[test]
fn a_line_that_was_written_in_part_does_not_run_into_the_next() {
    let (_home, path) = home();
    fs::write(&path, "half a li").unwrap();
    let mut file = LogFile::new(&path);
    file.mark_torn();
    file.append(b"whole\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "half a li\nwhole\n");
}
