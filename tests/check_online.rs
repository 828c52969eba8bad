//! `ocelli check` with real cameras, a real broker and a running daemon: it does what the daemon will do.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

#[path = "support/quirks/mod.rs"]
mod quirks;

use quirks::footage::Footage;
use quirks::quirk::Quirk;
use quirks::server::Server;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::clip::encode;
use support::daemon::{Daemon, camera};
use support::refusing_camera::refuses_transport;
use support::{free_port, root, wait_for};

/// No model is started: this is about what the box connects to.
const NO_MODEL: &str = "[[models]]\nname = \"coco-ssd\"\nenabled = false\n[http]\nenabled = false\n";

/// Severity, key and text of a finding.
type Found = (String, String, String);

/// The exit code of `check --json`, and its findings by what they are about.
fn check(settings: &str) -> (Option<i32>, impl Fn(&str) -> Found + use<>) {
    let (code, all) = check_all(settings);
    let of = move |subject: &str| all(subject).into_iter().next().unwrap_or_else(|| panic!("nothing about {subject}"));
    (code, of)
}

/// [`check`], with all that is found about a subject.
fn check_all(settings: &str) -> (Option<i32>, impl Fn(&str) -> Vec<Found> + use<>) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("ocelli.toml");
    let state = home.path().join("state");
    let text = format!("box_id = \"box\"\nstate_directory = \"{}\"\n{NO_MODEL}{settings}", state.display());
    std::fs::write(&file, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ocelli"))
        .args(["check", "--json", "--config", file.to_str().unwrap()])
        .current_dir(root())
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = move |subject: &str| {
        let findings = report["findings"].as_array().unwrap();
        let about = findings.iter().filter(|finding| finding["subject"] == subject);
        let texts = |finding: &serde_json::Value| {
            let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
            (text("severity"), format!("{} {}", text("what"), text("cure")), text("key"))
        };
        about.map(texts).collect()
    };
    (output.status.code(), of)
}

#[track_caller]
fn expect(found: (String, String, String), severity: &str, key: &str, words: &[&str]) {
    let (found_severity, text, found_key) = found;
    assert_eq!((found_severity.as_str(), found_key.as_str()), (severity, key), "{text}");
    assert!(words.iter().all(|word| text.contains(word)), "{words:?} in {text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn a_camera_is_seen_or_the_reason_is_told_in_plain_words() {
    let guarded = RtspCamera::start(&["--user", "viewer", "--password", "secret-right", "--fps", "10"]);
    let with_login = |id: &str, path: &str, login: &str| {
        let url = guarded.url().replace("rtsp://", &format!("rtsp://{login}")).replace("/cam0", path);
        camera(id, &url, 5)
    };
    let settings = [
        "[mqtt]\nenabled = false\n".to_owned(),
        with_login("good", "/cam0", "viewer:secret-right@"),
        with_login("wrong", "/cam0", "viewer:secret-wrong@"),
        with_login("nobody", "/cam0", ""),
        with_login("astray", "/nowhere", "viewer:secret-right@"),
        camera("stubborn", &refuses_transport(), 5),
        camera("dead", &format!("rtsp://127.0.0.1:{}/x", free_port()), 5),
        camera("unknown", "rtsp://camera.invalid/x", 5),
        camera("off", "rtsp://camera.invalid/x", 5) + "enabled = false\n",
    ];
    let (code, found) = check(&settings.concat());
    assert_eq!(code, Some(1));
    expect(found("camera good"), "ok", "", &["h264", "640x480", "frames a second", "kbit/s", "a keyframe each", "TCP"]);
    expect(
        found("camera wrong"),
        "failed",
        "cameras[wrong].credentials",
        &["refuses user and password", "wrong user or password"],
    );
    expect(found("camera nobody"), "failed", "cameras[nobody].credentials", &["wants a user and a password"]);
    expect(found("camera astray"), "failed", "cameras[astray].url", &["404", "path"]);
    expect(found("camera stubborn"), "failed", "cameras[stubborn].transport", &["461", "over UDP neither"]);
    expect(found("camera dead"), "failed", "cameras[dead].url", &["refuses connections"]);
    expect(found("camera unknown"), "failed", "cameras[unknown].url", &["`camera.invalid`"]);
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| found("camera off"))).is_err());
}

