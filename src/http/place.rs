//! Where a listener listens: an address of TCP, or a Unix socket.

use crate::http::connections::Peer;
use crate::os::local_socket;
use std::fmt::{Display, Formatter};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// What clients connect to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Place {
    Tcp(SocketAddr),
    /// An address for other boxes of a cluster.
    Peers(SocketAddr),
    Socket(PathBuf),
}

impl Display for Place {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) | Self::Peers(address) => address.fmt(out),
            Self::Socket(path) => path.display().fmt(out),
        }
    }
}

impl Place {
    /// Begins to listen.
    pub(super) async fn listen(&self) -> io::Result<Listener> {
        match self {
            Self::Tcp(address) | Self::Peers(address) => TcpListener::bind(address).await.map(Listener::Tcp),
            Self::Socket(path) => {
                let listener = local_socket::listen(path)?;
                listener.set_nonblocking(true)?;
                UnixListener::from_std(listener).map(|listener| Listener::Socket(listener, path.clone()))
            }
        }
    }

    /// What to do where nothing can listen there.
    pub(super) fn cure(&self) -> &'static str {
        match self {
            Self::Tcp(_) => "choose another port under [http]",
            Self::Peers(_) => "choose another port in `cluster.peers.listen`",
            Self::Socket(_) => {
                "set `socket` of [http] to a path of at most 107 bytes where the daemon may create a file"
            }
        }
    }
}

/// A listener.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Socket(UnixListener, PathBuf),
}

/// A connection of a client.
#[derive(Debug)]
pub(super) enum Accepted {
    Tcp(TcpStream),
    Socket(UnixStream),
}

impl Listener {
    /// The next connection and whose it is; no connection for a child process of the daemon, which has nothing to ask.
    pub(super) async fn accept(&self) -> io::Result<(Option<Accepted>, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // Responses are short and must not wait for the acknowledgement of earlier ones.
                drop(stream.set_nodelay(true));
                Ok((Some(Accepted::Tcp(stream)), Peer::Address(peer.ip())))
            }
            Self::Socket(listener, _) => {
                let (stream, _) = listener.accept().await?;
                let peer = stream.peer_cred()?;
                let is_child = peer.pid().is_some_and(|pid| local_socket::may_be_own_child(pid, peer.uid()));
                Ok(((!is_child).then_some(Accepted::Socket(stream)), Peer::User(peer.uid())))
            }
        }
    }

    /// Where it listens, for the log.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(|address| address.to_string()).unwrap_or_default(),
            Self::Socket(_, path) => path.display().to_string(),
        }
    }
}

impl Drop for Listener {
    /// A command of a person must find no socket where no daemon is.
    fn drop(&mut self) {
        if let Self::Socket(_, path) = self {
            drop(std::fs::remove_file(path));
        }
    }
}
