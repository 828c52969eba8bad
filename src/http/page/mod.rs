//! The web page of the box: its files, which are part of the binary.
//!
//! They hold no secret, so they need no token; what they show comes from `/api`, which asks for one. The policy that goes
//! with them lets the browser load nothing from elsewhere and run no script but these files: names of cameras, labels and
//! reasons come from strangers, and even a mistake in the page cannot make code of them.

mod assets;

use crate::http::same_origin;
use assets::Asset;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

/// The answer to a request for a file of the page; `None` if the page has no such file.
pub(super) fn answer(request: &Request) -> Option<Response> {
    let asset = assets::find(request.uri().path())?;
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    Some(if is_read { shown(asset, request) } else { refused() })
}

fn shown(asset: &'static Asset, request: &Request) -> Response {
    let is_known = has_tag(request.headers(), &asset.tag);
    let mut response = Response::new(if is_known { Body::empty() } else { Body::from(asset.bytes) });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    headers.insert(header::ETAG, asset.tag.clone());
    // Asked for each time, and answered with 304: after an update of ocelli nobody sees files of two versions.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    if let Ok(policy) = HeaderValue::from_str(&content_policy(&sockets(request))) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn refused() -> Response {
    let mut response = Response::new(Body::from("the page is only read\n"));
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// `sockets`: where WebSockets may lead, beside `'self'`.
fn content_policy(sockets: &str) -> String {
    // `'none'` of Trusted Types: the browser refuses text that a script would have it read as HTML.
    format!(
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; \
         connect-src 'self'{sockets}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

/// The same host for WebSockets: not all browsers count them to `'self'`. A policy has no form for IPv6 addresses.
fn sockets(request: &Request) -> String {
    let Ok(host) = same_origin::host(request.headers(), request.uri()) else { return String::new() };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    if !host.host().bytes().all(is_plain) {
        return String::new();
    }
    let port = host.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    format!(" ws://{host}{port} wss://{host}{port}", host = host.host())
}

/// True if the browser has the file with this tag.
fn has_tag(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(|one| one.trim().trim_start_matches("W/"));
    tags.any(|one| one == "*" || one.as_bytes() == tag.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost:8480");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    #[test]
    fn a_file_that_the_browser_has_is_not_sent_again() {
        let first = answer(&request("GET", "/", &[])).unwrap();
        assert_eq!(first.status(), StatusCode::OK);
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        let again = answer(&request("GET", "/", &[("if-none-match", &format!("\"old\", W/{tag}"))])).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let other = answer(&request("GET", "/page/style.css", &[("if-none-match", &tag)])).unwrap();
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[test]
    fn every_file_comes_with_a_policy_that_lets_nothing_else_in() {
        for path in assets::paths() {
            let response = answer(&request("GET", path, &[])).unwrap();
            let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.contains("connect-src 'self' ws://localhost:8480 wss://localhost:8480;"), "{policy}");
            assert!(!policy.contains("unsafe") && !policy.contains(" * "), "{policy}");
            assert_eq!(response.headers()[header::X_FRAME_OPTIONS], "DENY");
        }
        assert!(answer(&request("GET", "/page/none.js", &[])).is_none());
        assert_eq!(answer(&request("POST", "/page/app.js", &[])).unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[test]
    fn a_strange_host_adds_nothing_to_the_policy() {
        for host in ["[::1]:8480", "a;script-src", "x'y"] {
            let request = Request::builder().uri("/").header("host", host).body(Body::empty()).unwrap();
            assert_eq!(sockets(&request), "", "{host}");
        }
    }
}
