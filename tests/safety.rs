//! What a child that was taken over can do: a library in place of a plugin of GStreamer, and in place of ONNX Runtime,
//! tries what exploits would try, inside of a real daemon's confined children, beside a camera that works.
//!
//! The short form runs as this user, and once as if the kernel had Landlock's ABI 2 (Debian 12), once as if it had none.
//! `OCELLI_SAFETY=whole` (`make safety`) runs all ABIs, as root and as an unprivileged user, and writes a report.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use ocelli::os::confinement::Confinement;
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
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::Daemon;
use support::{free_port, from_setup, root, wait_for};
use tempfile::TempDir;

/// The user `nobody`.
const NOBODY: u32 = 65534;

/// Under which the daemon runs.
#[derive(Clone, Copy, Debug)]
struct Scene {
    /// The newest ABI of Landlock that children use; `None`: what the kernel has.
    abi: Option<u8>,
    /// Another user than this one.
    user: Option<u32>,
}

/// A line of the probe.
#[derive(Clone, Debug)]
struct Act {
    child: &'static str,
    group: String,
    error: i32,
    what: String,
}

/// What there is to reach: listeners of this test, whom nobody may call.
struct Targets {
    listener: TcpListener,
    udp: UdpSocket,
    unix: UnixListener,
    abstract_socket: UnixListener,
}

