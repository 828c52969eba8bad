//! A request to a running daemon's own server, for the command line.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long one answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// Carries a connection, and drops it when it is dropped.
type Carrier = JoinSet<hyper::Result<()>>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("no daemon answers at {0}: is `ocelli run` running, with this configuration?")]
    Connect(SocketAddr, #[source] std::io::Error),
    /// It takes too long.
    #[error("the daemon did not answer in time")]
    TimedOut,
    /// It says why not.
    #[error("{0}")]
    Refused(String),
    /// It is no HTTP, or no JSON.
    #[error("the daemon's answer cannot be read: {0}")]
    Answer(String),
}

/// Sends a request and reads the answer: status code and JSON.
///
/// # Errors
/// [`ClientError`].
pub async fn request(
    address: SocketAddr,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<(u16, Value), ClientError> {
    let (status, bytes) = exchange(address, method, path, body).await?;
    let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
    Ok((status, serde_json::from_slice(&bytes).unwrap_or_else(|_| text())))
}

/// Sends a request and reads the answer: status code and bytes.
///
/// # Errors
/// [`ClientError`].
pub async fn exchange(
    address: SocketAddr,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<(u16, Vec<u8>), ClientError> {
    timeout(ANSWER_LIMIT, converse(address, method, path, body)).await.map_err(|_| ClientError::TimedOut)?
}

async fn converse(
    address: SocketAddr,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<(u16, Vec<u8>), ClientError> {
    let (status, body, _running) = send(address, method, path, body).await?;
    let bytes = to_bytes(Body::new(body), MAX_ANSWER_BYTES).await;
    Ok((status.as_u16(), bytes.map_err(|error| ClientError::Answer(error.to_string()))?.into()))
}

/// Sends a request: the status, the body that comes, and what carries it, which must live as long.
async fn send(
    address: SocketAddr,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<(StatusCode, Incoming, Carrier), ClientError> {
    let unreadable = |error: &dyn std::fmt::Display| ClientError::Answer(error.to_string());
    let stream = TcpStream::connect(address).await.map_err(|error| ClientError::Connect(address, error))?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| unreadable(&error))?;
    let mut carrier = Carrier::new();
    carrier.spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, address.to_string())
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
    let response = sender.send_request(request.map_err(|error| unreadable(&error))?).await;
    let (parts, body) = response.map_err(|error| unreadable(&error))?.into_parts();
    Ok((parts.status, body, carrier))
}

/// Asks for lines, and shows each as it comes; empty ones are passed over. Ends when the daemon has no more.
///
/// # Errors
/// [`ClientError`].
pub async fn read_lines(address: SocketAddr, path: &str, mut show: impl FnMut(&str)) -> Result<(), ClientError> {
    let (status, mut body, _running) =
        timeout(ANSWER_LIMIT, send(address, Method::GET, path, None)).await.map_err(|_| ClientError::TimedOut)??;
    let mut text = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ClientError::Answer(error.to_string()))?;
        text.extend(frame.into_data().unwrap_or_default());
        if status != StatusCode::OK {
            continue;
        }
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = text.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            if !line.trim().is_empty() {
                show(line.trim());
            }
        }
        if text.len() > MAX_ANSWER_BYTES {
            return Err(ClientError::Answer("a line never ends".into()));
        }
    }
    if status == StatusCode::OK {
        return Ok(());
    }
    let answer: Value = serde_json::from_slice(&text).unwrap_or_default();
    Err(ClientError::Refused(answer["error"]["message"].as_str().unwrap_or(status.as_str()).to_owned()))
}

pub use axum::http::Method as HttpMethod;
