//! Servers that are no cameras, or mean harm, and what reads their answers.

use crate::nat_camera::{CLOCK, behind_nat};
use crate::scripted_camera::{self, ScriptedCamera, send};
use crate::site::Site;
use crate::support;
use std::io::Write as _;
use std::net::{Ipv4Addr, UdpSocket};
use std::process::Stdio;
use std::time::{Duration, Instant};

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
