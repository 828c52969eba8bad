//! Where a capture process may connect to: the cameras that it has open, and what resolves their names.

use crate::ipc::camera_source::{CameraSource, RtpTransport};
use crate::ipc::messages::CameraIndex;
use crate::ipc::socket_wish::{Act, Peer, SocketKind, Wish};
use crate::vision::monotonic::Monotonic;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

/// Ports below are of services, and no server of RTP.
const FIRST_MEDIA_PORT: u16 = 1024;

const DNS_PORT: u16 = 53;

/// The sockets of the services that resolve names for glibc: `.local` and systemd-resolved.
const NAME_SERVICES: [&str; 5] = [
    "/run/avahi-daemon/socket",
    "/var/run/avahi-daemon/socket",
    "/run/nscd/socket",
    "/var/run/nscd/socket",
    "/run/systemd/resolve/io.systemd.Resolve",
];

/// Where a camera is.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Host {
    Address(IpAddr),
    Name(String),
}

/// What one camera needs.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Place {
    host: Host,
    port: u16,
    /// Its packets may come over UDP, from ports that it names.
    may_use_udp: bool,
    /// It may send the client elsewhere, by the operator's setting.
    follows_redirects: bool,
    /// It was closed, and may be reached until then.
    until: Option<Monotonic>,
}

/// The cameras that a process has open.
#[derive(Debug, Default)]
pub(crate) struct Reachable(BTreeMap<CameraIndex, Place>);

/// What is known of the network while a wish is judged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    /// The addresses of the names of cameras.
    pub(crate) names: BTreeMap<String, BTreeSet<IpAddr>>,
    /// The name servers of this box.
    pub(crate) nameservers: Vec<IpAddr>,
    /// Whether the wished address is one of this box.
    pub(crate) is_own_address: bool,
}

impl Reachable {
    /// Allows what a connection to this camera needs. A file needs nothing.
    pub(crate) fn open(&mut self, index: CameraIndex, source: &CameraSource, now: Monotonic) {
        self.0.retain(|_, place| place.is_open(now));
        if let Some(place) = Place::of(source) {
            self.0.insert(index, place);
        }
    }

    /// Takes back what a connection needed, from `until` on.
    pub(crate) fn close(&mut self, index: CameraIndex, until: Monotonic) {
        if let Some(place) = self.0.get_mut(&index) {
            place.until = Some(until);
        }
    }

    /// True if a camera may send the client elsewhere.
    pub(crate) fn follows_redirects(&self) -> bool {
        self.0.values().any(|place| place.follows_redirects)
    }

    /// The names of hosts, whose addresses [`Surroundings`] needs.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let name = |place: &Place| if let Host::Name(name) = &place.host { Some(name.clone()) } else { None };
        self.0.values().filter_map(name).collect()
    }

    /// Allows a wish of the process.
    ///
    /// # Errors
    /// Why it is refused.
    pub(crate) fn judge(&self, wish: &Wish, around: &Surroundings, now: Monotonic) -> Result<(), &'static str> {
        match (&wish.peer, wish.socket) {
            (Peer::Path(path), SocketKind::Unix) => self.judge_path(wish.act, path),
            (Peer::Nobody, SocketKind::Udp) if wish.act == Act::Connect => Ok(()),
            (Peer::Internet(_), SocketKind::Tcp) if wish.act != Act::Connect => Err("it only connects"),
            (Peer::Internet(_), SocketKind::Tcp | SocketKind::Udp) => {
                let (ip, port) = wish.peer.internet().ok_or("it is no address")?;
                match wish.act {
                    Act::Bind => self.judge_port(port, now),
                    Act::Connect | Act::Send => self.judge_address(wish, (ip, port), around, now),
                }
            }
            _ => Err("it is of another kind"),
        }
    }

    fn open_places(&self, now: Monotonic) -> impl Iterator<Item = &Place> {
        self.0.values().filter(move |place| place.is_open(now))
    }

    /// Name services, if there is a name to resolve.
    fn judge_path(&self, act: Act, path: &Path) -> Result<(), &'static str> {
        let is_service = NAME_SERVICES.iter().any(|service| Path::new(service) == path);
        match act {
            Act::Connect if is_service && !self.names().is_empty() => Ok(()),
            _ => Err("it is not the socket of a service that resolves a camera's name"),
        }
    }

    /// Where packets of a camera come to.
    fn judge_port(&self, port: u16, now: Monotonic) -> Result<(), &'static str> {
        let is_media = port == 0 || port >= FIRST_MEDIA_PORT;
        match self.open_places(now).any(|place| place.may_use_udp) && is_media {
            true => Ok(()),
            false => Err("no camera of this process sends packets there"),
        }
    }

    fn judge_address(
        &self,
        wish: &Wish,
        (ip, port): (IpAddr, u16),
        around: &Surroundings,
        now: Monotonic,
    ) -> Result<(), &'static str> {
        let is_dns = port == DNS_PORT && around.nameservers.contains(&ip) && !self.names().is_empty();
        let is_allowed = |place: &Place| {
            let is_there = match &place.host {
                Host::Address(address) => *address == ip,
                // GLib takes both loopback addresses, whatever the box resolves.
                Host::Name(name) if name == "localhost" => ip.is_loopback(),
                Host::Name(name) => around.names.get(name).is_some_and(|addresses| addresses.contains(&ip)),
            };
            let is_elsewhere = place.follows_redirects && !around.is_own_address;
            match wish.socket {
                SocketKind::Tcp => (is_there && port == place.port) || is_elsewhere,
                // glibc connects to port 0 to see which of several addresses has a route.
                SocketKind::Udp if port == 0 => is_there,
                SocketKind::Udp => place.may_use_udp && port >= FIRST_MEDIA_PORT && (is_there || is_elsewhere),
                SocketKind::Unix => false,
            }
        };
        match is_dns || self.open_places(now).any(is_allowed) {
            true => Ok(()),
            false => Err("it is not an address of a camera of this process"),
        }
    }
}

impl Place {
    fn is_open(&self, now: Monotonic) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    fn of(source: &CameraSource) -> Option<Self> {
        let (scheme, rest) = source.url.split_once("://")?;
        let (usual_port, is_rtsp) = match scheme.to_ascii_lowercase().as_str() {
            // GStreamer takes 554 for `rtsps` too, whose own port is 322 (RFC 7826).
            "rtsp" | "rtsps" => (554, true),
            "http" => (80, false),
            "https" => (443, false),
            _ => return None,
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let authority = authority.rsplit_once('@').map_or(authority, |(_, authority)| authority);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().unwrap_or(usual_port)),
            _ => (authority, usual_port),
        };
        let host = host.trim_matches(['[', ']']);
        // The zone of a link-local address is this box's matter.
        let address = host.split('%').next().unwrap_or_default().parse::<IpAddr>();
        Some(Self {
            host: match address {
                Ok(address) => Host::Address(address.to_canonical()),
                Err(_) => Host::Name(host.to_ascii_lowercase()),
            },
            port,
            may_use_udp: is_rtsp && source.transport != RtpTransport::Tcp,
            follows_redirects: source.follow_redirects,
            until: None,
        })
    }
}

#[cfg(test)]
mod tests;
