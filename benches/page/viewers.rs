//! Viewers without a browser: each reads what comes, and counts it.

use crate::support::daemon::Daemon;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tungstenite::{Message, WebSocket};

/// What viewers have received together.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// Fragments of one frame each.
    pub(crate) frames: AtomicU64,
    /// Their bytes with the heads of the WebSocket's frames.
    pub(crate) bytes: AtomicU64,
    /// The bytes of the video in them, as the camera sent it.
    pub(crate) video: AtomicU64,
    /// The bytes of texts, likewise with their heads.
    pub(crate) texts: AtomicU64,
    /// Frames that were left out.
    pub(crate) gaps: AtomicU64,
}

/// Some viewers of one camera. They go with the value.
pub(crate) struct Viewers {
    pub(crate) received: Arc<Received>,
    streams: Vec<TcpStream>,
    threads: Vec<JoinHandle<()>>,
}

impl Viewers {
    /// Connects so many.
    pub(crate) fn start(daemon: &Daemon, camera: &str, count: usize) -> Self {
        let mut viewers = Self { received: Arc::default(), streams: Vec::new(), threads: Vec::new() };
        for _ in 0..count {
            let stream = TcpStream::connect(("127.0.0.1", daemon.http_port())).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            let own = stream.try_clone().unwrap();
            let url = format!("ws://localhost:{}/api/cameras/{camera}/live", daemon.http_port());
            let (socket, _) = tungstenite::client(url, stream).unwrap();
            let received = Arc::clone(&viewers.received);
            viewers.streams.push(own);
            viewers.threads.push(std::thread::spawn(move || read(socket, &received)));
        }
        viewers
    }
}

impl Drop for Viewers {
    fn drop(&mut self) {
        for stream in &self.streams {
            drop(stream.shutdown(Shutdown::Both));
        }
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

/// Reads until the socket ends.
fn read(mut socket: WebSocket<TcpStream>, received: &Received) {
    let add = |to: &AtomicU64, bytes: usize| to.fetch_add(bytes as u64, Ordering::Relaxed);
    while let Ok(message) = socket.read() {
        match message {
            Message::Binary(fragment) => {
                let Some(video) = video_in(&fragment) else { continue };
                add(&received.frames, 1);
                add(&received.bytes, fragment.len() + head(fragment.len()));
                add(&received.video, video);
            }
            Message::Text(text) => {
                add(&received.texts, text.len() + head(text.len()));
                received.gaps.fetch_add(u64::from(text.contains("\"dropped\"")), Ordering::Relaxed);
            }
            _ => {}
        }
    }
}

/// The head of a frame of the WebSocket, from a server.
fn head(length: usize) -> usize {
    match length {
        0..=125 => 2,
        126..=65_535 => 4,
        _ => 10,
    }
}

/// The bytes in the `mdat` of a fragment; `None` for an init segment.
fn video_in(fragment: &[u8]) -> Option<usize> {
    let mut rest = fragment;
    while let Some((length, kind)) = rest.first_chunk::<8>().map(|head| (&head[..4], &head[4..])) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        if kind == b"mdat" {
            return Some(length - 8);
        }
        rest = rest.get(length..)?;
    }
    None
}
