//! What a confined thread can do, and what it cannot.

use super::*;
use std::io::Write;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Command;

struct Scene {
    home: tempfile::TempDir,
    port: u16,
    _listener: TcpListener,
}

impl Scene {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { home: tempfile::tempdir().unwrap(), port, _listener: listener }
    }

    fn restore(&self) {
        drop(std::fs::remove_file(self.path("link")));
        for name in ["readable", "forbidden"] {
            std::fs::write(self.path(name), "secret").unwrap();
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }
}

type Attempt = (&'static str, fn(&Scene) -> bool);

/// Actions that a confined thread attempts.
const ATTEMPTS: [Attempt; 12] = [
    ("read a file", |at| std::fs::read(at.path("forbidden")).is_ok()),
    ("write a file", |at| std::fs::write(at.path("forbidden"), "x").is_ok()),
    ("list a directory", |at| std::fs::read_dir(at.home.path()).is_ok()),
    ("link a file", |at| std::fs::hard_link(at.path("forbidden"), at.path("link")).is_ok()),
    ("change what it may read", |at| std::fs::File::options().write(true).open(at.path("readable")).is_ok()),
    ("read its own environment", |_| std::fs::read("/proc/self/environ").is_ok()),
    ("connect", |at| TcpStream::connect(("127.0.0.1", at.port)).is_ok()),
    ("listen", |_| TcpListener::bind("127.0.0.1:0").is_ok()),
    ("send datagrams", |_| UdpSocket::bind("127.0.0.1:0").is_ok()),
    ("start a program", |_| Command::new("true").status().is_ok()),
    ("signal a process", |_| rustix::process::test_kill_process(rustix::process::getpid()).is_ok()),
    ("remove a file", |at| std::fs::remove_file(at.path("forbidden")).is_ok()),
];

#[test]
fn twelve_forbidden_acts_work_outside_and_fail_inside() {
    if !Sandbox::is_supported() {
        let entered = std::thread::spawn(|| Sandbox::default().enter()).join().unwrap();
        assert!(matches!(entered, Err(SandboxError::NotEnforced)), "without Landlock it says so: {entered:?}");
        return;
    }
    for kind in [ChildKind::Computing, ChildKind::Accelerated] {
        let scene = Scene::new();
        scene.restore();
        for (what, attempt) in ATTEMPTS {
            assert!(attempt(&scene), "outside it is possible to {what}");
        }
        scene.restore();
        std::fs::create_dir(scene.path("cache")).unwrap();
        let confined = std::thread::spawn(move || {
            let readable = vec![scene.path("readable"), "/no/such/thing".into()];
            Sandbox { readable, writable: vec![scene.path("cache")], kind }.enter().unwrap();
            for (what, attempt) in ATTEMPTS {
                assert!(!attempt(&scene), "inside it is not possible to {what} ({kind:?})");
            }
            assert_eq!(std::fs::read(scene.path("readable")).unwrap(), b"secret");
            std::fs::File::create(scene.path("cache/x")).unwrap().write_all(b"x").unwrap();
            std::thread::spawn(|| ()).join().unwrap();
            scene.home.keep()
        });
        std::fs::remove_dir_all(confined.join().unwrap()).unwrap();
    }
}

#[test]
fn a_child_that_needs_the_network_keeps_it_and_nothing_else() {
    let confined = std::thread::spawn(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let confined = Sandbox { kind: ChildKind::Capturing, ..Sandbox::default() }.enter().unwrap();
        assert!(!confined.is_guarded, "nobody else decides about addresses here");
        assert!(TcpStream::connect(listener.local_addr().unwrap()).is_ok());
        assert!(TcpListener::bind("127.0.0.1:0").is_err(), "it does not listen");
        assert!(std::fs::read("/etc/passwd").is_err() && Command::new("true").status().is_err());
    });
    confined.join().unwrap();
}

#[test]
fn a_capture_process_whose_addresses_nobody_judges_is_refused_if_that_is_required() {
    let entered = |mode| {
        let sandbox = Sandbox { kind: ChildKind::Capturing, ..Sandbox::default() };
        std::thread::spawn(move || sandbox.enter_as(mode)).join().unwrap()
    };
    if Sandbox::is_supported() {
        let refused = entered(SandboxMode::Required).unwrap_err();
        assert!(matches!(refused, SandboxError::Unguarded), "{refused}");
        assert!(refused.to_string().contains("required-partial"), "{refused}");
        entered(SandboxMode::RequiredPartial).unwrap();
        entered(SandboxMode::BestEffort).unwrap();
    }
}