#[test]
fn the_transport_that_helps_is_found_and_named() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(Arc::new(Footage::make(home.path())));
    let over = |id: &str, quirk: Quirk, transport: &str| {
        camera(id, &server.url(quirk), 5) + &format!("transport = \"{transport}\"\nstall_seconds = 4.0\n")
    };
    let settings = [
        "[mqtt]\nenabled = false\n".to_owned(),
        over("udp-only", Quirk::UdpOnly, "tcp"),
        over("tcp-only", Quirk::TcpOnly, "udp"),
        over("behind-firewall", Quirk::UdpSilent, "udp"),
        over("either", Quirk::UdpOnly, "auto"),
        camera("deaf", &refuses_transport(), 5) + "transport = \"udp\"\n",
    ];
    let (code, found) = check(&settings.concat());
    assert_eq!(code, Some(1));
    let helps = |other: &str| format!("set `transport = \"{other}\"`");
    let expect_help = |id: &str, words: &[&str]| {
        expect(found(&format!("camera {id}")), "failed", &format!("cameras[{id}].transport"), words);
    };
    expect_help("udp-only", &["over TCP (RTSP status 461)", "over UDP a frame was decoded", &helps("udp")]);
    expect_help("tcp-only", &["over UDP (RTSP status 461)", "over TCP a frame was decoded", &helps("tcp")]);
    expect_help("behind-firewall", &["nothing over UDP", "over TCP a frame was decoded", &helps("tcp")]);
    expect_help("deaf", &["UDP", "over TCP neither", "461"]);
    expect(found("camera either"), "ok", "", &["over TCP or UDP"]);
}

#[test]
fn the_clip_of_a_camera_is_looked_at_like_a_camera() {
    let home = tempfile::tempdir().unwrap();
    let clip = home.path().join("a clip.mp4");
    encode("x264enc key-int-max=10 ! mp4mux", &clip);
    std::fs::write(home.path().join("empty.h264"), "").unwrap();
    let of = |id: &str, name: &str| camera(id, &format!("file://{}/{name}", home.path().display()), 5);
    let settings = [
        "[mqtt]\nenabled = false\n".to_owned(),
        of("clip", "a%20clip.mp4"),
        of("missing", "no.mp4"),
        of("empty", "empty.h264"),
    ];
    let (code, found) = check(&settings.concat());
    assert_eq!(code, Some(1));
    expect(
        found("camera clip"),
        "ok",
        "",
        &["h264 320x240", "frames a second", "a keyframe each 1.0 s", "from its file"],
    );
    expect(found("camera missing"), "failed", "cameras[missing].url", &["no.mp4"]);
    expect(found("camera empty"), "failed", "cameras[empty].url", &["is empty"]);
}

#[test]
fn both_streams_of_a_camera_are_seen_and_a_login_is_refused_once() {
    let yard = RtspCamera::with_two_streams();
    let guarded = RtspCamera::start(&["--user", "viewer", "--password", "secret-right", "--count", "2"]);
    let with_sub = |id: &str, main: &str, sub: &str| camera(id, main, 5) + &format!("detect_url = \"{sub}\"\n");
    let login = "credentials = { user = \"viewer\", password = \"secret-wrong\" }\n";
    let own = "detect_credentials = { user = \"viewer\", password = \"secret-right\" }\n";
    let nowhere = yard.urls[1].replace("cam1", "nowhere");
    let settings = [
        "[mqtt]\nenabled = false\n".to_owned(),
        with_sub("two", &yard.urls[0], &yard.urls[1]),
        with_sub("half", &yard.urls[0], &nowhere),
        with_sub("locked", &guarded.urls[0], &guarded.urls[1]) + login,
        with_sub("mixed", &guarded.urls[0], &guarded.urls[1]) + login + own,
    ];
    let (code, found) = check_all(&settings.concat());
    assert_eq!(code, Some(1));
    let [analysed, main] = found("camera two").try_into().unwrap();
    expect(analysed, "ok", "", &["analysed stream: a frame was decoded: h264 640x360"]);
    expect(main, "ok", "", &["main stream: a frame was decoded: h264 1920x1080"]);
    let [analysed, main] = found("camera half").try_into().unwrap();
    expect(analysed, "failed", "cameras[half].detect_url", &["analysed stream: ", "404"]);
    expect(main, "ok", "", &["1920x1080"]);
    let [locked] = found("camera locked").try_into().unwrap();
    expect(locked, "failed", "cameras[locked].credentials", &["analysed stream: ", "refuses user and password"]);
    let [analysed, main] = found("camera mixed").try_into().unwrap();
    expect(analysed, "ok", "", &["analysed stream"]);
    expect(main, "failed", "cameras[mixed].credentials", &["main stream: ", "refuses user and password"]);
}

