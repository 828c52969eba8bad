//! Takes images that other boxes hand on.

use crate::control::Control;
use crate::control::images::{ImageReply, ImageSlot, Waiting};
use crate::http::body::{self, Arriving};
use crate::http::endpoint::Endpoint;
use crate::http::peers::message::{CALL_HEADER, HandedCall, HandedReply, MAX_IMAGE_BYTES, PATH};
use crate::http::peers::tls::PeerTls;
use crate::http::place::Place;
use crate::http::router::limited;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::troubles::Troubles;
use crate::vision::outcome::ShedReason;
use axum::Json;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, post};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The longest that another box may have this one wait for its units.
const MAX_PATIENCE: Duration = Duration::from_secs(60);

/// The hint while no slot is free.
const RETRY_AFTER_SLOT: Duration = Duration::from_millis(200);

#[derive(Clone)]
struct Taker {
    control: Control,
    metrics: Arc<Metrics>,
}

/// Serves other boxes until `stop` turns true.
pub async fn take(
    address: SocketAddr,
    tls: PeerTls,
    control: Control,
    (metrics, troubles): (Arc<Metrics>, Troubles),
    stop: watch::Receiver<bool>,
) {
    let taker = Taker { control, metrics: Arc::clone(&metrics) };
    // An image is bounded by its slot.
    let routes = Router::new().route(PATH, post(detect)).layer(DefaultBodyLimit::disable()).with_state(taker);
    let what = "calls of other boxes are taken";
    let endpoint = Endpoint::new(Place::Peers(address), what, limited(routes), Some(tls.acceptor), metrics);
    endpoint.serve(&troubles, stop).await;
}

async fn detect(State(taker): State<Taker>, headers: HeaderMap, body: Body) -> Response {
    let call = headers.get(CALL_HEADER).and_then(|call| serde_json::from_slice::<HandedCall>(call.as_bytes()).ok());
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let (Some(call), Some(length)) = (call, length.filter(|length| *length <= MAX_IMAGE_BYTES)) else {
        body::discard(body).await;
        taker.metrics.cluster().taken("broken");
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Some(reply) = taker.analyse(&call, length, body).await else {
        taker.metrics.cluster().taken("broken");
        return StatusCode::BAD_REQUEST.into_response();
    };
    taker.metrics.cluster().taken(match &reply {
        HandedReply::Detected { .. } => "answered",
        HandedReply::Shed { .. } => "refused",
        HandedReply::Failed(_) => "failed",
        HandedReply::OtherPackage => "other_package",
    });
    Json(reply).into_response()
}

impl Taker {
    /// `None` for an image that does not arrive as it was announced.
    async fn analyse(&self, call: &HandedCall, length: usize, mut body: Body) -> Option<HandedReply> {
        let runs = self.control.read(|status| {
            let running = status.models.get(&call.model).and_then(|model| model.running.as_ref());
            running.is_some_and(|package| package.digest == call.digest)
        });
        if !runs {
            body::discard(body).await;
            return Some(HandedReply::OtherPackage);
        }
        let Some(slot) = self.control.images.reserve_for(length) else {
            body::discard(body).await;
            let refused = ImageReply::Shed(ShedReason::Throttled, RETRY_AFTER_SLOT);
            return Some(HandedReply::of(refused, &call.digest));
        };
        let slot = receive(&mut body, slot).await.filter(|slot| slot.bytes() as usize == length)?;
        let patience = Duration::from_millis(call.patience_ms).min(MAX_PATIENCE);
        let waiting = Waiting { patience, is_first_try: call.is_first_try };
        let reply = self.control.images.detect_here(call.model.clone(), slot, waiting, call.options).await;
        Some(HandedReply::of(reply, &call.digest))
    }
}

/// Writes the body into the slot as it arrives.
async fn receive(body: &mut Body, mut slot: ImageSlot) -> Option<ImageSlot> {
    let mut arriving = Arriving::in_memory(body);
    while let Some(chunk) = arriving.next().await.ok()? {
        slot.write(&chunk).ok()?;
    }
    Some(slot)
}
