//! A port where each path is another camera that means harm.

use super::clips::Clips;
use super::{answers, streams};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What all connections share.
pub struct Shared {
    pub clips: Clips,
    /// The time from one mutated picture to the next.
    pub pace: Duration,
    /// Mutated pictures.
    pub sent: AtomicU64,
}

/// A server on loopback. Its threads end with the test's process.
pub struct HostileServer {
    port: u16,
    shared: Arc<Shared>,
}

impl HostileServer {
    pub fn start(clips: Clips, pace: Duration) -> Self {
        let shared = Arc::new(Shared { clips, pace, sent: AtomicU64::new(0) });
        let of_clients = Arc::clone(&shared);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&of_clients);
                // A client that goes ends its thread.
                std::thread::spawn(move || serve(client, &shared));
            }
        });
        Self { port, shared }
    }

    /// How many mutated pictures were sent.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }

    pub fn url(&self, mode: &str) -> String {
        let scheme = match mode {
            _ if mode.starts_with("http-") => "http",
            _ if mode.starts_with("tls-") => "rtsps",
            _ => "rtsp",
        };
        format!("{scheme}://127.0.0.1:{}/{mode}", self.port)
    }
}

fn serve(client: TcpStream, shared: &Shared) -> Option<()> {
    let mut first = [0];
    if client.peek(&mut first).ok()? == 1 && first[0] == 0x16 {
        // TLS: its greeting is read and never answered.
        let mut sink = Vec::new();
        return { &client }.read_to_end(&mut sink).ok().map(drop);
    }
    let mut out = client.try_clone().ok()?;
    let mut reader = BufReader::new(client);
    loop {
        let (request, cseq) = next_request(&mut reader)?;
        let mut words = request.split(' ');
        let (method, place) = (words.next()?, words.next()?);
        let rest = place.split_once("://").map_or(place, |(_, rest)| rest);
        let mode = rest.split_once('/')?.1.split(['/', '?']).next()?.to_owned();
        if mode == "http-mutated" {
            return streams::send_jpegs(shared, &mut out).map(drop);
        }
        if !answers::obey(&mode, (method, place), &cseq, &mut out)? {
            return None;
        }
        if method == "PLAY" {
            return streams::send(&mode, shared, &mut out);
        }
    }
}

/// The first line of a request and its number; RTCP between requests is passed over.
fn next_request(reader: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let (mut first, mut cseq) = (String::new(), "0".to_owned());
    loop {
        while reader.fill_buf().ok()?.first() == Some(&b'$') {
            let mut head = [0; 4];
            reader.read_exact(&mut head).ok()?;
            let mut packet = vec![0; usize::from(u16::from_be_bytes([head[2], head[3]]))];
            reader.read_exact(&mut packet).ok()?;
        }
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" if !first.is_empty() => return Some((first, cseq)),
            "" => {}
            line if first.is_empty() => first = line.to_owned(),
            line => {
                if let Some(number) = line.to_ascii_lowercase().strip_prefix("cseq:") {
                    cseq = number.trim().to_owned();
                }
            }
        }
    }
}

/// Sends `first`, then `again` as fast as it is read, until the client goes.
pub fn pour(out: &mut TcpStream, first: &str, again: &[u8]) -> Option<bool> {
    out.write_all(first.as_bytes()).ok()?;
    let block = again.repeat(65_536 / again.len().max(1) + 1);
    loop {
        out.write_all(&block).ok()?;
    }
}

/// Sends a byte each second.
pub fn trickle(out: &mut TcpStream, text: &[u8]) -> Option<bool> {
    for byte in text {
        out.write_all(&[*byte]).ok()?;
        std::thread::sleep(Duration::from_secs(1));
    }
    Some(true)
}
