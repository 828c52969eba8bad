//! What a child wants to do with a socket, as its parent is asked.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::path::PathBuf;

/// The families of addresses, in the kernel's numbers.
const UNSPECIFIED: u16 = 0;
const UNIX: u16 = 1;
const INTERNET: u16 = 2;
const INTERNET_6: u16 = 10;

/// The longest address that is read.
pub const MAX_ADDRESS_BYTES: usize = 128;

/// The act.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Act {
    /// `connect`.
    Connect,
    /// `bind`: receive what comes to an address of this box.
    Bind,
    /// Send one packet to an address.
    Send,
}

/// The kind of the socket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SocketKind {
    /// TCP over IPv4 or IPv6.
    Tcp,
    /// UDP over IPv4 or IPv6.
    Udp,
    /// A Unix socket.
    Unix,
}

/// The address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Peer {
    /// An address and port of the internet protocols. IPv4 inside IPv6 is IPv4.
    Internet(SocketAddr),
    /// A socket with a path.
    Path(PathBuf),
    /// None: dissolve the connection of a UDP socket.
    Nobody,
    /// Another family, an abstract socket, or no valid address.
    Other,
}

/// What a child wants to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wish {
    /// The act.
    pub act: Act,
    /// With which socket.
    pub socket: SocketKind,
    /// With whom.
    pub peer: Peer,
}

/// Decides about wishes. Called on a thread of its own for each child; may take as long as a name's resolution.
pub trait Judge: Send + Sync + 'static {
    /// False for a child that has no sockets: it is asked nothing then.
    fn has_sockets(&self) -> bool {
        true
    }

    /// Allows a wish.
    ///
    /// # Errors
    /// The reason why it is refused, for the log.
    fn judge(&self, wish: &Wish) -> Result<(), String>;
}

impl fmt::Debug for dyn Judge {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Judge")
    }
}

/// For children that have no sockets.
#[derive(Clone, Copy, Debug)]
pub struct NoSockets;

impl Judge for NoSockets {
    fn has_sockets(&self) -> bool {
        false
    }

    fn judge(&self, _: &Wish) -> Result<(), String> {
        Err("this child has no sockets".into())
    }
}

impl Peer {
    /// Reads an address as the kernel's `sockaddr`.
    pub fn parse(address: &[u8]) -> Self {
        let word = |at: usize| address.get(at..at + 2).map(|bytes| [bytes[0], bytes[1]]);
        let Some(family) = word(0).map(u16::from_ne_bytes) else { return Self::Other };
        let port = word(2).map(u16::from_be_bytes);
        match (family, port) {
            (UNSPECIFIED, _) => Self::Nobody,
            (INTERNET, Some(port)) => match address.get(4..8).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()) {
                Some(ip) => Self::Internet(SocketAddrV4::new(Ipv4Addr::from(ip), port).into()),
                None => Self::Other,
            },
            (INTERNET_6, Some(port)) => internet_6(address, port).map_or(Self::Other, Self::Internet),
            (UNIX, _) => path(&address[2..]),
            _ => Self::Other,
        }
    }

    /// The address as it is compared: IPv4 inside IPv6 is IPv4.
    pub fn internet(&self) -> Option<(IpAddr, u16)> {
        match self {
            Self::Internet(address) => Some((address.ip().to_canonical(), address.port())),
            _ => None,
        }
    }
}

fn internet_6(address: &[u8], port: u16) -> Option<SocketAddr> {
    let ip = <[u8; 16]>::try_from(address.get(8..24)?).ok()?;
    let scope = address.get(24..28).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).map_or(0, u32::from_ne_bytes);
    Some(SocketAddrV6::new(Ipv6Addr::from(ip), port, 0, scope).into())
}

fn path(bytes: &[u8]) -> Peer {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    match std::str::from_utf8(&bytes[..end]) {
        Ok(path) if path.starts_with('/') => Peer::Path(path.into()),
        _ => Peer::Other,
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let act = match self.act {
            Act::Connect => "connect to",
            Act::Bind => "receive at",
            Act::Send => "send to",
        };
        let socket = match self.socket {
            SocketKind::Tcp => " over TCP",
            SocketKind::Udp => " over UDP",
            SocketKind::Unix => "",
        };
        match &self.peer {
            Peer::Internet(address) => write!(out, "{act} {address}{socket}"),
            // In quotes: a path may hold the end of a line.
            Peer::Path(path) => write!(out, "{act} {path:?}"),
            Peer::Nobody => write!(out, "{act} nobody{socket}"),
            Peer::Other => write!(out, "{act} an address of another kind{socket}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(family: u16, rest: &[u8]) -> Vec<u8> {
        [&family.to_ne_bytes()[..], rest].concat()
    }

    #[test]
    fn addresses_are_read_as_the_kernel_writes_them() {
        let of = |text: &str| Peer::Internet(text.parse().unwrap());
        assert_eq!(Peer::parse(&bytes(2, &[0x02, 0x2a, 10, 0, 0, 5, 0, 0])), of("10.0.0.5:554"));
        let mut six = vec![0x02, 0x2a, 0, 0, 0, 0];
        six.extend(Ipv6Addr::LOCALHOST.octets());
        six.extend(7u32.to_ne_bytes());
        assert_eq!(Peer::parse(&bytes(10, &six)), of("[::1%7]:554"));
        let mut mapped = vec![0x02, 0x2a, 0, 0, 0, 0];
        mapped.extend(Ipv4Addr::new(10, 0, 0, 5).to_ipv6_mapped().octets());
        let mapped = Peer::parse(&bytes(10, &mapped));
        assert_eq!(mapped.internet(), Some(([10, 0, 0, 5].into(), 554)), "IPv4 inside IPv6 is IPv4");
        assert_eq!(Peer::parse(&bytes(1, b"/run/x\0junk")), Peer::Path("/run/x".into()));
        assert_eq!(Peer::parse(&bytes(0, &[0; 14])), Peer::Nobody);
        for other in [&b"\0abstract"[..], b"relative", b"", b"/\xff"] {
            assert_eq!(Peer::parse(&bytes(1, other)), Peer::Other, "{other:?}");
        }
        for wrong in [bytes(16, &[0; 10]), bytes(2, &[1, 2, 3]), bytes(10, &[0; 20]), vec![2], Vec::new()] {
            assert_eq!(Peer::parse(&wrong), Peer::Other, "{wrong:?}");
        }
    }
}
