//! A camera written by hand: answers each request as a test says, and keeps what it was asked.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Answers a request, given its document and the connection.
type Answer = dyn Fn(&str, &mut TcpStream) + Send + Sync;

/// Listens until the test's process ends.
pub struct ScriptedCamera {
    /// TCP, on loopback.
    pub port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl ScriptedCamera {
    /// `answer` is called for each connection.
    pub fn start(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST, answer)
    }

    /// At another address of this machine.
    pub fn start_at(address: Ipv4Addr, answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer): (_, Arc<Answer>) = (Arc::clone(&requests), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, &kept, &*answer));
            }
        });
        Self { port, requests }
    }

    /// Answers SOAP: `body` gets the name of the request, such as `GetProfiles`, and returns status and content.
    pub fn soap(body: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self::start(move |document, stream| {
            let (status, content) = body(operation(document), document);
            send(stream, status, &envelope(&content));
        })
    }

    /// What it was asked, in order: heads and documents.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The requests that carry a login.
    pub fn logins(&self) -> usize {
        self.requests().iter().filter(|request| request.contains("UsernameToken")).count()
    }

    /// As an operator names it.
    pub fn device(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// The name of the operation in a request's body.
fn operation(document: &str) -> &str {
    let start = document.split_once("<o:").map_or("", |(_, rest)| rest);
    start.split([' ', '>', '/']).next().unwrap_or_default()
}

/// A SOAP envelope with odd prefixes.
pub fn envelope(content: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"x\"><SOAP-ENV:Body>{content}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )
}

/// Sends an answer with a length. A client that has gone is no error.
pub fn send(stream: &mut TcpStream, status: u16, body: &str) {
    let head =
        format!("HTTP/1.1 {status} X\r\nContent-Type: application/soap+xml\r\nContent-Length: {}\r\n\r\n", body.len());
    drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())));
}

fn serve(mut stream: TcpStream, kept: &Mutex<Vec<String>>, answer: &Answer) {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    let document = loop {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(length) => request.extend_from_slice(&buffer[..length]),
        }
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .to_ascii_lowercase()
            .split_once("content-length: ")
            .map_or(0, |(_, rest)| rest.lines().next().unwrap_or_default().trim().parse::<usize>().unwrap());
        if body.len() >= length {
            break body.to_owned();
        }
    };
    kept.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
    answer(&document, &mut stream);
}
