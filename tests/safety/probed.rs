//! A daemon whose children load the probe, what there is to reach for them, and what they did.

use crate::support::{free_port, root, wait_for};
use ocelli::os::system_calls::{ChildKind, listed};
use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;
use tempfile::TempDir;

/// Under which the daemon runs.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// The newest ABI of Landlock that children use; `None`: what the kernel has.
    pub abi: Option<u8>,
    /// Another user than this one.
    pub user: Option<u32>,
}

/// A line of the probe.
#[derive(Clone, Debug)]
pub struct Act {
    pub child: &'static str,
    pub group: String,
    pub error: i32,
    pub what: String,
}

/// What there is to reach: listeners of this test, whom nobody may call.
pub struct Targets {
    listener: TcpListener,
    udp: UdpSocket,
    unix: UnixListener,
    abstract_socket: UnixListener,
}

impl Targets {
    pub fn new(home: &Path) -> Self {
        let name = format!("ocelli-probe-{}-{}", std::process::id(), home.file_name().unwrap().display());
        let address = SocketAddr::from_abstract_name(name).unwrap();
        let targets = Self {
            listener: TcpListener::bind("127.0.0.1:0").unwrap(),
            udp: UdpSocket::bind("127.0.0.1:0").unwrap(),
            unix: UnixListener::bind(home.join("socket")).unwrap(),
            abstract_socket: UnixListener::bind_addr(&address).unwrap(),
        };
        fs::set_permissions(home.join("socket"), Permissions::from_mode(0o777)).unwrap();
        targets.listener.set_nonblocking(true).unwrap();
        targets.udp.set_nonblocking(true).unwrap();
        targets.unix.set_nonblocking(true).unwrap();
        targets.abstract_socket.set_nonblocking(true).unwrap();
        targets
    }

    pub fn assert_untouched(&self) {
        assert!(self.listener.accept().is_err(), "somebody connected over TCP");
        assert!(self.udp.recv(&mut [0; 8]).is_err(), "somebody sent a packet");
        assert!(self.unix.accept().is_err(), "somebody connected to the path");
        assert!(self.abstract_socket.accept().is_err(), "somebody connected to the abstract name");
    }

    fn abstract_name(&self) -> String {
        let address = self.abstract_socket.local_addr().unwrap();
        String::from_utf8(address.as_abstract_name().unwrap().to_vec()).unwrap()
    }
}

/// A daemon whose children load the probe.
pub struct Probed {
    process: Child,
    http: u16,
    home: TempDir,
}

