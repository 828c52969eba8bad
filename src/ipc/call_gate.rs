//! Decides about the system calls of a child that its filter does not allow, on a thread in the parent.
//!
//! A call that names an address is judged and then made here, with a duplicate of the child's socket: the child never makes
//! it, so neither another thread of it that changes the address meanwhile nor a descriptor that it exchanges gets past the
//! decision. Every other call is refused, and the log names it. The thread ends with the child, and a child whose thread
//! ends before is killed, for none of its further calls would be answered.

use crate::ipc::child_memory::{ChildMemory, MAX_DATA_BYTES, Outgoing};
use crate::ipc::refusals::Refusals;
use crate::ipc::socket_wish::{Act, Judge, Peer, SocketKind, Wish};
use crate::os::call_listener::{CallListener, WaitingCall};
use crate::os::clock::monotonic_now;
use crate::os::parent_gate::{NO, YES};
use crate::os::pidfd::PidFd;
use rustix::fs::{OFlags, fcntl_getfl};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendFlags, SocketAddrUnix, SocketType, bind, connect, connect_unspec, send, sendto,
    sockopt::{self, Timeout},
};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use syscalls::Sysno;

/// How long a socket that blocks may take to connect. GLib's do not block; glibc's do, for long answers of name servers.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// So long a child waits for a refusal that is not logged.
const BETWEEN_REFUSALS: Duration = Duration::from_millis(2);

/// The most messages of one `sendmmsg`; the caller sends the rest with its next one.
const MAX_MESSAGES: u64 = 32;

/// Serves a child on a thread of its own until it ends. `socket` is the parent's end of the child's standard output; `refused`
/// counts the calls that are refused.
///
/// # Errors
/// When the thread cannot be started.
pub fn open(
    process: Arc<PidFd>,
    socket: UnixStream,
    title: String,
    judge: Arc<dyn Judge>,
    refused: Arc<AtomicU64>,
) -> io::Result<()> {
    std::thread::Builder::new().name("call-gate".into()).spawn(move || {
        let served = catch_unwind(AssertUnwindSafe(|| serve(&process, socket, (&title, &refused), &*judge)));
        let error = match served {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the gate panicked".to_owned(),
        };
        tracing::error!(
            child = title,
            error,
            "nobody decides about the system calls of a child any more; it is killed"
        );
        process.kill();
    })?;
    Ok(())
}

fn serve(
    process: &PidFd,
    mut socket: UnixStream,
    (title, refused): (&str, &AtomicU64),
    judge: &dyn Judge,
) -> io::Result<()> {
    let can_listen = process.duplicate(0).is_ok();
    let mut number = [0; 4];
    let is_asked = socket.write_all(&[if can_listen { YES } else { NO }]).and_then(|()| socket.read_exact(&mut number));
    if !can_listen || is_asked.is_err() {
        // A child that ended before, or that is not confined.
        return Ok(());
    }
    let listener = CallListener::new(process.duplicate(i32::from_ne_bytes(number))?);
    if socket.write_all(&[YES]).is_err() {
        return Ok(());
    }
    drop(socket);
    let mut gate = Gate { process, title, judge, refused, refusals: Refusals::default() };
    while listener.wait(process.as_fd())? {
        if let Some(call) = listener.receive()? {
            let result = listener.memory(&call).and_then(|memory| gate.answer(&call, &ChildMemory(memory)));
            listener.answer(&call, result)?;
        }
    }
    Ok(())
}

struct Gate<'a> {
    process: &'a PidFd,
    title: &'a str,
    judge: &'a dyn Judge,
    refused: &'a AtomicU64,
    refusals: Refusals,
}