fn run(directory: &Path, program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_broker_is_tried_with_login_and_a_publish_that_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    for (user, password) in [("ocelli", "secret-right"), ("guest", "secret-guest")] {
        let make = if user == "ocelli" { &["-c", "-b"][..] } else { &["-b"] };
        run(home.path(), "mosquitto_passwd", &[make, &["users", user, password]].concat());
    }
    std::fs::write(
        home.path().join("access"),
        "user ocelli\ntopic readwrite ocelli/#\nuser guest\ntopic read other/#\n",
    )
    .unwrap();
    let path = |name: &str| home.path().join(name).display().to_string();
    let lines = format!("allow_anonymous false\npassword_file {}\nacl_file {}\n", path("users"), path("access"));
    let broker = Broker::start_with(&lines, &["-u", "ocelli", "-P", "secret-right"]);
    let messages = broker.settled_subscriber("#");
    let settings =
        |protocol: &str, login: &str| format!("[mqtt]\nport = {}\nprotocol = \"{protocol}\"\n{login}\n", broker.port);
    let login =
        |user: &str, password: &str| format!("credentials = {{ user = \"{user}\", password = \"{password}\" }}");
    for protocol in ["5", "3.1.1"] {
        let (code, found) = check(&settings(protocol, &login("ocelli", "secret-right")));
        expect(found("broker"), "ok", "", &["the login of ocelli"]);
        assert_eq!(code, Some(0));
        messages.wait("the message", Duration::from_secs(5), |topic, payload| {
            assert_eq!((topic, payload), ("ocelli/box/check", "ocelli check"), "nothing else is said");
            true
        });
        let (code, found) = check(&settings(protocol, &login("ocelli", "secret-wrong")));
        expect(found("broker"), "failed", "mqtt.credentials", &["refuses the login", "mqtt.credentials"]);
        assert_eq!(code, Some(1));
        let (_, found) = check(&settings(protocol, ""));
        expect(found("broker"), "failed", "mqtt.credentials", &["refuses the login"]);
    }
    let (_, found) = check(&settings("5", &login("guest", "secret-guest")));
    expect(
        found("broker"),
        "failed",
        "mqtt.topic_prefix",
        &["refuses what is published", "let the user guest", "ocelli/box/#"],
    );
    let (_, found) = check(&format!("[mqtt]\nport = {}\n", free_port()));
    expect(found("broker"), "failed", "mqtt.host", &["refuses connections"]);
    let late = broker.settled_subscriber("#");
    assert_eq!(late.take_count(""), 0, "nothing is retained");
}

#[test]
fn a_running_daemon_keeps_its_port_its_session_and_its_cameras() {
    let (broker, camera_server) = (Broker::start(), RtspCamera::start(&["--fps", "10"]));
    let scene = "scene = { labels = [\"person\", \"persn\"] }\n";
    let daemon = Daemon::start(broker.port, &(camera("yard", camera_server.url(), 5) + scene));
    daemon.wait_ready();
    let log = daemon.log();
    assert!(log.contains("no label `persn`; did you mean `person`?"), "the log names it at the start: {log}");
    let available = broker.subscribe("ocelli/box/available");
    available.wait("online", Duration::from_secs(20), |_, payload| payload == "online");
    wait_for("the camera", Duration::from_secs(30), || (daemon.sum("ocelli_camera_up") == 1.0).then_some(()));
    let reconnects = daemon.sum("ocelli_camera_reconnects");
    let (status, report) = daemon.command(&["check"]);
    assert_eq!(status.code(), Some(78), "{report}");
    let mistakes: Vec<&str> =
        report.lines().filter(|line| line.starts_with("MISTAKE") || line.starts_with("FAILED")).collect();
    assert!(mistakes.len() == 1 && mistakes[0].contains("`persn`"), "{report}");
    assert!(
        report.contains(&format!(
            "127.0.0.1:{} is taken by the running daemon, process {}",
            daemon.http_port(),
            daemon.pid()
        )),
        "{report}"
    );
    for good in ["ok      broker", "ok      camera yard", "ok      model coco-ssd"] {
        assert!(report.contains(good), "{good}: {report}");
    }
    assert_eq!(available.take_count(""), 0, "the will of another client has spoken");
    assert_eq!(daemon.sum("ocelli_camera_reconnects"), reconnects);
    assert_eq!(daemon.sum("ocelli_mqtt_connected"), 1.0);
    assert!(daemon.stop().0.success());
}
