//! What an exploit in a codec or a model would try, for `tests/safety.rs`.
//!
//! A confined child loads this library in place of a plugin of GStreamer or of ONNX Runtime. Its constructor then tries
//! acts and system calls, and writes a line for each to standard error: `WARN PROBE <group> <errno> <act>`. The file
//! `probe.txt` beside it names what to try them on.

#![expect(unsafe_code, reason = "it makes system calls as an exploit would")]

use libc::{c_int, c_long};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::mem::{size_of, zeroed};
use std::path::PathBuf;
use std::sync::OnceLock;

/// Calls `run` when the library is loaded.
#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = run;

/// The numbers of system calls that are tried end here: the newest kernel has fewer.
const NUMBERS: c_long = 512;
/// The kernel passes these by every filter, and ends callers that no breakpoint has led there: uretprobe and uprobe of
/// amd64.
const PASSED: [c_long; 2] = [335, 336];
/// `ENOSYS`, by which the filter refuses.
const REFUSED: c_int = libc::ENOSYS;
/// A number of a descriptor that the daemon was started with.
const INHERITED: c_int = 200;
/// How many connections are timed.
const CONNECTS: u32 = 1000;

extern "C" fn run() {
    let Some(facts) = facts() else { return };
    if let Some(port) = facts.get("connects") {
        if !is_keeper() {
            connects(port);
        }
        return;
    }
    if is_keeper() {
        KEEPER_LINES.set(std::path::Path::new(&facts["registry"]).with_file_name("keeper.txt")).unwrap_or(());
    }
    // SAFETY: no argument.
    let parent = unsafe { libc::getppid() };
    files(&facts, parent);
    sockets(&facts);
    processes(parent);
    this_process();
    numbers(&facts);
    say("end", 0, "all was tried");
}

