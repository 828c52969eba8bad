//! The daemon's signals: SIGHUP does not end it, and a stop is told to clients before it takes place.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use rustix::process::Signal;
use std::time::{Duration, Instant};
use support::daemon::Daemon;
use support::{from_setup, signal, wait_for};

const LIMIT: Duration = Duration::from_secs(30);

/// Long enough for a few calls on a busy box.
const DRAIN: Duration = Duration::from_secs(5);

#[test]
fn a_hang_up_reads_the_settings_and_a_stop_answers_calls_until_its_drain_is_over() {
    let settings = format!("[mqtt]\nenabled = false\n[http]\ndrain_seconds = {}.0\n", DRAIN.as_secs());
    let mut daemon = Daemon::start(0, &settings);
    daemon.wait_ready();
    signal(daemon.pid(), Signal::HUP);
    wait_for("the reload", LIMIT, || daemon.log().contains("the settings were read again").then_some(()));
    assert_eq!(daemon.get("/readyz").unwrap().0, 200);

    let image = std::fs::read(from_setup("testdata/photo.jpg")).unwrap();
    let begun = Instant::now();
    signal(daemon.pid(), Signal::TERM);
    let (_, reasons) = wait_for("the drain", LIMIT, || daemon.get("/readyz").filter(|(status, _)| *status == 503));
    assert!(reasons.contains("the daemon is stopping"), "{reasons}");
    let (status, _, answer) = daemon.post_image("/api/models/coco-ssd/detect", &image).unwrap();
    assert_eq!(status, 200, "{answer}");
    assert_eq!(daemon.get("/healthz").unwrap().0, 200, "it is as alive as before");

    assert!(daemon.wait_exit(LIMIT).success());
    assert!(begun.elapsed() >= DRAIN, "the drain took {:?} only", begun.elapsed());
    assert!(daemon.get("/readyz").is_none(), "nothing listens any more");
}
