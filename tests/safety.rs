//! What a child that was taken over can do: a library in place of a plugin of GStreamer, and in place of ONNX Runtime,
//! tries what exploits would try, inside of a real daemon's confined children, beside a camera that works.
//!
//! The short form runs as this user, and once as if the kernel had Landlock's ABI 2 (Debian 12), once as if it had none.
//! `OCELLI_SAFETY=whole` (`make safety`) runs all ABIs, as root and as an unprivileged user, and writes a report.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test that cannot go on fails, and its parts are its own")]

#[path = "safety/probed.rs"]
mod probed;
mod support;

use ocelli::os::confinement::Confinement;
use probed::{Act, Probed, Scene, Targets, probe};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::Daemon;
use support::{free_port, from_setup, root, wait_for};

/// The user `nobody`.
const NOBODY: u32 = 65534;

/// What an act must come to, in words that the report has too.
fn is_as_expected(act: &Act, scene: Scene) -> bool {
    match act.group.as_str() {
        // Seccomp does not see paths.
        "file" => scene.abi == Some(0) || [libc::EACCES, libc::ENOENT, libc::ENXIO].contains(&act.error),
        "refused" => act.error == libc::ENOSYS,
        "address" => act.error == if act.child == "capture" { libc::EACCES } else { libc::ENOSYS },
        "code" => act.error == libc::EPERM,
        "works" | "end" => act.error == 0,
        // What an unprivileged process could get it cannot give up, and cannot get.
        "capabilities" => act.error == 0 || !is_root() || scene.user.is_some(),
        "absent" => act.error == libc::EBADF,
        _ => false,
    }
}

