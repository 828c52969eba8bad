//! What an exploit in a codec or a model would try, for `tests/safety.rs`.
//!
//! A confined child loads this library in place of a plugin of GStreamer or of ONNX Runtime. Its constructor then tries
//! acts and system calls, and writes a line for each to standard error: `WARN PROBE <group> <errno> <act>`. The file
//! `probe.txt` beside it names what to try them on.

#![expect(unsafe_code, reason = "it makes system calls as an exploit would")]

#[path = "probe/files.rs"]
mod files;
#[path = "probe/processes.rs"]
mod processes;
#[path = "probe/sockets.rs"]
mod sockets;

use files::files;
use libc::{c_int, c_long};
use processes::processes;
use sockets::sockets;
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::mem::zeroed;
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
    if let Some(message) = facts.get("panics") {
        if !is_keeper() {
            // A panic of a constructor ends the process, and says so.
            panic!("{message}");
        }
        return;
    }
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
    make_code();
    say("absent", call(libc::SYS_fcntl, [INHERITED.into(), 1, 0, 0, 0, 0]), "use a descriptor of the daemon");
    // SAFETY: numbers only.
    let held = (0..41).filter(|capability| unsafe { libc::prctl(libc::PR_CAPBSET_READ, *capability, 0, 0, 0) } == 1);
    let held = held.count();
    say("capabilities", c_int::try_from(held).unwrap_or(-1), "capabilities that it could get");
}

/// Code of data: memory that can be written and executed, and memory that becomes executable.
fn make_code() {
    let (data, code) =
        (c_long::from(libc::PROT_READ | libc::PROT_WRITE), c_long::from(libc::PROT_READ | libc::PROT_EXEC));
    let flags = c_long::from(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    say("code", call(libc::SYS_mmap, [0, 4096, data | code, flags, -1, 0]), "map memory to write and to execute");
    // SAFETY: a new mapping, which nothing else refers to.
    let page = unsafe { libc::syscall(libc::SYS_mmap, 0_i64, 4096_i64, data, flags, -1_i64, 0_i64) };
    say("works", error_of(page), "map memory to write");
    say("code", call(libc::SYS_mprotect, [page, 4096, code, 0, 0, 0]), "make memory executable");
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
