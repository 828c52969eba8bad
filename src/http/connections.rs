//! Who is connected, and which connection is closed for a new one when all places are taken.
//!
//! The libraries hold the time limits of a connection. They have no limit that lets one address use every place while
//! nobody else needs it: with a semaphore, slow clients would keep later ones out until a time limit ends them, and so
//! would idle connections. So a full table closes a connection of the address that has most: the one that has waited
//! longest for its client. A client that opens a thousand connections closes its own.

use crate::os::clock::monotonic_now;
use crate::vision::monotonic::Monotonic;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Connections of one listener at a time.
pub(super) const MAX_CONNECTIONS: usize = 512;

/// Whose connections count together. The server writes it into each request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Peer {
    /// A host.
    Address(IpAddr),
    /// A user of this box, by its number: a client of the Unix socket.
    User(u32),
}

/// The connections of one listener.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    next: u64,
    open: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    peer: Peer,
    /// Since when the next step has been the client's; `None` while a request is being served.
    waiting_since: Option<Monotonic>,
    closing: Arc<Notify>,
}

/// A place in the table, given up when it is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    number: u64,
    peer: Peer,
    closing: Arc<Notify>,
    table: Arc<Mutex<Table>>,
}

impl Connections {
    /// Takes a place for a connection of `peer`. `None`: every place serves a request of a client with a right to it.
    pub(super) fn admit(&self, peer: Peer) -> Option<Connection> {
        let (exact, peer) = (peer, network(peer));
        let mut table = lock(&self.0);
        if table.open.len() >= MAX_CONNECTIONS {
            let number = table.one_to_close(peer)?;
            // It takes a moment to end, but no longer counts.
            if let Some(entry) = table.open.remove(&number) {
                entry.closing.notify_one();
            }
        }
        let (number, closing) = (table.next, Arc::new(Notify::new()));
        table.next += 1;
        let entry = Entry { peer, waiting_since: Some(monotonic_now()), closing: Arc::clone(&closing) };
        table.open.insert(number, entry);
        Some(Connection { number, peer: exact, closing, table: Arc::clone(&self.0) })
    }
}

impl Table {
    /// The connection that makes room for `newcomer`. Never one of an address that has fewer than the newcomer's.
    fn one_to_close(&self, newcomer: Peer) -> Option<u64> {
        let mut counts: HashMap<Peer, usize> = HashMap::new();
        self.open.values().for_each(|entry| *counts.entry(entry.peer).or_default() += 1);
        let own = counts.get(&newcomer).copied().unwrap_or(0);
        let waiting = self.open.iter().filter_map(|(number, entry)| {
            let count = counts[&entry.peer];
            Some((Reverse(count), entry.waiting_since.filter(|_| count >= own)?, *number))
        });
        if let Some((_, _, number)) = waiting.min() {
            return Some(number);
        }
        // Only requests being served are left, such as bodies that arrive slowly. The oldest one of the largest address
        // ends if the newcomer's address has fewer even with the new connection.
        let served = self.open.iter().map(|(number, entry)| (Reverse(counts[&entry.peer]), *number));
        served.min().filter(|(Reverse(count), _)| *count > own + 1).map(|(_, number)| number)
    }
}

impl Connection {
    /// The other end.
    pub(super) fn peer(&self) -> Peer {
        self.peer
    }

    /// The head of a request has arrived.
    pub(super) fn serving(&self) {
        self.set_waiting(None);
    }

    /// The response is ready: from now on the client has to read it, and to send the next request.
    pub(super) fn waiting(&self) {
        self.set_waiting(Some(monotonic_now()));
    }

    fn set_waiting(&self, since: Option<Monotonic>) {
        if let Some(entry) = lock(&self.table).open.get_mut(&self.number) {
            entry.waiting_since = since;
        }
    }

    /// Returns when the connection has to make room for another.
    pub(super) async fn closing(&self) {
        self.closing.notified().await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        lock(&self.table).open.remove(&self.number);
    }
}

/// The table is plain data and stays valid when a panic elsewhere has poisoned its lock.
fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The address that is counted: IPv6 hands out networks of 64 bits, so one client has 2^64 addresses.
pub(super) fn network(peer: Peer) -> Peer {
    let Peer::Address(address) = peer else { return peer };
    Peer::Address(match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    fn ip(last: u8) -> Peer {
        Peer::Address(IpAddr::from([127, 0, 0, last]))
    }

    fn admit(connections: &Connections, peer: Peer, count: usize) -> Vec<Connection> {
        (0..count).map(|_| connections.admit(peer).unwrap()).collect()
    }

    async fn is_closing(connection: &Connection) -> bool {
        timeout(Duration::from_millis(1), connection.closing()).await.is_ok()
    }

    #[tokio::test]
    async fn a_client_that_opens_too_many_connections_closes_its_own() {
        let connections = Connections::default();
        let good = connections.admit(ip(1)).unwrap();
        let bad = admit(&connections, ip(2), MAX_CONNECTIONS - 1);
        bad[0].serving();
        let _next = connections.admit(ip(1)).unwrap();
        assert!(is_closing(&bad[1]).await, "it has waited longest");
        let _more = connections.admit(ip(2)).unwrap();
        assert!(is_closing(&bad[2]).await);
        for still in [&good, &bad[0], &bad[3]] {
            assert!(!is_closing(still).await);
        }
    }

    #[tokio::test]
    async fn idle_connections_give_way_and_a_used_one_is_the_last_to_go() {
        let connections = Connections::default();
        let open = admit(&connections, ip(1), MAX_CONNECTIONS);
        open[0].serving();
        open[0].waiting();
        let _next = connections.admit(ip(1)).unwrap();
        assert!(is_closing(&open[1]).await && !is_closing(&open[0]).await);
    }

    #[tokio::test]
    async fn when_every_connection_is_served_there_is_room_for_other_addresses_only() {
        let connections = Connections::default();
        let open = admit(&connections, ip(1), MAX_CONNECTIONS);
        open.iter().for_each(Connection::serving);
        assert!(connections.admit(ip(1)).is_none());
        let other = connections.admit(ip(2)).unwrap();
        assert!(is_closing(&open[0]).await && !is_closing(&open[1]).await);
        drop(other);
        assert!(connections.admit(ip(1)).is_some());
    }

    #[tokio::test]
    async fn requests_that_never_end_cost_other_addresses_no_idle_connection() {
        let connections = Connections::default();
        let good = connections.admit(ip(1)).unwrap();
        let bad = admit(&connections, ip(2), MAX_CONNECTIONS - 1);
        bad.iter().for_each(Connection::serving);
        assert!(connections.admit(ip(2)).is_none());
        assert!(!is_closing(&good).await);
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_together_and_ipv4_stays_apart() {
        let at = |text: &str| network(Peer::Address(text.parse().unwrap()));
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff:1"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_ne!(at("::ffff:10.0.0.1"), at("::ffff:10.0.0.2"));
        assert_eq!(at("::ffff:10.0.0.1"), at("10.0.0.1"));
        assert_ne!(network(Peer::User(0)), network(Peer::User(1)));
    }
}
