//! One bounded HTTP request on a connection of its own. No redirect is followed: the login is for this host.

use crate::discover::ask_error::{AskError, HttpError, REQUEST_LIMIT};
use crate::discover::device_url::DeviceUrl;
use crate::discover::envelope::Request;
use crate::discover::xml_tree::MAX_BYTES;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, USER_AGENT, WWW_AUTHENTICATE};
use hyper_util::rt::TokioIo;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The longest head of an answer.
const MAX_HEAD_BYTES: usize = 32 << 10;

/// An answer.
#[derive(Debug)]
pub(super) struct HttpAnswer {
    /// The status code.
    pub(super) status: u16,
    /// It asks for a login by HTTP digest.
    pub(super) wants_digest: bool,
    /// The body.
    pub(super) body: Bytes,
}

/// Sends a request to a service of a camera that has this address.
///
/// # Errors
/// [`AskError`]: the camera is not reachable, does not answer in time, or answers no HTTP, or too much of it.
pub(super) async fn post(
    address: IpAddr,
    url: &DeviceUrl,
    request: Request<'_>,
    document: String,
) -> Result<HttpAnswer, AskError> {
    timeout(REQUEST_LIMIT, send(address, url, request, document)).await.unwrap_or(Err(AskError::TimedOut))
}

async fn send(
    address: IpAddr,
    url: &DeviceUrl,
    request: Request<'_>,
    document: String,
) -> Result<HttpAnswer, AskError> {
    let stream = TcpStream::connect(SocketAddr::new(address, url.port)).await.map_err(|error| match error.kind() {
        ErrorKind::ConnectionRefused => AskError::Refused(url.port),
        ErrorKind::TimedOut => AskError::TimedOut,
        _ => AskError::Unreachable(error),
    })?;
    let not_http = |error| AskError::NotHttp(HttpError::Answer(error));
    let mut client = http1::Builder::new();
    // Cameras write headers by hand.
    client
        .max_buf_size(MAX_HEAD_BYTES)
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .ignore_invalid_headers_in_responses(true);
    let (mut sender, connection) = client.handshake(TokioIo::new(stream)).await.map_err(not_http)?;
    // Dropped with this future, which closes the connection.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let content_type = format!("application/soap+xml; charset=utf-8; action=\"{}\"", request.action());
    let message = hyper::Request::post(&url.path)
        .header(HOST, url.authority())
        .header(USER_AGENT, concat!("ocelli/", env!("CARGO_PKG_VERSION")))
        .header(CONTENT_TYPE, content_type)
        .header(CONNECTION, "close")
        .body(Full::new(Bytes::from(document)))
        .map_err(|error| AskError::NotHttp(HttpError::Request(error)))?;
    let (head, body) = sender.send_request(message).await.map_err(not_http)?.into_parts();
    let challenges = head.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let wants_digest = challenges.into_iter().any(|text| text.to_ascii_lowercase().contains("digest"));
    let body =
        Limited::new(body, MAX_BYTES).collect().await.map_err(|error| match error.downcast::<hyper::Error>() {
            Ok(error) => not_http(*error),
            Err(error) => {
                debug_assert!(error.is::<LengthLimitError>(), "{error}");
                AskError::TooLong { request: request.name(), limit: MAX_BYTES }
            }
        })?;
    Ok(HttpAnswer { status: head.status.as_u16(), wants_digest, body: body.to_bytes() })
}
