//! Real things for black-box tests: a broker, cameras, the shipped binary. All end with the test.

#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used, reason = "each test file uses its part")]

pub mod aws;
pub mod balancer;
pub mod broker;
pub mod browser;
pub mod camera;
pub mod canary;
pub mod capture;
pub mod certificates;
pub mod clip;
pub mod daemon;
pub mod echoing_camera;
pub mod etcd;
pub mod exports;
pub mod false_clock;
pub mod http;
pub mod http_camera;
pub mod link;
pub mod memory_cgroup;
pub mod objects;
pub mod onnx_graph;
pub mod package;
pub mod people;
pub mod picture_file;
pub mod protobuf;
pub mod refusing_camera;
pub mod scene_clip;
pub mod scripted_broker;
pub mod sender;
pub mod small_disk;
pub mod small_model;
pub mod status_line;
pub mod tried;
pub mod unread_exports;

use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The root of the package, where models and library lie.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What the set-up makes must be there; a test never passes without it.
pub fn from_setup(path: &str) -> PathBuf {
    let path = root().join(path);
    assert!(path.exists(), "{} is missing: run `make setup`", path.display());
    path
}

/// A port where nobody listens, given out once, below those that the kernel gives to outgoing connections.
///
/// Nothing listens there even for a moment: a child that another test forks at that moment would keep the
/// socket open until it executes, and whoever waits for the port's server would find the wrong one.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    loop {
        let given = GIVEN.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(20_000 + (std::process::id() * 100 + given) % 12_000).unwrap();
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            return port;
        }
    }
}

/// Waits until `condition` gives a value, and fails with `what` after `limit`.
pub fn wait_for<T>(what: &str, limit: Duration, condition: impl FnMut() -> Option<T>) -> T {
    wait_within(limit, condition).unwrap_or_else(|| panic!("{what} did not happen within {limit:?}"))
}

/// Waits until `condition` gives a value, at most `limit`.
pub fn wait_within<T>(limit: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = condition() {
            return Some(value);
        }
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a signal by number.
pub fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// The children of a process whose first argument is `kind`.
pub fn children(parent: u32, kind: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        // After the name, which is in brackets and may hold anything: state, then the parent.
        let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let state = fields.next();
        let is_child = fields.next() == Some(parent.to_string().as_str());
        let arguments = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let is_kind = arguments.split(|byte| *byte == 0).nth(1) == Some(kind.as_bytes());
        if is_child && is_kind && state != Some("Z") {
            found.push(pid);
        }
    }
    found.sort_unstable();
    found
}
