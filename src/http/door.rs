//! What every request of a listener passes before its route: `Host`, `Origin`, and on the box's own listeners the token.

use crate::http::auth::bearer_token::BearerToken;
use crate::http::known_pages::KnownPages;
use crate::http::same_origin::{self, Unwelcome};
use crate::os::clock::monotonic_now;
use crate::secret::Secret;
use crate::telemetry::metrics::Metrics;
use crate::vision::line_limit::LineLimit;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

/// The token of a listener, and where the operator finds it.
#[derive(Clone, Debug)]
pub(super) struct TokenRule {
    /// `None`: it could not be made or read, so nothing is accepted.
    pub(super) token: Option<BearerToken>,
    /// Says what to do without it.
    pub(super) cure: String,
}

/// The rules of one listener. Clones share its counts.
#[derive(Clone, Debug)]
pub(super) struct Door(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    /// Names of the box beside those of loopback.
    names: Vec<String>,
    token: Option<TokenRule>,
    pages: KnownPages,
    metrics: Arc<Metrics>,
    /// Of the lines about refused requests.
    lines: Mutex<LineLimit>,
}

impl Door {
    /// `names`: those of the box beside loopback's. Without a `token`, whoever reaches the listener may use it.
    pub(super) fn new(names: Vec<String>, token: Option<TokenRule>, metrics: Arc<Metrics>) -> Self {
        Self(Arc::new(Rules { names, token, pages: KnownPages::default(), metrics, lines: Mutex::default() }))
    }

    /// The door of the public address, with the pages of other origins that may call there.
    pub(super) fn public(names: Vec<String>, pages: KnownPages, metrics: Arc<Metrics>) -> Self {
        Self(Arc::new(Rules { names, token: None, pages, metrics, lines: Mutex::default() }))
    }

    /// The pages of other origins that may call.
    pub(super) fn pages(&self) -> &KnownPages {
        &self.0.pages
    }

    /// The refusal of a request that asks for a name that is not the box's. Requests whose signature or token is checked
    /// need no name: no page can have them.
    pub(super) fn refusal_of_name(&self, request: &Request) -> Option<Response> {
        let host = same_origin::host(request.headers(), request.uri());
        let judged = host.and_then(|host| same_origin::judge_name(&host, &self.0.names));
        judged.err().map(|why| self.refuse(&why))
    }

    fn refusal_of_origin(&self, request: &Request) -> Option<Response> {
        let host = same_origin::host(request.headers(), request.uri());
        let judged = host.and_then(|host| match self.0.pages.may_send(request) {
            true => Ok(()),
            false => same_origin::judge_origin(request.headers(), &host),
        });
        judged.err().map(|why| self.refuse(&why))
    }

    fn refusal_without_token(&self, headers: &HeaderMap) -> Option<Response> {
        let rule = self.0.token.as_ref()?;
        if self.is_token_shown(headers) {
            return None;
        }
        self.count("token", &"it does not show the token");
        let mut response = answer(StatusCode::UNAUTHORIZED, "token", &rule.cure);
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        Some(response)
    }

    fn token(&self) -> Option<&BearerToken> {
        self.0.token.as_ref()?.token.as_ref()
    }

    /// True if these headers show the token of this listener.
    pub(super) fn is_token_shown(&self, headers: &HeaderMap) -> bool {
        self.token().is_some_and(|token| token.is_shown_in(headers))
    }

    /// True if this is the token of this listener.
    pub(super) fn is_token(&self, shown: &Secret) -> bool {
        self.token().is_some_and(|token| token.is(shown.reveal().as_bytes()))
    }

    /// What to do without the token.
    pub(super) fn cure(&self) -> String {
        self.0.token.as_ref().map(|rule| rule.cure.clone()).unwrap_or_default()
    }

    /// The refusal of such a request, which is counted.
    pub(super) fn refuse(&self, why: &Unwelcome) -> Response {
        self.count(why.code(), why);
        answer(why.status(), why.code(), &why.to_string())
    }

    /// Counts and logs a refusal.
    pub(super) fn count(&self, reason: &'static str, why: &dyn Display) {
        self.0.metrics.strangers().refused(reason);
        let admitted = self.0.lines.lock().unwrap_or_else(PoisonError::into_inner).admit(monotonic_now());
        if let Some(left_out) = admitted {
            tracing::warn!(reason, left_out = left_out.count(), "a request is refused: {why}{left_out}");
        }
    }
}

/// The form of all refusals of the native API. AWS SDKs show `message`.
pub(super) fn answer(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({"error": {"code": code, "message": message}, "__type": code, "message": message});
    (status, Json(body)).into_response()
}

/// Every request: exactly one `Host`, and no page of another origin but signed calls of known ones. Every answer: for no page of
/// another origin, unless the layer of known pages says so.
pub(super) async fn guard(State(door): State<Door>, request: Request, next: Next) -> Response {
    let mut response = match door.refusal_of_origin(&request) {
        None => next.run(request).await,
        Some(refusal) => refusal,
    };
    let headers = response.headers_mut();
    const POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Requests that neither a signature nor a token vouches for: a name of the box.
pub(super) async fn require_name(State(door): State<Door>, request: Request, next: Next) -> Response {
    match door.refusal_of_name(&request) {
        None => next.run(request).await,
        Some(refusal) => refusal,
    }
}

/// Requests that need the token, if the listener has one.
pub(super) async fn require_token(State(door): State<Door>, request: Request, next: Next) -> Response {
    match door.refusal_without_token(request.headers()) {
        None => next.run(request).await,
        Some(refusal) => refusal,
    }
}
