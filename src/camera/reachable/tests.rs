//! What a capture process reaches, address by address.

use super::*;
use crate::camera::capture_process::camera_source;
use crate::camera::settings::CaptureSettings;

fn source(url: &str, transport: RtpTransport, follow_redirects: bool) -> CameraSource {
    let camera = serde_json::from_value(serde_json::json!({"id": "yard", "url": url})).unwrap();
    CameraSource { transport, follow_redirects, ..camera_source(&camera, None, &CaptureSettings::default()) }
}

fn at(seconds: u64) -> Monotonic {
    Monotonic::from_nanos((1_000 + seconds) * 1_000_000_000)
}

fn with(sources: &[CameraSource]) -> Reachable {
    let mut reachable = Reachable::default();
    for (index, source) in (0..).zip(sources) {
        reachable.open(CameraIndex(index), source, at(0));
    }
    reachable
}

fn around() -> Surroundings {
    let names = [("cam.local".to_owned(), ["10.0.0.9".parse().unwrap()].into())].into();
    Surroundings { names, nameservers: vec!["10.0.0.1".parse().unwrap()], is_own_address: false }
}

fn wish(act: Act, socket: SocketKind, address: &str) -> Wish {
    Wish { act, socket, peer: Peer::Internet(address.parse().unwrap()) }
}

fn reaches(reachable: &Reachable, act: Act, socket: SocketKind, address: &str) -> bool {
    reachable.judge(&wish(act, socket, address), &around(), at(0)).is_ok()
}

use Act::{Bind, Connect, Send};
use SocketKind::{Tcp, Udp, Unix};

#[test]
fn a_camera_over_tcp_is_one_address_and_port() {
    let reachable = with(&[source("rtsp://10.0.0.5/x", RtpTransport::Tcp, false)]);
    assert!(reaches(&reachable, Connect, Tcp, "10.0.0.5:554"));
    let secure = with(&[source("rtsps://10.0.0.5/x", RtpTransport::Tcp, false)]);
    assert!(reaches(&secure, Connect, Tcp, "10.0.0.5:554"), "where GStreamer connects to");
    assert!(reaches(&reachable, Connect, Tcp, "[::ffff:10.0.0.5]:554"), "the same in IPv6");
    for other in ["10.0.0.5:80", "10.0.0.6:554", "127.0.0.1:554", "127.0.0.1:28480", "0.0.0.0:554", "[::1]:554"] {
        assert!(!reaches(&reachable, Connect, Tcp, other), "{other}");
    }
    for (act, socket) in [(Bind, Tcp), (Bind, Udp), (Send, Tcp), (Send, Udp), (Connect, Udp)] {
        assert!(!reaches(&reachable, act, socket, "10.0.0.5:40000"), "{act:?} {socket:?}");
    }
    assert!(!reaches(&reachable, Connect, Udp, "10.0.0.1:53"), "there is no name to resolve");
}

#[test]
fn packets_of_a_camera_over_udp_go_to_and_fro_and_nowhere_else() {
    let reachable = with(&[source("rtsp://10.0.0.5:8554/x", RtpTransport::Auto, false)]);
    assert!(reaches(&reachable, Connect, Tcp, "10.0.0.5:8554"));
    assert!(reaches(&reachable, Bind, Udp, "0.0.0.0:0") && reaches(&reachable, Bind, Udp, "[::]:5000"));
    assert!(reaches(&reachable, Send, Udp, "10.0.0.5:6970") && reaches(&reachable, Connect, Udp, "10.0.0.5:6970"));
    assert!(!reaches(&reachable, Send, Udp, "10.0.0.5:161"), "no service of the camera");
    assert!(!reaches(&reachable, Send, Udp, "10.0.0.6:6970") && !reaches(&reachable, Send, Udp, "127.0.0.1:6970"));
    assert!(!reaches(&reachable, Bind, Udp, "0.0.0.0:53") && !reaches(&reachable, Bind, Tcp, "0.0.0.0:0"));
}

