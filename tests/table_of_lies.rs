//! A table of lies: real ways in which a box fails, and what each place that tells of its health then says. None of them
//! may be green while a camera is blind, the broker is not there, or something cannot be written.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use rustix::process::Signal;
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::{from_setup, root, signal, wait_within};

const PATIENCE: Duration = Duration::from_secs(60);

/// What every place must say of one failure.
struct Lie<'a> {
    /// What has failed.
    what: &'a str,
    /// In the reasons of `/api/status` and `/readyz`, and in the table of `ocelli status`.
    reason: &'a str,
    /// In the line that systemd shows too.
    summary: &'a str,
    /// The answer of `/readyz`: 503 only if a model lacks units.
    readyz: u16,
    /// A metric and its value, beside `ocelli_degraded`.
    metric: (&'a str, f64),
}

fn json_of(daemon: &Daemon, path: &str) -> (u16, Value) {
    let (status, body) = daemon.get(path).unwrap_or_default();
    (status, serde_json::from_str(&body).unwrap_or_default())
}

fn has(reasons: &Value, text: &str) -> bool {
    reasons.as_array().into_iter().flatten().any(|reason| reason.as_str().unwrap().contains(text))
}

/// The first place that does not say it, and what it says instead.
fn liar(daemon: &Daemon, lie: &Lie<'_>) -> Result<(), String> {
    let said =
        |is_true: bool, place: &str, text: String| if is_true { Ok(()) } else { Err(format!("{place}: {text}")) };
    let (_, status) = json_of(daemon, "/api/status");
    said(status["status"] == "degraded" && has(&status["reasons"], lie.reason), "/api/status", status.to_string())?;
    said(status["summary"].as_str().is_some_and(|line| line.contains(lie.summary)), "summary", status.to_string())?;
    let (code, ready) = json_of(daemon, "/readyz");
    said(code == lie.readyz && has(&ready["reasons"], lie.reason), "/readyz", format!("{code} {ready}"))?;
    let (code, table) = daemon.command(&["status"]);
    let is_told = table.contains("box box: DEGRADED") && table.contains(lie.reason) && table.contains(lie.summary);
    said(code.code() == Some(1) && is_told, "ocelli status", format!("{code} {table}"))?;
    let (name, value) = lie.metric;
    let metrics = daemon.metrics(name);
    said(daemon.sum("ocelli_degraded") >= 1.0, "ocelli_degraded", String::new())?;
    said(!metrics.is_empty() && metrics.values().all(|one| *one == value), "metric", format!("{metrics:?}"))
}

fn assert_told(daemon: &Daemon, lie: &Lie<'_>) {
    let mut last = String::new();
    let told = wait_within(PATIENCE, || liar(daemon, lie).map_err(|liar| last = liar).ok());
    assert!(told.is_some(), "{}: {last}", lie.what);
}

/// Every place says that all is well.
fn assert_well(daemon: &Daemon, summary: &str) {
    let mut last = String::new();
    let well = wait_within(PATIENCE, || {
        let ((code, ready), (_, status)) = (json_of(daemon, "/readyz"), json_of(daemon, "/api/status"));
        last = format!("{code} {ready} {status}");
        let is_ok = status["status"] == "ok" && status["summary"] == summary && status["reasons"] == json!([]);
        (is_ok && code == 200 && ready["reasons"] == json!([])).then_some(())
    });
    assert!(well.is_some(), "{last}");
    assert_eq!(daemon.sum("ocelli_degraded"), 0.0);
    let table = daemon.succeed(&["status"]);
    assert!(table.starts_with("box box: ok") && table.contains(summary) && !table.contains("wrong now"), "{table}");
}

/// A daemon is there.
fn wait_up(daemon: &Daemon) {
    assert!(wait_within(PATIENCE, || daemon.get("/healthz")).is_some(), "the daemon does not answer");
}

