//! A client that sends requests as they are written here, in the clear or over TLS.

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// An address of the daemon.
#[derive(Clone)]
pub struct Address {
    port: u16,
    tls: Option<Arc<ClientConfig>>,
}

/// What it answers.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// In lower case, but what the daemon chooses.
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// `Cookie: ...` for what the answer sets.
    pub fn cookie(&self) -> String {
        let set = self.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {self:?}"));
        format!("Cookie: {}\r\n", set.split(';').next().unwrap())
    }
}

impl Address {
    pub fn plain(port: u16) -> Self {
        Self { port, tls: None }
    }

    /// Trusts this certificate alone.
    pub fn tls(port: u16, certificate: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { port, tls: Some(Arc::new(config)) }
    }

    /// As a browser names it.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Of the box's own page, as a browser sends it.
    pub fn origin(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("Origin: {scheme}://{}\r\n", self.host())
    }

    /// Sends a request with further headers and reads the whole answer. `None` while nobody answers.
    pub fn try_ask(&self, request: &str, headers: &str, body: &str) -> Option<Answer> {
        let mut answer = String::new();
        // TLS that ends without its goodbye is an answer all the same.
        drop(self.send(request, headers, body)?.read_to_string(&mut answer));
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some(Answer { status: head.get(9..12)?.parse().ok()?, head: head.to_owned(), body: body.to_owned() })
    }

    pub fn ask(&self, request: &str, headers: &str, body: &str) -> Answer {
        self.try_ask(request, headers, body).unwrap_or_else(|| panic!("no answer to {request}"))
    }

    pub fn get(&self, path: &str, headers: &str) -> Answer {
        self.ask(&format!("GET {path}"), headers, "")
    }

    /// A POST of JSON.
    pub fn post(&self, path: &str, headers: &str, body: &serde_json::Value) -> Answer {
        self.ask(&format!("POST {path}"), &format!("Content-Type: application/json\r\n{headers}"), &body.to_string())
    }

    /// Sends a request. A `Host` among the headers replaces the usual one.
    pub fn send(&self, request: &str, headers: &str, body: &str) -> Option<Box<dyn Read>> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
        let host = if headers.contains("Host: ") { String::new() } else { format!("Host: {}\r\n", self.host()) };
        let (length, close) = (body.len(), "Connection: close\r\n");
        let text = format!("{request} HTTP/1.1\r\n{host}{close}{headers}Content-Length: {length}\r\n\r\n{body}");
        match &self.tls {
            None => write_all(stream, &text),
            Some(config) => {
                let name = ServerName::try_from("localhost").unwrap();
                let connection = ClientConnection::new(Arc::clone(config), name).unwrap();
                write_all(StreamOwned::new(connection, stream), &text)
            }
        }
    }
}

fn write_all(mut stream: impl Read + Write + 'static, text: &str) -> Option<Box<dyn Read>> {
    stream.write_all(text.as_bytes()).ok()?;
    stream.flush().ok()?;
    Some(Box::new(stream))
}
