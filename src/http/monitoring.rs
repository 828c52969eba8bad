//! The monitoring address: metrics and readiness for other hosts. Whoever asks must show a token.

use crate::http::door::{Door, guard, require_token};
use crate::http::router::limited;
use crate::http::routes::health;
use crate::http::state::HttpState;
use axum::Router;
use axum::middleware::from_fn_with_state;

/// What a request without the token is told.
pub(super) const CURE: &str = "show the token: Authorization: Bearer <token>";

/// The routes of the monitoring address. `/healthz` needs no token, and no name: it says nothing but that the box lives.
pub(super) fn routes(state: HttpState, door: &Door) -> Router {
    let guarded = health::detailed_router().layer(from_fn_with_state(door.clone(), require_token));
    let routes = limited(guarded.merge(health::public_router()).with_state(state));
    routes.layer(from_fn_with_state(door.clone(), guard))
}
