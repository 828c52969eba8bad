//! A real connection to the real router.

use super::*;
use crate::catalog::CatalogStore;
use crate::catalog::arn::Realm;
use crate::control::ApplianceStatus;
use crate::control::images::ImageIntake;
use crate::http::rekognition::settings::RekognitionSettings;
use crate::metering::HoursFiles;
use crate::os::clock::monotonic_now;
use std::net::{IpAddr, Ipv4Addr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn get(request: &str, ready: bool) -> String {
    let report = HealthReport { alive_at: monotonic_now(), ready, reasons: vec!["no unit".into()] };
    let (_sender, health) = watch::channel(report);
    let (_status, status) = watch::channel(ApplianceStatus::default());
    let (images, _region, _offers) = ImageIntake::new().unwrap();
    let home = tempfile::tempdir().unwrap();
    let realm = Realm { region: "us-east-1".into(), account: "000000000000".into() };
    let catalog = CatalogStore::load(home.path(), home.path(), realm, &[], crate::kept::FileKeeper::start().unwrap());
    let (control, _commands) = Control::new(status, HoursFiles::new(home.path()), images, catalog, None);
    let metrics = Arc::new(Metrics::new());
    let rekognition = RekognitionState::new(
        control.clone(),
        RekognitionSettings::default(),
        vec![],
        vec![],
        "m",
        Arc::clone(&metrics),
    );
    let router = local_router(HttpState::new(metrics, health, control, rekognition));
    let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0)).await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, peer) = listener.accept().await.unwrap();
    let (_running, stop) = watch::channel(false);
    let connection = Connections::default().admit(peer.ip()).unwrap();
    tokio::spawn(serve_stream(stream, connection, None, router, stop));
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
