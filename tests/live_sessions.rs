//! Live video and those who look at it: a socket ends with its session, and the box's token opens one.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::json;
use std::net::TcpStream;
use std::time::Duration;
use support::daemon::camera;
use support::http::Address;
use support::people::{ANNA, BERT, PeopleBox, viewer};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::{Message, WebSocket};

const LIMIT: Duration = Duration::from_secs(30);

/// A box with a camera that is not there: its socket tells of that, and stays.
fn start() -> PeopleBox {
    let people = format!("{}{}", viewer("anna", "viewer", ANNA), viewer("bert", "operator", BERT));
    PeopleBox::start_with("", &format!("{people}{}", camera("yard", "rtsp://127.0.0.1:9/", 5)))
}

/// The socket of the camera, with a `Cookie: ...` line.
fn connect(at: &Address, cookie: &str) -> Result<WebSocket<TcpStream>, String> {
    let stream = TcpStream::connect(("127.0.0.1", at.host().rsplit(':').next().unwrap().parse().unwrap())).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut request = format!("ws://{}/api/cameras/yard/live", at.host()).into_client_request().unwrap();
    for line in [cookie, &at.origin()].into_iter().filter_map(|line| line.trim().split_once(": ")) {
        let (name, value) = (line.0.parse::<tungstenite::http::HeaderName>().unwrap(), line.1.parse().unwrap());
        request.headers_mut().insert(name, value);
    }
    tungstenite::client(request, stream).map(|(socket, _)| socket).map_err(|error| error.to_string())
}

/// Reads until the box closes the socket, and returns why it does.
fn end_of(mut socket: WebSocket<TcpStream>) -> (u16, String) {
    loop {
        match socket.read().expect("the box says goodbye") {
            Message::Close(Some(frame)) => return (frame.code.into(), frame.reason.to_string()),
            Message::Close(None) => return (0, String::new()),
            _ => {}
        }
    }
}

/// The next message that is text.
fn text(socket: &mut WebSocket<TcpStream>) -> String {
    loop {
        if let Message::Text(text) = socket.read().unwrap() {
            return text.to_string();
        }
    }
}

#[test]
fn a_socket_ends_with_its_session_and_no_other_one_does() {
    let this = start();
    let at = &this.own;
    this.user(&["add", "carl"], "a third password\n");
    this.daemon.succeed(&["reload"]);
    let (anna, bert) = (PeopleBox::session(at, "anna", ANNA), PeopleBox::session(at, "bert", BERT));
    let carl = PeopleBox::session(at, "carl", "a third password");
    let mut sockets = [&anna, &bert, &carl].map(|cookie| connect(at, cookie).unwrap());
    for socket in &mut sockets {
        assert!(text(socket).contains("\"type\":\"state\""));
    }
    let [of_anna, mut of_bert, of_carl] = sockets;
    let logged_out = (4401, "you were logged out".to_owned());

    assert_eq!(at.post("/logout", &format!("{anna}{}", at.origin()), &json!({})).status, 204);
    assert_eq!(end_of(of_anna), logged_out);
    assert!(connect(at, &anna).unwrap_err().contains("401"));

    assert!(this.user(&["remove", "carl"], "").0);
    this.daemon.succeed(&["reload"]);
    assert_eq!(end_of(of_carl), logged_out);

    // What is still told to bert came behind the end of the others.
    this.daemon.succeed(&["ctl", "disable", "yard"]);
    while !text(&mut of_bert).contains("\"disabled\"") {}
    assert!(this.daemon.stop().0.success());
}

#[test]
fn the_token_opens_a_session_on_the_box_alone_and_is_guessed_as_rarely_as_a_password() {
    let this = start();
    let at = &this.own;
    let token = std::fs::read_to_string(this.daemon.home().join("state/http-token")).unwrap();
    let show = |at: &Address, token: &str| at.post("/login", &at.origin(), &json!({"token": token}));
    let public = show(&this.public, token.trim());
    assert!(public.status == 401 && public.header("set-cookie").is_none(), "{public:?}");
    assert!(connect(at, "").unwrap_err().contains("401"));

    let welcome = show(at, token.trim());
    assert_eq!(welcome.json(), json!({"name": "token", "role": "operator", "expires_in_s": 3600}));
    let cookie = welcome.cookie();
    assert!(text(&mut connect(at, &cookie).unwrap()).contains("\"type\":\"state\""));
    let from_page = format!("{cookie}{}", at.origin());
    assert_eq!(at.post("/api/reload", &from_page, &json!({})).status, 200);
    assert_eq!(at.post("/api/page-link", &from_page, &json!({})).status, 403, "a session makes no further one");
    let renamed = cookie
        .replace("ocelli-", "__Host-ocelli-")
        .replace(&this.daemon.http_port().to_string(), this.public.host().rsplit(':').next().unwrap());
    assert_eq!(this.public.get("/api/status", &renamed).status, 401, "nor is its cookie one elsewhere");

    let wrong = show(at, &"0".repeat(64));
    assert!(wrong.status == 401 && wrong.json()["error"]["code"] == "wrong", "{wrong:?}");
    let flood: Vec<u16> = (0..20).map(|_| show(at, "a guess").status).collect();
    assert!(flood.iter().filter(|status| **status == 429).count() >= 12, "{flood:?}");
    assert!(this.daemon.sum("ocelli_http_logins_total{result=\"wrong_token\"}") >= 4.0);
    assert_eq!(at.get("/api/status", &cookie).status, 200, "who is in stays in");
    assert!(!this.daemon.log().contains(token.trim()));
    assert!(this.daemon.stop().0.success());
}
