//! The server: its own accept loop, because axum's has no limit on how long a header may take.

use crate::control::Control;
use crate::http::routes;
use crate::http::settings::HttpSettings;
use crate::os::clock::monotonic_now;
use crate::telemetry::metrics::Metrics;
use crate::vision::monotonic::Monotonic;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

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
}

/// Connections at a time; beyond it they are closed at once.
const MAX_CONNECTIONS: u32 = 512;

/// How long the head of a request may take.
const HEADER_LIMIT: Duration = Duration::from_secs(5);

/// How long requests may be finished when the appliance stops: as long as it drains, and a little more.
const FINISH_LIMIT: Duration = Duration::from_secs(7);

/// How long a request may take: the longest body and the longest patience, and a little more. A connection may live
/// for ever: one that is closed while a request is on its way takes that request with it.
const REQUEST_LIMIT: Duration = Duration::from_secs(75);

/// The largest body of a command.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// An event loop that has shown nothing for this long hangs; it shows itself twice a second.
const ALIVE_LIMIT: Duration = Duration::from_secs(10);

/// How often a port that is taken is tried again.
const BIND_RETRY: Duration = Duration::from_secs(5);

/// Serves until `stop` turns true. A port that is taken is tried again; the rest runs on meanwhile.
pub async fn serve(settings: HttpSettings, state: HttpState, mut stop: watch::Receiver<bool>) {
    if !settings.enabled {
        return;
    }
    let address = SocketAddr::new(settings.address, settings.port);
    let listener = loop {
        match TcpListener::bind(address).await {
            Ok(listener) => break listener,
            Err(error) => {
                tracing::warn!(%address, %error, "health and metrics cannot be served; choose another `http.port`");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(BIND_RETRY) => {}
            _ = stop.changed() => return,
        }
    };
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "health and metrics are served");
    }
    let router = router(state);
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS as usize));
    while !*stop.borrow() {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                // Without a permit the connection is dropped, and so closed.
                Ok((stream, _)) => if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
                    let (router, stop) = (router.clone(), stop.clone());
                    tokio::spawn(async move {
                        answer(stream, router, stop).await;
                        drop(permit);
                    });
                },
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            _ = stop.changed() => {}
        }
    }
    // What has been taken is answered: the appliance drains meanwhile.
    drop(tokio::time::timeout(FINISH_LIMIT, permits.acquire_many(MAX_CONNECTIONS)).await);
}

/// Serves one connection. When `stop` turns true, the request that is under way is its last.
async fn answer(stream: TcpStream, router: Router, mut stop: watch::Receiver<bool>) {
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_LIMIT).max_buf_size(16 * 1024);
    let served = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut served = std::pin::pin!(served);
    let until_done = async {
        tokio::select! {
            result = served.as_mut() => result,
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

fn router(state: HttpState) -> Router {
    let api = routes::models::router().merge(routes::hours::router()).with_state(state.control.clone());
    // Bounded by its slot.
    let images = routes::detect::router().with_state(state.control.clone()).layer(DefaultBodyLimit::disable());
    Router::new()
        .merge(api.layer(DefaultBodyLimit::max(MAX_BODY_BYTES)))
        .merge(images)
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(state)
        .layer(axum::middleware::from_fn(limit_time))
}

/// Ends a request that takes too long, as one whose body never comes.
async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "the request took too long\n").into_response(),
    }
}

/// 200 while the event loop turns.
async fn health(State(state): State<HttpState>) -> Response {
    let is_alive = monotonic_now().since(state.health.borrow().alive_at) < ALIVE_LIMIT;
    match is_alive {
        true => (StatusCode::OK, "ok\n").into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "the event loop does not turn\n").into_response(),
    }
}

/// 200 when every unit is in service; else what is missing.
async fn ready(State(state): State<HttpState>) -> Response {
    let report = state.health.borrow().clone();
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({"ready": report.ready, "reasons": report.reasons});
    (status, axum::Json(body)).into_response()
}

async fn metrics(State(state): State<HttpState>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], state.metrics.encode()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::ApplianceStatus;
    use crate::control::images::ImageIntake;
    use crate::metering::HoursFiles;
    use std::net::{IpAddr, Ipv4Addr};
    use std::path::Path;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn get(request: &str, ready: bool) -> String {
        let report = HealthReport { alive_at: monotonic_now(), ready, reasons: vec!["no unit".into()] };
        let (_sender, health) = watch::channel(report);
        let (_status, status) = watch::channel(ApplianceStatus::default());
        let (images, _region, _offers) = ImageIntake::new().unwrap();
        let (control, _commands) = Control::new(status, HoursFiles::new(Path::new("/nonexistent")), images);
        let router = router(HttpState { metrics: Arc::new(Metrics::new()), health, control });
        let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0)).await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let (_running, stop) = watch::channel(false);
        tokio::spawn(answer(stream, router, stop));
        client.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        text
    }

    fn request(path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    }

    #[tokio::test]
    async fn health_readiness_and_metrics_are_answered() {
        assert!(get(&request("/healthz"), false).await.starts_with("HTTP/1.1 200"));
        assert!(get(&request("/readyz"), true).await.starts_with("HTTP/1.1 200"));
        let not_ready = get(&request("/readyz"), false).await;
        assert!(not_ready.starts_with("HTTP/1.1 503") && not_ready.contains("no unit"));
        assert!(get(&request("/metrics"), true).await.contains("ocelli_frames_in_flight 0"));
        assert!(get(&request("/other"), true).await.starts_with("HTTP/1.1 404"));
    }

    #[tokio::test]
    async fn a_head_that_never_ends_is_cut_off() {
        let text = get("GET /healthz HTTP/1.1\r\nHost: ", true).await;
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
    }
}
