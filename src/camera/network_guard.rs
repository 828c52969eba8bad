//! Decides which addresses a capture process reaches, with what this box knows of names.

use crate::camera::reachable::{Reachable, Surroundings};
use crate::ipc::messages::{CameraIndex, CameraSource};
use crate::ipc::socket_wish::{Judge, Peer, Wish};
use crate::os::clock::monotonic_now;
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _, UdpSocket};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A name is resolved at most this often for a process that asks for addresses which are unknown.
const RESOLVE_INTERVAL: Duration = Duration::from_secs(2);

/// The most addresses that are kept of a name. Those of a name with changing answers add up.
const MAX_ADDRESSES: usize = 64;

/// Where the name servers are written, those of systemd-resolved too.
const NAMESERVERS: &str = "/etc/resolv.conf";

/// A judgement waits at most so long for names. The process has resolved its own just now, so the answer is near; that of
/// another camera, whose name server is away, must hold up nobody.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// After a camera was closed, the process may still say goodbye to it for so long.
const GOODBYE: Duration = Duration::from_secs(3);

/// The guard of one capture process.
#[derive(Debug, Default)]
pub(crate) struct NetworkGuard {
    reachable: Mutex<Reachable>,
    names: Arc<Names>,
}

/// What is known of names. Threads that resolve have it too.
#[derive(Debug, Default)]
struct Names {
    known: Mutex<BTreeMap<String, Known>>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Known {
    addresses: BTreeSet<IpAddr>,
    asked_at: Option<Instant>,
    is_being_resolved: bool,
}

impl NetworkGuard {
    /// Allows what this camera needs. Call it before the process is told to connect.
    pub(crate) fn open(&self, index: CameraIndex, source: &CameraSource) {
        let mut reachable = locked(&self.reachable);
        reachable.open(index, source, monotonic_now());
        let names = reachable.names();
        drop(reachable);
        locked(&self.names.known).retain(|name, known| known.is_being_resolved || names.contains(name));
    }

    /// Takes it back when the process has had time to say goodbye.
    pub(crate) fn close(&self, index: CameraIndex) {
        locked(&self.reachable).close(index, monotonic_now() + GOODBYE);
    }

    fn judge_with(&self, wish: &Wish) -> Result<(), &'static str> {
        let names =
            locked(&self.names.known).iter().map(|(name, known)| (name.clone(), known.addresses.clone())).collect();
        let reachable = locked(&self.reachable);
        let is_own_address = match &wish.peer {
            Peer::Internet(address) if reachable.follows_redirects() => is_own_address(*address),
            _ => true,
        };
        let around = Surroundings { names, nameservers: nameservers(), is_own_address };
        reachable.judge(wish, &around, monotonic_now())
    }

    /// Resolves the names of cameras that were not resolved just now, each on a thread of its own: the resolver waits as long
    /// as it likes. False if there is none.
    fn resolve(&self) -> bool {
        let names = locked(&self.reachable).names();
        let mut due = Vec::new();
        let mut known = locked(&self.names.known);
        for name in names {
            let entry = known.entry(name.clone()).or_default();
            let is_fresh = entry.asked_at.is_some_and(|at| at.elapsed() < RESOLVE_INTERVAL);
            if !is_fresh && !entry.is_being_resolved {
                (entry.asked_at, entry.is_being_resolved) = (Some(Instant::now()), true);
                due.push(name);
            }
        }
        drop(known);
        for name in &due {
            let (names, name) = (Arc::clone(&self.names), name.clone());
            let resolve = move || names.resolve(&name);
            if let Err(error) = std::thread::Builder::new().name("resolver".into()).spawn(resolve) {
                tracing::warn!(%error, "the name of a camera cannot be resolved");
            }
        }
        let is_open = |known: &mut BTreeMap<String, Known>| {
            due.iter().any(|name| known.get(name).is_some_and(|known| known.is_being_resolved))
        };
        let waited = self.names.changed.wait_timeout_while(locked(&self.names.known), LONGEST_WAIT, is_open);
        drop(waited);
        !due.is_empty()
    }
}

impl Names {
    fn resolve(&self, name: &str) {
        let addresses = (name, 0).to_socket_addrs().into_iter().flatten();
        let addresses: BTreeSet<IpAddr> = addresses.map(|address| address.ip().to_canonical()).collect();
        let mut known = locked(&self.known);
        let entry = known.entry(name.to_owned()).or_default();
        if entry.addresses.len() + addresses.len() > MAX_ADDRESSES {
            entry.addresses.clear();
        }
        entry.addresses.extend(addresses);
        entry.is_being_resolved = false;
        drop(known);
        self.changed.notify_all();
    }
}

impl Judge for NetworkGuard {
    fn judge(&self, wish: &Wish) -> Result<(), String> {
        let judgement = match self.judge_with(wish) {
            Err(_) if matches!(wish.peer, Peer::Internet(_)) && self.resolve() => self.judge_with(wish),
            judgement => judgement,
        };
        judgement.map_err(str::to_owned)
    }
}

/// Only an address of this box can be bound. Whatever else fails says nothing, so the address counts as one.
fn is_own_address(address: SocketAddr) -> bool {
    let ip = address.ip().to_canonical();
    let mut place = address;
    place.set_port(0);
    let bound = UdpSocket::bind(place);
    ip.is_unspecified()
        || ip.is_loopback()
        || !matches!(bound, Err(error) if error.kind() == ErrorKind::AddrNotAvailable)
}

fn nameservers() -> Vec<IpAddr> {
    let text = std::fs::read_to_string(NAMESERVERS).unwrap_or_default();
    let servers: Vec<IpAddr> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver"))
        .filter_map(|server| server.trim().split('%').next()?.parse().ok())
        .collect();
    // As glibc does without one.
    if servers.is_empty() { vec![Ipv4Addr::LOCALHOST.into()] } else { servers }
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is one step, so that a panic leaves nothing half done.
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::socket_wish::{Act, SocketKind};

    #[test]
    fn addresses_of_this_box_are_known_and_others_are_not() {
        let is_own = |address: &str| is_own_address(address.parse().unwrap());
        assert!(is_own("127.0.0.1:80") && is_own("0.0.0.0:80") && is_own("[::1]:80"));
        assert!(!is_own("192.0.2.1:80"), "an address for documentation");
        assert!(is_own("[fe80::77]:80"), "without its interface nothing can be said about it");
    }

    #[test]
    fn a_process_without_a_camera_reaches_nothing() {
        let guard = NetworkGuard::default();
        let peer = Peer::Internet(([127, 0, 0, 1], 28480).into());
        let wish = Wish { act: Act::Connect, socket: SocketKind::Tcp, peer };
        assert!(guard.judge(&wish).is_err());
    }
}