#[test]
fn a_name_is_its_addresses_and_the_services_that_resolve_it() {
    let reachable = with(&[source("rtsps://user@Cam.local/x", RtpTransport::Tcp, false)]);
    assert_eq!(reachable.names(), ["cam.local".to_owned()].into());
    assert!(reaches(&reachable, Connect, Tcp, "10.0.0.9:554") && !reaches(&reachable, Connect, Tcp, "10.0.0.8:554"));
    assert!(reaches(&reachable, Connect, Udp, "10.0.0.1:53") && reaches(&reachable, Connect, Tcp, "10.0.0.1:53"));
    assert!(!reaches(&reachable, Connect, Udp, "10.0.0.2:53"), "no name server");
    assert!(reaches(&reachable, Connect, Udp, "10.0.0.9:0"), "the order of addresses");
    let path = |path: &str| Wish { act: Connect, socket: Unix, peer: Peer::Path(path.into()) };
    assert!(reachable.judge(&path("/run/avahi-daemon/socket"), &around(), at(0)).is_ok());
    assert!(reachable.judge(&path("/run/docker.sock"), &around(), at(0)).is_err());
    let here = with(&[source("rtsp://localhost:8554/x", RtpTransport::Tcp, false)]);
    assert!(reaches(&here, Connect, Tcp, "[::1]:8554") && reaches(&here, Connect, Tcp, "127.0.0.1:8554"));
    assert!(!reaches(&here, Connect, Tcp, "127.0.0.1:28480") && !reaches(&here, Connect, Tcp, "10.0.0.9:8554"));
    let literal = with(&[source("rtsps://10.0.0.9/x", RtpTransport::Tcp, false)]);
    assert!(literal.judge(&path("/run/avahi-daemon/socket"), &around(), at(0)).is_err(), "there is no name to resolve");
}

#[test]
fn a_camera_that_may_redirect_leads_anywhere_but_to_this_box() {
    let reachable = with(&[source("http://10.0.0.5/x.jpg", RtpTransport::Tcp, true)]);
    assert!(reaches(&reachable, Connect, Tcp, "10.0.0.5:80") && reaches(&reachable, Connect, Tcp, "10.0.0.77:8080"));
    let own = Surroundings { is_own_address: true, ..around() };
    assert!(reachable.judge(&wish(Connect, Tcp, "127.0.0.1:28480"), &own, at(0)).is_err());
    assert!(!reaches(&reachable, Send, Udp, "10.0.0.77:5000"), "it is no RTSP");
}

#[test]
fn what_a_closed_camera_needed_is_taken_back() {
    let sources = [
        source("https://10.0.0.5/x.jpg", RtpTransport::Tcp, false),
        source("rtsp://[fe80::1%eth0]:322", RtpTransport::Tcp, false),
        source("file:///clip.mp4", RtpTransport::Auto, true),
    ];
    let mut reachable = with(&sources);
    assert!(reaches(&reachable, Connect, Tcp, "10.0.0.5:443") && reaches(&reachable, Connect, Tcp, "[fe80::1]:322"));
    reachable.close(CameraIndex(0), at(3));
    let ends = |seconds| reachable.judge(&wish(Connect, Tcp, "10.0.0.5:443"), &around(), at(seconds));
    assert!(ends(2).is_ok() && ends(3).is_err(), "it may say goodbye");
    reachable.open(CameraIndex(9), &sources[1], at(4));
    assert!(!reaches(&reachable, Connect, Tcp, "10.0.0.5:443") && reaches(&reachable, Connect, Tcp, "[fe80::1]:322"));
    assert!(!reaches(&reachable, Connect, Tcp, "10.0.0.77:80"), "a file redirects nobody");
}

#[test]
fn other_kinds_of_addresses_are_refused() {
    let reachable = with(&[source("rtsp://cam.local", RtpTransport::Auto, true)]);
    for (act, socket, peer) in [
        (Connect, Tcp, Peer::Nobody),
        (Connect, Unix, Peer::Other),
        (Connect, Tcp, Peer::Other),
        (Bind, Unix, Peer::Path("/run/avahi-daemon/socket".into())),
        (Connect, Tcp, Peer::Path("/run/avahi-daemon/socket".into())),
    ] {
        let wish = Wish { act, socket, peer };
        assert!(reachable.judge(&wish, &around(), at(0)).is_err(), "{wish}");
    }
}