#[test]
fn no_blind_camera_is_green() {
    let (broker, good) = (Broker::start(), RtspCamera::surveillance(0));
    let locked = RtspCamera::start(&["--user", "u", "--password", "right"]);
    let frozen = RtspCamera::surveillance(0);
    let gone = format!("rtsp://127.0.0.1:{}/cam0", support::free_port());
    let cameras = [
        camera("good", good.url(), 5),
        camera("locked", &locked.url().replace("://", "://u:wrong-password@"), 5),
        camera("lost", &good.url().replace("cam0", "nowhere"), 5),
        camera("gone", &gone, 5),
        camera("frozen", frozen.url(), 5),
        camera("off", good.url(), 5) + "enabled = false\n",
    ]
    .concat();
    let daemon = Daemon::start(broker.port, &cameras);
    wait_up(&daemon);
    let five = "2 of 2 units, 2 of 5 cameras, broker connected";
    let up = |id: &str| format!("ocelli_camera_up{{camera=\"{id}\"}}");
    for (what, id, why) in [
        ("a wrong password", "locked", "401"),
        ("a wrong path", "lost", "404"),
        ("a camera that is not there", "gone", ""),
    ] {
        let reason = format!("camera {id} does not stream: ");
        let metric = (&*up(id), 0.0);
        assert_told(&daemon, &Lie { what, reason: &reason, summary: five, readyz: 200, metric });
        let (_, view) = json_of(&daemon, &format!("/api/cameras/{id}"));
        assert!(view["reason"].as_str().unwrap().contains(why), "{what}: {view}");
    }
    signal(frozen.pid(), Signal::STOP);
    let reason = "camera frozen does not stream: no frame was decoded";
    let summary = "1 of 5 cameras";
    let metric = (&*up("frozen"), 0.0);
    assert_told(&daemon, &Lie { what: "a frozen camera", reason, summary, readyz: 200, metric });
    let (_, status) = json_of(&daemon, "/api/status");
    assert!(status["last_trouble"]["what"].as_str().unwrap().contains("camera frozen"), "{status}");
    signal(frozen.pid(), Signal::CONT);

    let (_, all) = json_of(&daemon, "/api/cameras");
    assert_eq!((&all["box_id"], all["cameras"].as_object().unwrap().len()), (&json!("box"), 6));
    assert_eq!(all["cameras"]["off"]["state"], "disabled");
    let view = &all["cameras"]["good"];
    assert_eq!(
        (&view["state"], &view["width"], &view["model"]),
        (&json!("streaming"), &json!(768), &json!("coco-ssd"))
    );
    assert!(
        view["outcomes"]["detected"].as_u64().unwrap() > 0 && view["decoded_fps"].as_f64().unwrap() > 0.5,
        "{view}"
    );
    assert_eq!(json_of(&daemon, "/api/cameras/other").0, 404);

    for id in ["locked", "lost", "gone"] {
        let said = daemon.succeed(&["ctl", "disable", id]);
        assert_eq!(said.trim(), format!("box box: {id}: disabled"));
    }
    assert_well(&daemon, "2 of 2 units, 2 of 2 cameras, broker connected");
    let shown = daemon.succeed(&["ctl", "models"]);
    assert!(shown.starts_with("box box\n"), "{shown}");

    daemon.succeed(&["ctl", "stop", "coco-ssd", "--wait"]);
    let reason = "camera good is not analysed: its model coco-ssd is STOPPED";
    let metric = ("ocelli_in_service_inference_units", 0.0);
    let summary = "0 of 0 units, 2 of 2 cameras, broker connected; camera";
    assert_told(&daemon, &Lie { what: "a model that was stopped", reason, summary, readyz: 200, metric });
    assert!(!daemon.log().contains("wrong-password"));
    assert!(daemon.stop().0.success());
}

