//! The server: its own accept loop, because axum's has no limit on how long a header may take.
//!
//! On loopback it serves everything; elsewhere, if it is to, the AWS-compatible API alone, over TLS and signed.

use crate::control::Control;
use crate::http::body::BodyBudget;
use crate::http::connections::{Connection, Connections, Watched};
use crate::http::rekognition::{self, RekognitionState};
use crate::http::routes;
use crate::http::settings::HttpSettings;
use crate::http::tls;
use crate::http::watched_body::{AnswerBody, WatchedBody};
use crate::telemetry::metrics::Metrics;
use crate::vision::monotonic::Monotonic;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

/// How the event loop is.
#[derive(Clone, Debug)]
pub struct HealthReport {
    /// When it last showed that it turns.
    pub alive_at: Monotonic,
    /// Every unit is in service.
    pub ready: bool,
    /// What is not as it should be, for a person.
    pub reasons: Vec<String>,
}

impl HealthReport {
    /// Alive and not yet ready.
    pub fn starting(now: Monotonic) -> Self {
        Self { alive_at: now, ready: false, reasons: vec!["starting".into()] }
    }
}

/// All that handlers see.
#[derive(Clone, Debug)]
pub struct HttpState {
    /// For `/metrics`.
    pub metrics: Arc<Metrics>,
    /// For `/healthz` and `/readyz`.
    pub health: watch::Receiver<HealthReport>,
    /// For `/api`.
    pub control: Control,
    /// For AWS clients.
    pub rekognition: RekognitionState,
    budget: BodyBudget,
}

impl HttpState {
    /// From its parts.
    pub fn new(
        metrics: Arc<Metrics>,
        health: watch::Receiver<HealthReport>,
        control: Control,
        rekognition: RekognitionState,
    ) -> Self {
        Self { metrics, health, control, rekognition, budget: BodyBudget::default() }
    }
}

/// Who the box is to those who connect.
#[derive(Clone, Debug)]
pub struct ServerIdentity {
    /// Where a certificate that the box makes for itself is kept.
    pub state_directory: PathBuf,
    /// In that certificate.
    pub names: Vec<String>,
}

/// How long requests may be finished when the appliance stops: as long as it drains, and a little more.
const FINISH_LIMIT: Duration = Duration::from_secs(7);

/// How long a request may take: the longest body and the longest patience, and a little more. A connection may live
/// for ever: one that is closed while a request is on its way takes that request with it.
const REQUEST_LIMIT: Duration = Duration::from_secs(80);

/// How much of a head is kept, and how many lines it may have.
const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;

/// The largest body of a command.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// How long a TLS handshake may take.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);

/// How often a port that is taken is tried again.
const BIND_RETRY: Duration = Duration::from_secs(5);

/// Serves until `stop` turns true. A port that is taken is tried again; the rest runs on meanwhile.
pub async fn serve(settings: HttpSettings, state: HttpState, identity: ServerIdentity, stop: watch::Receiver<bool>) {
    if !settings.enabled {
        return;
    }
    // Neither connections nor room for bodies: strangers cannot keep those on the box itself out.
    let strangers = HttpState { budget: BodyBudget::default(), ..state.clone() };
    let local = Endpoint {
        address: SocketAddr::new(settings.address, settings.port),
        what: "health, metrics and the API are served",
        router: local_router(state),
        tls: None,
        connections: Connections::default(),
    };
    let public = settings.public_address.and_then(|address| {
        let tls = match settings.public_plain {
            true => None,
            false => match tls::acceptor(&settings.tls, &identity.state_directory, &identity.names) {
                Ok((acceptor, fingerprint)) => {
                    tracing::info!(fingerprint, "the SHA-256 fingerprint of the public certificate");
                    Some(acceptor)
                }
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "the public API is not served");
                    return None;
                }
            },
        };
        let address = SocketAddr::new(address, settings.public_port);
        let (what, router) = ("the AWS-compatible API is served", public_router(strangers));
        Some(Endpoint { address, what, router, tls, connections: Connections::default() })
    });
    let public = async {
        if let Some(public) = public {
            public.serve(stop.clone()).await;
        }
    };
    tokio::join!(local.serve(stop.clone()), public);
}

/// One address.
struct Endpoint {
    address: SocketAddr,
    what: &'static str,
    router: Router,
    tls: Option<TlsAcceptor>,
    connections: Connections,
}

