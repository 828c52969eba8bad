//! A capture process by itself; the test is its parent.

use ocelli::appliance::child_environment::child_environment;
use ocelli::ipc::call_gate;
use ocelli::ipc::camera_source::{RtpTransport, TlsTrust};
use ocelli::ipc::channel::{Channel, ChannelError};
use ocelli::ipc::messages::{CameraSource, FromCapture};
use ocelli::ipc::socket_wish::{Judge, Wish};
use ocelli::os::parent_gate;
use ocelli::os::pidfd::PidFd;
use ocelli::os::sandbox::SandboxMode;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// What a slow box may take to look at all plugins, one process after the other.
pub const START_LIMIT: Duration = Duration::from_secs(100);

/// Lets the process connect to every address: what is judged is in `tests/safety.rs`.
struct Everything;

impl Judge for Everything {
    fn judge(&self, _: &Wish) -> Result<(), String> {
        Ok(())
    }
}

/// `ocelli capture`, and our end of its channel. It ends with the value.
pub struct Capture {
    pub process: Child,
    pub channel: Channel,
}

impl Capture {
    /// Starts one whose GStreamer keeps its registry below `cache`.
    pub fn start(cache: &Path) -> Self {
        Self::start_with(cache, &[])
    }

    /// [`Self::start`] with these variables in its environment.
    pub fn start_with(cache: &Path, variables: &[(&str, &Path)]) -> Self {
        let (channel, theirs) = Channel::pair().unwrap();
        let log = File::options().append(true).create(true).open(cache.join("log")).unwrap();
        let (gate, their_gate) = UnixStream::pair().unwrap();
        let level = std::env::var("OCELLI_LOG").unwrap_or_else(|_| "info".into());
        let process = Command::new(env!("CARGO_BIN_EXE_ocelli"))
            .arg("capture")
            .stdin(Stdio::from(theirs.into_socket()))
            // As in the daemon, the parent connects its sockets.
            .stdout(Stdio::from(OwnedFd::from(their_gate)))
            .env(parent_gate::VARIABLE, "stdout")
            .stderr(log)
            // What the daemon sets: how the allocator gives memory back is a part of what is measured.
            .envs(child_environment(&level, SandboxMode::from_environment()))
            .env("XDG_CACHE_HOME", cache)
            .envs(variables.iter().copied())
            .spawn()
            .unwrap();
        let pidfd = Arc::new(PidFd::open(process.id()).unwrap());
        call_gate::open(pidfd, gate, "capture".into(), Arc::new(Everything), Arc::default()).unwrap();
        Self { process, channel }
    }

    /// The next message, if one comes within `limit`.
    pub fn next(&self, limit: Duration) -> Option<FromCapture> {
        match self.channel.receive_within(limit) {
            Ok((message, _)) => Some(message),
            Err(ChannelError::Empty) => None,
            Err(error) => panic!("{error}"),
        }
    }

    pub fn expect_hello(&self) {
        let message = self.next(START_LIMIT);
        assert!(matches!(message, Some(FromCapture::Hello { .. })), "{message:?}");
    }

    pub fn expect_initialized(&self) {
        assert_eq!(self.next(START_LIMIT), Some(FromCapture::Initialized));
    }

    /// Resident memory in kB, and threads.
    pub fn memory_and_threads(&self) -> (i64, i64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let number = |name: &str| -> i64 {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        (number("VmRSS:"), number("Threads:"))
    }

    pub fn expect_started(&self) {
        self.expect_hello();
        self.expect_initialized();
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A camera without a way of its own: over TCP, without a login, every frame decoded and handed over.
pub fn source_of(url: &str) -> CameraSource {
    CameraSource {
        name: "yard".into(),
        url: url.to_owned(),
        user: None,
        password: None,
        transport: RtpTransport::Tcp,
        basic_auth: true,
        follow_redirects: false,
        video_track: None,
        motion_events: false,
        tls: TlsTrust::System,
        frames_per_second: 0.0,
        keyframes_only: false,
        watch: None,
        latency_ms: None,
        connect_timeout_ms: 5_000,
        hardware_decoders: false,
        keep_ms: 0,
        has_live_view: true,
        blackout: Vec::new(),
    }
}