#[test]
fn no_broker_that_is_not_connected_is_green() {
    let home = tempfile::tempdir().unwrap();
    let users = home.path().join("users");
    let made = Command::new("mosquitto_passwd").args(["-c", "-b"]).arg(&users).args(["ocelli", "right"]).status();
    assert!(made.unwrap().success());
    let lines = format!("allow_anonymous false\npassword_file {}\n", users.display());
    let mut broker = Broker::start_with(&lines, &["-u", "ocelli", "-P", "right"]);
    let settings = |password: &str| {
        let port = broker.port;
        format!("[mqtt]\nport = {port}\ncredentials = {{ user = \"ocelli\", password = \"{password}\" }}\n")
    };
    let metric = ("ocelli_mqtt_connected", 0.0);
    let refused = Daemon::start(broker.port, &settings("wrong"));
    wait_up(&refused);
    let reason = "the broker ";
    let summary = "2 of 2 units, 0 of 0 cameras, broker ";
    assert_told(&refused, &Lie { what: "a login that is refused", reason, summary, readyz: 200, metric });
    drop(refused);

    let daemon = Daemon::start(broker.port, &settings("right"));
    wait_up(&daemon);
    assert_well(&daemon, "2 of 2 units, 0 of 0 cameras, broker connected");
    broker.kill();
    let (reason, summary) = ("the broker is not connected", "broker not connected");
    assert_told(&daemon, &Lie { what: "a broker that is away", reason, summary, readyz: 200, metric });
    broker.restart();
    assert_well(&daemon, "2 of 2 units, 0 of 0 cameras, broker connected");
    assert!(daemon.stop().0.success());

    let mut off = Daemon::start(broker.port, "[mqtt]\nenabled = false\n");
    assert_well(&off, "2 of 2 units, 0 of 0 cameras, MQTT off");
    signal(off.pid(), Signal::TERM);
    off.wait_exit(Duration::from_secs(10));
    let (status, said) = off.command(&["status"]);
    assert_eq!(status.code(), Some(69), "no daemon answers: {said}");
    assert!(said.contains("no daemon answers at 127.0.0.1:"), "{said}");
}

/// A directory with the packages of a model that can be used and of one whose file is damaged.
fn packages() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for package in ["coco-ssd", "damaged"] {
        let target = home.path().join(package);
        std::fs::create_dir(&target).unwrap();
        for entry in std::fs::read_dir(from_setup("models/coco-ssd")).unwrap().flatten() {
            std::fs::copy(entry.path(), target.join(entry.file_name())).unwrap();
        }
    }
    std::fs::write(home.path().join("damaged/model.onnx"), b"cut short").unwrap();
    home
}

fn model(name: &str) -> String {
    format!("[[models]]\nname = \"{name}\"\nmin_inference_units = 1\n")
}

#[test]
fn no_model_that_cannot_run_is_green() {
    let (broker, yard, packages) = (Broker::start(), RtspCamera::surveillance(0), packages());
    let directory = format!("[units]\nmodels_directory = \"{}\"\n", packages.path().display());
    for (name, why) in [("missing", "missing: its package cannot be used"), ("damaged", "damaged: ")] {
        let cameras =
            camera("yard", yard.url(), 5) + &camera("street", yard.url(), 5) + &format!("model = \"{name}\"\n");
        let daemon = Daemon::start(broker.port, &[model("coco-ssd"), model(name), directory.clone(), cameras].concat());
        wait_up(&daemon);
        let metric = (&*format!("ocelli_in_service_inference_units{{model=\"{name}\"}}"), 0.0);
        let summary = "1 of 2 units, 2 of 2 cameras, broker connected; ";
        assert_told(&daemon, &Lie { what: name, reason: why, summary, readyz: 503, metric });
        let reason = &format!("camera street is not analysed: its model {name} is FAILED");
        assert_told(&daemon, &Lie { what: name, reason, summary, readyz: 503, metric });
        let (_, status) = json_of(&daemon, "/api/status");
        assert_eq!(status["models"][name]["state"], "FAILED");
        assert_eq!((&status["models"]["coco-ssd"]["state"], &status["ready"]), (&json!("RUNNING"), &json!(false)));
        assert_eq!(status["cameras"]["yard"]["reason"], Value::Null, "the other model looks at it: {status}");
        assert!(daemon.stop().0.success());
    }
}

