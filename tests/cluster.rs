//! Boxes of a cluster: real daemons, a real etcd, a real broker, and cameras that outlive the boxes that look at them.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use support::broker::{Broker, Subscriber};
use support::camera::RtspCamera;
use support::daemon::Daemon;
use support::etcd::Etcd;
use support::false_clock::FalseClock;
use support::{signal, wait_for};

/// How long anything may take on a busy machine. What is measured is told by `make cluster`.
const SECONDS: u64 = 60;
const LIMIT: Duration = Duration::from_secs(SECONDS);

/// Settings of a box in the cluster `hall`.
fn settings(name: &str, etcd: &Etcd, more: &str) -> String {
    format!(
        "box_id = \"{name}\"\n[http]\nlocal_api = \"open\"\n[cluster]\nname = \"hall\"\nendpoints = {}\nzone = \"{name}\"\n{more}",
        etcd.endpoints()
    )
}

/// What a command prints that must succeed.
fn succeed(daemon: &Daemon, arguments: &[&str]) -> String {
    let (status, text) = daemon.subcommand(arguments);
    assert!(status.success(), "{arguments:?}: {text}");
    text
}

/// Gives a camera to the cluster.
fn give(daemon: &Daemon, camera: &str, url: &str) {
    succeed(daemon, &["cluster", "cameras", "add", camera, url]);
}

/// The cluster as etcd has it now.
fn status(daemon: &Daemon) -> Value {
    serde_json::from_str(&succeed(daemon, &["cluster", "status", "--json"])).unwrap()
}

/// Waits until a box owns a camera; returns the epoch.
fn wait_owner(daemon: &Daemon, camera: &str, owner: &str) -> u64 {
    wait_for(&format!("{camera} at {owner}"), LIMIT, || {
        let status = status(daemon);
        let place = &status["cameras"][camera];
        (place["owner"] == owner).then(|| place["epoch"].as_u64().unwrap())
    })
}

fn wait_detections(broker: &Subscriber, owner: &str) -> Value {
    broker.wait_json(&format!("detections of {owner}"), SECONDS, "/detections", |message| message["box"] == owner)
}

/// Two boxes with one camera, which the first one looks at.
struct Site {
    etcd: Etcd,
    broker: Broker,
    camera: RtspCamera,
    boxes: BTreeMap<&'static str, Daemon>,
}

impl Site {
    fn start(more: &str) -> Self {
        Self::start_with(more, &[])
    }

    /// [`Self::start`] with variables in the environment of the first box.
    fn start_with(more: &str, of_a: &[(&str, &str)]) -> Self {
        let (etcd, broker, camera) = (Etcd::start(1), Broker::start(), RtspCamera::surveillance(0));
        let start = |name, variables: &[_]| {
            (name, Daemon::start_with_variables(broker.port, &settings(name, &etcd, more), variables))
        };
        let boxes = BTreeMap::from([start("box-a", of_a), start("box-b", &[])]);
        let site = Self { etcd, broker, camera, boxes };
        site.boxes.values().for_each(Daemon::wait_ready);
        wait_for("both boxes", LIMIT, || {
            let status = status(site.a());
            let has_capacity = |name: &str| status["boxes"][name]["capacity_tps"]["coco-ssd"].as_f64().is_some();
            (has_capacity("box-a") && has_capacity("box-b")).then_some(())
        });
        give(site.a(), "yard", site.camera.url());
        succeed(site.a(), &["cluster", "cameras", "pin", "yard", "box-a"]);
        wait_owner(site.a(), "yard", "box-a");
        site
    }

    fn a(&self) -> &Daemon {
        &self.boxes["box-a"]
    }

    fn b(&self) -> &Daemon {
        &self.boxes["box-b"]
    }
}

#[test]
fn a_dead_boxs_camera_is_looked_at_by_another_under_the_same_topics() {
    let mut site = Site::start("");
    let all = site.broker.settled_subscriber("ocelli/hall/#");
    let first = wait_detections(&all, "box-a");
    let owner = site.broker.retained_texts("ocelli/hall/owner/+");
    let owner: Value = serde_json::from_str(&owner["ocelli/hall/owner/yard"]).unwrap();
    assert_eq!((&owner["box"], &owner["epoch"]), (&"box-a".into(), &first["epoch"]));
    assert!(first.get("owner_uncertain").is_none(), "{first}");
    signal(site.a().pid(), Signal::KILL);
    let second = wait_detections(&all, "box-b");
    assert!(second["epoch"].as_u64() > first["epoch"].as_u64(), "{first} {second}");
    let began = all.wait_json("an event", SECONDS, "/events", |message| message["box_id"] == "box-b");
    assert_eq!(began["epoch"], second["epoch"]);
    let state = wait_for("the state", LIMIT, || {
        let states = site.broker.retained_texts("ocelli/hall/cameras/yard/state");
        let state: Value = serde_json::from_str(states.values().next()?).ok()?;
        (state["box"] == "box-b" && state["state"] == "streaming").then_some(state)
    });
    assert_eq!(state["epoch"], second["epoch"]);
    site.broker.publish("ocelli/box-b/command/snapshot", "{\"camera\": \"yard\"}");
    let claim = format!("ocelli cluster=hall camera=yard epoch={}", second["epoch"]);
    wait_for("a picture of this epoch", LIMIT, || {
        let picture = site.broker.retained_bytes("ocelli/hall/cameras/yard/snapshot");
        let has_claim = picture.windows(claim.len()).any(|bytes| bytes == claim.as_bytes());
        (picture.starts_with(&[0xff, 0xd8]) && has_claim).then_some(())
    });
    // The box is back: its camera is pinned there, and goes home without a gap.
    let a = site.boxes.get_mut("box-a").unwrap();
    a.start_again();
    wait_owner(site.b(), "yard", "box-a");
    let third = wait_detections(&all, "box-a");
    assert!(third["epoch"].as_u64() > second["epoch"].as_u64());
}