impl Gate<'_> {
    fn answer(&mut self, call: &WaitingCall, memory: &ChildMemory) -> Result<i64, Errno> {
        let [first, second, third, fourth, fifth, sixth] = call.arguments;
        let name = usize::try_from(call.number).ok().and_then(Sysno::new);
        match name.filter(|_| self.judge.has_sockets()) {
            Some(Sysno::connect) => self.place(Act::Connect, first, &memory.peer(second, lower(third))?),
            Some(Sysno::bind) => self.place(Act::Bind, first, &memory.peer(second, lower(third))?),
            Some(Sysno::sendto) if fifth != 0 => {
                let peer = Some(memory.peer(fifth, lower(sixth))?);
                let bytes = usize::try_from(third).unwrap_or(usize::MAX);
                let data = memory.read(second, bytes.min(MAX_DATA_BYTES))?;
                self.send(first, &Outgoing { peer, data, is_cut: bytes > MAX_DATA_BYTES }, fourth)
            }
            Some(Sysno::sendmsg) => self.send(first, &memory.message(second)?, third),
            Some(Sysno::sendmmsg) => self.send_all(memory, [first, second, lower(third), fourth]),
            _ => {
                let name = name.map_or_else(|| call.number.to_string(), |name| name.name().to_owned());
                self.refused(format!("the system call {name}"));
                Err(Errno::NOSYS)
            }
        }
    }

    /// Connects or binds.
    fn place(&mut self, act: Act, descriptor: u64, peer: &Peer) -> Result<i64, Errno> {
        let (socket, kind) = self.socket(descriptor)?;
        self.judge(&Wish { act, socket: kind, peer: peer.clone() })?;
        match (act, peer) {
            (Act::Connect, Peer::Internet(address)) => within_limit(&socket, || connect(&socket, address))?,
            (Act::Connect, Peer::Path(path)) => {
                let address = SocketAddrUnix::new(path.as_path())?;
                within_limit(&socket, || connect(&socket, &address))?;
            }
            (Act::Connect, Peer::Nobody) => connect_unspec(&socket)?,
            (Act::Bind, Peer::Internet(address)) => bind(&socket, address)?,
            _ => return Err(Errno::AFNOSUPPORT),
        }
        Ok(0)
    }

    fn send(&mut self, descriptor: u64, message: &Outgoing, flags: u64) -> Result<i64, Errno> {
        let (socket, kind) = self.socket(descriptor)?;
        if message.is_cut && kind == SocketKind::Udp {
            return Err(Errno::MSGSIZE);
        }
        // Not those that connect. The thread must not wait for a socket, and gets no signal.
        let wanted = SendFlags::from_bits_truncate(u32::try_from(lower(flags)).unwrap_or_default());
        let flags = (wanted & SendFlags::MORE) | SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let sent = match &message.peer {
            None => send(&socket, &message.data, flags)?,
            Some(peer) => {
                self.judge(&Wish { act: Act::Send, socket: kind, peer: peer.clone() })?;
                let Peer::Internet(address) = peer else { return Err(Errno::AFNOSUPPORT) };
                sendto(&socket, &message.data, flags, address)?
            }
        };
        i64::try_from(sent).map_err(|_| Errno::MSGSIZE)
    }

    fn send_all(&mut self, memory: &ChildMemory, arguments: [u64; 4]) -> Result<i64, Errno> {
        let [descriptor, first, count, flags] = arguments;
        let mut done = 0;
        while done < count.min(MAX_MESSAGES) {
            let entry = ChildMemory::entry(first, done);
            let sent = memory.message(entry).and_then(|message| self.send(descriptor, &message, flags));
            match sent {
                Ok(bytes) => memory.set_sent(entry, u32::try_from(bytes).unwrap_or(u32::MAX))?,
                Err(error) if done == 0 => return Err(error),
                // As the kernel does: the caller learns of the error with its next call.
                Err(_) => break,
            }
            done += 1;
        }
        i64::try_from(done).map_err(|_| Errno::INVAL)
    }

    /// A duplicate of a socket of the child.
    fn socket(&mut self, descriptor: u64) -> Result<(OwnedFd, SocketKind), Errno> {
        let number = i32::try_from(lower(descriptor)).map_err(|_| Errno::BADF)?;
        let socket = self.process.duplicate(number).map_err(|_| Errno::BADF)?;
        let kind = match (sockopt::socket_domain(&socket)?, sockopt::socket_type(&socket)?) {
            (AddressFamily::INET | AddressFamily::INET6, SocketType::STREAM) => SocketKind::Tcp,
            (AddressFamily::INET | AddressFamily::INET6, SocketType::DGRAM) => SocketKind::Udp,
            (AddressFamily::UNIX, _) => SocketKind::Unix,
            _ => return Err(Errno::AFNOSUPPORT),
        };
        Ok((socket, kind))
    }

    fn judge(&mut self, wish: &Wish) -> Result<(), Errno> {
        self.judge.judge(wish).map_err(|reason| {
            self.refused(format!("{wish}: {reason}"));
            Errno::ACCESS
        })
    }

    fn refused(&mut self, what: String) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        let now = Duration::from_nanos(monotonic_now().as_nanos());
        if let Some(line) = self.refusals.add(what, now) {
            tracing::warn!(child = self.title, left_out = line.left_out, "refused to a child: {}", line.text);
        } else {
            // A flood of them costs this process a fraction of a core.
            std::thread::sleep(BETWEEN_REFUSALS);
        }
    }
}

/// Connects a socket of a child. This thread waits for one that blocks, and with it all calls of the child. The child cannot
/// change the limit (`call_filter`), but can have a socket block that did not when it was asked.
fn within_limit(socket: &OwnedFd, connect: impl FnOnce() -> rustix::io::Result<()>) -> Result<(), Errno> {
    let is_blocking = !fcntl_getfl(socket)?.contains(OFlags::NONBLOCK);
    sockopt::set_socket_timeout(socket, Timeout::Send, Some(CONNECT_LIMIT))?;
    let connected = connect();
    sockopt::set_socket_timeout(socket, Timeout::Send, None)?;
    match connected {
        Err(Errno::INPROGRESS | Errno::AGAIN) if is_blocking => Err(Errno::TIMEDOUT),
        connected => connected,
    }
}

/// The lower half of a register, which is all that the kernel looks at for numbers of 32 bits.
fn lower(register: u64) -> u64 {
    register & u64::from(u32::MAX)
}