#[test]
fn no_disk_that_refuses_is_green() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let daemon = Daemon::start_on_disk(broker.port, &camera("yard", yard.url(), 5), "size=6m,ro");
    wait_up(&daemon);
    let all = "2 of 2 units, 1 of 1 cameras, broker connected; ";
    let metric = ("ocelli_outbox_on_disk", 0.0);
    let reason = "events are not written to the disk";
    assert_told(&daemon, &Lie { what: "a read-only disk", reason, summary: all, readyz: 200, metric });
    let (status, answer) = daemon.post_json("/api/cameras/yard/disable", &json!({})).unwrap();
    assert_eq!(status, 202, "{answer}");
    let summary = "0 of 0 cameras, broker connected; ";
    let reason = "cameras.json cannot be written";
    assert_told(&daemon, &Lie { what: "a state file", reason, summary, readyz: 200, metric });
    let said = daemon.succeed(&["ctl", "enable", "yard"]);
    assert!(said.contains("a restart would forget it"), "the command line tells of the warning: {said}");
    daemon.remount("rw");
    assert_well(&daemon, "2 of 2 units, 1 of 1 cameras, broker connected");
    let (_, status) = json_of(&daemon, "/api/status");
    assert!(status["outbox"]["bytes"].as_u64().unwrap() > 4096, "{status}");
    assert!(daemon.stop().0.success());
}

#[test]
fn another_daemon_at_the_port_is_named() {
    let broker = Broker::start();
    let first = Daemon::start(broker.port, "");
    wait_up(&first);
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("other.toml");
    let text = format!("box_id = \"other\"\n[http]\nport = {}\n[mqtt]\nenabled = false\n", first.http_port());
    std::fs::write(&file, text).unwrap();
    let ask = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_ocelli"))
            .current_dir(root())
            .args(arguments)
            .args(["--config", file.to_str().unwrap()])
            .output()
            .unwrap();
        String::from_utf8_lossy(&[output.stderr, output.stdout].concat()).into_owned()
    };
    let surprise = "box box answers at 127.0.0.1:";
    for arguments in [&["status"][..], &["ctl", "models"], &["ctl", "stop", "none"]] {
        let said = ask(arguments);
        assert!(said.contains("box box"), "{arguments:?}: {said}");
        assert!(arguments.contains(&"none") || (said.contains(surprise) && said.contains("of other")), "{said}");
    }
    assert!(first.stop().0.success());
}

#[test]
fn metrics_are_served_beyond_loopback_for_the_token_alone_and_it_is_never_logged() {
    let home = tempfile::tempdir().unwrap();
    let token = "a-token-that-nobody-guesses";
    std::fs::write(home.path().join("token"), format!("{token}\n")).unwrap();
    let (broker, port) = (Broker::start(), support::free_port());
    let settings = format!(
        "[log]\nlevel = \"info,hyper=trace,rustls=trace\"\n[http]\nmonitoring_address = \"127.0.0.1\"\nmonitoring_port = {port}\n\
         monitoring_token_file = \"{}\"\n",
        home.path().join("token").display()
    );
    let daemon = Daemon::start(broker.port, &settings);
    wait_up(&daemon);
    let ask = |path: &str, token: &str| {
        let output = Command::new("curl")
            .args(["--silent", "--insecure", "--write-out", "%{http_code}", "--header"])
            .arg(format!("Authorization: Bearer {token}"))
            .arg(format!("https://127.0.0.1:{port}{path}"))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let served = wait_within(PATIENCE, || Some(ask("/metrics", token)).filter(|text| text.ends_with("200")));
    assert!(served.unwrap().contains("ocelli_degraded"));
    assert!(ask("/readyz", token).contains("\"reasons\""));
    for path in ["/metrics", "/readyz"] {
        let refused = ask(path, "another-token");
        assert!(refused.ends_with("401") && !refused.contains("ocelli_"), "{refused}");
    }
    assert!(ask("/healthz", "").ends_with("200") && ask("/api/status", token).ends_with("404"));
    let log = daemon.log();
    assert!(log.contains("metrics and readiness are served") && !log.contains(token));
    assert!(daemon.stop().0.success());
}
