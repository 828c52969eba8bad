//! The monitoring address: metrics and readiness for other hosts. Whoever asks must show a token.

use crate::http::router::limited;
use crate::http::routes::health;
use crate::http::state::HttpState;
use crate::secret::Secret;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The token, of which only a digest is kept: digests are compared in constant time whatever the length of what is sent.
#[derive(Clone)]
struct Token([u8; 32]);

impl Token {
    fn new(token: &Secret) -> Self {
        Self(Sha256::digest(token.reveal()).into())
    }

    /// True if a request with these headers shows the token: `Authorization: Bearer <token>`.
    fn is_shown_in(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let Some((scheme, token)) = shown.split_at_checked(b"Bearer ".len()) else { return false };
        let shown: [u8; 32] = Sha256::digest(token).into();
        scheme.eq_ignore_ascii_case(b"Bearer ") && bool::from(self.0.ct_eq(&shown))
    }
}

/// The routes of the monitoring address. `/healthz` needs no token.
pub(super) fn routes(state: HttpState, token: &Secret) -> Router {
    let guarded = health::detailed_router().layer(from_fn_with_state(Token::new(token), check));
    limited(guarded.merge(health::public_router()).with_state(state))
}

async fn check(State(token): State<Token>, request: Request, next: Next) -> Response {
    if token.is_shown_in(request.headers()) {
        return next.run(request).await;
    }
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, challenge, "show the token: Authorization: Bearer <token>\n").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_one() {
        let token = Token::new(&Secret::new("a token of some length"));
        let is_shown = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(text).unwrap());
            token.is_shown_in(&headers)
        };
        assert!(is_shown("Bearer a token of some length") && is_shown("bearer a token of some length"));
        for wrong in [
            "",
            "Bearer ",
            "Bearer a token of some lengt",
            "Bearer a token of some length ",
            "Basic a token of some length",
        ] {
            assert!(!is_shown(wrong), "{wrong:?}");
        }
        assert!(!token.is_shown_in(&HeaderMap::new()));
    }
}
