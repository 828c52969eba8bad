//! An answer that goes on for hours, such as events as they come or live video, ends with the session that it was given to.

use crate::http::login::reception::Reception;
use crate::http::login::ticket::TicketDigest;
use axum::body::{Body, Bytes};
use axum::response::Response;
use hyper::body::{Body as _, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The session that a request came with. A connection that has become something else than HTTP asks it whether to go on.
#[derive(Clone, Debug)]
pub(in crate::http) struct Presence {
    reception: Reception,
    ticket: TicketDigest,
}

impl Presence {
    pub(super) fn new(reception: Reception, ticket: TicketDigest) -> Self {
        Self { reception, ticket }
    }

    /// True while the session is in force. A page that nobody looks at asks for nothing, and receives what it has asked for: so
    /// that is no use.
    pub(in crate::http) fn is_here(&self) -> bool {
        self.reception.has_session(&self.ticket)
    }
}

/// The response, which is cut when the session has ended.
pub(super) fn until_the_end(response: Response, reception: Reception, ticket: TicketDigest) -> Response {
    // What has a length is over soon, and an answer that is cut would be a broken one.
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    response.map(|body| Body::new(Stay { body, presence: Presence::new(reception, ticket) }))
}

struct Stay {
    body: Body,
    presence: Presence,
}

impl hyper::body::Body for Stay {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        match frame {
            Poll::Ready(Some(_)) if !self.presence.is_here() => Poll::Ready(None),
            frame => frame,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