impl Probed {
    pub fn start(scene: Scene, camera: &str, home: TempDir, targets: &Targets) -> Self {
        let (at, http) = (home.path(), free_port());
        let abi = scene.abi.map_or_else(String::new, |abi| abi.to_string());
        let mode = if scene.abi == Some(0) { "best-effort" } else { "required" };
        fs::set_permissions(at, Permissions::from_mode(0o755)).unwrap();
        for (kind, file) in
            [(ChildKind::Capturing, "plugins/libgstprobe.so"), (ChildKind::Computing, "runtime/probe.so")]
        {
            let (library, directory) = (at.join(file), at.join(file).parent().unwrap().to_owned());
            fs::create_dir_all(&directory).unwrap();
            fs::copy(probe(), &library).unwrap();
            let listed: Vec<String> = listed(kind).iter().map(ToString::to_string).collect();
            let facts = [
                format!("listed={}", listed.join(" ")),
                format!("http={http}"),
                format!("listener={}", targets.listener.local_addr().unwrap().port()),
                format!("udp={}", targets.udp.local_addr().unwrap().port()),
                format!("unix={}", at.join("socket").display()),
                format!("abstract={}", targets.abstract_name()),
                format!("forbidden={}", at.join("forbidden").display()),
                format!("registry={}", at.join("cache/registry.bin").display()),
            ];
            fs::write(directory.join("probe.txt"), facts.join("\n")).unwrap();
        }
        fs::write(at.join("forbidden"), "secret").unwrap();
        // Where GStreamer would write its registry there is a directory, so that each process looks at the plugins itself.
        for directory in ["state", "cache", "cache/registry.bin"] {
            fs::create_dir(at.join(directory)).unwrap();
        }
        if let Some(user) = scene.user {
            for path in
                ["", "state", "cache", "cache/registry.bin", "forbidden", "plugins/libgstprobe.so", "runtime/probe.so"]
            {
                std::os::unix::fs::chown(at.join(path), Some(user), Some(user)).unwrap();
            }
        }
        let settings = format!(
            "box_id = \"box\"\nstate_directory = \"{0}/state\"\n[mqtt]\nenabled = false\n[http]\nport = {http}\n\
             [sandbox]\nmode = \"{mode}\"\n[units]\nruntime_library = \"{0}/runtime/probe.so\"\n\
             cache_directory = \"{0}/cache\"\n[[models]]\nname = \"coco-ssd\"\n[[cameras]]\nid = \"yard\"\nurl = \"{camera}\"\n",
            at.display()
        );
        fs::write(at.join("ocelli.toml"), settings).unwrap();
        let inherited = fs::File::open(at.join("forbidden")).unwrap();
        let log = fs::File::create(at.join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ocelli"));
        command
            .args(["run", "--config", at.join("ocelli.toml").to_str().unwrap()])
            .current_dir(root())
            .env("OCELLI_LANDLOCK_ABI", abi)
            .env("GST_PLUGIN_PATH", at.join("plugins"))
            .env("GST_REGISTRY", at.join("cache/registry.bin"))
            .env("XDG_CACHE_HOME", at.join("cache"))
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        if let Some(user) = scene.user {
            command.uid(user).gid(user);
        }
        // The daemon inherits it as its number 200, without close-on-exec, and so did its children.
        let process = with_descriptor_200(&inherited, || command.spawn().unwrap());
        Self { process, http, home }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap()
    }

    /// How many calls were refused to a kind of children, by the daemon's metrics.
    pub fn refused(&self, kind: &str) -> u64 {
        let answer = TcpStream::connect(("127.0.0.1", self.http)).and_then(|mut stream| {
            stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).map(|_| answer)
        });
        let name = format!("ocelli_child_calls_refused_total{{kind=\"{kind}\"}} ");
        let answer = answer.unwrap_or_default();
        answer.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or_default()
    }

    /// What the probe did, in all kinds of children.
    pub fn acts(&self) -> Vec<Act> {
        let ended = |log: &str, child: &str| log.lines().any(|line| line.contains("PROBE end") && line.contains(child));
        wait_for("the probe in both children", Duration::from_secs(60), || {
            let log = self.log();
            (ended(&log, "camera yard") && ended(&log, "unit coco-ssd")).then_some(())
        });
        // That of the process that looked at the plugins before the capture process did.
        let keeper = fs::read_to_string(self.home.path().join("cache/keeper.txt")).unwrap();
        let log = self.log() + &keeper.replace('\n', " child=keeper\n");
        let act = |line: &str| {
            let child = match line {
                _ if line.ends_with("child=keeper") => "keeper",
                _ if line.contains("camera yard") => "capture",
                _ => "unit",
            };
            let line = line.split_once("PROBE ")?.1.replace(" child=", "\u{0}");
            let line = line.split('\u{0}').next()?;
            let (group, rest) = line.split_once(' ')?;
            let (error, what) = rest.split_once(' ')?;
            Some(Act { child, group: group.into(), error: error.parse().ok()?, what: what.trim().into() })
        };
        let mut seen = std::collections::BTreeSet::new();
        // A unit whose library is none is tried again.
        log.lines()
            .filter_map(act)
            .filter(|act| seen.insert((act.child, act.group.clone(), act.what.clone())))
            .collect()
    }
}

impl Drop for Probed {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
        if std::thread::panicking() {
            eprintln!("--- the daemon's log\n{}", self.log());
        }
    }
}

fn with_descriptor_200<T>(file: &fs::File, act: impl FnOnce() -> T) -> T {
    let mut place = rustix::fd::OwnedFd::from(file.try_clone().unwrap());
    // Above all that this test has: found by duplicating until it is reached.
    let mut held = Vec::new();
    while place.as_raw_fd() < 200 {
        let next = rustix::io::dup(&place).unwrap();
        held.push(std::mem::replace(&mut place, next));
    }
    assert_eq!(place.as_raw_fd(), 200);
    held.clear();
    act()
}

/// The library that children load.
pub fn probe() -> PathBuf {
    let examples = Path::new(env!("CARGO_BIN_EXE_ocelli")).parent().unwrap().join("examples");
    let library = examples.join("libprobe.so");
    assert!(library.exists(), "{} is built with the tests", library.display());
    library
}
