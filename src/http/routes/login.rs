//! `POST /login`, `POST /logout` and `GET /api/session`: how a person comes, goes, and sees that they are here.

use crate::http::login::gate::{Gate, nothing_here};
use crate::http::login::reception::{NoWelcome, Welcome};
use crate::http::login::visitor::{Visitor, peer_of};
use crate::http::routes::models::Nothing;
use crate::http::routes::refusal::{refusal, retry_after};
use crate::secret::Secret;
use axum::body::Body;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get, post};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// The routes that nobody has to be known for. Their bodies must be JSON, for the reason given in
/// [`models`](crate::http::routes::models::router).
pub(in crate::http) fn router() -> Router<Gate> {
    Router::new().route("/login", post(login)).route("/logout", post(logout))
}

/// The route behind the gate, which answers whoever is not known.
pub(in crate::http) fn session_router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/api/session", get(session))
}

/// A password is tried again after this long where too many are being checked.
const WHEN_BUSY: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, untagged)]
enum Login {
    Person { name: String, password: Secret },
    Link { link: Secret },
    Token { token: Secret },
}

async fn login(State(gate): State<Gate>, request: Request) -> Response {
    if gate.is_shut() {
        return nothing_here();
    }
    let (cookie, peer) = (gate.cookie(&request), peer_of(&request));
    let before = cookie.tickets(request.headers());
    let login = match Json::<Login>::from_request(request, &()).await {
        Ok(Json(login)) => login,
        // The library's text may quote what was sent.
        Err(wrong) => {
            let what = "send JSON: {\"name\": ..., \"password\": ...}, {\"link\": ...}, or {\"token\": ...}";
            return refusal(wrong.status(), "invalid", what);
        }
    };
    let welcome = match login {
        Login::Person { name, password } => gate.reception.log_in(&name, password, peer).await,
        // A link is for the box itself.
        Login::Link { .. } if gate.is_tls() => Err(NoWelcome::NoLink),
        Login::Link { link } => gate.reception.follow_link(&link, peer),
        // Nor is the token: what strangers send there is no failure of those who have it.
        Login::Token { .. } if gate.is_tls() => Err(NoWelcome::NoToken),
        Login::Token { token } => gate.reception.take_token(|| gate.takes(&token), peer),
    };
    let Welcome { ticket, name, role, expires_in, longest } = match welcome {
        Ok(welcome) => welcome,
        Err(why) => return refuse(&why),
    };
    // Nobody can have the session that this browser had, and knows the new one.
    gate.reception.log_out(&before, peer);
    let seconds = expires_in.as_secs();
    let response = Json(json!({"name": name, "role": role.name(), "expires_in_s": seconds})).into_response();
    with_cookie(response, cookie.set(&ticket, longest))
}

async fn logout(State(gate): State<Gate>, request: Request) -> Response {
    if gate.is_shut() {
        return nothing_here();
    }
    let (cookie, peer) = (gate.cookie(&request), peer_of(&request));
    let tickets = cookie.tickets(request.headers());
    if let Err(wrong) = Json::<Nothing>::from_request(request, &()).await {
        return refusal(wrong.status(), "invalid", "send JSON: {}");
    }
    gate.reception.log_out(&tickets, peer);
    with_cookie(StatusCode::NO_CONTENT.into_response(), cookie.forget())
}

/// Who the box takes the caller for. Without a session nothing expires.
async fn session(Extension(visitor): Extension<Visitor>) -> Response {
    let seconds = visitor.expires_in.map(|left| left.as_secs());
    let body = json!({"name": visitor.who.name(), "role": visitor.role.name(), "expires_in_s": seconds});
    no_store(Json(body).into_response())
}

fn refuse(why: &NoWelcome) -> Response {
    let response = |status, code, message: &str| no_store(refusal(status, code, message));
    match why {
        NoWelcome::NoViewers => {
            let what = "nobody has a password here: `ocelli user add` adds a person, and `ocelli page` prints a link";
            response(StatusCode::FORBIDDEN, "no_viewers", what)
        }
        NoWelcome::Wrong => response(StatusCode::UNAUTHORIZED, "wrong", "name or password is wrong"),
        NoWelcome::NoLink => {
            let what = "this link was used or is too old: `ocelli page` prints a new one";
            response(StatusCode::UNAUTHORIZED, "link", what)
        }
        NoWelcome::NoToken => {
            response(StatusCode::UNAUTHORIZED, "wrong", "this is not the token of the box, or none counts here")
        }
        NoWelcome::TooMany(wait) => {
            let what = "too many logins have failed: wait a little";
            retry_after(response(StatusCode::TOO_MANY_REQUESTS, "limit_reached", what), *wait)
        }
        NoWelcome::Busy => {
            let what = "too many passwords are being checked: try again";
            retry_after(response(StatusCode::SERVICE_UNAVAILABLE, "busy", what), WHEN_BUSY)
        }
        NoWelcome::NoTicket(error) => {
            tracing::error!(%error, "no session can begin: there are no random numbers");
            response(StatusCode::INTERNAL_SERVER_ERROR, "failed", "the box has no random numbers")
        }
    }
}

fn with_cookie(response: Response<Body>, cookie: Option<HeaderValue>) -> Response {
    let mut response = no_store(response);
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
