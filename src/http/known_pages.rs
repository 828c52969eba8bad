//! Web pages of other origins that may call the AWS-compatible API at the public address, such as one with the AWS SDK for
//! JavaScript. Their calls are signed, so nothing is open to them that is not open to any program with the same key: no cookie counts,
//! and nothing but calls passes.

use crate::http::rekognition;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, Method, header};
use std::time::Duration;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// What a page may read of an answer, beside its body.
const EXPOSED: [HeaderName; 5] = [
    HeaderName::from_static("x-amzn-requestid"),
    HeaderName::from_static("x-amzn-errortype"),
    HeaderName::from_static("x-amz-retry-after"),
    header::RETRY_AFTER,
    header::DATE,
];

/// How long a browser remembers what it may send.
const REMEMBERED: Duration = Duration::from_secs(600);

/// The origins that the settings name.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownPages(Vec<HeaderValue>);

impl KnownPages {
    /// `origins` as browsers write them, such as `https://shop.example:8443`.
    pub(super) fn new(origins: &[String]) -> Self {
        Self(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect())
    }

    /// True for a call of one of them, or the question of its browser whether it may call. At `/` alone, where no route is: elsewhere
    /// the cookie of a page on a neighbouring name would vouch for it.
    pub(super) fn may_send(&self, request: &Request) -> bool {
        let headers = request.headers();
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let is_known = matches!((origins.next(), origins.next()), (Some(origin), None) if self.0.contains(origin));
        let is_call = request.method() == Method::POST && rekognition::is_meant(headers);
        is_known && request.uri().path() == "/" && (is_call || request.method() == Method::OPTIONS)
    }

    /// Answers such questions, and lets the pages read the answers to their calls. `None` without pages.
    pub(super) fn layer(&self) -> Option<CorsLayer> {
        if self.0.is_empty() {
            return None;
        }
        let layer = CorsLayer::new()
            .allow_origin(AllowOrigin::list(self.0.clone()))
            .allow_methods([Method::POST])
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers(EXPOSED)
            .max_age(REMEMBERED);
        Some(layer)
    }
}

/// True for an origin as browsers write it: scheme, host, and a port if it is not that of the scheme.
pub fn is_origin(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let usual = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return false,
    };
    rest.parse::<Authority>().is_ok_and(|authority| {
        let is_bare = !rest.contains('@') && text == text.to_ascii_lowercase();
        is_bare && authority.port_u16() != Some(usual)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_scheme_a_host_and_at_most_a_port() {
        for good in ["https://shop.example", "http://localhost:3000", "https://192.168.1.9:8443"] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "",
            "*",
            "null",
            "shop.example",
            "https://shop.example/",
            "https://a@b",
            "ftp://a",
            "https://Shop.example",
            "https://a:443",
            "http://a:80",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
