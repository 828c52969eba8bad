//! Cameras that fail in time: how soon their frames are back, what their neighbours notice, what reconnecting costs, and how
//! often a wrong password is tried.
//!
//! Short by themselves; `OCELLI_DYNAMICS=whole` (`make camera-dynamics`) lasts as long as is promised, an hour, and writes
//! `target/reports/camera-dynamics.json`. `OCELLI_LOGIN_SECONDS` and `OCELLI_RECONNECTS` set the length of their parts.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

#[path = "support/dynamics/mod.rs"]
mod dynamics;
#[path = "support/quirks/mod.rs"]
mod quirks;
#[path = "support/served/mod.rs"]
mod served;

use dynamics::extent::Extent;
use dynamics::figure::{Figure, judge};
use dynamics::login_counter::LoginCounter;
use dynamics::{faults, reconnects, site};
use std::time::{Duration, Instant};
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::wait_for;

/// Logins that a camera may see of a wrong password within an hour: more lock the account.
const LOGINS: f64 = 5.0;

#[test]
fn a_wrong_password_is_tried_five_times_in_an_hour_at_most() {
    let extent = Extent::of_run();
    let port = support::free_port();
    let _camera = RtspCamera::start(&["--port", &port.to_string(), "--user", "admin", "--password", "right"]);
    let [wrong, right] = [(); 2].map(|()| LoginCounter::before(port));
    let url = |counter: &LoginCounter, password: &str| {
        site::url(counter.port).replace("://", &format!("://admin:{password}@"))
    };
    let settings = camera("wrong", &url(&wrong, "wrong"), 1) + &camera("right", &url(&right, "right"), 1);
    let broker = Broker::start();
    let daemon = Daemon::start(broker.port, &settings);
    let state = |id: &str| {
        let (_, body) = daemon.get(&format!("/api/cameras/{id}")).unwrap_or_default();
        serde_json::from_str::<serde_json::Value>(&body).unwrap_or_default()["state"].clone()
    };
    wait_for("the refusal", Duration::from_secs(60), || (state("wrong") == "auth-failed").then_some(()));
    wait_for("the stream of the right password", Duration::from_secs(60), || {
        (state("right") == "streaming").then_some(())
    });
    let begun = Instant::now();
    while begun.elapsed() < extent.refusals {
        assert!(wrong.logins() <= 5, "{} logins after {:?}", wrong.logins(), begun.elapsed());
        std::thread::sleep(Duration::from_millis(200));
    }
    // Else the counter would prove nothing.
    assert!(right.logins() > 0 && wrong.logins() >= 3, "{} and {} logins", right.logins(), wrong.logins());
    assert!(wrong.refusals() >= wrong.logins(), "{} refusals of {} logins", wrong.refusals(), wrong.logins());
    assert_eq!(state("right"), "streaming");
    let name = format!("a wrong password for {} s: logins", extent.refusals.as_secs());
    let method = "counted in front of a gst-rtsp-server with a digest login, which refuses them";
    judge("logins", &extent, vec![Figure::new(name, f64::from(wrong.logins()), "", LOGINS, method)]);
}

#[test]
fn frames_are_back_five_seconds_after_a_camera_is_well_and_its_neighbours_notice_nothing() {
    let extent = Extent::of_run();
    judge("faults", &extent, faults::run(&extent));
}

#[test]
fn streams_that_the_camera_ends_leave_neither_memory_nor_threads() {
    let extent = Extent::of_run();
    judge("reconnects", &extent, reconnects::run(&extent));
}
