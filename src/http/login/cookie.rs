//! The cookie that stands for a session.
//!
//! Over TLS its name begins with `__Host-`: browsers then take it from this host alone, and only over TLS. Cookies do not know
//! ports, so the port is a part of the name: two boxes behind two tunnels do not log each other out.

use crate::http::login::ticket::TicketDigest;
use crate::http::same_origin;
use crate::secret::Secret;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use std::time::Duration;

/// Cookies of that name that are looked at; a browser sends one.
const MOST: usize = 4;

/// The cookie of one address of the box.
#[derive(Clone, Debug)]
pub(in crate::http) struct SessionCookie {
    name: String,
    is_tls: bool,
}

impl SessionCookie {
    /// The cookie for requests like this one.
    pub(in crate::http) fn of(request: &Request, is_tls: bool) -> Self {
        Self::of_parts(request.headers(), request.uri(), is_tls)
    }

    /// [`Self::of`] for a request whose body is apart.
    pub(in crate::http) fn of_parts(headers: &HeaderMap, target: &Uri, is_tls: bool) -> Self {
        let port = same_origin::host(headers, target).ok().and_then(|host| host.port_u16());
        let port = port.unwrap_or(if is_tls { 443 } else { 80 });
        let prefix = if is_tls { "__Host-" } else { "" };
        Self { name: format!("{prefix}ocelli-{port}"), is_tls }
    }

    /// The tickets that a request shows.
    pub(in crate::http) fn tickets(&self, headers: &HeaderMap) -> Vec<TicketDigest> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs
            .filter(|(name, _)| *name == self.name)
            .take(MOST)
            .filter_map(|(_, value)| TicketDigest::of(value))
            .collect()
    }

    /// `Set-Cookie` for a new session, which lasts no longer than this.
    pub(in crate::http) fn set(&self, ticket: &Secret, longest: Duration) -> Option<HeaderValue> {
        self.line(ticket.reveal(), longest)
    }

    /// `Set-Cookie` that has the browser forget it.
    pub(in crate::http) fn forget(&self) -> Option<HeaderValue> {
        self.line("", Duration::ZERO)
    }

    fn line(&self, value: &str, lifetime: Duration) -> Option<HeaderValue> {
        let secure = if self.is_tls { "; Secure" } else { "" };
        let (name, seconds) = (&self.name, lifetime.as_secs());
        let line = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
        let mut line = HeaderValue::from_str(&line).ok()?;
        line.set_sensitive(true);
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::login::ticket;

    fn cookie(host: &str, is_tls: bool) -> SessionCookie {
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_str(host).unwrap())]);
        SessionCookie::of_parts(&headers, &Uri::from_static("/"), is_tls)
    }

    #[test]
    fn scripts_do_not_see_it_and_other_sites_do_not_send_it() {
        let hour = Duration::from_secs(3600);
        let plain = cookie("localhost:8480", false).set(&Secret::new("abc"), hour).unwrap();
        assert_eq!(plain, "ocelli-8480=abc; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict");
        let tls = cookie("box.lan", true).set(&Secret::new("abc"), hour).unwrap();
        assert_eq!(tls, "__Host-ocelli-443=abc; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict; Secure");
        let forgotten = cookie("box.lan:8443", true).forget().unwrap();
        assert!(forgotten.to_str().unwrap().starts_with("__Host-ocelli-8443=; Path=/; Max-Age=0;"));
        assert!(!format!("{plain:?}").contains("abc"));
    }

    #[test]
    fn it_is_found_among_others_and_another_name_is_not_it() {
        let ((ticket, digest), cookie) = (ticket::make().unwrap(), cookie("localhost:8480", false));
        let of = |lines: &[String]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_str(line).unwrap());
            }
            cookie.tickets(&headers)
        };
        let shown = format!("ocelli-8480={}", ticket.reveal());
        assert_eq!(of(&[format!("theme=dark; {shown}; x")]), [digest]);
        assert_eq!(of(&["a=b".into(), format!("ocelli-8480=tossed; {shown}")]), [digest]);
        for other in [format!("ocelli-8481={}", ticket.reveal()), format!("__Host-{shown}"), "ocelli-8480=".into()] {
            assert_eq!(of(&[other]), []);
        }
        assert_eq!(of(&vec![shown; 100]).len(), 4);
    }
}