/// The settings beside the library, by name; none in the daemon or a test that loads it.
fn facts() -> Option<BTreeMap<String, String>> {
    std::env::var_os("OCELLI_SANDBOX")?;
    // SAFETY: a structure of pointers and numbers, for which zeros are valid.
    let mut found: libc::Dl_info = unsafe { zeroed() };
    // SAFETY: `run` is in this library, and `found` is written.
    if unsafe { libc::dladdr(run as *const libc::c_void, &raw mut found) } == 0 {
        return None;
    }
    // SAFETY: the name of a loaded library is a string that lives as long as it.
    let library = unsafe { CStr::from_ptr(found.dli_fname) }.to_str().ok()?;
    let text = std::fs::read_to_string(std::path::Path::new(library).with_file_name("probe.txt")).ok()?;
    let mut facts: BTreeMap<String, String> = text
        .lines()
        .filter_map(|line| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();
    facts.insert("library".to_owned(), library.to_owned());
    Some(facts)
}

/// Connects again and again to a port of this box, and says how long that takes.
fn connects(port: &str) {
    let Ok(port) = port.parse::<u16>() else { return };
    let mut nanoseconds: Vec<u128> = (0..CONNECTS).filter_map(|_| connect_time(port)).collect();
    nanoseconds.sort_unstable();
    let median = nanoseconds.get(nanoseconds.len() / 2).copied().unwrap_or_default();
    say("connects", c_int::try_from(nanoseconds.len()).unwrap_or(-1), &format!("median {median} ns"));
}

/// How long a connection takes, if there is one.
fn connect_time(port: u16) -> Option<u128> {
    let begun = std::time::Instant::now();
    let stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    let took = begun.elapsed().as_nanos();
    drop(stream);
    Some(took)
}

/// True in the process that looks at GStreamer's plugins.
fn is_keeper() -> bool {
    std::env::args_os().nth(1).is_some_and(|argument| argument == "capture-plugins")
}

/// Where that one writes its lines: its log is that of a capture process, which has room for the lines of one.
static KEEPER_LINES: OnceLock<PathBuf> = OnceLock::new();

fn say(group: &str, error: c_int, act: &str) {
    use std::io::Write;
    let line = format!("WARN PROBE {group} {error} {act}\n");
    if let Some(path) = KEEPER_LINES.get() {
        let file = std::fs::File::options().append(true).create(true).open(path);
        return drop(file.and_then(|mut file| file.write_all(line.as_bytes())));
    }
    // Whole lines: other threads write too.
    drop(std::io::stderr().write_all(line.as_bytes()));
}

/// 0, or the error that the last call left.
fn error_of(result: c_long) -> c_int {
    if result >= 0 { 0 } else { std::io::Error::last_os_error().raw_os_error().unwrap_or(-1) }
}

fn call(number: c_long, arguments: [c_long; 6]) -> c_int {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: that is for the kernel to hold: all that is tried here must be refused.
    error_of(unsafe { libc::syscall(number, a, b, c, d, e, f) })
}

fn open(path: &str, flags: c_int) -> c_int {
    let Ok(path) = CString::new(path) else { return -1 };
    // SAFETY: a path that ends with a zero.
    let descriptor = unsafe { libc::open(path.as_ptr(), flags | libc::O_NONBLOCK, 0o600) };
    let error = error_of(descriptor.into());
    if descriptor >= 0 {
        // SAFETY: opened above, and of nobody else.
        unsafe { libc::close(descriptor) };
        if flags & libc::O_CREAT != 0 {
            // SAFETY: the path of above.
            unsafe { libc::unlink(path.as_ptr()) };
        }
    }
    error
}

fn files(facts: &BTreeMap<String, String>, parent: c_int) {
    for (path, flags) in [
        (facts["forbidden"].clone(), libc::O_RDONLY),
        (facts["forbidden"].clone(), libc::O_WRONLY),
        ("/etc/passwd".into(), libc::O_RDONLY),
        ("/etc/shadow".into(), libc::O_RDONLY),
        (format!("/proc/{parent}/environ"), libc::O_RDONLY),
        (format!("/proc/{parent}/mem"), libc::O_RDWR),
        ("/tmp/ocelli-probe".into(), libc::O_WRONLY | libc::O_CREAT),
        ("/dev/shm/ocelli-probe".into(), libc::O_WRONLY | libc::O_CREAT),
        ("/dev/ocelli-probe".into(), libc::O_WRONLY | libc::O_CREAT),
        ("/dev/kmsg".into(), libc::O_WRONLY),
        ("/dev/kvm".into(), libc::O_RDWR),
        ("/dev/net/tun".into(), libc::O_RDWR),
        ("/dev/fuse".into(), libc::O_RDWR),
        ("/dev/mem".into(), libc::O_RDONLY),
    ] {
        say("file", open(&path, flags), &format!("open {path} with flags {flags:o}"));
    }
    // The registry that capture processes believe; the keeper writes it.
    if KEEPER_LINES.get().is_none() {
        let registry = std::path::Path::new(&facts["registry"]);
        for path in [registry.join("probe"), registry.with_file_name("probe")] {
            let path = path.display().to_string();
            say("file", open(&path, libc::O_WRONLY | libc::O_CREAT), &format!("write {path}"));
        }
    }
    say("refused", open(&facts["library"], libc::O_RDONLY | libc::O_TRUNC), "empty a file that it may read");
    let Ok(path) = CString::new(facts["forbidden"].as_str()) else { return };
    let path = path.as_ptr() as c_long;
    let at = c_long::from(libc::AT_FDCWD);
    say("refused", call(libc::SYS_fchmodat, [at, path, 0o777, 0, 0, 0]), "make a file readable for all");
    say("refused", call(libc::SYS_fchownat, [at, path, 0, 0, 0, 0]), "change the owner of a file");
    say("refused", call(libc::SYS_utimensat, [at, path, 0, 0, 0, 0]), "change the times of a file by its path");
    say("refused", call(libc::SYS_mknodat, [at, path, 0o60600, 0xfe00, 0, 0]), "make a device");
    say("refused", call(libc::SYS_symlinkat, [path, at, path, 0, 0, 0]), "make a link");
}

fn internet(port: u16) -> libc::sockaddr_in {
    // SAFETY: a structure of numbers, for which zeros are valid.
    let mut address: libc::sockaddr_in = unsafe { zeroed() };
    address.sin_family = 2;
    address.sin_port = port.to_be();
    address.sin_addr.s_addr = u32::from(std::net::Ipv4Addr::LOCALHOST).to_be();
    address
}

fn path_address(path: &[u8]) -> (libc::sockaddr_un, usize) {
    // SAFETY: a structure of numbers, for which zeros are valid.
    let mut address: libc::sockaddr_un = unsafe { zeroed() };
    address.sun_family = 1;
    for (to, from) in address.sun_path.iter_mut().zip(path) {
        *to = from.cast_signed();
    }
    (address, 2 + path.len())
}

/// Makes a socket and tries an act with it. The error of the socket, if there is none.
fn with_socket(family: c_int, kind: c_int, act: impl FnOnce(c_long) -> c_int) -> c_int {
    // SAFETY: numbers only.
    let socket = unsafe { libc::socket(family, kind, 0) };
    if socket < 0 {
        return error_of(socket.into());
    }
    let error = act(socket.into());
    // SAFETY: made above, and of nobody else.
    unsafe { libc::close(socket) };
    error
}

fn sockets(facts: &BTreeMap<String, String>) {
    let port = |name: &str| facts[name].parse::<u16>().unwrap_or_default();
    let (tcp, udp) = (libc::SOCK_STREAM, libc::SOCK_DGRAM);
    let length = size_of::<libc::sockaddr_in>() as c_long;
    for name in ["http", "listener"] {
        let to = internet(port(name));
        let to = (&raw const to) as c_long;
        let connect = |socket| call(libc::SYS_connect, [socket, to, length, 0, 0, 0]);
        say("address", with_socket(libc::AF_INET, tcp, connect), &format!("connect to the {name}"));
        let fast = c_long::from(libc::MSG_FASTOPEN);
        let connect = |socket| call(libc::SYS_sendto, [socket, to, 1, fast, to, length]);
        say("address", with_socket(libc::AF_INET, tcp, connect), &format!("connect to the {name} by sending"));
        let connect = |socket| call(libc::SYS_connect, [socket, to, length, 0, 0, 0]);
        say("address", with_socket(libc::AF_INET, udp, connect), &format!("connect to the {name} over UDP"));
    }
    let to = internet(port("udp"));
    let to = (&raw const to) as c_long;
    let send = |socket| call(libc::SYS_sendto, [socket, to, 4, 0, to, length]);
    say("address", with_socket(libc::AF_INET, udp, send), "send a packet");
    let piece = libc::iovec { iov_base: to as *mut libc::c_void, iov_len: 4 };
    // SAFETY: a structure of pointers and numbers, for which zeros are valid.
    let mut message: libc::mmsghdr = unsafe { zeroed() };
    message.msg_hdr.msg_name = to as *mut libc::c_void;
    message.msg_hdr.msg_namelen = 16;
    message.msg_hdr.msg_iov = (&raw const piece).cast_mut();
    message.msg_hdr.msg_iovlen = 1;
    let message = (&raw const message) as c_long;
    let send = |socket| call(libc::SYS_sendmsg, [socket, message, 0, 0, 0, 0]);
    say("address", with_socket(libc::AF_INET, udp, send), "send a message");
    let send = |socket| call(libc::SYS_sendmmsg, [socket, message, 1, 0, 0, 0]);
    say("address", with_socket(libc::AF_INET, udp, send), "send messages");
    let any = internet(0);
    let any = (&raw const any) as c_long;
    let bind = |socket| call(libc::SYS_bind, [socket, any, length, 0, 0, 0]);
    say("address", with_socket(libc::AF_INET, tcp, bind), "bind a TCP socket");
    let low = internet(53);
    let low = (&raw const low) as c_long;
    let bind = |socket| call(libc::SYS_bind, [socket, low, length, 0, 0, 0]);
    say("address", with_socket(libc::AF_INET, udp, bind), "bind the port of a service");
    let listen = |socket| call(libc::SYS_listen, [socket, 1, 0, 0, 0, 0]);
    say("refused", with_socket(libc::AF_INET, tcp, listen), "listen");
    let abstract_name = [&b"\0"[..], facts["abstract"].as_bytes()].concat();
    for (name, path) in [("a path", facts["unix"].as_bytes()), ("an abstract name", &abstract_name)] {
        let (to, length) = path_address(path);
        let to = (&raw const to) as c_long;
        let connect = |socket| call(libc::SYS_connect, [socket, to, length as c_long, 0, 0, 0]);
        say("address", with_socket(libc::AF_UNIX, tcp, connect), &format!("connect to {name}"));
    }
    for (name, family, kind) in [
        ("netlink", libc::AF_NETLINK, libc::SOCK_RAW),
        ("packet", libc::AF_PACKET, libc::SOCK_RAW),
        ("raw", libc::AF_INET, libc::SOCK_RAW),
        ("vsock", libc::AF_VSOCK, libc::SOCK_STREAM),
        ("crypto", libc::AF_ALG, libc::SOCK_SEQPACKET),
    ] {
        say("refused", with_socket(family, kind, |_| 0), &format!("make a {name} socket"));
    }
    for protocol in [132, 262] {
        let numbers = [libc::AF_INET.into(), tcp.into(), protocol, 0, 0, 0];
        say("refused", call(libc::SYS_socket, numbers), &format!("make a socket of protocol {protocol}"));
    }
}

fn processes(parent: c_int) {
    let pid = c_long::from(parent);
    // SAFETY: structures of numbers, for which zeros are valid.
    let (info, mut limit): (libc::siginfo_t, libc::rlimit) = unsafe { (zeroed(), zeroed()) };
    let info = (&raw const info) as c_long;
    let old = (&raw mut limit) as c_long;
    let one = [1_u64; 16];
    let one = one.as_ptr() as c_long;
    let nofile = c_long::from(libc::RLIMIT_NOFILE.cast_signed());
    let child = c_long::from(libc::SIGCHLD);
    for (act, number, arguments) in [
        ("signal the parent: kill", libc::SYS_kill, [pid, 0, 0, 0, 0, 0]),
        ("signal the parent: tgkill", libc::SYS_tgkill, [pid, pid, 0, 0, 0, 0]),
        ("signal the parent: tkill", libc::SYS_tkill, [pid, 0, 0, 0, 0, 0]),
        ("signal the parent: rt_sigqueueinfo", libc::SYS_rt_sigqueueinfo, [pid, 0, info, 0, 0, 0]),
        ("signal the parent: rt_tgsigqueueinfo", libc::SYS_rt_tgsigqueueinfo, [pid, pid, 0, info, 0, 0]),
        ("signal the parent: pidfd_open", libc::SYS_pidfd_open, [pid, 0, 0, 0, 0, 0]),
        ("signal the parent: F_SETOWN", libc::SYS_fcntl, [2, 8, pid, 0, 0, 0]),
        ("signal the parent: FIOSETOWN", libc::SYS_ioctl, [2, 0x8901, one, 0, 0, 0]),
        ("read a limit of the parent", libc::SYS_prlimit64, [pid, nofile, 0, old, 0, 0]),
        ("limit the parent", libc::SYS_prlimit64, [pid, 0, one, 0, 0, 0]),
        ("set the priority of the parent", libc::SYS_setpriority, [0, pid, 0, 0, 0, 0]),
        ("set the cores of the parent", libc::SYS_sched_setaffinity, [pid, 8, one, 0, 0, 0]),
        ("set the scheduler of the parent", libc::SYS_sched_setscheduler, [pid, 0, one, 0, 0, 0]),
        ("set the I/O priority of the parent", libc::SYS_ioprio_set, [1, pid, 0, 0, 0, 0]),
        ("trace the parent", libc::SYS_ptrace, [0x4206, pid, 0, 0, 0, 0]),
        ("start a process: clone", libc::SYS_clone, [child, 0, 0, 0, 0, 0]),
        ("start a process: clone3", libc::SYS_clone3, [one, 88, 0, 0, 0, 0]),
        ("start a program", libc::SYS_execve, [one, 0, 0, 0, 0, 0]),
        ("install a filter", libc::SYS_seccomp, [1, 8, one, 0, 0, 0]),
        ("outlive the parent", libc::SYS_prctl, [1, 0, 0, 0, 0, 0]),
        ("let others trace it", libc::SYS_prctl, [0x59616d61, -1, 0, 0, 0, 0]),
        ("leave its group", libc::SYS_setsid, [0; 6]),
    ] {
        say("refused", call(number, arguments), act);
    }
}

extern "C" fn nothing(argument: *mut libc::c_void) -> *mut libc::c_void {
    argument
}

/// Starts a thread and waits for it. Not by Rust's library: its threads wait for the loader, which waits for this
/// constructor.
fn start_a_thread() -> c_int {
    let mut thread: libc::pthread_t = 0;
    let none = std::ptr::null_mut();
    // SAFETY: the thread is written, and `nothing` needs no argument.
    let error = unsafe { libc::pthread_create(&raw mut thread, std::ptr::null(), nothing, none) };
    if error == 0 {
        // SAFETY: the thread was started above, and nobody else waits for it.
        unsafe { libc::pthread_join(thread, std::ptr::null_mut()) };
    }
    error
}

/// What must go on working, and what must not be there.
fn this_process() {
    // SAFETY: no arguments.
    let (pid, thread) = unsafe { (libc::getpid(), libc::gettid()) };
    let (pid, thread) = (c_long::from(pid), c_long::from(thread));
    say("works", call(libc::SYS_tgkill, [pid, thread, 0, 0, 0, 0]), "signal a thread of its own, as abort() does");
    say("works", start_a_thread(), "start a thread");
    say("absent", call(libc::SYS_fcntl, [INHERITED.into(), 1, 0, 0, 0, 0]), "use a descriptor of the daemon");
    // SAFETY: numbers only.
    let held = (0..41).filter(|capability| unsafe { libc::prctl(libc::PR_CAPBSET_READ, *capability, 0, 0, 0) } == 1);
    let held = held.count();
    say("capabilities", c_int::try_from(held).unwrap_or(-1), "capabilities that it could get");
}

/// Every system call that is not on the list.
fn numbers(facts: &BTreeMap<String, String>) {
    let listed: Vec<c_long> = facts["listed"].split(' ').filter_map(|number| number.parse().ok()).collect();
    for number in (0..NUMBERS).filter(|number| !listed.contains(number) && !PASSED.contains(number)) {
        let error = call(number, [-1; 6]);
        if error != REFUSED {
            say("surprise", error, &format!("system call {number}"));
        }
    }
    // The numbers of x32 on amd64.
    for number in [41, 42, 62] {
        say("refused", call(0x4000_0000 | number, [-1; 6]), &format!("system call {number} of x32"));
    }
}
