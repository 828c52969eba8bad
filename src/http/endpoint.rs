//! One address or socket: its listener and its connections.
//!
//! Every wait for a client has a limit: hyper's for the head of a request, tower-http's for the request as a whole,
//! [`body`](crate::http::body)'s for how fast an image arrives, tokio-io-timeout's for a client that does not read its
//! response. The accept loop is our own, because axum's sets none of them.

use crate::http::connections::{Connection, Connections};
use crate::http::place::{Accepted, Listener, Place};
use crate::os::clock::monotonic_now;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::troubles::Troubles;
use crate::vision::line_limit::LineLimit;
use crate::vision::reconnect_ladder::seconds_before_try;
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

/// How long requests may take to finish when the appliance stops: as long as it drains, and a little more.
const FINISH_LIMIT: Duration = Duration::from_secs(7);

/// From the response to one request until the head of the next has arrived. Above the minute after which most clients
/// give up an idle connection themselves, so that no request meets a connection that is being closed.
pub(super) const HEAD_LIMIT: Duration = Duration::from_secs(65);

/// How long a client may take to read anything at all of a response.
pub(super) const WRITE_LIMIT: Duration = Duration::from_secs(60);

/// The limits of a request's head.
const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;

/// How long a TLS handshake may take.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);

/// How long to wait when no connection can be accepted, as without free descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// A place and what is served there.
pub(super) struct Endpoint {
    place: Place,
    /// For the log, and the part that [`Troubles`] names.
    what: &'static str,
    router: Router,
    tls: Option<TlsAcceptor>,
    connections: Connections,
    metrics: Arc<Metrics>,
}

impl Endpoint {
    /// `tls`: none for plain HTTP.
    pub(super) fn new(
        place: Place,
        what: &'static str,
        router: Router,
        tls: Option<TlsAcceptor>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { place, what, router, tls, connections: Connections::default(), metrics }
    }

    /// Serves until `stop` turns true, then finishes the requests that have begun.
    /// `troubles` says so while the port is taken.
    pub(super) async fn serve(self, troubles: &Troubles, mut stop: watch::Receiver<bool>) {
        let Some(listener) = self.bind(troubles, &mut stop).await else { return };
        let (mut tasks, mut lines) = (JoinSet::new(), LineLimit::default());
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            match accepted {
                Ok((Some(stream), peer)) => {
                    // Without a place the stream is dropped, which closes it.
                    let Some(connection) = self.connections.admit(peer) else { continue };
                    let (tls, router) = (self.tls.clone(), self.router.clone());
                    tasks.spawn(serve_stream(stream, connection, tls, router, stop.clone()));
                    while tasks.try_join_next().is_some() {}
                }
                Ok((None, _)) => {
                    self.metrics.strangers().refused("own_child");
                    if let Some(left_out) = lines.admit(monotonic_now()) {
                        tracing::error!(left_out = left_out.count(), "a child process asked the daemon{left_out}");
                    }
                }
                Err(error) => {
                    if let Some(left_out) = lines.admit(monotonic_now()) {
                        let count = left_out.count();
                        tracing::warn!(%error, left_out = count, "a connection could not be accepted{left_out}");
                    }
                    tokio::time::sleep(ACCEPT_RETRY).await;
                }
            }
        }
        drop(listener);
        let finished = async { while tasks.join_next().await.is_some() {} };
        if timeout(FINISH_LIMIT, finished).await.is_err() {
            tracing::warn!(address = %self.place, open = tasks.len(), "requests are broken off: they took too long");
        }
    }

    /// Begins to listen. A place that is taken is told of once, and tried again: each second at first, then each minute.
    async fn bind(&self, troubles: &Troubles, stop: &mut watch::Receiver<bool>) -> Option<Listener> {
        for failures in 0_u32.. {
            match self.place.listen().await {
                Ok(listener) => {
                    troubles.clear(self.what);
                    let address = listener.shown();
                    tracing::info!(address, tls = self.tls.is_some(), "{}", self.what);
                    return Some(listener);
                }
                Err(error) => {
                    let (place, cure) = (&self.place, self.place.cure());
                    let trouble = format!("nothing is served on {place}: {error}; it is retried, or {cure}");
                    if troubles.set(self.what, trouble) {
                        tracing::warn!(address = %place, %error, "nothing can be served there; it is tried again, or {cure}");
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(seconds_before_try(failures))) => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        None
    }
}

async fn serve_stream(
    stream: Accepted,
    connection: Connection,
    tls: Option<TlsAcceptor>,
    router: Router,
    stop: watch::Receiver<bool>,
) {
    let connection = Arc::new(connection);
    let (stream, acceptor) = match (stream, tls) {
        (Accepted::Tcp(stream), Some(acceptor)) => (stream, acceptor),
        (Accepted::Tcp(stream), None) => return serve_connection(stream, connection, router, stop).await,
        (Accepted::Socket(stream), _) => return serve_connection(stream, connection, router, stop).await,
    };
    let accepted = tokio::select! {
        accepted = timeout(HANDSHAKE_LIMIT, acceptor.accept(stream)) => accepted,
        () = connection.closing() => return,
    };
    match accepted {
        Ok(Ok(stream)) => serve_connection(stream, connection, router, stop).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

/// Serves the requests of one connection until it ends, has to make room, or the server stops. A request that becomes a
/// WebSocket takes the stream along, and with its [`Connection`] the place.
pub(super) async fn serve_connection<S>(
    stream: S,
    connection: Arc<Connection>,
    router: Router,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT).max_buf_size(MAX_HEAD_BYTES).max_headers(MAX_HEADERS);
    let served = Arc::clone(&connection);
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        let (connection, mut router) = (Arc::clone(&served), router.clone());
        request.extensions_mut().insert(Arc::clone(&connection));
        async move {
            connection.serving();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(connection.peer());
            let response = router.call(request).await;
            connection.waiting();
            response
        }
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_LIMIT));
    let mut served = pin!(http.serve_connection(TokioIo::new(Box::pin(stream)), service).with_upgrades());
    let mut is_stopping = false;
    loop {
        tokio::select! {
            result = served.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            _ = stop.wait_for(|stop| *stop), if !is_stopping => {
                is_stopping = true;
                // The request that has begun is finished.
                served.as_mut().graceful_shutdown();
            }
            () = connection.closing() => return tracing::debug!("a connection makes room for another"),
        }
    }
}

#[cfg(test)]
mod tests;