impl Targets {
    fn new(home: &Path) -> Self {
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

    fn assert_untouched(&self) {
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
struct Probed {
    process: Child,
    http: u16,
    home: TempDir,
}

impl Probed {
    fn start(scene: Scene, camera: &str, home: TempDir, targets: &Targets) -> Self {
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

    fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap()
    }

    /// How many calls were refused to a kind of children, by the daemon's metrics.
    fn refused(&self, kind: &str) -> u64 {
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
    fn acts(&self) -> Vec<Act> {
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

fn probe() -> PathBuf {
    let examples = Path::new(env!("CARGO_BIN_EXE_ocelli")).parent().unwrap().join("examples");
    let library = examples.join("libprobe.so");
    assert!(library.exists(), "{} is built with the tests", library.display());
    library
}

/// What an act must come to, in words that the report has too.
fn is_as_expected(act: &Act, scene: Scene) -> bool {
    match act.group.as_str() {
        // Seccomp does not see paths.
        "file" => scene.abi == Some(0) || [libc::EACCES, libc::ENOENT, libc::ENXIO].contains(&act.error),
        "refused" => act.error == libc::ENOSYS,
        "address" => act.error == if act.child == "capture" { libc::EACCES } else { libc::ENOSYS },
        "works" | "end" => act.error == 0,
        // What an unprivileged process could get it cannot give up, and cannot get.
        "capabilities" => act.error == 0 || !is_root() || scene.user.is_some(),
        "absent" => act.error == libc::EBADF,
        _ => false,
    }
}

fn run(scene: Scene) -> Vec<Act> {
    let home = tempfile::tempdir().unwrap();
    let targets = Targets::new(home.path());
    let camera = RtspCamera::surveillance(free_port());
    let probed = Probed::start(scene, camera.url(), home, &targets);
    let acts = probed.acts();
    let unexpected: Vec<&Act> = acts.iter().filter(|act| !is_as_expected(act, scene)).collect();
    assert!(unexpected.is_empty(), "{scene:?}: {unexpected:#?}");
    let of = |child: &str| acts.iter().filter(|act| act.child == child).count();
    for child in ["capture", "unit", "keeper"] {
        assert!(of(child) > 65, "{} acts of the {child}", of(child));
    }
    targets.assert_untouched();
    for kind in ["capture", "unit"] {
        wait_for("the count", Duration::from_secs(10), || (probed.refused(kind) > 100).then_some(()));
    }
    // And it does its work.
    wait_for("the stream", Duration::from_secs(30), || probed.log().contains("a camera streams").then_some(()));
    acts
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_child_that_was_taken_over_reaches_nothing_with_landlock_with_an_old_one_and_without() {
    from_setup("models/coco-ssd/model.onnx");
    assert!(Confinement::of_this_kernel().guard, "this kernel decides about sockets");
    let whole = std::env::var("OCELLI_SAFETY").is_ok_and(|what| what == "whole");
    let has_landlock = Confinement::of_this_kernel().landlock.is_some();
    let users = if is_root() { vec![None, Some(NOBODY)] } else { vec![None] };
    let other = *users.last().unwrap();
    let mut scenes = vec![Scene { abi: Some(0), user: other }];
    if has_landlock {
        scenes.extend([Scene { abi: None, user: None }, Scene { abi: Some(2), user: other }]);
    }
    if whole {
        let abis = [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(5)];
        let all = abis.into_iter().filter(|abi| has_landlock || *abi == Some(0));
        scenes = all.flat_map(|abi| users.iter().map(move |user| Scene { abi, user: *user })).collect();
    }
    let mut rows = Vec::new();
    for scene in scenes {
        for act in run(scene) {
            let user = if is_root() && scene.user.is_none() { "root" } else { "unprivileged" };
            let landlock = scene.abi.map_or_else(|| "as the kernel has it".to_owned(), |abi| format!("ABI {abi}"));
            let Act { child, group, error, what } = act;
            rows.push(serde_json::json!({
                "landlock": landlock, "user": user, "child": child, "act": what, "group": group, "errno": error,
            }));
        }
    }
    if whole {
        let report = serde_json::json!({ "kernel": Confinement::of_this_kernel().in_words(), "acts": rows });
        write_report("safety", &report);
    }
}

/// What a `connect` costs that the parent makes for a capture process, beside one that this test makes for itself.
#[test]
fn a_connection_through_the_parent_costs_less_than_two_milliseconds_more() {
    let home = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let mut plain: Vec<u128> = (0..1000)
        .map(|_| {
            let begun = std::time::Instant::now();
            let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let took = begun.elapsed().as_nanos();
            drop(stream);
            took
        })
        .collect();
    plain.sort_unstable();
    let plain = u32::try_from(plain[plain.len() / 2]).unwrap();
    let plugins = home.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    fs::copy(probe(), plugins.join("libgstprobe.so")).unwrap();
    fs::write(plugins.join("probe.txt"), format!("connects={port}")).unwrap();
    // No registry: the capture process looks at the plugins itself.
    fs::write(home.path().join("gstreamer-1.0"), "").unwrap();
    let capture = support::capture::Capture::start_with(home.path(), &[("GST_PLUGIN_PATH", &plugins)]);
    capture.expect_started();
    let log = fs::read_to_string(home.path().join("log")).unwrap();
    let line = log.lines().find_map(|line| line.split_once("PROBE connects ")).expect("the probe connects").1;
    let median = line.strip_prefix("1000 median ").and_then(|rest| rest.strip_suffix(" ns"));
    let through: u32 = median.expect("all connections were made").parse().unwrap();
    let micros = |nanoseconds: u32| f64::from(nanoseconds) / 1000.0;
    let more = micros(through) - micros(plain);
    println!("connect: {:.1} µs, through the parent {:.1} µs", micros(plain), micros(through));
    if std::env::var("OCELLI_SAFETY").is_ok_and(|what| what == "whole") {
        let rows = serde_json::json!([
            { "name": "connect, plain", "value": micros(plain), "unit": "µs", "bar": null, "ok": true,
              "method": "median of 1,000 connections to loopback" },
            { "name": "connect, through the parent", "value": micros(through), "unit": "µs", "bar": micros(plain) + 2000.0,
              "ok": more < 2000.0, "method": "the same by a confined capture process" },
        ]);
        write_report("safety-connect", &rows);
    }
    assert!(more < 2000.0, "{more} µs more");
}

fn write_report(name: &str, report: &serde_json::Value) {
    let directory = root().join("target/reports");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join(format!("{name}.json")), serde_json::to_string_pretty(report).unwrap()).unwrap();
}

/// How many filters of system calls a process has.
fn filters(pid: u32) -> u32 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    status.lines().find_map(|line| line.strip_prefix("Seccomp_filters:")?.trim().parse().ok()).unwrap()
}

#[test]
fn a_unit_that_serves_has_given_up_to_change_files() {
    let (broker, camera) = (Broker::start(), RtspCamera::surveillance(0));
    let yard = support::daemon::camera("yard", camera.url(), 5);
    let daemon = Daemon::start(broker.port, &format!("[sandbox]\nmode = \"required\"\n{yard}"));
    let messages = broker.subscribe("ocelli/box/cameras/yard/detections");
    messages.wait_json("detections", 60, "yard/detections", |_| true);
    // What libraries only try, the list of the kind, and since the model is loaded the one against changes.
    for unit in daemon.units() {
        assert_eq!(filters(unit), filters(daemon.pid()) + 3, "{}", daemon.log());
    }
    assert!(!daemon.log().contains("refused to a child"), "{}", daemon.log());
    assert!(daemon.stop().0.success());
}
