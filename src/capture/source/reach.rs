//! Why a camera cannot be connected to: GStreamer says "generic error" for all of it.
//!
//! Asks the system itself, once, after the connection has failed: for the name, then for the port.

use crate::capture::stream_loss::Loss;
use crate::ipc::messages::LossKind;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

/// What the system's resolver may take beyond the time limit of connecting.
const RESOLVER_SECONDS: u64 = 5;

/// A question that a thread of its own asks: the resolver waits for as long as it likes.
#[derive(Debug)]
pub(super) struct Diagnosis {
    answer: Receiver<Loss>,
    deadline: Instant,
}

impl Diagnosis {
    /// Asks why `authority` (`host[:port]`) cannot be reached within `limit`.
    pub(super) fn begin(authority: &str, limit: Duration) -> Self {
        let (sender, answer) = sync_channel(1);
        let (host, port) = host_and_port(authority);
        let ask = move || drop(sender.send(why(&host, port, limit)));
        if let Err(error) = std::thread::Builder::new().name("diagnosis".into()).spawn(ask) {
            tracing::debug!(%error, "why a camera cannot be reached is not looked for");
        }
        Self { answer, deadline: Instant::now() + limit + Duration::from_secs(RESOLVER_SECONDS) }
    }

    /// The answer, if it is there, or if it must not be waited for any longer.
    pub(super) fn poll(&self) -> Option<Loss> {
        match self.answer.try_recv() {
            Ok(loss) => Some(loss),
            Err(TryRecvError::Empty) if Instant::now() < self.deadline => None,
            Err(TryRecvError::Empty) => Some(Loss::of(LossKind::TimedOut)),
            Err(TryRecvError::Disconnected) => Some(Loss::of(LossKind::Unreachable)),
        }
    }

    /// Waits for the answer.
    #[cfg(test)]
    fn wait(self) -> Loss {
        self.answer.recv_timeout(Duration::from_secs(30)).unwrap()
    }
}

fn why(host: &str, port: u16, limit: Duration) -> Loss {
    let addresses: Vec<SocketAddr> = match (host, port).to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(_) => return Loss::new(LossKind::NoSuchName, format!("the host name {host} is not known")),
    };
    let mut kind = LossKind::NoSuchName;
    for address in addresses {
        kind = match TcpStream::connect_timeout(&address, limit.max(Duration::from_millis(1))) {
            // It goes now: it was the server behind it, or a network that came back.
            Ok(_) => return Loss::of(LossKind::Unreachable),
            Err(error) => match error.kind() {
                ErrorKind::ConnectionRefused => LossKind::Refused,
                ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => LossKind::NoRoute,
                ErrorKind::TimedOut | ErrorKind::WouldBlock => LossKind::TimedOut,
                _ => LossKind::Unreachable,
            },
        };
        // An answer of the camera itself says more than a missing route of IPv6.
        if kind == LossKind::Refused {
            break;
        }
    }
    Loss::of(kind)
}

/// Where GStreamer connects to if no port is named, also for `rtsps`, whose own port is 322 (RFC 7826).
const USUAL_PORT: u16 = 554;

/// Host and port of `host[:port]`, the host without brackets.
pub(super) fn host_and_port(authority: &str) -> (String, u16) {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().unwrap_or(USUAL_PORT)),
        _ => (authority, USUAL_PORT),
    };
    (host.trim_matches(['[', ']']).to_owned(), port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn kind_of(authority: &str) -> LossKind {
        Diagnosis::begin(authority, Duration::from_secs(5)).wait().kind
    }

    #[test]
    fn a_closed_port_is_told_from_an_unknown_name_and_an_open_port() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap().to_string();
        assert_eq!(kind_of(&open), LossKind::Unreachable);
        drop(listener);
        assert_eq!(kind_of(&open), LossKind::Refused);
        assert_eq!(kind_of("no.such.camera.invalid:554"), LossKind::NoSuchName);
    }

    #[test]
    fn host_and_port_are_found_in_every_form() {
        assert_eq!(host_and_port("10.0.0.5:8554"), ("10.0.0.5".into(), 8554));
        assert_eq!(host_and_port("cam.local"), ("cam.local".into(), 554));
        assert_eq!(host_and_port("[fe80::1]:322"), ("fe80::1".into(), 322));
        assert_eq!(host_and_port("[fe80::1]"), ("fe80::1".into(), 554));
    }
}
