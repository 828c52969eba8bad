//! Spawning, watching and ending children: one mechanism for units and capture processes.
//!
//! A child is this binary with a hidden subcommand. Its standard input is the channel. The owner's queue receives its
//! messages and, last, its end. A child that closes its channel or breaks the protocol is killed: nothing that it sends
//! afterwards could be received.

use crate::ipc::call_gate;
use crate::ipc::channel::{Channel, ChannelError};
use crate::ipc::child_log::log_lines;
use crate::ipc::child_watch::{Watched, watch};
use crate::ipc::refused_calls::RefusedCalls;
use crate::ipc::socket_wish::{Judge, NoSockets};
use crate::os::parent_gate;
use crate::os::pidfd::PidFd;
use crate::os::process_title::PREFIX;
use crate::os::readiness;
use crate::os::sandbox::{MODE_VARIABLE, SandboxMode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;
use tokio::sync::mpsc;

pub use crate::ipc::child_watch::ChildEvent;

/// How to start a child.
#[derive(Clone, Debug)]
pub struct ChildSpec {
    /// The binary; [`own_binary`] outside tests.
    pub program: PathBuf,
    /// The hidden subcommand.
    pub arguments: Vec<String>,
    /// The complete environment; nothing is inherited.
    pub environment: BTreeMap<String, String>,
    /// What the child is, as `unit coco-ssd 0`, in the log and, after [`PREFIX`], in `ps`. Must not contain
    /// secrets, nor may the arguments: argv is public.
    pub title: String,
}

/// The path of this binary. Valid even after an update has replaced the file, unlike `current_exe`.
pub fn own_binary() -> PathBuf {
    PathBuf::from("/proc/self/exe")
}

/// A running child. Dropping the handle kills it.
#[derive(Debug)]
pub struct ChildHandle {
    channel: Arc<Channel>,
    process: Arc<PidFd>,
}

impl ChildHandle {
    /// Sends without waiting. The socket's buffer is the queue.
    ///
    /// # Errors
    /// `Full` if the child has not read for hundreds of messages, so it hangs. `Closed` if it has ended.
    pub fn send<T: Serialize>(&self, message: &T, descriptor: Option<BorrowedFd<'_>>) -> Result<(), ChannelError> {
        self.channel.send(message, descriptor)
    }

    /// Kills the child and whatever it has started (SIGKILL). [`ChildEvent::Ended`] follows.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// Process ID.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}

impl Drop for ChildHandle {
    fn drop(&mut self) {
        self.process.kill();
    }
}

/// Queue capacity for children that are to be started. Callers wait for each, so more than a few means that one hangs.
const JOBS: usize = 8;

/// How long a caller waits for a child to be started. `exec` reads the program, and a disk may hang.
const FORK_LIMIT: Duration = Duration::from_secs(2);

struct Job {
    command: Command,
    reply: SyncSender<io::Result<Unwatched>>,
}

/// A child that is not watched yet. Unless [`Self::release`] is called, it is killed and reaped on drop. It would
/// otherwise run on unsupervised, or remain as a zombie.
struct Unwatched(Option<Child>);

impl Unwatched {
    fn child(&mut self) -> io::Result<&mut Child> {
        self.0.as_mut().ok_or_else(|| io::Error::other("the child is watched already"))
    }

    fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for Unwatched {
    fn drop(&mut self) {
        let Some(mut child) = self.0.take() else { return };
        let pid = child.id();
        // On a thread, because the caller may be an event loop.
        let end = move || child.kill().and_then(|()| child.wait());
        if let Err(error) = std::thread::Builder::new().name("reaper".into()).spawn(end) {
            tracing::error!(pid, %error, "a child that cannot be watched cannot be killed either");
        }
    }
}

/// The thread that spawns all children. It must live as long as the parent: a child's parent-death signal is sent when
/// the spawning thread ends.
#[derive(Clone, Debug)]
pub struct Spawner {
    jobs: SyncSender<Job>,
    /// Jobs that are queued or being done.
    pending: Arc<AtomicUsize>,
    /// The last caller has waited in vain.
    is_late: Arc<AtomicBool>,
    refused_calls: RefusedCalls,
}

impl Spawner {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start() -> io::Result<Self> {
        Self::start_with(|command| command.spawn())
    }

    fn start_with(mut fork: impl FnMut(&mut Command) -> io::Result<Child> + Send + 'static) -> io::Result<Self> {
        let (jobs, inbox) = sync_channel::<Job>(JOBS);
        let pending = Arc::new(AtomicUsize::new(0));
        let undone = Arc::clone(&pending);
        std::thread::Builder::new().name("spawner".into()).spawn(move || {
            while let Ok(mut job) = inbox.recv() {
                // The thread must survive a panic: its end would kill every child, and no new one could be started.
                let child = catch_unwind(AssertUnwindSafe(|| fork(&mut job.command)));
                let child = child.unwrap_or_else(|_| Err(io::Error::other("the spawner panicked")));
                // A caller that no longer waits drops the child, which ends it.
                drop(job.reply.send(child.map(|child| Unwatched(Some(child)))));
                undone.fetch_sub(1, Ordering::Relaxed);
            }
        })?;
        Ok(Self { jobs, pending, is_late: Arc::default(), refused_calls: RefusedCalls::default() })
    }

    /// How many calls of its children were refused.
    pub fn refused_calls(&self) -> RefusedCalls {
        self.refused_calls.clone()
    }

    /// Starts a child that has no sockets. Its events are converted by `wrap` and sent to `events`. Blocks for about a
    /// millisecond, two seconds at most. Must be called inside the Tokio runtime.
    ///
    /// # Errors
    /// When the process or its channel cannot be created, or the system does not start it in time.
    pub fn spawn<M, E, W>(&self, spec: &ChildSpec, events: mpsc::Sender<E>, wrap: W) -> io::Result<ChildHandle>
    where
        M: DeserializeOwned + Send + 'static,
        E: Send + 'static,
        W: Fn(ChildEvent<M>) -> E + Send + Sync + 'static,
    {
        self.spawn_judged(spec, Arc::new(NoSockets), events, wrap)
    }

    /// [`Self::spawn`] for a child with sockets. `judge` decides which addresses they reach.
    ///
    /// # Errors
    /// As of [`Self::spawn`].
    pub fn spawn_judged<M, E, W>(
        &self,
        spec: &ChildSpec,
        judge: Arc<dyn Judge>,
        events: mpsc::Sender<E>,
        wrap: W,
    ) -> io::Result<ChildHandle>
    where
        M: DeserializeOwned + Send + 'static,
        E: Send + 'static,
        W: Fn(ChildEvent<M>) -> E + Send + Sync + 'static,
    {
        // All descriptors are opened here, where a failure is returned, and not in the watching task.
        let (ours, theirs) = Channel::pair()?;
        ours.set_nonblocking()?;
        let messages = readiness::watch(&ours)?;
        let is_confined = spec.environment.get(MODE_VARIABLE).is_some_and(|mode| mode != SandboxMode::Off.name());
        let gate = is_confined.then(UnixStream::pair).transpose()?;
        let (gate, their_gate) = gate.map_or((None, None), |(ours, theirs)| (Some(ours), Some(theirs)));
        let mut child = self.fork(spec, theirs.into_socket(), their_gate.map(OwnedFd::from))?;
        let process = Arc::new(PidFd::open(child.child()?.id())?);
        let end = readiness::watch(&*process)?;
        let log = child.child()?.stderr.take().map(OwnedFd::from);
        let log = log.map(tokio::net::unix::pipe::Receiver::from_owned_fd).transpose()?;
        if let Some(gate) = gate {
            let refused = self.refused_calls.of(spec.arguments.first().map_or("", String::as_str));
            call_gate::open(Arc::clone(&process), gate, spec.title.clone(), judge, refused)?;
        }
        child.release();
        if let Some(pipe) = log {
            tokio::spawn(log_lines(pipe, spec.title.clone()));
        }
        let channel = Arc::new(ours);
        let watched = Watched { channel: Arc::clone(&channel), messages, process: Arc::clone(&process), end };
        tokio::spawn(watch(watched, events, wrap));
        Ok(ChildHandle { channel, process })
    }

    fn fork(&self, spec: &ChildSpec, stdin: OwnedFd, gate: Option<OwnedFd>) -> io::Result<Unwatched> {
        let mut command = Command::new(&spec.program);
        command
            .arg0(format!("{PREFIX}{}", spec.title))
            .args(&spec.arguments)
            .env_clear()
            .envs(&spec.environment)
            .envs(gate.as_ref().map(|_| (parent_gate::VARIABLE, "stdout")))
            .stdin(Stdio::from(stdin))
            .stdout(gate.map_or_else(Stdio::null, Stdio::from))
            .stderr(Stdio::piped())
            // Ctrl-C in a terminal must reach the parent only, which then drains. A kill reaches all of the group.
            .process_group(0);
        let too_slow =
            || io::Error::new(io::ErrorKind::TimedOut, "the system does not start the process: the disk may hang");
        // One caller waits; others of the same turn of an event loop must not wait after it.
        if self.is_late.load(Ordering::Relaxed) && self.pending.load(Ordering::Relaxed) > 0 {
            return Err(too_slow());
        }
        let (reply, answer) = sync_channel(1);
        self.pending.fetch_add(1, Ordering::Relaxed);
        if self.jobs.try_send(Job { command, reply }).is_err() {
            self.pending.fetch_sub(1, Ordering::Relaxed);
            return Err(too_slow());
        }
        let child = answer.recv_timeout(FORK_LIMIT);
        self.is_late.store(child.is_err(), Ordering::Relaxed);
        child.map_err(|_| too_slow())?
    }
}

#[cfg(test)]
mod tests;
