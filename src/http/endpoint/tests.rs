//! Real requests to the real routes, over a stream in memory and in virtual time.

use super::*;
use crate::catalog::CatalogStore;
use crate::catalog::arn::Realm;
use crate::control::images::ImageIntake;
use crate::control::{ApplianceStatus, Control};
use crate::http::auth::bearer_token::BearerToken;
use crate::http::connections::Peer;
use crate::http::door::{Door, TokenRule};
use crate::http::monitoring;
use crate::http::rekognition::settings::RekognitionSettings;
use crate::http::rekognition::{EndpointRules, RekognitionState};
use crate::http::router::{self, NeedsToken};
use crate::http::state::{HealthReport, HttpState};
use crate::kept::FileKeeper;
use crate::metering::HoursFiles;
use crate::os::clock::monotonic_now;
use crate::secret::Secret;
use crate::telemetry::metrics::Metrics;
use axum::routing::get;
use std::net::{IpAddr, Ipv4Addr};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, advance, sleep};

mod door;

const SECOND: Duration = Duration::from_secs(1);

fn local_routes(ready: bool) -> Router {
    let report = HealthReport { alive_at: monotonic_now(), ready, reasons: vec!["no unit".into()] };
    local(report, "", NeedsToken::default())
}

/// The routes of the box's own clients, on a box that is also called `box.lan`. Empty: without a token.
fn local(report: HealthReport, token: &str, needs_token: NeedsToken) -> Router {
    let state = state(report);
    let door = door(&state, token);
    router::local(state, &door, needs_token)
}

fn door(state: &HttpState, token: &str) -> Door {
    let token = (!token.is_empty()).then(|| BearerToken::new(&Secret::new(token)));
    let rule = TokenRule { token, cure: "use the socket".into() };
    Door::new(vec!["box.lan".into()], Some(rule), Arc::clone(&state.metrics))
}

fn state(report: HealthReport) -> HttpState {
    let (_, health) = watch::channel(report);
    let (_, status) = watch::channel(ApplianceStatus { box_id: "gate-1".into(), ..ApplianceStatus::default() });
    let (images, _, _) = ImageIntake::new().unwrap();
    let home = tempfile::tempdir().unwrap();
    let realm = Realm { region: "us-east-1".into(), account: "000000000000".into() };
    let catalog = CatalogStore::load(home.path(), home.path(), realm, &[], FileKeeper::start().unwrap());
    let (control, _) = Control::new(
        status,
        HoursFiles::new(home.path()),
        images,
        catalog,
        None,
        crate::live::Relay::without_cameras(),
    );
    let (metrics, settings) = (Arc::new(Metrics::new()), RekognitionSettings::default());
    let (_, rules) = watch::channel(EndpointRules::default());
    let rekognition = RekognitionState::new(control.clone(), settings, rules, Arc::clone(&metrics));
    HttpState::new(metrics, health, control, rekognition)
}

/// A client of these routes.
struct Client {
    stream: DuplexStream,
    connections: Connections,
    stop: watch::Sender<bool>,
    peer: Peer,
}

