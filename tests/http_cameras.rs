//! Cameras over HTTP: streams of JPEGs and single pictures.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::Value;
use std::time::Duration;
use support::broker::Broker;
use support::daemon::Daemon;
use support::http_camera::HttpCamera;
use support::{from_setup, wait_for};

const LIMIT: Duration = Duration::from_secs(30);

/// A camera as the daemon shows it, once `is_so`.
fn wait_camera(daemon: &Daemon, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    wait_for(id, LIMIT, || {
        let (_, body) = daemon.get(&format!("/api/cameras/{id}"))?;
        serde_json::from_str::<Value>(&body).ok().filter(&is_so)
    })
}

#[test]
fn streams_of_jpegs_and_single_pictures_are_analysed_and_a_wrong_login_is_not_repeated() {
    let camera = HttpCamera::start(std::fs::read(from_setup("testdata/photo.jpg")).unwrap());
    let block = |id: &str, path: &str, more: &str| {
        format!("[[cameras]]\nid = \"{id}\"\nurl = \"{}\"\nfps = 2.0\n{more}", camera.url(path))
    };
    let login = |password: &str| format!("credentials = {{ user = \"viewer\", password = \"{password}\" }}\n");
    let settings = [
        block("stream", "/stream", ""),
        block("picture", "/picture", ""),
        block("locked", "/locked", &login("right")),
        block("wrong", "/locked?wrong", &login("wrong")),
        block("page", "/page", ""),
        block("gone", "/gone", ""),
        // Two streams: the main one is not asked for while the login is refused.
        block("two", "/locked?main", &format!("detect_url = \"{}\"\n{}", camera.url("/locked?sub"), login("wrong"))),
    ];
    let broker = Broker::start();
    let daemon = Daemon::start(broker.port, &settings.concat());
    daemon.wait_ready();

    for id in ["stream", "picture", "locked"] {
        let health = wait_camera(&daemon, id, |health| health["outcomes"]["detected"].as_u64() > Some(3));
        assert_eq!((&health["state"], &health["codec"]), (&"streaming".into(), &"mjpeg".into()), "{health}");
    }
    // Ten a second come, two are to be analysed, and a JPEG is decoded by itself.
    let health = wait_camera(&daemon, "stream", |health| health["stream"]["received"].as_u64() > Some(50));
    let count = |value: &Value| value.as_u64().unwrap();
    let (received, decoded) = (count(&health["stream"]["received"]), count(&health["decoded"]));
    assert!(decoded < received / 3 && count(&health["stream"]["skipped"]["not_due"]) > received / 2, "{health}");
    // Each picture is asked for when it is due: the server counts no more than two a second.
    let before = camera.requests("/picture");
    std::thread::sleep(Duration::from_secs(3));
    assert!((4..=8).contains(&(camera.requests("/picture") - before)), "{before}");

    let wrong = wait_camera(&daemon, "wrong", |health| health["state"] == "auth-failed");
    let page = wait_camera(&daemon, "page", |health| health["state"] == "offline");
    let gone = wait_camera(&daemon, "gone", |health| health["state"] == "offline");
    assert!(page["reason"].as_str().unwrap().contains("text/html"), "{page}");
    assert!(gone["reason"].as_str().unwrap().contains("404"), "{gone}");
    assert!(wrong["reason"].as_str().unwrap().contains("401"), "{wrong}");
    assert!(camera.requests("/locked?wrong login") <= 3, "{}", camera.requests("/locked?wrong login"));
    let two = wait_camera(&daemon, "two", |health| health["state"] == "auth-failed");
    assert_eq!(two["main"]["state"], "connecting", "{two}");
    assert!(camera.requests("/locked?sub login") >= 1 && camera.requests("/locked?main") == 0);
    daemon.assert_ledger_closes();
}
