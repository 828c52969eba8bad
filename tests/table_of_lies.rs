//! A table of lies: real ways in which a box fails, and what each place that tells of its health then says. None of them
//! may be green while a camera is blind, the broker is not there, or something cannot be written.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use rustix::process::Signal;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::refusing_camera::refuses_transport;
use support::scripted_broker::{Script, ScriptedBroker};
use support::{from_setup, root, signal, wait_within};

const PATIENCE: Duration = Duration::from_secs(60);

/// What every place must say of one failure.
struct Lie<'a> {
    /// What has failed.
    what: &'a str,
    /// In the reasons of `/api/status`, of `/readyz` and of the state over MQTT, and in the table of `ocelli status`.
    reason: &'a str,
    /// In the line that systemd shows.
    summary: &'a str,
    /// The answer of `/readyz`: 503 only if a model lacks units.
    readyz: u16,
    /// A metric and its value, beside `ocelli_degraded`.
    metric: (&'a str, f64),
    /// The subject that `ocelli check` finds fault with, and its words. Empty for what only a running box can know.
    check: (&'a str, &'a str),
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
    let line = daemon.status_line();
    said(line.contains(lie.summary) && status["summary"] == line.as_str(), "systemd", format!("{line}, {status}"))?;
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

/// Asserts that all places tell of all lies: those that a running box has, and `ocelli check`. `broker` is where the state
/// is published, if anywhere.
fn assert_told(daemon: &Daemon, broker: Option<&Broker>, lies: &[Lie<'_>]) {
    for lie in lies {
        let mut last = String::new();
        let told = wait_within(PATIENCE, || liar(daemon, lie).map_err(|liar| last = liar).ok());
        assert!(told.is_some(), "{}: {last}", lie.what);
        if let Some(broker) = broker {
            let states = broker.subscribe("ocelli/box/state");
            states.wait_json(lie.what, PATIENCE.as_secs(), "/state", |state| {
                state["status"] == "degraded" && has(&state["degraded"], lie.reason)
            });
        }
    }
    if lies.iter().all(|lie| lie.check.0.is_empty()) {
        return;
    }
    let (code, text) = daemon.command(&["check", "--json"]);
    assert_ne!(code.code(), Some(0), "{text}");
    let report: Value = serde_json::from_str(text.lines().find(|line| line.starts_with('{')).unwrap_or(&text)).unwrap();
    for Lie { what, check: (subject, words), .. } in lies.iter().filter(|lie| !lie.check.0.is_empty()) {
        let is_told = |finding: &Value| {
            let text = format!("{} {}", finding["what"], finding["cure"]);
            let is_bad = finding["severity"] == "failed" || finding["severity"] == "mistake";
            is_bad && finding["subject"] == *subject && text.contains(words)
        };
        assert!(report["findings"].as_array().unwrap().iter().any(is_told), "{what}: {report:#}");
    }
}

/// Every place says that all is well.
fn assert_well(daemon: &Daemon, summary: &str) {
    let mut last = String::new();
    let well = wait_within(PATIENCE, || {
        let ((code, ready), (_, status)) = (json_of(daemon, "/readyz"), json_of(daemon, "/api/status"));
        last = format!("{code} {ready} {status} {}", daemon.status_line());
        let is_ok = status["status"] == "ok" && status["summary"] == summary && status["reasons"] == json!([]);
        (is_ok && code == 200 && ready["reasons"] == json!([]) && daemon.status_line() == summary).then_some(())
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

/// The port of a server that answers everything in HTTP, until the test ends.
fn answers_http() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            // Whoever asks may be gone.
            drop(client.read(&mut [0; 4096]));
            drop(client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
        }
    });
    port
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
        camera("shut", locked.url(), 5),
        camera("lost", &good.url().replace("cam0", "nowhere"), 5),
        camera("gone", &gone, 5),
        camera("unknown", "rtsp://camera.invalid/x", 5),
        camera("udp-only", &refuses_transport(), 5),
        camera("web", &format!("rtsp://127.0.0.1:{}/x", answers_http()), 5),
        camera("frozen", frozen.url(), 5),
        camera("off", good.url(), 5) + "enabled = false\n",
        camera("misspelt", good.url(), 5) + "scene = { labels = [\"persn\"] }\n",
    ]
    .concat();
    let daemon = Daemon::start(broker.port, &cameras);
    wait_up(&daemon);
    wait_within(PATIENCE, || (daemon.sum("ocelli_camera_up{camera=\"frozen\"}") == 1.0).then_some(()));
    signal(frozen.pid(), Signal::STOP);
    let up = |id: &str| format!("ocelli_camera_up{{camera=\"{id}\"}}");
    let blind = [
        ("a wrong password", "locked", "refuses user and password"),
        ("no password", "shut", "wants a user and a password"),
        ("a wrong path", "lost", "404"),
        ("a camera that is not there", "gone", "refuses connections"),
        ("a name that nobody knows", "unknown", "camera.invalid"),
        ("a camera that streams over UDP alone", "udp-only", "transport"),
        ("something else at the port", "web", ""),
        ("a camera that hangs", "frozen", ""),
    ];
    let texts: Vec<[String; 3]> = blind
        .iter()
        .map(|(_, id, _)| [format!("camera {id} does not stream: "), up(id), format!("camera {id}")])
        .collect();
    let lies: Vec<Lie<'_>> = blind
        .iter()
        .zip(&texts)
        .map(|((what, _, words), [reason, metric, subject])| {
            let summary = "2 of 2 units, 2 of 10 cameras, broker connected";
            Lie { what, reason, summary, readyz: 200, metric: (metric, 0.0), check: (subject, words) }
        })
        .collect();
    let misspelt = Lie {
        what: "a label that the model does not know",
        reason: "camera misspelt looks for `persn`",
        summary: "2 of 10 cameras",
        readyz: 200,
        metric: (&up("misspelt"), 1.0),
        check: ("camera misspelt", "did you mean `person`"),
    };
    assert_told(&daemon, Some(&broker), &lies.into_iter().chain([misspelt]).collect::<Vec<_>>());
    for (id, why) in [("locked", "401"), ("lost", "404")] {
        let (_, view) = json_of(&daemon, &format!("/api/cameras/{id}"));
        assert!(view["reason"].as_str().unwrap().contains(why), "{id}: {view}");
    }
    let (_, status) = json_of(&daemon, "/api/status");
    assert!(status["last_trouble"]["what"].as_str().unwrap().contains("camera "), "{status}");
    signal(frozen.pid(), Signal::CONT);

    let (_, all) = json_of(&daemon, "/api/cameras");
    assert_eq!((&all["box_id"], all["cameras"].as_object().unwrap().len()), (&json!("box"), 11));
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

    for id in ["locked", "shut", "lost", "gone", "unknown", "udp-only", "web", "misspelt"] {
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
    let what = "a model that was stopped";
    assert_told(&daemon, Some(&broker), &[Lie { what, reason, summary, readyz: 200, metric, check: ("", "") }]);
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
    let reason = "refuses this box";
    let summary = "2 of 2 units, 0 of 0 cameras, broker refused";
    let (what, check) = ("a login that is refused", ("broker", "refuses the login"));
    assert_told(&refused, None, &[Lie { what, reason, summary, readyz: 200, metric, check }]);
    drop(refused);

    let daemon = Daemon::start(broker.port, &settings("right"));
    wait_up(&daemon);
    assert_well(&daemon, "2 of 2 units, 0 of 0 cameras, broker connected");
    broker.kill();
    let (reason, summary) = ("is not connected", "broker not connected");
    let (what, check) = ("a broker that is away", ("broker", "refuses connections"));
    assert_told(&daemon, None, &[Lie { what, reason, summary, readyz: 200, metric, check }]);
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

#[test]
fn no_broker_that_lets_in_and_does_nothing_else_is_green() {
    let flapping = ScriptedBroker::start(Script::EndSessions);
    let daemon = Daemon::start(flapping.port, "");
    wait_up(&daemon);
    let (what, reason, summary) = ("a broker that ends each session", "mqtt.client_id", "broker not connected");
    let metric = ("ocelli_degraded", 1.0);
    let check = ("broker", "ends the connection");
    assert_told(&daemon, None, &[Lie { what, reason, summary, readyz: 200, metric, check }]);
    drop(daemon);

    let home = tempfile::tempdir().unwrap();
    let rules = home.path().join("rules");
    std::fs::write(&rules, "topic read #\ntopic write ocelli/box/available\ntopic write ocelli/box/state\n").unwrap();
    let broker = Broker::start_with(&format!("allow_anonymous true\nacl_file {}\n", rules.display()), &[]);
    let yard = RtspCamera::surveillance(0);
    let daemon = Daemon::start(broker.port, &camera("yard", yard.url(), 5));
    wait_up(&daemon);
    let (what, reason) = ("a broker that refuses topics", "the broker refuses");
    let summary = "2 of 2 units, 1 of 1 cameras, broker connected; ";
    let (metric, check) = (("ocelli_mqtt_connected", 1.0), ("broker", "refuses what is published"));
    assert_told(&daemon, Some(&broker), &[Lie { what, reason, summary, readyz: 200, metric, check }]);
    assert!(daemon.stop().0.success());
}

/// A directory with the packages of a model that can be used of one whose file is damaged, and of one without labels.
fn packages() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for package in ["coco-ssd", "damaged", "nameless"] {
        let target = home.path().join(package);
        std::fs::create_dir(&target).unwrap();
        for entry in std::fs::read_dir(from_setup("models/coco-ssd")).unwrap().flatten() {
            std::fs::copy(entry.path(), target.join(entry.file_name())).unwrap();
        }
    }
    std::fs::write(home.path().join("damaged/model.onnx"), b"cut short").unwrap();
    std::fs::remove_file(home.path().join("nameless/labels.txt")).unwrap();
    home
}

fn model(name: &str) -> String {
    format!("[[models]]\nname = \"{name}\"\nmin_inference_units = 1\n")
}

#[test]
fn no_model_that_cannot_run_is_green() {
    let (broker, yard, packages) = (Broker::start(), RtspCamera::surveillance(0), packages());
    let directory = format!("[units]\nmodels_directory = \"{}\"\n", packages.path().display());
    for (name, why) in [
        ("missing", "missing: its package cannot be used"),
        ("damaged", "damaged: "),
        ("nameless", "nameless: its package cannot be used"),
    ] {
        let cameras =
            camera("yard", yard.url(), 5) + &camera("street", yard.url(), 5) + &format!("model = \"{name}\"\n");
        let daemon = Daemon::start(broker.port, &[model("coco-ssd"), model(name), directory.clone(), cameras].concat());
        wait_up(&daemon);
        let metric = (&*format!("ocelli_in_service_inference_units{{model=\"{name}\"}}"), 0.0);
        let summary = "1 of 2 units, 2 of 2 cameras, broker connected; ";
        let check = (&*format!("package of {name}"), "");
        let package = Lie { what: name, reason: why, summary, readyz: 503, metric, check };
        let reason = &format!("camera street is not analysed: its model {name} is FAILED");
        assert_told(
            &daemon,
            Some(&broker),
            &[package, Lie { what: name, reason, summary, readyz: 503, metric, check }],
        );
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
    let read_only = Lie { what: "a read-only disk", reason, summary: all, readyz: 200, metric, check: ("", "") };
    assert_told(&daemon, Some(&broker), &[read_only]);
    let (status, answer) = daemon.post_json("/api/cameras/yard/disable", &json!({})).unwrap();
    assert_eq!(status, 202, "{answer}");
    let summary = "0 of 0 cameras, broker connected; ";
    let reason = "cameras.json cannot be written";
    let state_file = Lie { what: "a state file", reason, summary, readyz: 200, metric, check: ("", "") };
    assert_told(&daemon, Some(&broker), &[state_file]);
    let said = daemon.succeed(&["ctl", "enable", "yard"]);
    assert!(said.contains("a restart would forget it"), "the command line tells of the warning: {said}");
    daemon.remount("rw");
    assert_well(&daemon, "2 of 2 units, 1 of 1 cameras, broker connected");
    let (_, status) = json_of(&daemon, "/api/status");
    assert!(status["outbox"]["bytes"].as_u64().unwrap() > 4096, "{status}");
    assert!(daemon.stop().0.success());
}

#[test]
fn no_disk_that_is_full_is_green() {
    let broker = Broker::start();
    let daemon = Daemon::start_on_disk(broker.port, "", "size=16k");
    wait_up(&daemon);
    let summary = "2 of 2 units, 0 of 0 cameras, broker connected; ";
    let (what, reason) = ("a full disk", "events are not written to the disk");
    let metric = ("ocelli_outbox_on_disk", 0.0);
    // The check looks at the disk as the test has it.
    assert_told(&daemon, Some(&broker), &[Lie { what, reason, summary, readyz: 200, metric, check: ("", "") }]);
    daemon.remount("size=6m");
    assert_well(&daemon, "2 of 2 units, 0 of 0 cameras, broker connected");
    assert!(daemon.stop().0.success());
}

#[test]
fn no_unit_that_dies_again_and_again_is_green() {
    let (broker, yard) = (Broker::start(), RtspCamera::surveillance(0));
    let daemon = Daemon::start(broker.port, &camera("yard", yard.url(), 5));
    assert_well(&daemon, "2 of 2 units, 1 of 1 cameras, broker connected");
    let metric = ("ocelli_in_service_inference_units", 1.0);
    let (what, reason, summary) = ("a unit that is gone", "coco-ssd", "1 of 2 units");
    let (stop, stopped) = (AtomicBool::new(false), daemon.units()[0]);
    std::thread::scope(|scope| {
        let killed = || {
            while !stop.load(Ordering::Relaxed) {
                // All units but one: whatever takes the place of one that dies, dies.
                daemon.units().into_iter().filter(|unit| *unit != stopped).for_each(|unit| signal(unit, Signal::KILL));
                std::thread::sleep(Duration::from_millis(100));
            }
        };
        scope.spawn(killed);
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let check = ("", "");
            assert_told(&daemon, Some(&broker), &[Lie { what, reason, summary, readyz: 503, metric, check }]);
        }));
        stop.store(true, Ordering::Relaxed);
        told.unwrap();
    });
    assert_well(&daemon, "2 of 2 units, 1 of 1 cameras, broker connected");
    assert!(daemon.stop().0.success());
}

