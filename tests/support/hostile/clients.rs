//! Clients of the API that mean harm.

use super::sockets;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Connections of those that come with many: six times as many as the daemon has places.
const MANY: usize = 3_000;
const BLOCK_BYTES: usize = 65_536;

/// Clients at work, until this is dropped.
pub struct Attack {
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Attack {
    /// Begins. `pictures` are what `picture-bombs` sends.
    pub fn start(mode: &'static str, port: u16, pictures: &Arc<Vec<Vec<u8>>>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let clients = if matches!(mode, "idle-connections" | "slow-heads" | "slow-bodies") { 1 } else { 2 };
        let threads = (0..clients)
            .map(|_| {
                let (is_over, pictures) = (Arc::clone(&is_over), Arc::clone(pictures));
                thread::spawn(move || attack(mode, port, &pictures, &is_over))
            })
            .collect();
        Self { is_over, threads }
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

pub fn may_go_on(is_over: &AtomicBool) -> bool {
    !is_over.load(Ordering::Relaxed)
}

/// True if a client of this mode gets as far as to begin.
pub fn is_let_in(mode: &str, port: u16) -> bool {
    if mode.starts_with("socket-") { sockets::open(port).is_some() } else { connect(port).is_some() }
}

/// A connection whose calls do not last.
pub fn connect(port: u16) -> Option<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_write_timeout(Some(Duration::from_secs(1))).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    Some(stream)
}

fn attack(mode: &str, port: u16, pictures: &[Vec<u8>], is_over: &AtomicBool) {
    let detect = "POST /api/models/coco-ssd/detect HTTP/1.1\r\nHost: localhost\r\n";
    match mode {
        "idle-connections" => many(port, "", None, is_over),
        "slow-heads" => many(port, "GET /api/status HTTP/1.1\r\nHost: localhost\r\n", Some(b"X-A: b\r\n"), is_over),
        "slow-bodies" => many(port, &format!("{detect}Content-Length: 10000000\r\n\r\n"), Some(b"x"), is_over),
        "endless-head" => pour(port, "GET /api/status HTTP/1.1\r\nHost: localhost\r\n", b"X-Header: more\r\n", is_over),
        "endless-line" => pour(port, "GET /api/", b"more and more of this", is_over),
        "endless-chunks" => {
            pour(
                port,
                &format!("{detect}Transfer-Encoding: chunked\r\n\r\n"),
                b"8\r\n\xff\xd8\xff\xe0aaaa\r\n",
                is_over,
            );
        }
        "lying-length" => {
            pour(port, &format!("{detect}Content-Length: 18446744073709551615\r\n\r\n"), &[b'x'; 64], is_over);
        }
        "deep-json" => {
            let kind = "Content-Type: application/json\r\n";
            let [deep, wide] = [b"[".repeat(15_000), b"{\"a\":".repeat(3_000)];
            let bodies = [deep, wide];
            let scene = |body: &Vec<u8>| ("PUT /api/cameras/good/scene", kind, body.repeat(16));
            let swap = |body: &Vec<u8>| ("POST /api/models/coco-ssd/swap", kind, body.clone());
            again(port, &bodies.iter().flat_map(|body| [scene(body), swap(body)]).collect::<Vec<_>>(), is_over);
        }
        "picture-bombs" => {
            let ask = |picture: &Vec<u8>| ("POST /api/models/coco-ssd/detect", "", picture.clone());
            again(port, &pictures.iter().map(ask).collect::<Vec<_>>(), is_over);
        }
        "many-requests" => {
            again(port, &[("GET /metrics", "", Vec::new()), ("GET /api/status", "", Vec::new())], is_over);
        }
        "never-reads-answers" => {
            let ask = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(40);
            many(port, &ask, None, is_over);
        }
        "never-reads-events" => {
            let ask = "GET /api/events?follow=true&since_seconds=86400 HTTP/1.1\r\nHost: localhost\r\n\r\n";
            many(port, ask, None, is_over);
        }
        "half-requests" => {
            while may_go_on(is_over) {
                let half =
                    b"POST /api/models/coco-ssd/detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf";
                drop(connect(port).map(|mut stream| stream.write_all(half)));
            }
        }
        "socket-pings" => sockets::pings(port, is_over),
        "socket-fragments" => sockets::fragments(port, is_over),
        "socket-never-reads" => sockets::never_reads(port, is_over),
        _ => panic!("no such mode: {mode}"),
    }
}

/// Holds as many connections as it may, says `first` over each, and `more` each second. What was closed is opened again.
fn many(port: u16, first: &str, more: Option<&[u8]>, is_over: &AtomicBool) {
    let mut held: Vec<TcpStream> = Vec::new();
    while may_go_on(is_over) {
        held.retain_mut(|stream| more.is_none_or(|more| stream.write_all(more).is_ok()) && is_open(stream));
        while held.len() < MANY && may_go_on(is_over) {
            let Some(mut stream) = connect(port) else { break };
            if stream.write_all(first.as_bytes()).is_ok() && stream.set_nonblocking(true).is_ok() {
                held.push(stream);
            }
        }
        for _ in 0..10 {
            if may_go_on(is_over) {
                thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// False once the other end has closed. What it has sent stays unread.
fn is_open(stream: &TcpStream) -> bool {
    match stream.peek(&mut [0]) {
        Ok(length) => length > 0,
        Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
    }
}

/// Says `first`, then `block` until the daemon closes, and begins again.
fn pour(port: u16, first: &str, block: &[u8], is_over: &AtomicBool) {
    let block = block.repeat(BLOCK_BYTES / block.len() + 1);
    while may_go_on(is_over) {
        let Some(mut stream) = connect(port) else { continue };
        let mut sent = stream.write_all(first.as_bytes());
        while sent.is_ok() && may_go_on(is_over) {
            sent = stream.write_all(&block);
        }
    }
}

/// Sends whole requests, a connection each, and reads what is answered.
fn again(port: u16, requests: &[(&str, &str, Vec<u8>)], is_over: &AtomicBool) {
    for (request, headers, body) in requests.iter().cycle() {
        if !may_go_on(is_over) {
            return;
        }
        let Some(mut stream) = connect(port) else { continue };
        let length = body.len();
        let common = "Host: localhost\r\nConnection: close\r\n";
        let head = format!("{request} HTTP/1.1\r\n{common}{headers}Content-Length: {length}\r\n\r\n");
        // A refusal may come before the last byte has gone, and none at all within a second.
        drop(stream.write_all(&[head.as_bytes(), body].concat()));
        drop(stream.read_to_end(&mut Vec::new()));
    }
}
