//! The line that systemd would show of a daemon: what it sends to its service manager.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The last status line of a daemon that was started with `NOTIFY_SOCKET` set to the socket.
pub struct StatusLine(Arc<Mutex<String>>);

impl StatusLine {
    /// Takes what is sent to a socket at this path, until it is dropped: a full socket would block the daemon.
    pub fn listen(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let last = Arc::new(Mutex::new(String::new()));
        let (weak, mut message) = (Arc::downgrade(&last), [0; 8192]);
        std::thread::spawn(move || {
            while let Some(last) = weak.upgrade() {
                let Ok(length) = socket.recv(&mut message) else { continue };
                let text = String::from_utf8_lossy(&message[..length]).into_owned();
                for line in text.lines().filter_map(|line| line.strip_prefix("STATUS=")) {
                    line.clone_into(&mut last.lock().unwrap());
                }
            }
        });
        Self(last)
    }

    /// The newest one; empty before the first.
    pub fn last(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}
