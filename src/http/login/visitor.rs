//! Who has sent a request of `/api`: the gate writes it into the request for the routes.

use crate::http::connections::Peer;
use crate::http::login::ticket::TicketDigest;
use crate::http::login::viewer::ViewerRole;
use axum::extract::Request;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// What vouches for a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::http) enum Who {
    /// A person of the settings, who has logged in.
    Viewer(String),
    /// Whoever had a link of the box.
    Link,
    /// The token of the state directory.
    Token,
    /// The kernel, which says whose the other end of the Unix socket is.
    Socket,
    /// Nothing: the settings leave the API on loopback open.
    Anyone,
}

impl Who {
    /// The word in answers and in the record.
    pub(in crate::http) fn name(&self) -> &str {
        match self {
            Self::Viewer(name) => name,
            Self::Link => "link",
            Self::Token => "token",
            Self::Socket => "socket",
            Self::Anyone => "anyone",
        }
    }
}

/// Who has sent a request, and what that allows.
#[derive(Clone, Debug)]
pub(in crate::http) struct Visitor {
    pub(in crate::http) who: Who,
    pub(in crate::http) role: ViewerRole,
    pub(in crate::http) peer: Peer,
    /// When the session ends if it is not used; `None` without a session.
    pub(in crate::http) expires_in: Option<Duration>,
    /// The session.
    pub(super) ticket: Option<TicketDigest>,
}

/// The other end of the connection that a request came over.
pub(in crate::http) fn peer_of(request: &Request) -> Peer {
    let unknown = Peer::Address(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    request.extensions().get::<Peer>().copied().unwrap_or(unknown)
}

/// A peer for the record and the log.
pub(in crate::http) fn shown(peer: Peer) -> String {
    match peer {
        Peer::Address(address) => address.to_canonical().to_string(),
        Peer::User(number) => format!("user {number}"),
    }
}