#[test]
fn a_box_that_drains_is_followed_without_a_gap_and_a_removed_camera_leaves_nothing() {
    let site = Site::start("");
    succeed(site.a(), &["cluster", "cameras", "unpin", "yard"]);
    let all = site.broker.settled_subscriber("ocelli/hall/cameras/yard/#");
    wait_detections(&all, "box-a");
    succeed(site.a(), &["ctl", "drain"]);
    let epoch = wait_owner(site.b(), "yard", "box-b");
    wait_detections(&all, "box-b");
    // The former owner lets go, and does not look any more.
    wait_for("the former owner", LIMIT, || {
        let (_, cameras) = site.a().get("/api/cameras")?;
        (!cameras.contains("yard")).then_some(())
    });
    let (_, shown) = site.b().get("/api/cluster").unwrap();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        (&shown["boxes"]["box-a"]["draining"], &shown["cameras"]["yard"]["epoch"]),
        (&true.into(), &epoch.into())
    );
    assert!(
        shown["moves"].as_array().unwrap().iter().any(|it| it["from"] == "box-a" && it["to"] == "box-b"),
        "{shown}"
    );
    let metrics = site.b().metrics("ocelli_cluster_");
    assert_eq!(metrics["ocelli_cluster_cameras{owner=\"this_box\"}"], 1.0, "{metrics:?}");
    assert_eq!(metrics["ocelli_cluster_moves_total{reason=\"its box is being drained\"}"], 1.0, "{metrics:?}");
    succeed(site.a(), &["ctl", "undrain"]);
    succeed(site.b(), &["cluster", "cameras", "remove", "yard"]);
    wait_for("nothing retained", LIMIT, || site.broker.retained("ocelli/hall/#").is_empty().then_some(()));
    wait_for("nothing in etcd", LIMIT, || (!site.etcd.dump().contains("yard")).then_some(()));
}

#[test]
fn without_etcd_every_box_keeps_its_cameras_marks_what_it_publishes_and_says_so() {
    let mut site = Site::start("");
    let all = site.broker.settled_subscriber("ocelli/hall/cameras/yard/#");
    wait_detections(&all, "box-a");
    site.etcd.kill(0);
    let marked =
        all.wait_json("a marked detection", SECONDS, "/detections", |message| message["owner_uncertain"] == true);
    assert_eq!(marked["box"], "box-a");
    wait_for("the reason", LIMIT, || {
        site.a().get("/readyz").filter(|(_, text)| text.contains("etcd cannot be reached"))
    });
    let (status, text) = site.a().subcommand(&["cluster", "status"]);
    assert!(status.code() == Some(1) && text.contains("no member of the cluster's etcd answers"), "{text}");
    site.etcd.start_again(0);
    site.etcd.wait_healthy();
    // Under the same claim if its lease has outlived that, and under a new one otherwise.
    let is_sure = |message: &Value| message.get("owner_uncertain").is_none();
    let sure = all.wait_json("an unmarked detection", SECONDS, "/detections", is_sure);
    assert_eq!(sure["box"], "box-a");
    wait_for("the end of the reason", LIMIT, || {
        site.a().get("/readyz").filter(|(_, text)| !text.contains("etcd cannot be reached"))
    });
}

