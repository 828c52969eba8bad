//! Who may use `/api`: asked before each of its requests, on every listener.
//!
//! A program shows the token, or comes over the Unix socket, and may do everything. A browser sends the cookie of a session by
//! itself, for whatever page it shows. So what a cookie alone vouches for is done only if the browser says, by `Origin`, that
//! the box's own page asks; and a viewer may only look.

use crate::http::connections::Peer;
use crate::http::door::{Door, answer};
use crate::http::login::cookie::SessionCookie;
use crate::http::login::reception::Reception;
use crate::http::login::sessions::Holder;
use crate::http::login::stay::{Presence, until_the_end};
use crate::http::login::subject::{self, only_reads};
use crate::http::login::viewer::ViewerRole;
use crate::http::login::visitor::{Visitor, Who, peer_of};
use crate::http::same_origin;
use crate::secret::Secret;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// What opens the gate of a listener.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::http) enum Entrance {
    /// On the box: nothing is asked.
    Open,
    /// On the box: the token, or a session.
    Token,
    /// Beyond it, over TLS: the session of a person.
    People,
}

/// The gate of one listener.
#[derive(Clone, Debug)]
pub(in crate::http) struct Gate {
    pub(in crate::http) door: Door,
    pub(in crate::http) reception: Reception,
    pub(in crate::http) entrance: Entrance,
}

/// The one path that says who has looked, which a viewer may not read.
pub(in crate::http) const ACCESS: &str = "/api/access";

impl Gate {
    /// The cookie of this listener's sessions.
    pub(in crate::http) fn cookie(&self, request: &Request) -> SessionCookie {
        SessionCookie::of(request, self.is_tls())
    }

    pub(in crate::http) fn is_tls(&self) -> bool {
        self.entrance == Entrance::People
    }

    /// True if nothing of what people use is served here: beyond the box, while the settings have no people.
    pub(in crate::http) fn is_shut(&self) -> bool {
        self.entrance == Entrance::People && !self.reception.has_viewers()
    }

    /// True if this is the token that opens this gate. Beyond the box none does.
    pub(in crate::http) fn takes(&self, token: &Secret) -> bool {
        self.entrance == Entrance::Token && self.door.is_token(token)
    }

    /// Who has sent a request; `None` if nothing vouches for it.
    fn identify(&self, request: &Request) -> Option<Visitor> {
        let peer = peer_of(request);
        let with_all_rights =
            |who: Who| Some(Visitor { who, role: ViewerRole::Operator, peer, expires_in: None, ticket: None });
        if matches!(peer, Peer::User(_)) {
            return with_all_rights(Who::Socket);
        }
        if self.entrance == Entrance::Token && self.door.is_token_shown(request.headers()) {
            return with_all_rights(Who::Token);
        }
        let session = self.reception.session(&self.cookie(request).tickets(request.headers()));
        match session.filter(|(_, session, _)| self.entrance != Entrance::People || !session.holder.is_of_the_box()) {
            Some((ticket, session, left)) => {
                let who = match session.holder {
                    Holder::Viewer(name) => Who::Viewer(name),
                    Holder::Link => Who::Link,
                    Holder::Token => Who::Token,
                };
                Some(Visitor { who, role: session.role, peer, expires_in: Some(left), ticket: Some(ticket) })
            }
            None if self.entrance == Entrance::Open => with_all_rights(Who::Anyone),
            None => None,
        }
    }

    /// Nothing vouches for the request: says what would, for programs, people, and the page.
    fn refuse_stranger(&self) -> Response {
        let (code, message, challenge) = match self.entrance {
            Entrance::People => ("login", "log in first".to_owned(), "Cookie"),
            Entrance::Open | Entrance::Token => ("token", self.door.cure(), "Bearer"),
        };
        self.door.count(code, &"nothing vouches for it: neither a token nor a session");
        let login = json!({"password": self.reception.has_viewers(), "link": !self.is_tls()});
        let body = json!({
            "error": {"code": code, "message": message}, "login": login, "__type": code, "message": message,
        });
        let mut response = (StatusCode::UNAUTHORIZED, Json(body)).into_response();
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        response
    }

    /// The refusal of what this visitor may not do.
    fn refusal(&self, visitor: &Visitor, request: &Request) -> Option<Response> {
        let (is_change, path) = (!only_reads(request.method()), request.uri().path());
        if visitor.role == ViewerRole::Viewer && (is_change || path == ACCESS) {
            self.door.count("role", &"a viewer may only look");
            let what = "a viewer may only look: this needs the role `operator`";
            return Some(answer(StatusCode::FORBIDDEN, "role", what));
        }
        let is_upgrade = request.headers().contains_key(header::UPGRADE);
        let needs_origin = visitor.ticket.is_some() && (is_change || is_upgrade);
        let judged = needs_origin.then(|| same_origin::judge_cookie(request.headers(), self.is_tls()));
        judged.and_then(Result::err).map(|why| self.door.refuse(&why))
    }
}

/// Lets a request of `/api` through, or says what it lacks. Writes accesses into the record.
pub(in crate::http) async fn admit(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    if gate.is_shut() {
        return nothing_here();
    }
    let Some(visitor) = gate.identify(&request) else { return gate.refuse_stranger() };
    if let Some(refusal) = gate.refusal(&visitor, &request) {
        return refusal;
    }
    let done = subject::of(request.method(), request.uri().path());
    if let Some(ticket) = visitor.ticket {
        request.extensions_mut().insert(Presence::new(gate.reception.clone(), ticket));
    }
    request.extensions_mut().insert(visitor.clone());
    let mut response = next.run(request).await;
    let has_worked = response.status().is_success() || response.status() == StatusCode::SWITCHING_PROTOCOLS;
    if let Some((deed, subject)) = done.filter(|_| has_worked) {
        gate.reception.note(visitor.who.name(), visitor.peer, deed, &subject);
    }
    let Some(ticket) = visitor.ticket else { return response };
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    until_the_end(response, gate.reception, ticket)
}

/// What a route that is not there answers.
pub(in crate::http) fn nothing_here() -> Response {
    (StatusCode::NOT_FOUND, "there is nothing here\n").into_response()
}
