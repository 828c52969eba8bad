//! Which names and which web pages a request may come with.
//!
//! A browser on the box, or on a computer that reaches it, sends requests for any page that it shows. A page can ask the
//! box by its own name (another origin), or make a name of its own lead here (DNS rebinding), so that the browser takes
//! the box for the page's server and lets it read the answers. The first is seen by `Origin` and `Sec-Fetch-Site`, the
//! second by `Host`. Programs send neither of the first two, and one `Host`.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use std::net::IpAddr;

/// How a browser says where the page of a request comes from.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Why a request is refused before its route sees it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Unwelcome {
    /// No `Host`, several, or one that is none.
    #[error("send exactly one Host header, with a host and at most a port")]
    NoSingleHost,
    /// The box does not have this name.
    #[error(
        "`{0}` is not a name of this box: ask for localhost, 127.0.0.1 or [::1], or add the name to `names` of [http] in \
         the settings"
    )]
    UnknownName(String),
    /// A web page of another origin sent it.
    #[error("web pages of other origins may not use this box")]
    OtherOrigin,
    /// Only a cookie vouches for it, and it does not say which page sends it.
    #[error("a request that a cookie vouches for must say by `Origin` that the box's own page sends it")]
    NoOrigin,
}

impl Unwelcome {
    /// The status of its answer.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NoSingleHost => StatusCode::BAD_REQUEST,
            Self::UnknownName(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::OtherOrigin | Self::NoOrigin => StatusCode::FORBIDDEN,
        }
    }

    /// The word for programs and metrics.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::NoSingleHost | Self::UnknownName(_) => "host",
            Self::OtherOrigin | Self::NoOrigin => "origin",
        }
    }
}

/// The host, with its port, that a request names.
///
/// # Errors
/// [`Unwelcome::NoSingleHost`]; also if the target of the request names another one.
pub(super) fn host(headers: &HeaderMap, target: &Uri) -> Result<Authority, Unwelcome> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(Unwelcome::NoSingleHost) };
    let host = host.to_str().ok().filter(|host| !host.contains('@')).and_then(|host| host.parse::<Authority>().ok());
    let host = host.ok_or(Unwelcome::NoSingleHost)?;
    match target.authority() {
        Some(named) if *named != host => Err(Unwelcome::NoSingleHost),
        _ => Ok(host),
    }
}

/// Refuses what a web page of another origin sends. `host` is that of the request.
///
/// # Errors
/// [`Unwelcome::OtherOrigin`].
pub(super) fn judge_origin(headers: &HeaderMap, host: &Authority) -> Result<(), Unwelcome> {
    let is_own = |origin: &HeaderValue| {
        let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        authority.is_some_and(|(_, authority)| authority.parse::<Authority>().is_ok_and(|origin| origin == *host))
    };
    // `none`: a person has typed the address. A page of another port of this host is `same-site`.
    let is_inside = |site: &HeaderValue| site == "same-origin" || site == "none";
    let has_own_origin = headers.get_all(header::ORIGIN).iter().all(is_own);
    match has_own_origin && headers.get_all(SEC_FETCH_SITE).iter().all(is_inside) {
        true => Ok(()),
        false => Err(Unwelcome::OtherOrigin),
    }
}

/// Judges a request that changes something, or opens a WebSocket, and that a cookie alone vouches for. Browsers send `Origin`
/// with all of these. [`judge_origin`] has compared it with the host; over TLS it must be a page that came over TLS, too.
///
/// # Errors
/// [`Unwelcome::NoOrigin`] and [`Unwelcome::OtherOrigin`].
pub(super) fn judge_cookie(headers: &HeaderMap, is_tls: bool) -> Result<(), Unwelcome> {
    let origin = headers.get(header::ORIGIN).ok_or(Unwelcome::NoOrigin)?;
    match !is_tls || origin.as_bytes().starts_with(b"https://") {
        true => Ok(()),
        false => Err(Unwelcome::OtherOrigin),
    }
}

