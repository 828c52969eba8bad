//! Two daemons with one state directory: the second is refused, and says by whom.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use rustix::process::Signal;
use std::time::Duration;
use support::daemon::Daemon;
use support::{signal, wait_for};

const SETTINGS: &str = "[mqtt]\nenabled = false\n[[models]]\nname = \"coco-ssd\"\nmin_inference_units = 1\n";

#[test]
fn a_second_daemon_is_refused_and_a_killed_one_leaves_no_lock() {
    let mut daemon = Daemon::start(0, SETTINGS);
    daemon.wait_ready();
    let (status, text) = daemon.command(&["run", "--duration", "60"]);
    assert_eq!(status.code(), Some(1), "{text}");
    let holder = format!("process {}", daemon.pid());
    assert!(text.contains(&holder) && text.contains("state_directory"), "{text}");
    let children = [daemon.units(), daemon.captures()].concat();
    assert!(!children.is_empty());
    signal(daemon.pid(), Signal::KILL);
    daemon.start_again();
    daemon.wait_ready();
    let log = daemon.log();
    assert!(!log.contains("another daemon"), "{log}");
}

#[test]
fn a_state_directory_that_cannot_be_written_keeps_no_daemon_from_running() {
    let daemon = Daemon::start_on_disk(0, SETTINGS, "ro");
    daemon.wait_ready();
    wait_for("the warning", Duration::from_secs(10), || daemon.log().contains("cannot be locked").then_some(()));
    let (status, _) = daemon.stop();
    assert!(status.success());
}
