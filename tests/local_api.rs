//! Who may use the API of the box itself: over the Unix socket its users, over TCP those who show the token.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use rustix::process::Signal;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;
use support::daemon::Daemon;
use support::{signal, wait_for};

fn daemon(http: &str) -> Daemon {
    let daemon = Daemon::start(0, &format!("[http]\n{http}[mqtt]\nenabled = false\n"));
    wait_for("the daemon", Duration::from_secs(30), || daemon.get("/healthz").filter(|(code, _)| *code == 200));
    daemon
}

/// The whole answer to a request with these headers.
fn ask(mut stream: impl Read + Write, request: &str, headers: &str) -> String {
    write!(stream, "{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn over_tcp(daemon: &Daemon, request: &str, headers: &str) -> String {
    ask(TcpStream::connect(("127.0.0.1", daemon.http_port())).unwrap(), request, headers)
}

fn over_socket(path: &Path, request: &str) -> String {
    ask(UnixStream::connect(path).unwrap(), request, "")
}

#[test]
fn the_command_line_needs_nothing_and_tcp_the_token_that_stays() {
    let mut daemon = daemon("local_api = \"token\"\n");
    let (socket, file) = (daemon.home().join("state/ocelli.sock"), daemon.home().join("state/http-token"));
    let refused = over_tcp(&daemon, "GET /api/status", "");
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    for cure in [socket.to_str().unwrap(), file.to_str().unwrap(), "Authorization: Bearer"] {
        assert!(refused.contains(cure), "{cure} in {refused}");
    }
    let token = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let shown = format!("Authorization: Bearer {}\r\n", token.trim());
    assert!(over_tcp(&daemon, "GET /api/status", &shown).starts_with("HTTP/1.1 200"));
    assert!(over_socket(&socket, "GET /api/status").starts_with("HTTP/1.1 200"));
    assert!(daemon.succeed(&["ctl", "models"]).contains("coco-ssd"));
    assert!(!daemon.log().contains(token.trim()));

    // One that is killed leaves its socket behind, and the next one takes its place.
    signal(daemon.pid(), Signal::KILL);
    daemon.start_again();
    wait_for("the daemon", Duration::from_secs(30), || daemon.get("/healthz").filter(|(code, _)| *code == 200));
    assert!(over_tcp(&daemon, "GET /api/status", &shown).starts_with("HTTP/1.1 200"), "the token is still the same");
    assert!(over_socket(&socket, "GET /api/status").starts_with("HTTP/1.1 200"));
    let (status, _) = daemon.stop();
    assert!(status.success());
}

#[test]
fn settings_without_the_line_stay_open_and_the_log_says_what_to_do() {
    let daemon = daemon("");
    assert!(over_tcp(&daemon, "GET /api/status", "").starts_with("HTTP/1.1 200"));
    let log = daemon.log();
    assert!(log.contains("`http.local_api`: is not set") && log.contains("set \"token\""), "{log}");
    assert!(!daemon.home().join("state/http-token").exists());
}

#[test]
fn a_thousand_wrong_tokens_are_counted_and_are_a_few_lines_of_log() {
    let daemon = daemon("local_api = \"token\"\nsocket = \"{state}/own.sock\"\n");
    for _ in 0..1000 {
        assert!(over_tcp(&daemon, "GET /api/status", "Authorization: Bearer wrong\r\n").starts_with("HTTP/1.1 401"));
    }
    assert!((1000.0..1010.0).contains(&daemon.sum("ocelli_http_refused_total{reason=\"token\"}")));
    let lines = daemon.log().lines().filter(|line| line.contains("a request is refused")).count();
    assert!((1..=100).contains(&lines), "{lines} lines");
    assert!(over_socket(&daemon.home().join("state/own.sock"), "GET /api/status").starts_with("HTTP/1.1 200"));
}
