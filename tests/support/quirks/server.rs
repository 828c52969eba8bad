//! The server: a port, a thread for each connection, and what it has seen of its clients.

use super::connection::Connection;
use super::footage::Footage;
use super::quirk::Quirk;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// What the clients of one path have done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    pub connections: u32,
    /// Answers with a wrong login in them; a stale one is none.
    pub refused_logins: u32,
    /// Requests within a running session that are neither SETUP, PLAY nor TEARDOWN.
    pub keep_alives: u32,
    /// Answers to requests of the camera.
    pub answers: u32,
    /// Pictures of the first track that have been sent.
    pub pictures: u64,
    pub first_request: Option<Instant>,
}

/// What all connections share.
pub struct Shared {
    pub footage: Arc<Footage>,
    seen: Mutex<BTreeMap<Quirk, Seen>>,
}

impl Shared {
    /// Changes and returns what was seen of the clients of a path.
    pub fn note(&self, quirk: Quirk, change: impl FnOnce(&mut Seen)) -> Seen {
        let mut seen = self.seen.lock().unwrap();
        let entry = seen.entry(quirk).or_default();
        change(entry);
        *entry
    }
}

/// A running server. Its threads end with the test's process.
pub struct Server {
    port: u16,
    shared: Arc<Shared>,
}

impl Server {
    pub fn start(footage: Arc<Footage>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { footage, seen: Mutex::default() });
        let of_connections = Arc::clone(&shared);
        std::thread::spawn(move || {
            for (number, stream) in (1..).zip(listener.incoming()) {
                let shared = Arc::clone(&of_connections);
                std::thread::spawn(move || Connection::new(stream.unwrap(), number, shared).serve());
            }
        });
        Self { port, shared }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self, quirk: Quirk) -> String {
        format!("rtsp://127.0.0.1:{}/{}", self.port, quirk.path())
    }

    pub fn seen(&self, quirk: Quirk) -> Seen {
        self.shared.note(quirk, |_| {})
    }
}