/// A public address needs one.
const KEY: &str =
    "[[access_keys]]\naccess_key_id = \"AKIAKEY\"\nsecret = \"a-secret-of-some-length\"\nrole = \"operator\"\n";

#[test]
fn no_port_and_no_certificate_that_fails_is_green() {
    let (broker, taken) = (Broker::start(), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = taken.local_addr().unwrap().port();
    let http = |more: &str| format!("[http]\npublic_address = \"127.0.0.1\"\npublic_port = {port}\n{more}{KEY}");
    let summary = "2 of 2 units, 0 of 0 cameras, broker connected; ";
    let metric = ("ocelli_mqtt_connected", 1.0);
    let daemon = Daemon::start(broker.port, &http("public_plain = true\n"));
    wait_up(&daemon);
    let (what, reason) = ("a port that is taken", "nothing is served on 127.0.0.1:");
    // While a daemon runs, the port counts as its own.
    assert_told(&daemon, Some(&broker), &[Lie { what, reason, summary, readyz: 200, metric, check: ("", "") }]);
    drop(taken);
    assert_well(&daemon, "2 of 2 units, 0 of 0 cameras, broker connected");
    drop(daemon);

    let files = tempfile::tempdir().unwrap();
    for name in ["certificate.pem", "key.pem"] {
        std::fs::write(files.path().join(name), "no PEM").unwrap();
    }
    let place = |name: &str| files.path().join(name).display().to_string();
    let tls = format!(
        "tls = {{ certificate_file = \"{}\", key_file = \"{}\" }}\n",
        place("certificate.pem"),
        place("key.pem")
    );
    let daemon = Daemon::start(broker.port, &http(&tls));
    wait_up(&daemon);
    let (what, reason, check) = ("a certificate that is none", "the public API is not served", ("HTTP", "key.pem"));
    assert_told(&daemon, Some(&broker), &[Lie { what, reason, summary, readyz: 200, metric, check }]);
    assert!(daemon.stop().0.success());
}

#[test]
fn a_daemon_that_hangs_answers_nobody_and_is_not_taken_for_well() {
    let broker = Broker::start();
    let daemon = Daemon::start(broker.port, "");
    assert_well(&daemon, "2 of 2 units, 0 of 0 cameras, broker connected");
    let available = broker.settled_subscriber("ocelli/box/available");
    signal(daemon.pid(), Signal::STOP);
    let (code, said) = daemon.command(&["status"]);
    signal(daemon.pid(), Signal::CONT);
    assert_eq!(code.code(), Some(69), "{said}");
    assert_well(&daemon, "2 of 2 units, 0 of 0 cameras, broker connected");
    signal(daemon.pid(), Signal::KILL);
    available.wait("the will", PATIENCE, |_, payload| payload == "offline");
}

/// Settings with which nothing can work: the daemon does not start, and says the same as `ocelli check`.
#[test]
fn settings_that_cannot_work_are_refused_by_the_daemon_as_by_the_check() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("ocelli.toml");
    let yard = "[[cameras]]\nid = \"yard\"\nurl = \"rtsp://127.0.0.1/x\"\n";
    for (what, settings, words) in [
        (
            "a password file that is not there",
            format!("{yard}credentials = {{ user = \"u\", password_file = \"/nowhere\" }}\n"),
            "/nowhere",
        ),
        (
            "a credential that systemd does not give",
            format!("{yard}credentials = {{ user = \"u\", password_credential = \"yard\" }}\n"),
            "LoadCredential=yard",
        ),
        ("a key that does not exist", format!("{yard}fsp = 5\n"), "fps"),
        ("a model that is not configured", format!("{yard}model = \"nowhere\"\n"), "is not the name of a model"),
        ("a camera twice", yard.repeat(2), "yard"),
        ("no log level", "[log]\nlevel = \"loud\"\n".to_owned(), "log.level"),
        ("a value out of range", "[http]\nport = 70000\n".to_owned(), "65535"),
        ("TLS without an authority", "[mqtt]\ntls = { enabled = true }\n".to_owned(), "ca_file"),
        ("a zone twice", "[[zones]]\nname = \"left\"\n".repeat(2), "left"),
        ("a public address without keys", "[http]\npublic_address = \"0.0.0.0\"\n".to_owned(), "access_keys"),
    ] {
        std::fs::write(&file, &settings).unwrap();
        for command in ["check", "run"] {
            let output = Command::new(env!("CARGO_BIN_EXE_ocelli"))
                .args([command, "--config", file.to_str().unwrap()])
                .env("OCELLI_STATE_DIRECTORY", home.path().join("state"))
                .current_dir(root())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert_eq!(output.status.code(), Some(78), "{what}, {command}: {said}");
            assert!(said.contains(words) && said.contains("ocelli.toml:"), "{what}, {command}: {said}");
        }
    }
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
