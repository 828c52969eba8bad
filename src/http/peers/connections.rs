//! Connections to other boxes, kept open between calls: a TLS handshake on both sides costs as much as a small picture.

use crate::vision::error_chain::describe;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

/// How long a connection may take, with its handshake. Boxes of a cluster are near each other.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// Connections that are kept open to one box.
const MOST_IDLE: usize = 8;

/// How long one is kept: less than the other side allows.
const LONGEST_IDLE: Duration = Duration::from_secs(30);

/// The longest answer.
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// Why a box gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum PeerError {
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    #[error("it does not answer in time")]
    TimedOut,
    #[error("its answer cannot be read: {0}")]
    Unreadable(String),
}

/// With its causes: which certificate was refused, and why, is not in the error itself.
fn unreachable(error: impl std::error::Error) -> PeerError {
    PeerError::Unreachable(describe(&error))
}

struct Open {
    sender: SendRequest<Full<Bytes>>,
    /// Drives the connection. Dropping it closes that.
    _driver: JoinSet<()>,
    since: Instant,
}

/// The connections to all boxes, by address.
pub(super) struct PeerConnections {
    connector: TlsConnector,
    idle: Mutex<BTreeMap<String, Vec<Open>>>,
}

impl PeerConnections {
    pub(super) fn new(connector: TlsConnector) -> Self {
        Self { connector, idle: Mutex::default() }
    }

    /// Sends a request and returns the body of the answer, within `limit` in all.
    pub(super) async fn exchange(
        &self,
        address: &str,
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Result<Bytes, PeerError> {
        timeout(limit, self.send(address, request)).await.map_err(|_| PeerError::TimedOut)?
    }

    async fn send(&self, address: &str, request: Request<Full<Bytes>>) -> Result<Bytes, PeerError> {
        let answered = match self.take_idle(address) {
            // The other side may have closed it at this moment. Nothing is lost by asking twice.
            Some(mut open) => open.sender.send_request(request.clone()).await.ok().map(|answer| (open, answer)),
            None => None,
        };
        let (open, answer) = match answered {
            Some(answered) => answered,
            None => {
                let mut open = self.connect(address).await?;
                let answer = open.sender.send_request(request).await.map_err(unreachable)?;
                (open, answer)
            }
        };
        let status = answer.status();
        let body = to_bytes(Body::new(answer.into_body()), MAX_ANSWER_BYTES).await;
        let body = body.map_err(|error| PeerError::Unreadable(error.to_string()))?;
        if status != StatusCode::OK {
            return Err(PeerError::Unreadable(format!("it says {status}")));
        }
        self.keep(address, open);
        Ok(body)
    }

    async fn connect(&self, address: &str) -> Result<Open, PeerError> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(unreachable)?;
        let connecting = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            self.connector.connect(name, stream).await
        };
        let silent = |_| PeerError::Unreachable("it does not answer".to_owned());
        let stream = timeout(CONNECT_LIMIT, connecting).await.map_err(silent)?.map_err(unreachable)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(unreachable)?;
        let mut driver = JoinSet::new();
        // What goes wrong is told to the request.
        driver.spawn(async move { drop(connection.await) });
        Ok(Open { sender, _driver: driver, since: Instant::now() })
    }

    fn take_idle(&self, address: &str) -> Option<Open> {
        let mut idle = self.lock();
        let open = idle.get_mut(address)?;
        open.retain(|open| open.since.elapsed() < LONGEST_IDLE && open.sender.is_ready());
        open.pop()
    }

    fn keep(&self, address: &str, open: Open) {
        let mut idle = self.lock();
        // Boxes come and go, and with them their addresses.
        idle.values_mut().for_each(|open| open.retain(|open| open.since.elapsed() < LONGEST_IDLE));
        idle.retain(|_, open| !open.is_empty());
        let all = idle.entry(address.to_owned()).or_default();
        if all.len() < MOST_IDLE {
            all.push(Open { since: Instant::now(), ..open });
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Open>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
