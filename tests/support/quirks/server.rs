//! The server: a port, a thread for each connection, and what it has seen of its clients.

use super::connection::{Connection, WeakOut};
use super::footage::Footage;
use super::quirk::Quirk;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Shutdown, TcpListener};
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
    /// Messages that something moves.
    pub movements: u64,
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
    /// Those since it last hung up. Weak: one that is to be reset may have no further descriptor.
    connections: Arc<Mutex<Vec<WeakOut>>>,
}

impl Server {
    pub fn start(footage: Arc<Footage>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { footage, seen: Mutex::default() });
        let connections: Arc<Mutex<Vec<WeakOut>>> = Arc::default();
        let (of_connections, list) = (Arc::clone(&shared), Arc::clone(&connections));
        std::thread::spawn(move || {
            for (number, stream) in (1..).zip(listener.incoming()) {
                let connection = Connection::new(stream.unwrap(), number, Arc::clone(&of_connections));
                list.lock().unwrap().push(connection.out());
                std::thread::spawn(move || connection.serve());
            }
        });
        Self { port, shared, connections }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends all connections.
    pub fn hang_up(&self) {
        for connection in self.connections.lock().unwrap().drain(..).filter_map(|connection| connection.upgrade()) {
            // It may have ended already.
            drop(connection.lock().unwrap().shutdown(Shutdown::Both));
        }
    }

    pub fn url(&self, quirk: Quirk) -> String {
        format!("rtsp://127.0.0.1:{}/{}", self.port, quirk.path())
    }

    pub fn seen(&self, quirk: Quirk) -> Seen {
        self.shared.note(quirk, |_| {})
    }
}
