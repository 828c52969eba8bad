//! `ocelli discover` with the shipped binary, against a camera that others wrote (oxvif's) and against hostile ones.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "a test that cannot go on fails")]

#[path = "discover/nat_camera.rs"]
mod nat_camera;
#[path = "discover/scripted_camera.rs"]
mod scripted_camera;
#[path = "discover/site.rs"]
mod site;
#[path = "discover/strangers.rs"]
mod strangers;
mod support;

use nat_camera::{CLOCK, behind_nat};
use oxvif::DiscoveredDevice;
use oxvif::mock::{DiscoveryResponder, MockServer};
use scripted_camera::ScriptedCamera;
use serde_json::Value;
use site::{Ended, Site};
use std::net::{Ipv4Addr, UdpSocket};

/// Runs a command on a thread of its own, so that the mock's runtime goes on.
async fn blocking(work: impl FnOnce() -> Ended + Send + 'static) -> Ended {
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn mock() -> MockServer {
    MockServer::builder().enforce_auth(true).start().await.unwrap()
}

fn announced(name: &str, url: &str) -> DiscoveredDevice {
    DiscoveredDevice {
        endpoint: format!("urn:uuid:{name}"),
        types: vec!["dn:NetworkVideoTransmitter".into()],
        scopes: vec![format!("onvif://www.onvif.org/name/{name}"), "onvif://www.onvif.org/hardware/X1".into()],
        xaddrs: vec![url.into()],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cameras_that_others_wrote_are_found_by_multicast_asked_and_added() {
    let (one, two) = (mock().await, mock().await);
    let devices = vec![announced("Front%20door", one.device_url()), announced("Yard", two.device_url())];
    // A port of its own, so that nothing else on this machine answers.
    let responder = DiscoveryResponder::spawn_many("0.0.0.0:0", Some(Ipv4Addr::LOCALHOST), devices).await.unwrap();
    let group = format!("239.255.255.250:{}", responder.local_addr().port());
    let ended = blocking(move || {
        let site = Site::new("admin");
        let probe = ["--interface", "lo", "--wait", "2", "--probe-to", &group];
        let ended =
            site.discover_as("admin", &[&probe[..], &["--json"]].concat()).check(0, &["looking for cameras from lo"]);
        let cameras = ended.json();
        let cameras = cameras["cameras"].as_array().unwrap();
        assert_eq!(cameras.len(), 2, "{ended:?}");
        for camera in cameras {
            assert_eq!((&camera["manufacturer"], &camera["error"]), (&"oxvif-mock".into(), &Value::Null), "{ended:?}");
            assert!(camera["clock_offset_seconds"].as_i64().unwrap().abs() <= 1, "{ended:?}");
        }
        let file = site.at("state/settings.d/camera-front-door.toml");
        let words = [
            "Front door",
            "MockCam-1080p",
            "H264",
            "1920x1080",
            "704x480",
            "[[cameras]]",
            "camera-yard.toml",
            "ocelli reload",
        ];
        site.discover_as("admin", &[&probe[..], &["--add"]].concat()).check(0, &words);
        let written = std::fs::read_to_string(&file).unwrap();
        let password = format!("password_file = \"{}\"", site.at("password").display());
        assert!(
            written.contains("user = \"admin\"")
                && written.contains(&password)
                && written.contains("url = \"rtsp://127.0.0.1:554/"),
            "{written}"
        );
        site.discover_as("admin", &[&probe[..], &["--add"]].concat()).check(0, &["in the settings already"])
    });
    let ended = ended.await;
    assert!(!ended.out.contains("is added"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_camera_needs_no_multicast_and_a_wrong_login_is_told() {
    let camera = mock().await;
    let device = camera.device_url().to_owned();
    blocking(move || {
        let site = Site::new("hunter2");
        let wrong = ["refuses the login of `admin` at GetDeviceInformation", "lock accounts"];
        let ended = site.discover_as("admin", &[&device]).check(1, &wrong);
        assert!(!format!("{ended:?}").contains("hunter2"), "{ended:?}");
        site.discover(&[&device]).check(1, &["wants a login", "--password-file"]);
        std::fs::write(site.at("password"), "operator").unwrap();
        site.discover_as("operator", &[&device])
            .check(0, &["id = \"mockcam-1080p\"", "user = \"operator\"", "/mock/snapshot.jpg"])
    })
    .await;
}

#[test]
fn hosts_of_another_network_are_replaced_and_the_login_is_by_the_cameras_clock() {
    let camera = ScriptedCamera::soap(behind_nat);
    let site = Site::new("geheim");
    let words = [
        "its streams name the host 192.168.77.7: replaced by 127.0.0.1",
        "it names http://192.168.77.7/onvif/media for its media",
        "profile web: its URL is http://, not rtsp:// or rtsps://",
        "behind this box",
        "url = \"rtsp://127.0.0.1:5540/main?a=1&b=2\"",
        "detect_url = \"rtsp://127.0.0.1/sub\"",
        "credentials = { user = \"viewer\"",
    ];
    let ended = site.discover_as("viewer", &[&camera.device()]).check(0, &words);
    let all = format!("{}{}", ended.out, ended.err);
    assert!(!all.contains("secret") && !all.contains("geheim") && !all.contains('\u{1b}'), "{all}");
    let requests = camera.requests();
    let created: Vec<&str> = requests
        .iter()
        .filter_map(|request| request.split_once("<wsu:Created>"))
        .map(|(_, rest)| &rest[..19])
        .collect();
    assert!(
        created.iter().all(|created| ["2020-02-29T23:59:3", "2020-02-29T23:59:4"].contains(&&created[..18])),
        "{created:?}"
    );
    assert_eq!((requests.len(), camera.logins(), created.len()), (10, 9, 9), "{requests:?}");
    assert!(requests.iter().all(|request| !request.contains("geheim")), "{requests:?}");
}

#[test]
fn a_refused_login_is_not_tried_again() {
    let by_status = ScriptedCamera::soap(|operation, _| match operation {
        "GetSystemDateAndTime" => (200, CLOCK.into()),
        _ => (401, String::new()),
    });
    let by_fault = ScriptedCamera::soap(|operation, document| match operation {
        "GetStreamUri" => {
            let fault = "<Fault><Code><Value>Sender</Value><Subcode><Value>ter:NotAuthorized</Value></Subcode></Code><Reason><Text>locked</Text></Reason></Fault>";
            (400, fault.into())
        }
        _ => behind_nat(operation, document),
    });
    let site = Site::new("x");
    let ended = site.discover_as("viewer", &[&by_status.device(), &by_fault.device(), "--json"]);
    let ended = ended.check(1, &["GetDeviceInformation (\\\"HTTP 401\\\")", "GetStreamUri (\\\"locked\\\")"]);
    assert_eq!(by_status.logins(), 1, "{ended:?}");
    // Device, services in both forms, profiles, and the stream that was refused.
    assert_eq!(by_fault.logins(), 5, "{ended:?}");
    assert_eq!(ended.json()["cameras"].as_array().unwrap().len(), 2);
}

#[test]
fn nobody_answers_and_wrong_command_lines_have_their_exit_codes() {
    let site = Site::new("");
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = nobody.local_addr().unwrap().to_string();
    let ended = site.discover(&["--interface", "lo", "--wait", "1", "--probe-to", &to]);
    let ended = ended.check(1, &["no camera answered", "ocelli discover 192.168.1.20"]);
    assert_eq!(ended.out, "");
    for (arguments, words) in [
        (&["--user", "viewer"][..], "--password-file"),
        (&["--password-file", "password"], "--user"),
        (&["--interface", "eth99"], "lo (127.0.0.1)"),
        (&["https://127.0.0.1/"], "use http"),
        (&["rtsp://127.0.0.1/"], "camera add"),
        (&["http://admin:hunter2@127.0.0.1/"], "--password-file"),
        (&["--wait", "0"], "1..=60"),
        (&["127.0.0.1", "--interface", "lo"], "cannot be used with"),
    ] {
        let ended = site.discover(arguments).check(2, &[words]);
        assert!(!ended.err.contains("hunter2"), "{ended:?}");
    }
    site.discover_as("viewer", &["127.0.0.1:1"]).check(1, &["the password file is empty"]);
    site.discover(&["--user", "viewer", "--password-file", "none", "127.0.0.1:1"]).check(1, &["none cannot be read"]);
}

#[test]
fn settings_with_a_mistake_do_not_hinder_looking_but_adding() {
    let camera = ScriptedCamera::soap(behind_nat);
    let site = Site::new("x");
    std::fs::write(site.at("ocelli.toml"), "what = [").unwrap();
    site.discover(&[&camera.device()]).check(0, &["rtsp://127.0.0.1/sub"]);
    site.discover(&[&camera.device(), "--add"]).check(78, &["nothing was changed"]);
}
