//! What answers a login badly, over RTSP and HTTP: refuses it, sends it elsewhere, or repeats it in what it says.

use ::base64::Engine as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

/// Listens until the test ends; returns the port. What it does is in the path:
/// `basic`, `digest`: it refuses every login. `forbidden`: it lets nobody in who has one. `redirect`: to another port of this
/// host, with the login in the new place. `echo`: it says the login in its reason, its headers and its body.
pub fn start() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            std::thread::spawn(move || serve(client));
        }
    });
    port
}

fn serve(mut client: TcpStream) -> Option<()> {
    let mut lines = BufReader::new(client.try_clone().ok()?).lines().map_while(Result::ok);
    loop {
        let request: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        let first = request.first()?;
        let header = |name: &str| {
            let line = request.iter().find(|line| line.to_ascii_lowercase().starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let protocol = if first.ends_with("RTSP/1.0") { "RTSP/1.0" } else { "HTTP/1.1" };
        let sequence = header("cseq").map_or_else(String::new, |number| format!("CSeq: {number}\r\n"));
        let (status, more, body) = answer(first, header("authorization"));
        let length = body.len();
        let head = format!("{protocol} {status}\r\n{sequence}{more}Content-Length: {length}\r\n\r\n{body}");
        client.write_all(head.as_bytes()).ok()?;
    }
}

fn answer(request: &str, login: Option<String>) -> (String, String, String) {
    let asks =
        |challenge: &str| ("401 Unauthorized".to_owned(), format!("WWW-Authenticate: {challenge}\r\n"), String::new());
    if request.starts_with("OPTIONS") {
        return ("200 OK".into(), "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n".into(), String::new());
    }
    let Some(login) = login else {
        return match request {
            _ if request.contains("digest") => asks("Digest realm=\"camera\", nonce=\"0123456789abcdef\""),
            _ => asks("Basic realm=\"camera\""),
        };
    };
    let plain = login.strip_prefix("Basic ").and_then(|basic| ::base64::prelude::BASE64_STANDARD.decode(basic).ok());
    let plain = plain.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    match request {
        _ if request.contains("echo") => (
            format!("400 not {plain} and not {login}"),
            format!("Content-Type: text/plain\r\nServer: {plain}\r\nX-Login: {login}\r\n"),
            format!("{plain} {login}"),
        ),
        _ if request.contains("forbidden") => ("403 Forbidden".into(), String::new(), String::new()),
        _ if request.contains("redirect") => {
            ("302 Found".into(), format!("Location: rtsp://{plain}@127.0.0.1:9/elsewhere\r\n"), String::new())
        }
        _ if request.contains("digest") => asks("Digest realm=\"camera\", nonce=\"0123456789abcdef\""),
        _ => asks("Basic realm=\"camera\""),
    }
}
