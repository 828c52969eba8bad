//! URLs of ONVIF services: what the operator types, and what cameras say of themselves.

use std::net::IpAddr;

/// Where the device service of a camera is, unless it says otherwise.
const DEVICE_SERVICE: &str = "/onvif/device_service";

/// An `http://` URL in its parts.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct DeviceUrl {
    /// A name or an address, IPv6 without brackets.
    pub(crate) host: String,
    /// TCP.
    pub(crate) port: u16,
    /// Path and query, from the slash.
    pub(crate) path: String,
}

/// A URL in its parts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Parts<'a> {
    /// As it is written.
    pub(super) scheme: &'a str,
    /// `user:password`, without the `@`.
    pub(super) user_info: Option<&'a str>,
    /// IPv6 without brackets.
    pub(super) host: &'a str,
    /// Absent: that of the scheme.
    pub(super) port: Option<u16>,
    /// Path and query, from the slash; empty if there is none.
    pub(super) rest: &'a str,
}

impl<'a> Parts<'a> {
    /// Splits a URL. `None` if it is not one, or has characters that no URL has.
    pub(super) fn split(url: &'a str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'`');
        if !url.bytes().all(is_plain) {
            return None;
        }
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        // A password may have an `@` of its own.
        let (user_info, place) = match authority.rsplit_once('@') {
            Some((user_info, place)) => (Some(user_info), place),
            None => (None, authority),
        };
        let (host, port) = match place.strip_prefix('[') {
            Some(place) => {
                let (host, after) = place.split_once(']')?;
                host.parse::<std::net::Ipv6Addr>().ok()?;
                (host, after.strip_prefix(':').or(if after.is_empty() { Some("") } else { None })?)
            }
            None => place.split_once(':').unwrap_or((place, "")),
        };
        let port = match port {
            "" => None,
            port => Some(port.parse().ok().filter(|port| *port != 0)?),
        };
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
        (!host.is_empty() && host.bytes().all(is_host)).then_some(Self { scheme, user_info, host, port, rest })
    }
}

impl DeviceUrl {
    /// Reads what an operator types: `192.168.1.20`, `camera.lan:8000`, `http://192.168.1.20/onvif/device_service`.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let full = match text.contains("://") {
            true => text.to_owned(),
            // An IPv6 address without brackets.
            false if text.parse::<std::net::Ipv6Addr>().is_ok() => format!("http://[{text}]"),
            false => format!("http://{text}"),
        };
        let wrong = || "is neither a host nor a URL such as http://192.168.1.20/onvif/device_service".to_owned();
        let parts = Parts::split(&full).ok_or_else(wrong)?;
        if parts.user_info.is_some() {
            return Err(
                "has a user or password, which everybody on this box could read: use --user and --password-file".into(),
            );
        }
        match parts.scheme.to_ascii_lowercase().as_str() {
            "http" => {}
            "https" => {
                return Err(
                    "is https, which discover does not speak: use http, on which the login is only sent as a digest"
                        .into(),
                );
            }
            "rtsp" | "rtsps" => return Err("is a stream already: add it with `ocelli camera add`".into()),
            _ => return Err(wrong()),
        }
        let path = match parts.rest {
            "" | "/" => DEVICE_SERVICE,
            path if path.starts_with('/') => path,
            _ => return Err(wrong()),
        };
        Ok(Self { host: parts.host.to_owned(), port: parts.port.unwrap_or(80), path: path.to_owned() })
    }

    /// The device service that a camera names in its answer to a probe, at the address that the answer came from: only that
    /// one is known to be its own. Prefers a URL that names this address.
    pub(crate) fn of_answer(addresses: &[String], sender: IpAddr) -> Option<Self> {
        let host = sender.to_string();
        let usable = || addresses.iter().filter_map(|url| Self::parse(url).ok());
        let url = usable().find(|url| url.host == host).or_else(|| usable().next())?;
        Some(Self { host, ..url })
    }

    /// A service that the camera names, seen from here. Cameras behind NAT name addresses of their own network, and the login
    /// must go nowhere but to the host that was asked: its host and port are used instead then. The flag tells so.
    pub(super) fn service(&self, url: Option<&str>) -> (Self, bool) {
        let Some(parts) = url.and_then(Parts::split).filter(|parts| !parts.rest.is_empty()) else {
            return (self.clone(), false);
        };
        let path = if parts.rest.starts_with('/') { parts.rest.to_owned() } else { format!("/{}", parts.rest) };
        let is_same = parts.host.eq_ignore_ascii_case(&self.host);
        // An https service is usually there over http as well, at the port that was asked.
        let port = match parts.scheme.eq_ignore_ascii_case("http") && is_same {
            true => parts.port.unwrap_or(80),
            false => self.port,
        };
        (Self { host: self.host.clone(), port, path }, !is_same)
    }

    /// Host and port, as in a `Host` header.
    pub(crate) fn authority(&self) -> String {
        let host = in_url(&self.host);
        if self.port == 80 { host } else { format!("{host}:{}", self.port) }
    }
}

