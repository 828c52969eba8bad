//! A port in front of a camera that counts the logins of its clients, and those that the camera refuses.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[derive(Debug, Default)]
struct Counts {
    logins: AtomicU32,
    refusals: AtomicU32,
}

/// Its threads end with the test's process.
pub struct LoginCounter {
    pub port: u16,
    counts: Arc<Counts>,
}

impl LoginCounter {
    pub fn before(camera: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let counts = Arc::new(Counts::default());
        let of_connections = Arc::clone(&counts);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(camera) = TcpStream::connect(("127.0.0.1", camera)) else { continue };
                carry(&client, &camera, b"\nAuthorization:", Arc::clone(&of_connections), |counts| &counts.logins);
                carry(&camera, &client, b"RTSP/1.0 401 ", Arc::clone(&of_connections), |counts| &counts.refusals);
            }
        });
        Self { port, counts }
    }

    /// Requests with a login.
    pub fn logins(&self) -> u32 {
        self.counts.logins.load(Ordering::Relaxed)
    }

    /// Answers that refuse a request, also one without a login.
    pub fn refusals(&self) -> u32 {
        self.counts.refusals.load(Ordering::Relaxed)
    }
}

/// Passes bytes on, and counts the text in them.
fn carry(from: &TcpStream, to: &TcpStream, text: &'static [u8], counts: Arc<Counts>, count: fn(&Counts) -> &AtomicU32) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    std::thread::spawn(move || {
        let (mut bytes, mut kept) = ([0; 4096], Vec::new());
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            kept.extend_from_slice(&bytes[..length]);
            let found = kept.windows(text.len()).filter(|window| window == &text).count();
            count(&counts).fetch_add(u32::try_from(found).unwrap(), Ordering::Relaxed);
            // What may be the beginning of the text stays.
            kept.drain(..kept.len().saturating_sub(text.len() - 1));
            if to.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        drop(to.shutdown(Shutdown::Both));
        drop(from.shutdown(Shutdown::Both));
    });
}
