//! Daemons that hang, do not start, are those of another box, or are asked by another host.

use crate::lie::{PATIENCE, assert_well, wait_up};
use crate::support::broker::Broker;
use crate::support::daemon::Daemon;
use crate::support::{free_port, root, signal, wait_within};
use rustix::process::Signal;
use std::process::Command;

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
    let surprise = "box box answers at ";
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
    let (broker, port) = (Broker::start(), free_port());
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