#[test]
fn a_clock_that_jumps_by_years_moves_no_camera() {
    let clock = FalseClock::right();
    let variables = clock.variables();
    let site = Site::start_with("", &variables.each_ref().map(|(name, value)| (*name, value.as_str())));
    let all = site.broker.settled_subscriber("ocelli/hall/cameras/yard/detections");
    let before = wait_detections(&all, "box-a");
    let year = |message: &Value| message["captured_at"].as_str().unwrap()[..4].parse::<i32>().unwrap();
    for (by, years) in [("+5y", 5), ("-5y", -5), ("+0", 0)] {
        clock.jump(by);
        let is_after = |message: &Value| (year(message) - year(&before) - years).abs() <= 1;
        let jumped = all.wait_json("a detection of that time", SECONDS, "/detections", is_after);
        assert_eq!((&jumped["box"], &jumped["epoch"]), (&before["box"], &before["epoch"]));
        // Longer than a lease, by the clock that does not jump: its end would have been heard of.
        let end = std::time::Instant::now() + Duration::from_secs(5);
        while std::time::Instant::now() < end {
            // The clock of the other box is right: whatever it says of this camera is too much.
            let is_next = |message: &Value| message["box"] == "box-b" || is_after(message);
            let message = all.wait_json("the next detection", SECONDS, "/detections", is_next);
            assert_eq!((&message["box"], &message["epoch"]), (&before["box"], &before["epoch"]), "{by}");
            assert!(message.get("owner_uncertain").is_none(), "{by}: {message}");
        }
    }
    let status = status(site.b());
    assert!(status["boxes"]["box-a"].is_object() && status["boxes"]["box-b"].is_object(), "{status}");
}

#[test]
fn a_paused_box_publishes_nothing_unmarked_once_another_owns_its_camera() {
    let site = Site::start("");
    let everything = site.broker.settled_subscriber("ocelli/hall/#");
    let all = site.broker.settled_subscriber("ocelli/hall/cameras/yard/detections");
    let first = wait_detections(&all, "box-a");
    signal(site.a().pid(), Signal::STOP);
    let second = wait_detections(&all, "box-b");
    signal(site.a().pid(), Signal::CONT);
    // Its camera comes back to it, under a third epoch: by then everything of the first has arrived.
    let third = wait_owner(site.b(), "yard", "box-a");
    all.wait_json("the third epoch", SECONDS, "/detections", |message| message["epoch"] == third);
    let claimed_at = second["captured_at"].as_str().unwrap();
    let late = everything.take().into_iter().filter_map(|(topic, payload)| {
        let message: Value = serde_json::from_str(&payload).ok()?;
        let at = message["at"].as_str().or_else(|| message["captured_at"].as_str())?.to_owned();
        let is_late = message["epoch"] == first["epoch"] && at.as_str() > claimed_at;
        (is_late && message.get("owner_uncertain").is_none()).then_some((topic, payload))
    });
    assert_eq!(late.collect::<Vec<_>>(), []);
}

#[test]
fn passwords_are_sealed_in_etcd_and_what_a_box_cannot_take_is_told() {
    let home = tempfile::tempdir().unwrap();
    let (etcd, broker) = (Etcd::start(1), Broker::start());
    let (key, password) = (home.path().join("cluster.key"), home.path().join("password"));
    std::fs::write(&password, "hunter2-in-the-yard").unwrap();
    let a = Daemon::start(broker.port, &settings("box-a", &etcd, ""));
    let printed = succeed(&a, &["cluster", "key"]);
    std::fs::write(&key, &printed).unwrap();
    let with_key = format!("key_file = {key:?}\n");
    let b = Daemon::start(broker.port, &settings("box-b", &etcd, &with_key));
    let add = |daemon: &Daemon, id: &str| {
        let url = "rtsp://anna@127.0.0.1:9/yard";
        daemon.subcommand(&["cluster", "cameras", "add", id, url, "--password-file", password.to_str().unwrap()])
    };
    let (status_of, text) = add(&a, "yard");
    assert!(status_of.code() == Some(1) && text.contains("`cluster.key_file` is not set"), "{text}");
    assert!(add(&b, "yard").0.success());
    let dump = etcd.dump();
    assert!(dump.contains("anna") && !dump.contains("hunter2"), "{dump}");
    let cannot = wait_for("what box-a cannot take", LIMIT, || {
        status(&a)["boxes"]["box-a"]["cannot"]["yard"].as_str().map(str::to_owned)
    });
    assert!(cannot.contains("cluster.key_file"), "{cannot}");
    wait_owner(&a, "yard", "box-b");
    assert!(![a.log(), b.log()].concat().contains("hunter2"));
    let (status_of, text) = a.subcommand(&["cluster", "cameras", "move", "yard", "box-a"]);
    assert!(status_of.code() == Some(1) && text.contains("box box-a cannot take it"), "{text}");
    let file = home.path().join("cameras.toml");
    std::fs::write(&file, "[[cameras]]\nid = \"gate\"\nurl = \"rtsp://127.0.0.1:9/gate\"\nfps = 2.0\n").unwrap();
    let import = ["cluster", "cameras", "import", file.to_str().unwrap()];
    assert!(succeed(&b, &import).contains("camera gate: given to cluster hall"));
    assert!(b.subcommand(&import).1.contains("has a camera `gate` already"));
    succeed(&b, &[&import[..], &["--replace"]].concat());
    assert!(succeed(&b, &["cluster", "cameras", "list"]).contains("2.0 TPS"));
}
