//! Which requests are served where: everything on loopback, health and the AWS-compatible API on the public address.

use crate::http::box_name;
use crate::http::rekognition;
use crate::http::routes;
use crate::http::state::HttpState;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use tower_http::timeout::{RequestBodyDeadlineLayer, TimeoutLayer};

/// How long a request may take: the slowest body and the longest wait for a result, and a little more.
pub(super) const REQUEST_LIMIT: Duration = Duration::from_secs(80);

/// The largest body of a command, and how long it may take to arrive. Images have limits of their own.
const MAX_COMMAND_BYTES: usize = 16 * 1024;
const COMMAND_BODY_LIMIT: Duration = Duration::from_secs(5);

/// The routes of the loopback address.
pub(super) fn local(state: HttpState) -> Router {
    let commands = routes::models::router()
        .merge(routes::hours::router())
        .merge(routes::status::router())
        .merge(routes::cameras::router())
        .merge(routes::snapshots::router())
        .merge(routes::events::router())
        .merge(routes::reload::router())
        .layer(DefaultBodyLimit::max(MAX_COMMAND_BYTES))
        .layer(RequestBodyDeadlineLayer::new(COMMAND_BODY_LIMIT))
        .with_state(state.control.clone());
    // An image is bounded by its slot.
    let images = routes::detect::router().layer(DefaultBodyLimit::disable()).with_state(state.control.clone());
    let name_box = from_fn_with_state(state.control.clone(), box_name::add);
    finish(routes::health::router().merge(commands).merge(images), state).layer(name_box)
}

/// The routes of the public address.
pub(super) fn public(state: HttpState) -> Router {
    finish(routes::health::public_router(), state)
}

fn finish(routes: Router<HttpState>, state: HttpState) -> Router {
    limited(routes.fallback(aws_client).with_state(state))
}

/// These routes with the time limit of every request.
pub(super) fn limited(routes: Router) -> Router {
    routes.layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_LIMIT))
}

/// Calls of AWS clients, whatever their path. Any other request is for a route that does not exist.
async fn aws_client(State(state): State<HttpState>, request: Request) -> Response {
    if state.rekognition.is_enabled() && rekognition::is_meant(request.headers()) {
        rekognition::handle(&state.rekognition, &state.budget, request).await
    } else {
        (StatusCode::NOT_FOUND, "there is nothing here\n").into_response()
    }
}