/// Refuses names that are neither loopback's nor configured.
///
/// # Errors
/// [`Unwelcome::UnknownName`].
pub(super) fn judge_name(host: &Authority, configured: &[String]) -> Result<(), Unwelcome> {
    let name = host.host().trim_start_matches('[').trim_end_matches(']');
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_loopback = match name.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    };
    match is_loopback || configured.iter().any(|configured| configured.eq_ignore_ascii_case(name)) {
        true => Ok(()),
        false => Err(Unwelcome::UnknownName(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn judge(list: &[(&'static str, &str)]) -> Result<(), Unwelcome> {
        let headers = headers(list);
        let host = host(&headers, &Uri::from_static("/api/status"))?;
        judge_origin(&headers, &host)?;
        judge_name(&host, &["box.lan".to_owned(), "192.168.1.9".to_owned()])
    }

    #[test]
    fn loopback_and_configured_names_are_names_of_the_box_whatever_the_port() {
        for host in [
            "localhost",
            "LOCALHOST:8480",
            "localhost.",
            "127.0.0.1:9000",
            "127.8.0.1",
            "[::1]:8480",
            "[::ffff:127.0.0.1]",
            "box.LAN:8480",
            "192.168.1.9",
        ] {
            assert_eq!(judge(&[("host", host)]), Ok(()), "{host}");
        }
        for host in
            ["evil.example", "evil.example:8480", "localhost.evil.example", "10.0.0.1", "0.0.0.0", "[::]", "box"]
        {
            assert!(matches!(judge(&[("host", host)]), Err(Unwelcome::UnknownName(_))), "{host}");
        }
    }

    #[test]
    fn a_request_names_exactly_one_host() {
        assert_eq!(judge(&[]), Err(Unwelcome::NoSingleHost));
        assert_eq!(judge(&[("host", "localhost"), ("host", "localhost")]), Err(Unwelcome::NoSingleHost));
        for host in ["", "a b", "localhost/x", "evil.example@localhost", "http://localhost"] {
            assert_eq!(judge(&[("host", host)]), Err(Unwelcome::NoSingleHost), "{host:?}");
        }
        let (own, other) = (Uri::from_static("http://localhost/x"), Uri::from_static("http://evil.example/x"));
        let headers = headers(&[("host", "localhost")]);
        assert!(host(&headers, &own).is_ok());
        assert_eq!(host(&headers, &other), Err(Unwelcome::NoSingleHost), "the target counts as well");
    }

    #[test]
    fn a_cookie_needs_the_origin_of_a_page_that_came_as_safely() {
        let judge = |origin: &str, is_tls| judge_cookie(&headers(&[("origin", origin)]), is_tls);
        assert_eq!(judge_cookie(&HeaderMap::new(), false), Err(Unwelcome::NoOrigin));
        assert_eq!(judge_cookie(&HeaderMap::new(), true), Err(Unwelcome::NoOrigin));
        assert_eq!(judge("https://box.lan", true), Ok(()));
        assert_eq!(judge("http://box.lan", true), Err(Unwelcome::OtherOrigin));
        assert_eq!(judge("http://localhost:8480", false), Ok(()));
    }

    #[test]
    fn pages_of_other_origins_are_refused_also_those_of_another_port() {
        let with = |name, value| judge(&[("host", "localhost:8480"), (name, value)]);
        for origin in ["http://localhost:8480", "https://LOCALHOST:8480"] {
            assert_eq!(with("origin", origin), Ok(()), "{origin}");
        }
        for origin in ["http://evil.example", "http://localhost:3000", "http://localhost", "null", "", "localhost:8480"]
        {
            assert_eq!(with("origin", origin), Err(Unwelcome::OtherOrigin), "{origin:?}");
        }
        for (site, is_inside) in [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false)] {
            assert_eq!(with("sec-fetch-site", site).is_ok(), is_inside, "{site}");
        }
        let both = [("host", "localhost"), ("origin", "http://localhost"), ("origin", "http://evil.example")];
        assert_eq!(judge(&both), Err(Unwelcome::OtherOrigin));
    }
}