impl std::fmt::Display for DeviceUrl {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "http://{}{}", self.authority(), self.path)
    }
}

/// A host as it is written in a URL.
pub(super) fn in_url(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_enough_and_a_url_is_kept() {
        for (text, expected) in [
            ("192.168.1.20", "http://192.168.1.20/onvif/device_service"),
            ("camera.lan:8000", "http://camera.lan:8000/onvif/device_service"),
            ("HTTP://10.0.0.5:80/", "http://10.0.0.5/onvif/device_service"),
            ("http://10.0.0.5/onvif/device?x=1", "http://10.0.0.5/onvif/device?x=1"),
            ("fe80::1", "http://[fe80::1]/onvif/device_service"),
            ("[fe80::1]:81", "http://[fe80::1]:81/onvif/device_service"),
        ] {
            assert_eq!(DeviceUrl::parse(text).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn what_cannot_be_asked_is_refused_with_the_cure() {
        for (text, words) in [
            ("http://admin:x@10.0.0.5/", "--password-file"),
            ("https://10.0.0.5/", "use http"),
            ("rtsp://10.0.0.5/", "camera add"),
            ("ftp://10.0.0.5/", "such as"),
            ("", "such as"),
            ("10.0.0.5:0", "such as"),
            ("10.0.0.5:99999", "such as"),
            ("a b", "such as"),
            ("http://10.0.0.5?x", "such as"),
            ("http://[::1]x/", "such as"),
        ] {
            assert!(DeviceUrl::parse(text).unwrap_err().contains(words), "{text}");
        }
    }

    #[test]
    fn a_probe_is_answered_for_the_sender_only() {
        let of = |addresses: &[&str]| {
            let addresses: Vec<String> = addresses.iter().map(|url| (*url).to_owned()).collect();
            DeviceUrl::of_answer(&addresses, "10.0.0.5".parse().unwrap()).map(|url| url.to_string())
        };
        assert_eq!(of(&["http://[fe80::1]/a", "http://10.0.0.5:81/b"]), Some("http://10.0.0.5:81/b".into()));
        assert_eq!(of(&["http://victim.example:81/a"]), Some("http://10.0.0.5:81/a".into()));
        assert_eq!(of(&["http://0.0.0.0/a"]), Some("http://10.0.0.5/a".into()));
        assert_eq!(of(&["https://10.0.0.5/a"]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn services_are_asked_at_the_host_that_was_asked() {
        let asked = DeviceUrl::parse("http://box.lan:8080/onvif/device_service").unwrap();
        let service = |url: &str| {
            let (url, is_moved) = asked.service(Some(url));
            (url.to_string(), is_moved)
        };
        assert_eq!(service("http://box.lan:8899/onvif/media"), ("http://box.lan:8899/onvif/media".into(), false));
        assert_eq!(service("http://BOX.lan/onvif/media"), ("http://box.lan/onvif/media".into(), false));
        assert_eq!(service("http://192.168.0.9:80/m"), ("http://box.lan:8080/m".into(), true));
        assert_eq!(service("https://box.lan:443/m"), ("http://box.lan:8080/m".into(), false));
        assert_eq!(service("no url"), (asked.to_string(), false));
        assert_eq!(asked.service(None), (asked.clone(), false));
    }
}
