//! A whole call: the first line is the operation, the rest its body. There is no fleet behind it, so a call ends where
//! a command would be asked for.

#![no_main]

use axum::body::Body;
use axum::http::Request;
use libfuzzer_sys::fuzz_target;
use ocelli::catalog::CatalogStore;
use ocelli::catalog::arn::Realm;
use ocelli::control::images::ImageIntake;
use ocelli::control::{ApplianceStatus, Control};
use ocelli::http::body::BodyBudget;
use ocelli::http::rekognition::settings::RekognitionSettings;
use ocelli::http::rekognition::{EndpointRules, RekognitionState, handle};
use ocelli::live::{LiveLimits, Relay};
use ocelli::metering::HoursFiles;
use ocelli::telemetry::metrics::Metrics;
use std::sync::{Arc, OnceLock};
use tokio::sync::watch;

fn state() -> &'static RekognitionState {
    static STATE: OnceLock<RekognitionState> = OnceLock::new();
    STATE.get_or_init(|| {
        let home = tempfile::tempdir().unwrap().keep();
        let realm = Realm { region: "us-east-1".into(), account: "000000000000".into() };
        let catalog = CatalogStore::load(&home, &home, realm, &[("coco-ssd".into(), "1".into())], ocelli::kept::FileKeeper::start().unwrap());
        let (_, status) = watch::channel(ApplianceStatus::default());
        let (images, _, _) = ImageIntake::new().unwrap();
        let live = Relay::new(LiveLimits { viewers: 1, bytes_per_second: 1_000_000 }, Arc::default()).0;
        let (control, _) = Control::new(status, HoursFiles::new(&home), images, catalog, None, live);
        let rules = EndpointRules { default_model: "coco-ssd".into(), ..EndpointRules::default() };
        let (_, rules) = watch::channel(rules);
        RekognitionState::new(control, RekognitionSettings::default(), rules, Arc::new(Metrics::new()))
    })
}

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let Ok(operation) = std::str::from_utf8(&data[..end]) else { return };
    let body = data.get(end + 1..).unwrap_or_default().to_vec();
    let request = Request::post("/")
        .header("x-amz-target", format!("RekognitionService.{operation}"))
        .header("content-type", "application/x-amz-json-1.1")
        .header("content-length", body.len());
    let Ok(request) = request.body(Body::from(body)) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let response = runtime.block_on(handle(state(), &BodyBudget::default(), request));
    assert!(response.headers().contains_key("x-amzn-requestid"));
});
