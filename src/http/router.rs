//! Which requests are served where: everything, the page too, on loopback and over the Unix socket; health, the AWS-compatible
//! API and, for people who have logged in, the page and the native API on the public address.

use crate::http::box_name;
use crate::http::door::{Door, guard, require_name, require_token};
use crate::http::login::gate::{Entrance, Gate, admit, nothing_here};
use crate::http::page;
use crate::http::rekognition;
use crate::http::routes;
use crate::http::s3;
use crate::http::state::HttpState;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use std::time::Duration;
use tower_http::timeout::{RequestBodyDeadlineLayer, TimeoutLayer};

/// How long a request may take: the slowest body and the longest wait for a result, and a little more.
pub(super) const REQUEST_LIMIT: Duration = Duration::from_secs(80);

/// The largest body of a command, and how long it may take to arrive. Images have limits of their own.
const MAX_COMMAND_BYTES: usize = 16 * 1024;
const COMMAND_BODY_LIMIT: Duration = Duration::from_secs(5);

/// The largest body with the areas of a camera: 96 of them with 64 corners each.
const MAX_SCENE_BYTES: usize = 256 * 1024;

/// Which routes of the box's own clients need the token of their door.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NeedsToken {
    /// `/api`.
    pub(super) api: bool,
    /// `/healthz`, `/readyz` and `/metrics`.
    pub(super) monitoring: bool,
}

/// The routes of the box's own clients.
pub(super) fn local(state: HttpState, door: &Door, needs_token: NeedsToken) -> Router {
    let entrance = if needs_token.api { Entrance::Token } else { Entrance::Open };
    let health = routes::health::router();
    let token = from_fn_with_state(door.clone(), require_token);
    let health = if needs_token.monitoring { health.layer(token) } else { health };
    let name_box = from_fn_with_state(state.control.clone(), box_name::add);
    // The name is judged before the token: a page that asks under a name of its own learns nothing.
    let name = from_fn_with_state(door.clone(), require_name);
    let routes = health.merge(for_visitors(&state, door, entrance)).layer(name);
    finish(routes, state, door, ShowsPage::Always, false).layer(name_box).layer(from_fn_with_state(door.clone(), guard))
}

/// The native API behind its gate, and the way in.
fn for_visitors(state: &HttpState, door: &Door, entrance: Entrance) -> Router<HttpState> {
    let gate = Gate { door: door.clone(), reception: state.reception.clone(), entrance };
    let people = routes::people::router().with_state(state.reception.clone());
    let page = state.page.clone();
    let scenes = routes::scene::changing_router().layer(DefaultBodyLimit::max(MAX_SCENE_BYTES)).with_state(page.scenes);
    let scenes = scenes.layer(RequestBodyDeadlineLayer::new(COMMAND_BODY_LIMIT));
    let commands = routes::models::router()
        .merge(routes::hours::router())
        .merge(routes::status::router())
        .merge(routes::cameras::router())
        .merge(routes::scene::router())
        .merge(routes::snapshots::router())
        .merge(routes::live::router())
        .merge(routes::events::router())
        .merge(routes::reload::router())
        .with_state(state.control.clone())
        .merge(routes::cluster::router().with_state(state.cluster.clone()))
        .merge(routes::history::router().with_state(page.history))
        .merge(routes::event_pictures::router().with_state(page.pictures))
        .merge(routes::clips::router().with_state(page.clips))
        .merge(people)
        .merge(routes::login::session_router());
    // An image is bounded by its slot.
    let images = routes::detect::router().layer(DefaultBodyLimit::disable()).with_state(state.control.clone());
    let api = bounded(commands).merge(scenes).merge(images).layer(from_fn_with_state(gate.clone(), admit));
    api.merge(bounded(routes::login::router().with_state(gate)))
}

/// These routes with the limits of a command's body.
fn bounded<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes.layer(DefaultBodyLimit::max(MAX_COMMAND_BYTES)).layer(RequestBodyDeadlineLayer::new(COMMAND_BODY_LIMIT))
}

/// The routes of the public address. `/healthz` needs no name: it says nothing but that the box lives. Without TLS
/// (`is_tls`) no login is offered: passwords would cross the network in the clear.
pub(super) fn public(state: HttpState, door: &Door, is_tls: bool) -> Router {
    let routes = routes::health::public_router();
    let name = from_fn_with_state(door.clone(), require_name);
    let (routes, shows_page) = match is_tls {
        true => (routes.merge(for_visitors(&state, door, Entrance::People).layer(name)), ShowsPage::ToPeople),
        false => (routes, ShowsPage::Never),
    };
    let routes = finish(routes, state, door, shows_page, is_tls);
    let routes = match door.pages().layer() {
        Some(for_pages) => routes.layer(for_pages),
        None => routes,
    };
    routes.layer(from_fn_with_state(door.clone(), guard))
}

/// Where the files of the page are served. They hold nothing but the page itself.
#[derive(Clone, Copy, Debug)]
enum ShowsPage {
    Always,
    /// Once somebody can log in.
    ToPeople,
    Never,
}

fn finish(routes: Router<HttpState>, state: HttpState, door: &Door, shows_page: ShowsPage, is_tls: bool) -> Router {
    let (calls, of_calls) = (state.clone(), door.clone());
    let fallback = move |request: Request| no_route(calls, of_calls, shows_page, request);
    let objects = ObjectDoor { state: state.clone(), door: door.clone(), is_tls };
    let routes = limited(routes.fallback(fallback).with_state(state));
    // Outside of the time limit: an object may be large, and has limits of its own.
    routes.layer(from_fn_with_state(objects, objects_first))
}

/// What requests for objects need.
#[derive(Clone)]
struct ObjectDoor {
    state: HttpState,
    door: Door,
    is_tls: bool,
}

/// Requests of S3 clients, whatever their path: a bucket may have the name of a route. Like [`no_route`] it asks for a name of
/// the box only where no signature vouches for the request.
async fn objects_first(State(objects): State<ObjectDoor>, request: Request, next: Next) -> Response {
    let ObjectDoor { state, door, is_tls } = objects;
    if !state.rekognition.is_enabled() || !s3::is_meant(request.headers(), request.uri().query()) {
        return next.run(request).await;
    }
    if !state.rekognition.must_be_signed()
        && let Some(refusal) = door.refusal_of_name(&request)
    {
        return refusal;
    }
    s3::handle(&state.s3, &state.rekognition, is_tls, request).await
}

/// These routes with the time limit of every request.
pub(super) fn limited(routes: Router) -> Router {
    routes.layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_LIMIT))
}

/// Calls of AWS clients, whatever their path, and the files of the page. Any other request is for a route that does not exist.
///
/// A signature covers the `Host`, and no page can sign: a signed call may ask for any name.
async fn no_route(state: HttpState, door: Door, shows_page: ShowsPage, request: Request) -> Response {
    let is_call = state.rekognition.is_enabled() && rekognition::is_meant(request.headers());
    if !(is_call && state.rekognition.must_be_signed())
        && let Some(refusal) = door.refusal_of_name(&request)
    {
        return refusal;
    }
    let page = || match shows_page {
        ShowsPage::Always => page::answer(&request),
        ShowsPage::ToPeople => page::answer(&request).filter(|_| state.reception.has_viewers()),
        ShowsPage::Never => None,
    };
    match is_call {
        true => rekognition::handle(&state.rekognition, &state.budget, request).await,
        false => page().unwrap_or_else(nothing_here),
    }
}
