//! Requests of the command line to a running daemon, over its Unix socket, or TCP where it has none.

use crate::http::box_name;
use crate::http::settings::HttpSettings;
use axum::body::{Body, to_bytes};
use axum::http::response::Parts;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::fmt::{Display, Formatter};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long a response may take.
pub const RESPONSE_LIMIT: Duration = Duration::from_secs(10);

/// The longest response, or line of one, that is read.
const MAX_RESPONSE_BYTES: usize = 4 << 20;

/// Drives a connection. Dropping it closes the connection.
type Driver = JoinSet<hyper::Result<()>>;

/// Where a daemon can be reached: at its Unix socket, else over TCP. The token of the API is not shown over TCP: while no
/// daemon runs, any program of the box may listen there, and whoever can read the token can use the socket.
#[derive(Clone, Debug)]
pub struct DaemonPlace {
    /// The Unix socket.
    pub socket: PathBuf,
    /// The address of loopback. `None`: its port is not known.
    pub address: Option<SocketAddr>,
}

impl DaemonPlace {
    /// The places of a daemon with these settings.
    pub fn of(settings: &HttpSettings, state_directory: &Path) -> Self {
        let address = (settings.port != 0).then(|| SocketAddr::new(settings.address, settings.port));
        Self { socket: settings.socket_path(state_directory), address }
    }
}

impl Display for DaemonPlace {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.socket.display())?;
        self.address.map_or(Ok(()), |address| write!(out, " or {address}"))
    }
}

/// Why there is no usable response.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing listens at the places.
    #[error("no daemon answers at {0}: is `ocelli run` running, with this configuration?")]
    Connect(DaemonPlace, #[source] std::io::Error),
    /// The socket is another user's, and there is no address.
    #[error("{0} may not be used by this user: become a member of the group `ocelli` (log in again), or root")]
    Denied(PathBuf, #[source] std::io::Error),
    /// The response took too long.
    #[error("the daemon did not answer in time")]
    TimedOut,
    /// The daemon refused, with this reason.
    #[error("{0}")]
    Refused(String),
    /// The response is not HTTP, or too long.
    #[error("the daemon's answer cannot be read: {0}")]
    Answer(String),
}

/// A response, and who sent it.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// The box that answered; `None` if the answer does not say so.
    pub box_id: Option<String>,
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: T,
}

/// Sends a request and returns the response, which may take as long as `limit`.
///
/// # Errors
/// [`ClientError`].
pub async fn exchange(
    place: &DaemonPlace,
    method: Method,
    path: &str,
    body: Option<&Value>,
    limit: Duration,
) -> Result<Answer<Vec<u8>>, ClientError> {
    timeout(limit, send_and_read(place, method, path, body)).await.map_err(|_| ClientError::TimedOut)?
}

async fn send_and_read(
    place: &DaemonPlace,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Answer<Vec<u8>>, ClientError> {
    let (parts, body, _driver) = send(place, method, path, body).await?;
    let bytes = to_bytes(Body::new(body), MAX_RESPONSE_BYTES).await;
    let body = bytes.map_err(|error| ClientError::Answer(error.to_string()))?.into();
    Ok(Answer { box_id: box_name::read(&parts.headers), status: parts.status.as_u16(), body })
}

/// Sends a request and returns the head, the body, and the driver, which must live until the body has been read.
async fn send(
    place: &DaemonPlace,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<(Parts, Incoming, Driver), ClientError> {
    let unreadable = |error: &dyn std::fmt::Display| ClientError::Answer(error.to_string());
    let (handshake, host) = match connect(place).await? {
        Stream::Socket(stream) => (handshake(stream).await, "localhost".to_owned()),
        Stream::Tcp(stream, address) => (handshake(stream).await, address.to_string()),
    };
    let (mut sender, driver) = handshake.map_err(|error| unreadable(&error))?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, host)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
    let response = sender.send_request(request.map_err(|error| unreadable(&error))?).await;
    let (parts, body) = response.map_err(|error| unreadable(&error))?.into_parts();
    Ok((parts, body, driver))
}

enum Stream {
    Socket(UnixStream),
    Tcp(TcpStream, SocketAddr),
}

/// Connects to the socket. A daemon of an older version has none, and a user may lack the right to it: then over TCP.
async fn connect(place: &DaemonPlace) -> Result<Stream, ClientError> {
    let denied = match UnixStream::connect(&place.socket).await {
        Ok(stream) => return Ok(Stream::Socket(stream)),
        Err(error) => error,
    };
    let Some(address) = place.address else {
        return Err(match denied.kind() {
            ErrorKind::PermissionDenied => ClientError::Denied(place.socket.clone(), denied),
            _ => ClientError::Connect(place.clone(), denied),
        });
    };
    let stream = TcpStream::connect(address).await.map_err(|error| ClientError::Connect(place.clone(), error))?;
    Ok(Stream::Tcp(stream, address))
}

async fn handshake<S>(stream: S) -> hyper::Result<(SendRequest<Body>, Driver)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut driver = Driver::new();
    driver.spawn(connection);
    Ok((sender, driver))
}

/// Requests lines and passes each to `show` as it arrives, after the box that answers to `begin`. Skips empty lines, and
/// returns when the daemon ends the response.
///
/// # Errors
/// [`ClientError`].
pub async fn read_lines(
    place: &DaemonPlace,
    path: &str,
    begin: impl FnOnce(Option<String>),
    mut show: impl FnMut(&str),
) -> Result<(), ClientError> {
    let (Parts { status, headers, .. }, mut body, _driver) =
        timeout(RESPONSE_LIMIT, send(place, Method::GET, path, None)).await.map_err(|_| ClientError::TimedOut)??;
    begin(box_name::read(&headers));
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
        if text.len() > MAX_RESPONSE_BYTES {
            return Err(ClientError::Answer("a line is too long".into()));
        }
    }
    if status == StatusCode::OK {
        return Ok(());
    }
    let refusal: Value = serde_json::from_slice(&text).unwrap_or_default();
    Err(ClientError::Refused(refusal["error"]["message"].as_str().unwrap_or(status.as_str()).to_owned()))
}

pub use axum::http::Method as HttpMethod;
