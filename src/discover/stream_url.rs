//! URLs of streams and pictures that a camera names: which are accepted, and how they look from here.

use crate::discover::device_url::{Parts, in_url};

/// An accepted URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Accepted {
    /// Without user and password, at the host that was asked.
    pub(super) url: String,
    /// The host that the camera named, if it was another one.
    pub(super) named_host: Option<String>,
}

/// The schemes of streams.
pub(super) const STREAMS: [&str; 2] = ["rtsp", "rtsps"];

/// The schemes of pictures.
pub(super) const PICTURES: [&str; 2] = ["http", "https"];

/// Accepts a URL of these schemes, with the host that was asked: a camera behind NAT names an address of its own network,
/// and some name 0.0.0.0.
///
/// # Errors
/// What is wrong with it.
pub(super) fn accept(url: &str, schemes: &[&str], asked_host: &str) -> Result<Accepted, String> {
    let parts = Parts::split(url).ok_or("is not a URL")?;
    let scheme = parts.scheme.to_ascii_lowercase();
    if !schemes.contains(&scheme.as_str()) {
        return Err(format!("is {scheme}://, not {}://", schemes.join(":// or ")));
    }
    let port = parts.port.map(|port| format!(":{port}")).unwrap_or_default();
    let named_host = (!parts.host.eq_ignore_ascii_case(asked_host)).then(|| parts.host.to_owned());
    Ok(Accepted { url: format!("{scheme}://{}{port}{}", in_url(asked_host), parts.rest), named_host })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_host_is_replaced_and_told_and_a_login_is_dropped() {
        let of = |url: &str| {
            let accepted = accept(url, &STREAMS, "10.0.0.5").unwrap();
            (accepted.url, accepted.named_host)
        };
        assert_eq!(of("rtsp://10.0.0.5:554/a?b=c#d"), ("rtsp://10.0.0.5:554/a?b=c#d".into(), None));
        assert_eq!(of("RTSP://admin:p@ss@0.0.0.0/a"), ("rtsp://10.0.0.5/a".into(), Some("0.0.0.0".into())));
        assert_eq!(of("rtsps://[fe80::1]:322/a"), ("rtsps://10.0.0.5:322/a".into(), Some("fe80::1".into())));
        assert_eq!(accept("rtsp://h/a", &STREAMS, "fe80::1").unwrap().url, "rtsp://[fe80::1]/a");
    }

    #[test]
    fn other_schemes_and_odd_characters_are_refused() {
        for url in [
            "http://h/a",
            "file:///etc/passwd",
            "javascript:x",
            "",
            "rtsp://",
            "rtsp://h/\"\nid = 1",
            "rtsp://h/\u{e9}",
        ] {
            assert!(accept(url, &STREAMS, "h").is_err(), "{url}");
        }
        assert!(accept("http://h/a", &PICTURES, "h").is_ok());
    }
}
