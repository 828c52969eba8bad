//! Names the box in the responses of its own listeners: whoever asks a port should see which daemon has answered.

use crate::control::Control;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

/// The header with the box's id.
const BOX: HeaderName = HeaderName::from_static("ocelli-box");

/// Adds the header to a response. Who asks for a name that is not the box's does not learn the box's.
pub(super) async fn add(State(control): State<Control>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::MISDIRECTED_REQUEST {
        return response;
    }
    if let Ok(id) = HeaderValue::from_str(&control.box_id()) {
        response.headers_mut().insert(BOX, id);
    }
    response
}

/// The box that sent these headers; `None` if it is none of ours.
pub(super) fn read(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(BOX)?.to_str().ok()?;
    (!id.is_empty()).then(|| id.to_owned())
}
