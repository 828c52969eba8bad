//! Who is connected, for how long they may say nothing, and who goes when there are too many.
//!
//! A new connection is always taken: when there are too many, the one that has been silent longest goes, of the
//! address that has most. So whoever opens a thousand connections and says nothing closes its own.

use crate::os::clock::monotonic_now;
use crate::vision::monotonic::Monotonic;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// Connections at a time.
pub(super) const MAX_CONNECTIONS: usize = 512;
/// How long the head of a request may take, from its first byte; and a TLS handshake.
const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// How long a connection may have nothing to say between two requests.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
/// How often the limits are looked at.
const WATCH_PERIOD: Duration = Duration::from_secs(1);

/// What a connection does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    /// It has nothing to say.
    Idle,
    /// It has begun a request, or a handshake.
    Head,
    /// The body of its request is coming.
    Body,
    /// Its request is being answered.
    Serving,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Monotonic,
}

/// One connection. It is gone with the last handle.
#[derive(Debug)]
pub(super) struct Connection {
    number: u64,
    pub(super) peer: IpAddr,
    state: Mutex<State>,
    dismissed: Notify,
    all: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    open: BTreeMap<u64, std::sync::Weak<Connection>>,
}

/// All connections of the server.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections(Arc<Mutex<Table>>);

impl Connections {
    /// Takes a connection in. None: everybody is being served, and there are as many as there may be.
    pub(super) fn admit(&self, peer: IpAddr) -> Option<Arc<Connection>> {
        let mut table = lock(&self.0);
        let open: Vec<Arc<Connection>> = table.open.values().filter_map(std::sync::Weak::upgrade).collect();
        if open.len() >= MAX_CONNECTIONS {
            let Some(victim) = silent_longest(&open) else {
                // Unlocked before the connections are let go of: the last handle of one takes this lock.
                drop(table);
                return None;
            };
            // It takes a moment to go; it no longer counts.
            table.open.remove(&victim.number);
            victim.dismissed.notify_one();
        }
        let number = table.next;
        table.next += 1;
        let state = Mutex::new(State { phase: Phase::Head, since: monotonic_now() });
        let connection =
            Arc::new(Connection { number, peer, state, dismissed: Notify::new(), all: Arc::clone(&self.0) });
        table.open.insert(number, Arc::downgrade(&connection));
        drop(table);
        drop(open);
        Some(connection)
    }
}

/// Of those of the address that has most connections, the one that has waited longest.
fn silent_longest(open: &[Arc<Connection>]) -> Option<Arc<Connection>> {
    let mut counts: HashMap<IpAddr, usize> = HashMap::new();
    open.iter().for_each(|connection| *counts.entry(connection.peer).or_default() += 1);
    let waiting = open.iter().filter(|connection| lock(&connection.state).phase != Phase::Serving);
    let rank =
        |connection: &&Arc<Connection>| (std::cmp::Reverse(counts[&connection.peer]), lock(&connection.state).since);
    waiting.min_by_key(rank).cloned()
}

impl Connection {
    /// The head of a request has come.
    pub(super) fn receiving(&self) {
        self.enter(Phase::Body);
    }

    /// A request has come whole.
    pub(super) fn serving(&self) {
        self.enter(Phase::Serving);
    }

    /// It has been answered.
    pub(super) fn idle(&self) {
        self.enter(Phase::Idle);
    }

    fn enter(&self, phase: Phase) {
        *lock(&self.state) = State { phase, since: monotonic_now() };
    }

    /// Bytes came: the first ones of a head, if nothing was under way.
    fn heard(&self) {
        if lock(&self.state).phase == Phase::Idle {
            self.enter(Phase::Head);
        }
    }

    fn is_too_slow(&self, now: Monotonic) -> bool {
        let state = lock(&self.state);
        match state.phase {
            Phase::Idle => now.since(state.since) > IDLE_LIMIT,
            Phase::Head => now.since(state.since) > HEAD_LIMIT,
            // Whoever receives the body knows how slow it may be.
            Phase::Body | Phase::Serving => false,
        }
    }

    /// Returns when the connection has to go: it is too slow, or makes room for another.
    pub(super) async fn dismissed(&self) {
        loop {
            tokio::select! {
                () = self.dismissed.notified() => return,
                () = tokio::time::sleep(WATCH_PERIOD) => if self.is_too_slow(monotonic_now()) { return },
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        lock(&self.all).open.remove(&self.number);
    }
}

/// What is plain data stays true when a panic elsewhere has poisoned its lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A stream that tells its connection when bytes come.
#[derive(Debug)]
pub(super) struct Watched<S> {
    pub(super) stream: S,
    pub(super) connection: Arc<Connection>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.connection.heard();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    #[tokio::test]
    async fn whoever_opens_too_many_closes_its_own() {
        let connections = Connections::default();
        let good = connections.admit(ip(1)).unwrap();
        let bad: Vec<_> = (1..MAX_CONNECTIONS).map(|_| connections.admit(ip(2)).unwrap()).collect();
        bad[0].serving();
        bad.iter().skip(1).for_each(|connection| connection.receiving());
        let next = connections.admit(ip(1)).unwrap();
        tokio::time::timeout(Duration::from_secs(1), bad[1].dismissed()).await.unwrap();
        for still in [&good, &next, &bad[0], &bad[2]] {
            assert!(tokio::time::timeout(Duration::from_millis(10), still.dismissed()).await.is_err());
        }
    }

    #[test]
    fn when_everybody_is_served_there_is_no_room() {
        let connections = Connections::default();
        let mut open: Vec<_> = (0..MAX_CONNECTIONS).map(|_| connections.admit(ip(1)).unwrap()).collect();
        open.iter().for_each(|connection| connection.serving());
        assert!(connections.admit(ip(2)).is_none());
        drop(open.pop());
        assert!(connections.admit(ip(2)).is_some());
    }

    #[test]
    fn a_head_must_come_soon_an_idle_connection_may_wait_and_a_served_one_takes_its_time() {
        let connections = Connections::default();
        let connection = connections.admit(ip(1)).unwrap();
        let later = |limit: Duration| monotonic_now() + limit + Duration::from_secs(1);
        assert!(connection.is_too_slow(later(HEAD_LIMIT)));
        connection.serving();
        assert!(!connection.is_too_slow(later(IDLE_LIMIT)));
        connection.idle();
        assert!(!connection.is_too_slow(later(HEAD_LIMIT)) && connection.is_too_slow(later(IDLE_LIMIT)));
        connection.heard();
        assert!(connection.is_too_slow(later(HEAD_LIMIT)));
    }
}
