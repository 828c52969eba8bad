//! A token that a request shows: `Authorization: Bearer <token>`.

use crate::secret::Secret;
use axum::http::{HeaderMap, HeaderValue, header};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The token, of which only a digest is kept: digests are compared in constant time whatever the length of what is sent.
#[derive(Clone)]
pub(in crate::http) struct BearerToken([u8; 32]);

impl std::fmt::Debug for BearerToken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("***")
    }
}

impl BearerToken {
    pub(in crate::http) fn new(token: &Secret) -> Self {
        Self(Sha256::digest(token.reveal()).into())
    }

    /// True if a request with these headers shows the token.
    pub(in crate::http) fn is_shown_in(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let Some((scheme, token)) = shown.split_at_checked(b"Bearer ".len()) else { return false };
        scheme.eq_ignore_ascii_case(b"Bearer ") && self.is(token)
    }

    /// True if this is the token.
    pub(in crate::http) fn is(&self, shown: &[u8]) -> bool {
        let shown: [u8; 32] = Sha256::digest(shown).into();
        bool::from(self.0.ct_eq(&shown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_one() {
        let token = BearerToken::new(&Secret::new("a token of some length"));
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
