//! Decides which addresses a capture process reaches, with what this box knows of names.

use crate::camera::reachable::{Reachable, Surroundings};
use crate::ipc::messages::{CameraIndex, CameraSource};
use crate::ipc::socket_wish::{Judge, Peer, Wish};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs as _, UdpSocket};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Names are resolved at most this often for a process that asks for addresses which are unknown.
const RESOLVE_INTERVAL: Duration = Duration::from_secs(2);

/// The most addresses that are kept of a name. Those of a name with changing answers add up.
const MAX_ADDRESSES: usize = 64;

/// Where the name servers are written, those of systemd-resolved too.
const NAMESERVERS: &str = "/etc/resolv.conf";

/// The guard of one capture process.
#[derive(Debug, Default)]
pub(crate) struct NetworkGuard {
    reachable: Mutex<Reachable>,
    resolved: Mutex<Resolved>,
}

#[derive(Debug, Default)]
struct Resolved {
    names: BTreeMap<String, BTreeSet<IpAddr>>,
    at: Option<Instant>,
}

impl NetworkGuard {
    /// Allows what this camera needs. Call it before the process is told to connect.
    pub(crate) fn open(&self, index: CameraIndex, source: &CameraSource) {
        locked(&self.reachable).open(index, source);
    }

    /// Takes it back.
    pub(crate) fn close(&self, index: CameraIndex) {
        locked(&self.reachable).close(index);
    }

    fn judge_with(&self, wish: &Wish, is_own_address: bool) -> Result<(), &'static str> {
        let names = locked(&self.resolved).names.clone();
        let around = Surroundings { names, nameservers: nameservers(), is_own_address };
        locked(&self.reachable).judge(wish, &around)
    }

    /// Resolves the names of cameras, unless that was done just now. The process has resolved them too, so the answer is
    /// near.
    fn resolve(&self) -> bool {
        let names = locked(&self.reachable).names();
        if names.is_empty() || locked(&self.resolved).at.is_some_and(|at| at.elapsed() < RESOLVE_INTERVAL) {
            return false;
        }
        for name in &names {
            let addresses = (name.as_str(), 0).to_socket_addrs().into_iter().flatten();
            let addresses: BTreeSet<IpAddr> = addresses.map(|address| address.ip().to_canonical()).collect();
            let mut resolved = locked(&self.resolved);
            let known = resolved.names.entry(name.clone()).or_default();
            if known.len() + addresses.len() > MAX_ADDRESSES {
                known.clear();
            }
            known.extend(addresses);
        }
        let mut resolved = locked(&self.resolved);
        resolved.names.retain(|name, _| names.contains(name));
        resolved.at = Some(Instant::now());
        true
    }
}

impl Judge for NetworkGuard {
    fn judge(&self, wish: &Wish) -> Result<(), String> {
        let is_own = wish.peer.internet().is_some_and(|(ip, _)| is_own_address(ip));
        let judgement = self.judge_with(wish, is_own);
        let is_address = matches!(wish.peer, Peer::Internet(_));
        let judgement = match judgement {
            Err(_) if is_address && self.resolve() => self.judge_with(wish, is_own),
            judgement => judgement,
        };
        judgement.map_err(str::to_owned)
    }
}

/// Only an address of this box can be bound.
fn is_own_address(ip: IpAddr) -> bool {
    ip.is_unspecified() || ip.is_loopback() || UdpSocket::bind((ip, 0)).is_ok()
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
        assert!(is_own_address([127, 0, 0, 1].into()) && is_own_address([0, 0, 0, 0].into()));
        assert!(!is_own_address([192, 0, 2, 1].into()), "an address for documentation");
    }

    #[test]
    fn a_process_without_a_camera_reaches_nothing() {
        let guard = NetworkGuard::default();
        let peer = Peer::Internet(([127, 0, 0, 1], 28480).into());
        let wish = Wish { act: Act::Connect, socket: SocketKind::Tcp, peer };
        assert!(guard.judge(&wish).is_err());
    }
}