fn run(scene: Scene) -> Vec<Act> {
    let home = tempfile::tempdir().unwrap();
    let targets = Targets::new(home.path());
    let camera = RtspCamera::surveillance(free_port());
    let probed = Probed::start(scene, camera.url(), home, &targets);
    let acts = probed.acts();
    let unexpected: Vec<&Act> = acts.iter().filter(|act| !is_as_expected(act, scene)).collect();
    assert!(unexpected.is_empty(), "{scene:?}: {unexpected:#?}");
    let of = |child: &str| acts.iter().filter(|act| act.child == child).count();
    for child in ["capture", "unit", "keeper"] {
        assert!(of(child) > 65, "{} acts of the {child}", of(child));
    }
    targets.assert_untouched();
    for kind in ["capture", "unit"] {
        wait_for("the count", Duration::from_secs(10), || (probed.refused(kind) > 100).then_some(()));
    }
    // And it does its work.
    wait_for("the stream", Duration::from_secs(30), || probed.log().contains("a camera streams").then_some(()));
    acts
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_child_that_was_taken_over_reaches_nothing_with_landlock_with_an_old_one_and_without() {
    from_setup("models/coco-ssd/model.onnx");
    assert!(Confinement::of_this_kernel().guard, "this kernel decides about sockets");
    let whole = std::env::var("OCELLI_SAFETY").is_ok_and(|what| what == "whole");
    let has_landlock = Confinement::of_this_kernel().landlock.is_some();
    let users = if is_root() { vec![None, Some(NOBODY)] } else { vec![None] };
    let other = *users.last().unwrap();
    let mut scenes = vec![Scene { abi: Some(0), user: other }];
    if has_landlock {
        scenes.extend([Scene { abi: None, user: None }, Scene { abi: Some(2), user: other }]);
    }
    if whole {
        let abis = [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(5)];
        let all = abis.into_iter().filter(|abi| has_landlock || *abi == Some(0));
        scenes = all.flat_map(|abi| users.iter().map(move |user| Scene { abi, user: *user })).collect();
    }
    let mut rows = Vec::new();
    for scene in scenes {
        for act in run(scene) {
            let user = if is_root() && scene.user.is_none() { "root" } else { "unprivileged" };
            let landlock = scene.abi.map_or_else(|| "as the kernel has it".to_owned(), |abi| format!("ABI {abi}"));
            let Act { child, group, error, what } = act;
            rows.push(serde_json::json!({
                "landlock": landlock, "user": user, "child": child, "act": what, "group": group, "errno": error,
            }));
        }
    }
    if whole {
        let report = serde_json::json!({ "kernel": Confinement::of_this_kernel().in_words(), "acts": rows });
        write_report("safety", &report);
    }
}

/// What a `connect` costs that the parent makes for a capture process, beside one that this test makes for itself.
#[test]
fn a_connection_through_the_parent_costs_less_than_two_milliseconds_more() {
    let home = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let mut plain: Vec<u128> = (0..1000)
        .map(|_| {
            let begun = std::time::Instant::now();
            let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let took = begun.elapsed().as_nanos();
            drop(stream);
            took
        })
        .collect();
    plain.sort_unstable();
    let plain = u32::try_from(plain[plain.len() / 2]).unwrap();
    let plugins = home.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    fs::copy(probe(), plugins.join("libgstprobe.so")).unwrap();
    fs::write(plugins.join("probe.txt"), format!("connects={port}")).unwrap();
    // No registry: the capture process looks at the plugins itself.
    fs::write(home.path().join("gstreamer-1.0"), "").unwrap();
    let capture = support::capture::Capture::start_with(home.path(), &[("GST_PLUGIN_PATH", &plugins)]);
    capture.expect_started();
    let log = fs::read_to_string(home.path().join("log")).unwrap();
    let line = log.lines().find_map(|line| line.split_once("PROBE connects ")).expect("the probe connects").1;
    let median = line.strip_prefix("1000 median ").and_then(|rest| rest.strip_suffix(" ns"));
    let through: u32 = median.expect("all connections were made").parse().unwrap();
    let micros = |nanoseconds: u32| f64::from(nanoseconds) / 1000.0;
    let more = micros(through) - micros(plain);
    println!("connect: {:.1} µs, through the parent {:.1} µs", micros(plain), micros(through));
    if std::env::var("OCELLI_SAFETY").is_ok_and(|what| what == "whole") {
        let rows = serde_json::json!([
            { "name": "connect, plain", "value": micros(plain), "unit": "µs", "bar": null, "ok": true,
              "method": "median of 1,000 connections to loopback" },
            { "name": "connect, through the parent", "value": micros(through), "unit": "µs", "bar": micros(plain) + 2000.0,
              "ok": more < 2000.0, "method": "the same by a confined capture process" },
        ]);
        write_report("safety-connect", &rows);
    }
    assert!(more < 2000.0, "{more} µs more");
}

fn write_report(name: &str, report: &serde_json::Value) {
    let directory = root().join("target/reports");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join(format!("{name}.json")), serde_json::to_string_pretty(report).unwrap()).unwrap();
}

/// How many filters of system calls a process has.
fn filters(pid: u32) -> u32 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    status.lines().find_map(|line| line.strip_prefix("Seccomp_filters:")?.trim().parse().ok()).unwrap()
}

#[test]
fn a_unit_that_serves_has_given_up_to_change_files() {
    let (broker, camera) = (Broker::start(), RtspCamera::surveillance(0));
    let yard = support::daemon::camera("yard", camera.url(), 5);
    let daemon = Daemon::start(broker.port, &format!("[sandbox]\nmode = \"required\"\n{yard}"));
    let messages = broker.subscribe("ocelli/box/cameras/yard/detections");
    messages.wait_json("detections", 60, "yard/detections", |_| true);
    // What libraries only try, the list of the kind, that against new code, and since the model is loaded the one against changes.
    let served = filters(daemon.pid()) + 4;
    for unit in daemon.units() {
        // A second unit may still load while the first one serves.
        wait_for("a unit that serves", Duration::from_secs(30), || (filters(unit) >= served).then_some(()));
        assert_eq!(filters(unit), served, "{}", daemon.log());
    }
    assert!(!daemon.log().contains("refused to a child"), "{}", daemon.log());
    assert!(daemon.stop().0.success());
}
