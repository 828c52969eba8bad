//! `ocelli discover` with the shipped binary, against a camera that others wrote (oxvif's) and against hostile ones.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "a test that cannot go on fails")]

#[path = "discover/nat_camera.rs"]
mod nat_camera;
#[path = "discover/scripted_camera.rs"]
mod scripted_camera;
#[path = "discover/site.rs"]
mod site;
mod support;

use nat_camera::{CLOCK, behind_nat};
use oxvif::DiscoveredDevice;
use oxvif::mock::{DiscoveryResponder, MockServer};
use scripted_camera::{ScriptedCamera, send};
use serde_json::Value;
use site::{Ended, Site};
use std::io::Write as _;
use std::net::{Ipv4Addr, UdpSocket};
use std::process::Stdio;
use std::time::{Duration, Instant};

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
        "url = \"rtsp://127.0.0.1/sub\"",
        "# the main stream: rtsp://127.0.0.1:5540/main?a=1&b=2",
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
fn hostile_and_wrong_servers_are_told_apart_within_the_time_limits() {
    const LINE: &[u8] = &[b'x'; 4096];
    let endless = ScriptedCamera::start(|_, stream| {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n"));
        while stream.write_all(LINE).is_ok() {}
    });
    let endless_head = ScriptedCamera::start(|_, stream| {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\nX: "));
        while stream.write_all(LINE).is_ok() {}
    });
    let slow = ScriptedCamera::start(|_, stream| {
        let begun = Instant::now();
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n"));
        while begun.elapsed() < Duration::from_secs(30) && stream.write_all(b"<").is_ok() {
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    let bomb = ScriptedCamera::start(|_, stream| {
        let lol = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]><l>&c;</l>";
        send(stream, 200, lol);
    });
    let deep = ScriptedCamera::start(|_, stream| send(stream, 200, &"<a>".repeat(60_000)));
    let page = ScriptedCamera::start(|_, stream| send(stream, 404, "<html></html>"));
    let redirect = ScriptedCamera::start(|_, stream| {
        drop(stream.write_all(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"));
    });
    let rtsp = ScriptedCamera::start(|_, stream| drop(stream.write_all(b"RTSP/1.0 400 Bad Request\r\n\r\n")));
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cases = [
        (endless.device(), "longer than 262144 bytes"),
        (endless_head.device(), "does not speak HTTP"),
        (slow.device(), "does not answer within 8 s"),
        (bomb.device(), "document type declaration"),
        (deep.device(), "nested more than 32 deep"),
        (page.device(), "is not ONVIF at this URL: its answer to GetSystemDateAndTime: HTTP 404"),
        (redirect.device(), "HTTP 302"),
        (rtsp.device(), "does not speak HTTP"),
        (gone.to_string(), "refuses connections at port"),
        ("no-such-host.invalid".into(), "no such host"),
    ];
    let site = Site::new("x");
    let begun = Instant::now();
    let devices: Vec<&str> = cases.iter().map(|(device, _)| device.as_str()).collect();
    let ended = site.discover_as("viewer", &[&devices[..], &["--json"]].concat()).check(1, &[]);
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    let found = ended.json();
    for (device, words) in &cases {
        let url = format!("http://{device}/");
        let camera = found["cameras"]
            .as_array()
            .unwrap()
            .iter()
            .find(|camera| camera["onvif_url"].as_str().unwrap().starts_with(&url));
        let error = camera.unwrap_or_else(|| panic!("{device}: {found}"))["error"].as_str().unwrap();
        assert!(error.contains(words), "{device}: `{words}` in `{error}`");
    }
    for server in [&endless, &endless_head, &slow, &bomb, &deep, &page, &redirect, &rtsp] {
        assert_eq!((server.requests().len(), server.logins()), (1, 0), "no login before it has answered as ONVIF");
    }
}

#[test]
fn what_reads_the_answers_is_confined_and_ends_with_the_command() {
    // Tells its clock, and then nothing more.
    let camera = ScriptedCamera::start(|document, stream| match document.contains("GetSystemDateAndTime") {
        true => send(stream, 200, &scripted_camera::envelope(CLOCK)),
        false => std::thread::sleep(Duration::from_secs(20)),
    });
    let site = Site::new("hunter2");
    let arguments = ["--user", "viewer", "--password-file", "password", &camera.device()];
    let mut ocelli = site.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let limit = Duration::from_secs(7);
    let is_asked = || (camera.logins() == 1).then_some(());
    support::wait_for("the request with a login", limit, is_asked);
    let reader = support::children(ocelli.id(), "discover-child");
    let of = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", reader[0])).unwrap();
    let status = of("status");
    assert!(status.contains("Seccomp:\t2") && status.contains("NoNewPrivs:\t1"), "{status}");
    assert!(!of("environ").contains("hunter2") && !of("cmdline").contains("hunter2"));
    let sockets = std::fs::read_dir(format!("/proc/{}/fd", reader[0])).unwrap().flatten();
    let targets = sockets.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    let sockets = targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count();
    assert!((1..=3).contains(&sockets), "{sockets} sockets: the channel and its duplicates only");
    ocelli.kill().unwrap();
    ocelli.wait().unwrap();
    support::wait_for("the end of the reader", limit, || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", reader[0]));
        stat.map_or(true, |stat| stat.contains(") Z ")).then_some(())
    });
}

/// Answers the first probe with each of these datagrams.
fn answer_probes(answers: Vec<Vec<u8>>) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let (length, sender) = socket.recv_from(&mut [0; 4096]).unwrap();
        assert!(length > 100, "a probe");
        for answer in answers {
            socket.send_to(&answer, sender).unwrap();
        }
    });
    address
}

#[test]
fn what_strangers_answer_to_a_probe_sends_no_login_to_third_parties() {
    // Another address than the sender's: 127.0.0.2 is this machine too.
    let victim = ScriptedCamera::start_at(Ipv4Addr::new(127, 0, 0, 2), |_, stream| send(stream, 404, ""));
    let probe_match = |urls: &str| {
        let content = format!(
            "<d:ProbeMatches><d:ProbeMatch><d:Types>n:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name/Caf\u{e9}%1b%5b2J</d:Scopes>\
             <d:XAddrs>{urls}</d:XAddrs></d:ProbeMatch></d:ProbeMatches>"
        );
        scripted_camera::envelope(&content).into_bytes()
    };
    let camera = ScriptedCamera::soap(behind_nat);
    let elsewhere = format!("http://127.0.0.2:{}/onvif/device_service", victim.port);
    let own = format!("{elsewhere} http://127.0.0.1:{}/onvif/device_service", camera.port);
    let answers = vec![
        vec![0xff; 60_000],
        b"<a>".to_vec(),
        Vec::new(),
        probe_match(&own),
        probe_match(&own),
        probe_match("https://127.0.0.1/"),
    ];
    let site = Site::new("x");
    let to = answer_probes(answers);
    let arguments = ["--interface", "127.0.0.1", "--wait", "1", "--probe-to", &to, "--json"];
    let ended = site.discover_as("viewer", &arguments).check(0, &["127.0.0.1: its answer is not used"]);
    let found = ended.json();
    let cameras = found["cameras"].as_array().unwrap();
    assert_eq!((cameras.len(), &cameras[0]["name"]), (1, &"Caf\u{e9}[2J".into()), "{ended:?}");
    assert_eq!((cameras[0]["entries"][0]["id"].as_str(), victim.requests().len()), (Some("caf-2j"), 0), "{ended:?}");
    assert!(camera.logins() > 0);
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
