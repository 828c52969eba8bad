//! Bodies that tell their connection what they do: a request's when it has come whole, an answer's that it is read.

use crate::http::connections::Connection;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// The body. Until it has come whole its connection is one that may have to go.
#[derive(Debug)]
pub(super) struct WatchedBody {
    body: Incoming,
    connection: Arc<Connection>,
}

impl WatchedBody {
    /// Of a request whose head has come.
    pub(super) fn new(body: Incoming, connection: Arc<Connection>) -> Self {
        if body.is_end_stream() {
            connection.serving();
        } else {
            connection.receiving();
        }
        Self { body, connection }
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.connection.serving();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body. Each part that is taken shows that its reader is there: a long answer is no idle connection, but
/// one that nobody reads becomes one.
#[derive(Debug)]
pub(super) struct AnswerBody {
    body: axum::body::Body,
    connection: Arc<Connection>,
}

impl AnswerBody {
    /// Of a request that has been answered.
    pub(super) fn new(body: axum::body::Body, connection: Arc<Connection>) -> Self {
        connection.idle();
        Self { body, connection }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.connection.idle();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