impl Endpoint {
    async fn serve(self, mut stop: watch::Receiver<bool>) {
        let Some(listener) = self.bind(&mut stop).await else { return };
        let mut tasks = JoinSet::new();
        while !*stop.borrow() {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        // Without a place the connection is dropped, and so closed.
                        let Some(connection) = self.connections.admit(peer.ip()) else { continue };
                        tasks.spawn(serve_stream(stream, connection, self.tls.clone(), self.router.clone(), stop.clone()));
                        while tasks.try_join_next().is_some() {}
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                _ = stop.changed() => {}
            }
        }
        // What has been taken is answered: the appliance drains meanwhile.
        let finished = async { while tasks.join_next().await.is_some() {} };
        drop(timeout(FINISH_LIMIT, finished).await);
    }

    async fn bind(&self, stop: &mut watch::Receiver<bool>) -> Option<TcpListener> {
        loop {
            match TcpListener::bind(self.address).await {
                Ok(listener) => {
                    if let Ok(address) = listener.local_addr() {
                        tracing::info!(%address, tls = self.tls.is_some(), "{}", self.what);
                    }
                    return Some(listener);
                }
                Err(error) => {
                    tracing::warn!(address = %self.address, %error, "nothing can be served there; choose another address or port under [http]");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(BIND_RETRY) => {}
                _ = stop.changed() => return None,
            }
        }
    }
}

async fn serve_stream(
    stream: TcpStream,
    connection: Arc<Connection>,
    tls: Option<TlsAcceptor>,
    router: Router,
    stop: watch::Receiver<bool>,
) {
    // Answers are short, and wait for nothing.
    drop(stream.set_nodelay(true));
    match tls {
        None => answer(stream, connection, router, stop).await,
        Some(acceptor) => {
            let accepted = tokio::select! {
                accepted = timeout(HANDSHAKE_LIMIT, acceptor.accept(stream)) => accepted,
                () = connection.dismissed() => return,
            };
            match accepted {
                Ok(Ok(stream)) => answer(stream, connection, router, stop).await,
                Ok(Err(error)) => tracing::debug!(%error, peer = %connection.peer, "a TLS handshake failed"),
                Err(_) => {}
            }
        }
    }
}

/// Serves one connection. When `stop` turns true, the request that is under way is its last.
async fn answer<S>(stream: S, connection: Arc<Connection>, router: Router, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http = hyper::server::conn::http1::Builder::new();
    // The connection itself is watched, so that one without a request may live longer than one with half a head.
    http.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MAX_HEAD_BYTES).max_headers(MAX_HEADERS);
    let of_request = Arc::clone(&connection);
    let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let (connection, mut router) = (Arc::clone(&of_request), router.clone());
        async move {
            let watched = |body| Body::new(WatchedBody::new(body, Arc::clone(&connection)));
            let response = router.call(request.map(watched)).await;
            response.map(|response| response.map(|body| AnswerBody::new(body, connection)))
        }
    });
    let io = TokioIo::new(Watched { stream, connection: Arc::clone(&connection) });
    let served = http.serve_connection(io, service);
    let mut served = std::pin::pin!(served);
    let until_done = async {
        tokio::select! {
            result = served.as_mut() => result,
            () = connection.dismissed() => Ok(()),
            () = until_stopped(&mut stop) => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        }
    };
    if let Err(error) = until_done.await {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn until_stopped(stop: &mut watch::Receiver<bool>) {
    // Without a sender nobody runs any more.
    while !*stop.borrow_and_update() && stop.changed().await.is_ok() {}
}

fn local_router(state: HttpState) -> Router {
    let api = routes::models::router()
        .merge(routes::hours::router())
        .merge(routes::cameras::router())
        .merge(routes::events::router());
    let api = api.with_state(state.control.clone());
    // Bounded by its slot.
    let images = routes::detect::router().with_state(state.control.clone()).layer(DefaultBodyLimit::disable());
    let routes = routes::health::router().merge(api.layer(DefaultBodyLimit::max(MAX_BODY_BYTES))).merge(images);
    routes.fallback(aws_client).with_state(state).layer(axum::middleware::from_fn(limit_time))
}

fn public_router(state: HttpState) -> Router {
    let routes = routes::health::public_router().fallback(aws_client);
    routes.with_state(state).layer(axum::middleware::from_fn(limit_time))
}

/// Calls of AWS clients, at whatever path; everything else is not there.
async fn aws_client(State(state): State<HttpState>, request: Request) -> Response {
    if state.rekognition.is_enabled() && rekognition::is_meant(request.headers()) {
        rekognition::handle(&state.rekognition, &state.budget, request).await
    } else {
        (StatusCode::NOT_FOUND, "there is nothing here\n").into_response()
    }
}

/// Ends a request that takes too long, as one whose body never comes.
async fn limit_time(request: Request, next: Next) -> Response {
    match timeout(REQUEST_LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "the request took too long\n").into_response(),
    }
}

#[cfg(test)]
mod tests;
