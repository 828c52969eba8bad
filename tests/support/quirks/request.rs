//! What a client sends: requests, answers to the camera's own requests, and RTCP between them.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::net::TcpStream;

/// One message of a client.
#[derive(Debug)]
pub enum Message {
    Request(Request),
    /// An answer to a request of ours, with its status.
    Answer(u16),
}

#[derive(Debug)]
pub struct Request {
    pub method: String,
    pub uri: String,
    headers: BTreeMap<String, String>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The host with its port, as the client names it, and the path without its slash.
    pub fn host_and_path(&self) -> (&str, &str) {
        let rest = self.uri.split_once("://").map_or(self.uri.as_str(), |(_, rest)| rest);
        rest.split_once('/').unwrap_or((rest, ""))
    }
}

/// Reads messages from a connection whose reads time out.
#[derive(Debug)]
pub struct Reader {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Reader {
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, bytes: Vec::new() }
    }

    /// The next message; `None` if there is none yet.
    ///
    /// # Errors
    /// When the client has gone.
    pub fn next(&mut self) -> std::io::Result<Option<Message>> {
        loop {
            self.skip_rtcp();
            if let Some(message) = self.take() {
                return Ok(Some(message));
            }
            let mut more = [0; 4096];
            match self.stream.read(&mut more) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.bytes.extend(&more[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    fn skip_rtcp(&mut self) {
        while let [b'$', _, high, low, ..] = self.bytes[..] {
            let end = 4 + usize::from(u16::from_be_bytes([high, low]));
            if self.bytes.len() < end {
                return;
            }
            self.bytes.drain(..end);
        }
    }

    fn take(&mut self) -> Option<Message> {
        if self.bytes.first() == Some(&b'$') {
            return None;
        }
        let end = self.bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&self.bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap_or_default().to_owned();
        let headers: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let body = headers.get("content-length").and_then(|bytes| bytes.parse().ok()).unwrap_or(0);
        if self.bytes.len() < end + 4 + body {
            return None;
        }
        self.bytes.drain(..end + 4 + body);
        let mut words = first.split(' ');
        let (method, uri) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
        if method.starts_with("RTSP/") {
            return Some(Message::Answer(uri.parse().unwrap_or(0)));
        }
        Some(Message::Request(Request { method, uri, headers }))
    }
}
