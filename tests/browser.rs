//! A real browser on the box that shows a page of a stranger: the page can neither read nor change anything.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use support::daemon::Daemon;

const PAGE: &str = include_str!("browser/attack.html");

/// What the page reports, which takes a few seconds, and the start of a browser on a busy box.
const LIMIT: Duration = Duration::from_secs(90);

/// The server of the stranger's page. Requests that are not for it go to the box: a name that leads to this server first
/// and to the box later (DNS rebinding) brings the same bytes there.
struct Stranger {
    port: u16,
    reports: Receiver<String>,
}

impl Stranger {
    /// `target`: the box as the page asks for it; empty for its own origin.
    fn serve(target: &str, box_port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, reports) = sync_channel(1);
        let page = PAGE.replace("TARGET", target);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (page, sender) = (page.clone(), sender.clone());
                std::thread::spawn(move || drop(answer(stream, &page, &sender, box_port)));
            }
        });
        Self { port, reports }
    }
}

/// Answers a connection by its first request: with the page, with thanks for the report, or with what the box answers.
fn answer(stream: TcpStream, page: &str, reports: &SyncSender<String>, box_port: u16) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let begun = head.len();
        if reader.read_until(b'\n', &mut head)? == 0 {
            return Ok(());
        }
        let line = String::from_utf8_lossy(&head[begun..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let reply = |mut stream: &TcpStream, kind: &str, text: &str| {
        let length = text.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
        )
    };
    if head.starts_with(b"GET /page ") {
        return reply(&stream, "text/html", page);
    }
    if head.starts_with(b"POST /report ") {
        drop(reports.send(String::from_utf8_lossy(&body).into_owned()));
        return reply(&stream, "text/plain", "thanks");
    }
    // One request a connection: the next may be for this server.
    let head = String::from_utf8_lossy(&head).replace("Connection: keep-alive", "Connection: close");
    let mut to_box = TcpStream::connect(("127.0.0.1", box_port))?;
    to_box.write_all(head.as_bytes())?;
    to_box.write_all(&body)?;
    let (mut from_browser, mut to_browser) = (stream.try_clone()?, stream);
    let mut onwards = to_box.try_clone()?;
    std::thread::spawn(move || {
        drop(std::io::copy(&mut from_browser, &mut onwards));
        drop(onwards.shutdown(Shutdown::Write));
    });
    std::io::copy(&mut to_box, &mut to_browser)?;
    to_browser.shutdown(Shutdown::Both)
}

/// Ends with the test.
struct Browser(Child);

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Shows a page in headless Chromium, for which every name of `.example` leads to this computer.
fn show(page: &str, profile: &std::path::Path) -> Browser {
    let browser = Command::new("chromium")
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
        .args(["--disable-background-networking", "--host-resolver-rules=MAP *.example 127.0.0.1"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(["--remote-debugging-port=0", page])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Browser(browser.expect("chromium is missing: run `setup/browser.sh`"))
}

/// Shows the page of a stranger and returns what it could do.
fn attack(stranger: &Stranger, host: &str) -> String {
    let profile = tempfile::tempdir().unwrap();
    let _browser = show(&format!("http://{host}:{}/page", stranger.port), profile.path());
    stranger.reports.recv_timeout(LIMIT).expect("the page reports")
}

fn daemon() -> Daemon {
    // Nothing stands between a page and the API but the rules for names and origins: no token is asked for.
    let camera = support::daemon::camera("yard", "rtsp://127.0.0.1:9/", 5);
    let daemon = Daemon::start(0, &format!("[http]\nlocal_api = \"open\"\n[mqtt]\nenabled = false\n{camera}"));
    support::wait_for("the API", Duration::from_secs(30), || {
        daemon.get("/api/cameras").filter(|(code, _)| *code == 200)
    });
    daemon
}

/// Nothing has changed, and the page's requests did arrive: they were refused for `reason`.
fn assert_untouched(daemon: &Daemon, reason: &str) {
    let (_, camera) = daemon.get("/api/cameras/yard").unwrap();
    let camera: serde_json::Value = serde_json::from_str(&camera).unwrap();
    assert_ne!(camera["state"], "disabled", "{camera}");
    let refused = daemon.sum(&format!("ocelli_http_refused_total{{reason=\"{reason}\"}}"));
    assert!(refused > 10.0, "{refused} requests were refused: did the page reach the box?");
    let log = daemon.log();
    assert!(!log.contains("a command") && !log.contains("settings were read again"), "{log}");
}

#[test]
fn a_page_of_another_origin_can_neither_read_nor_change_anything() {
    let daemon = daemon();
    for host in ["127.0.0.1", "localhost"] {
        let target = format!("http://{host}:{}", daemon.http_port());
        let stranger = Stranger::serve(&target, daemon.http_port());
        assert_eq!(attack(&stranger, "evil.example"), "done\n", "from a page of another host");
    }
    // A program of the box that serves pages, on another port.
    let target = format!("http://localhost:{}", daemon.http_port());
    let stranger = Stranger::serve(&target, daemon.http_port());
    assert_eq!(attack(&stranger, "localhost"), "done\n", "from a page of another port");
    assert_untouched(&daemon, "origin");
}

#[test]
fn a_name_that_is_made_to_lead_to_the_box_can_neither_read_nor_change_anything() {
    let daemon = daemon();
    let stranger = Stranger::serve("", daemon.http_port());
    assert_eq!(attack(&stranger, "evil.example"), "done\n");
    assert_untouched(&daemon, "host");
}