impl Client {
    fn connect(router: Router) -> Self {
        let (stream, far) = tokio::io::duplex(4096);
        let (connections, (stop, stopped)) = (Connections::default(), watch::channel(false));
        let peer = Peer::Address(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let connection = Arc::new(connections.admit(peer).unwrap());
        tokio::spawn(serve_connection(far, connection, router, stopped));
        Self { stream, connections, stop, peer }
    }

    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Everything until the server closes the connection, and after how long it did.
    async fn read_to_end(&mut self) -> (String, Duration) {
        let (begun, mut text) = (Instant::now(), String::new());
        self.stream.read_to_string(&mut text).await.unwrap();
        (text, begun.elapsed())
    }
}

async fn answer(path: &str, ready: bool) -> String {
    answer_of(local_routes(ready), path, "").await
}

async fn answer_of(routes: Router, path: &str, headers: &str) -> String {
    let mut client = Client::connect(routes);
    client.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n")).await;
    client.read_to_end().await.0
}

fn about(limit: Duration, measured: Duration) -> bool {
    (limit..limit + SECOND).contains(&measured)
}

/// A reply that takes five seconds.
fn slow_routes() -> Router {
    let slow = || async {
        sleep(5 * SECOND).await;
        "done"
    };
    Router::new().route("/", get(slow))
}

#[tokio::test]
async fn health_readiness_and_metrics_are_answered() {
    assert!(answer("/healthz", false).await.starts_with("HTTP/1.1 200"));
    assert!(answer("/readyz", true).await.starts_with("HTTP/1.1 200"));
    let not_ready = answer("/readyz", false).await;
    assert!(not_ready.starts_with("HTTP/1.1 503") && not_ready.contains("no unit"));
    assert!(answer("/metrics", true).await.contains("ocelli_frames_in_flight 0"));
    assert!(answer("/other", true).await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn every_answer_names_the_box_and_before_the_first_status_nothing_is_well() {
    for path in ["/healthz", "/readyz", "/api/status", "/api/cameras", "/api/models", "/other"] {
        assert!(answer(path, true).await.contains("\r\nocelli-box: gate-1\r\n"), "{path}");
    }
    let status = answer("/api/status", true).await;
    assert!(status.starts_with("HTTP/1.1 200") && status.contains(r#""status":"degraded""#), "{status}");
    assert!(status.contains("the daemon is starting") && status.contains(r#""box_id":"gate-1""#), "{status}");
    assert!(answer("/api/cameras/yard", true).await.starts_with("HTTP/1.1 404"));
    assert!(answer("/metrics", true).await.contains("ocelli_degraded 1\n"));
}

#[tokio::test]
async fn an_event_loop_that_hangs_is_not_ready_however_ready_it_was() {
    let report =
        HealthReport { alive_at: crate::vision::monotonic::Monotonic::default(), ready: true, reasons: vec![] };
    let hung = answer_of(local(report, "", NeedsToken::default()), "/readyz", "").await;
    assert!(hung.starts_with("HTTP/1.1 503") && hung.contains("the event loop hangs"), "{hung}");
}

#[tokio::test]
async fn beyond_loopback_metrics_and_readiness_are_for_those_who_show_the_token() {
    let report = HealthReport { alive_at: monotonic_now(), ready: true, reasons: vec!["no broker".into()] };
    let state = state(report);
    let door = door(&state, "a token of some length");
    let routes = monitoring::routes(state, &door);
    let (none, wrong) = ("", "Authorization: Bearer another token\r\n");
    let right = "Authorization: Bearer a token of some length\r\n";
    for path in ["/metrics", "/readyz"] {
        for headers in [none, wrong] {
            let refused = answer_of(routes.clone(), path, headers).await;
            assert!(refused.starts_with("HTTP/1.1 401") && refused.contains("www-authenticate: Bearer"), "{refused}");
            assert!(!refused.contains("ocelli_") && !refused.contains("no broker"), "{refused}");
        }
        assert!(answer_of(routes.clone(), path, right).await.starts_with("HTTP/1.1 200"), "{path}");
    }
    assert!(answer_of(routes.clone(), "/healthz", none).await.starts_with("HTTP/1.1 200"));
    for path in ["/api/status", "/api/models", "/"] {
        assert!(answer_of(routes.clone(), path, right).await.starts_with("HTTP/1.1 404"), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_is_cut_off_however_busily_it_grows() {
    let mut client = Client::connect(local_routes(true));
    client.send("GET /healthz HTTP/1.1\r\nX-Slow: ").await;
    let begun = Instant::now();
    while client.stream.write_all(b"x").await.is_ok() {
        sleep(SECOND / 2).await;
    }
    assert!(about(HEAD_LIMIT, begun.elapsed()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_or_has_nothing_more_to_say_is_closed() {
    let mut silent = Client::connect(local_routes(true));
    assert!(about(HEAD_LIMIT, silent.read_to_end().await.1));
    let mut idle = Client::connect(local_routes(true));
    sleep(HEAD_LIMIT / 2).await;
    idle.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let (text, after) = idle.read_to_end().await;
    assert!(text.starts_with("HTTP/1.1 200") && about(HEAD_LIMIT, after), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn an_image_that_trickles_in_is_refused() {
    let mut client = Client::connect(local_routes(true));
    client.send("POST /api/models/m/detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n").await;
    let begun = Instant::now();
    let mut text = [0; 12];
    while timeout(SECOND, client.stream.read_exact(&mut text)).await.is_err() {
        client.send("a few bytes").await;
    }
    assert_eq!(&text, b"HTTP/1.1 408");
    assert!(begun.elapsed() < 10 * SECOND, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_body_trickles_in_is_refused() {
    let mut client = Client::connect(local_routes(true));
    let head = "POST /api/models/m/stop HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    client.send(&format!("{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{")).await;
    let (text, after) = client.read_to_end().await;
    assert!(text.starts_with("HTTP/1.1 4") && about(5 * SECOND, after), "{after:?} {text}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_its_response_is_disconnected() {
    let mut client = Client::connect(Router::new().route("/", get(|| async { "x".repeat(100_000) })));
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    sleep(WRITE_LIMIT + SECOND).await;
    let (text, after) = client.read_to_end().await;
    assert!(text.len() < 100_000 && after < SECOND, "{} bytes, {after:?}", text.len());
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_answer_never_comes_ends_at_its_limit() {
    let routes = Router::new().route("/", get(std::future::pending::<()>));
    let mut client = Client::connect(router::limited(routes));
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    let (text, after) = client.read_to_end().await;
    assert!(text.starts_with("HTTP/1.1 408") && about(router::REQUEST_LIMIT, after), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_gives_way_and_one_that_is_served_does_not() {
    let mut client = Client::connect(slow_routes());
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client.send(request).await;
    advance(SECOND).await;
    let (connections, peer) = (client.connections.clone(), client.peer);
    let crowd = || -> Vec<_> { std::iter::from_fn(|| connections.admit(peer)).take(600).collect() };
    drop(crowd());
    let mut head = [0; 12];
    client.stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200", "it was being served");
    sleep(SECOND).await;
    let _crowd = crowd();
    let (_, after) = client.read_to_end().await;
    assert!(after < SECOND, "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_finishes_requests_and_closes_idle_connections() {
    let mut client = Client::connect(slow_routes());
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    advance(SECOND).await;
    client.stop.send_replace(true);
    let mut text = String::new();
    client.stream.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("done"), "{text}");
}
