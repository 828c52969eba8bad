//! The daemon is suspended, as by a debugger, a slow disk or a kernel that gives it no time: its children stay.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use rustix::process::Signal;
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::{signal, wait_for};

#[test]
fn a_daemon_that_was_suspended_finds_its_children_and_cameras_as_they_were() {
    let (broker, yard, street) = (Broker::start(), RtspCamera::surveillance(0), RtspCamera::surveillance(0));
    let settings = camera("yard", yard.url(), 5) + &camera("street", street.url(), 5);
    let daemon = Daemon::start(broker.port, &settings);
    daemon.wait_ready();
    let detected = |id: &str| daemon.sum(&format!("ocelli_frames_detected_total{{camera=\"{id}\"}}"));
    let wait_for_more = |frames: f64| {
        for id in ["yard", "street"] {
            let before = detected(id);
            let is_more = || (detected(id) > before + frames).then_some(());
            wait_for("further frames of both cameras", Duration::from_secs(20), is_more);
        }
    };
    wait_for_more(5.0);
    let children = || (daemon.units(), daemon.captures());
    let before = children();
    // The second is longer than every deadline of a healthy child: heartbeat, inference and stall.
    for suspended in [Duration::from_millis(600), Duration::from_secs(13)] {
        signal(daemon.pid(), Signal::STOP);
        std::thread::sleep(suspended);
        signal(daemon.pid(), Signal::CONT);
        wait_for_more(15.0);
        assert_eq!(children(), before, "after {suspended:?}");
        for counter in ["ocelli_unit_restarts", "ocelli_capture_restarts", "ocelli_camera_reconnects"] {
            let counts = daemon.metrics(counter);
            assert!(
                !counts.is_empty() && counts.values().all(|count| *count == 0.0),
                "after {suspended:?}: {counts:?}"
            );
        }
        daemon.assert_ledger_closes();
    }
    assert!(daemon.log().contains("suspended"), "the operator is told: {}", daemon.log());
    assert!(daemon.stop().0.success());
}
