//! A camera over HTTP: a stream of JPEGs, a single picture, and answers that are neither.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A server on loopback. Its threads end with the test's process.
pub struct HttpCamera {
    port: u16,
    requests: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl HttpCamera {
    /// Serves `jpeg` as `/stream` (ten a second), `/picture`, and behind a login (`/locked`, user `viewer`, password
    /// `right`, Basic); a page at `/page`.
    pub fn start(jpeg: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::<Mutex<BTreeMap<String, usize>>>::default();
        let (seen, jpeg) = (Arc::clone(&requests), Arc::new(jpeg));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (seen, jpeg) = (Arc::clone(&seen), Arc::clone(&jpeg));
                // A camera that is left in the middle of an answer goes on with the next one.
                std::thread::spawn(move || drop(serve(connection, &seen, &jpeg)));
            }
        });
        Self { port, requests }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Requests for a path, with a login if `path` ends with ` login`.
    pub fn requests(&self, path: &str) -> usize {
        self.requests.lock().unwrap().get(path).copied().unwrap_or_default()
    }
}

fn serve(mut connection: TcpStream, seen: &Mutex<BTreeMap<String, usize>>, jpeg: &[u8]) -> std::io::Result<()> {
    let mut lines = BufReader::new(connection.try_clone()?).lines();
    loop {
        let Some(first) = lines.next().transpose()? else { return Ok(()) };
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut login = None;
        for line in lines.by_ref() {
            let line = line?;
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("Authorization: ") {
                login = Some(value.to_owned());
            }
        }
        let count = |name: String| *seen.lock().unwrap().entry(name).or_default() += 1;
        count(path.clone());
        if login.is_some() {
            count(format!("{path} login"));
        }
        match path.split('?').next().unwrap_or_default() {
            "/stream" => return stream(&mut connection, jpeg),
            "/picture" => answer(&mut connection, "200 OK", "image/jpeg", jpeg)?,
            // viewer:right
            "/locked" if login.as_deref() == Some("Basic dmlld2VyOnJpZ2h0") => {
                answer(&mut connection, "200 OK", "image/jpeg", jpeg)?;
            }
            "/locked" => {
                let challenge = "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"camera\"";
                answer(&mut connection, challenge, "text/plain", b"no")?;
            }
            "/page" => answer(&mut connection, "200 OK", "text/html", b"<html><body>the camera's page</body></html>")?,
            _ => answer(&mut connection, "404 Not Found", "text/plain", b"no")?,
        }
    }
}

fn answer(connection: &mut TcpStream, status: &str, kind: &str, body: &[u8]) -> std::io::Result<()> {
    write!(connection, "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len())?;
    connection.write_all(body)
}

fn stream(connection: &mut TcpStream, jpeg: &[u8]) -> std::io::Result<()> {
    connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n")?;
    loop {
        write!(connection, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len())?;
        connection.write_all(jpeg)?;
        connection.write_all(b"\r\n")?;
        std::thread::sleep(Duration::from_millis(100));
    }
}
