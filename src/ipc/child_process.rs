//! Spawning, watching and ending children: one mechanism for units and capture processes.
//!
//! A child is this same binary with a hidden subcommand; its standard input is the channel. What
//! it says and that it ended arrive in the owner's queue, in that order. A child that closes its
//! channel or breaks the protocol is killed: whatever it does next, nobody is listening.

use crate::ipc::channel::{Channel, ChannelError};
use crate::os::pidfd::{ExitStatus, PidFd};
use crate::os::readiness;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;

/// What to start.
#[derive(Clone, Debug)]
pub struct ChildSpec {
    /// The binary; [`own_binary`] outside tests.
    pub program: PathBuf,
    /// The hidden subcommand. Never a secret: argv is public.
    pub arguments: Vec<String>,
    /// The whole environment: nothing is inherited.
    pub environment: BTreeMap<String, String>,
    /// For log lines.
    pub name: String,
}

/// This binary, also after an update has replaced its file (`current_exe` would then name a deleted one).
pub fn own_binary() -> PathBuf {
    PathBuf::from("/proc/self/exe")
}

/// What the owner of a child is told.
#[derive(Debug)]
pub enum ChildEvent<M> {
    /// The child said this.
    Message(M),
    /// The child is gone; always the last event.
    Ended {
        /// How.
        status: ExitStatus,
        /// What it did wrong, if that is why it was killed.
        violation: Option<String>,
    },
}

/// A running child. Dropping the handle kills it.
#[derive(Debug)]
pub struct ChildHandle {
    channel: Arc<Channel>,
    process: Arc<PidFd>,
}

impl ChildHandle {
    /// Sends without waiting; the socket's buffer is the queue.
    ///
    /// # Errors
    /// `Full` says that the child has not read for hundreds of messages: it hangs. `Closed`: it is gone.
    pub fn send<T: Serialize>(&self, message: &T, descriptor: Option<BorrowedFd<'_>>) -> Result<(), ChannelError> {
        self.channel.send(message, descriptor)
    }

    /// Ends it at once; `Ended` follows.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}

impl Drop for ChildHandle {
    fn drop(&mut self) {
        self.process.kill();
    }
}

struct Job {
    command: Command,
    reply: SyncSender<io::Result<std::process::Child>>,
}

/// The one thread that forks. It lives as long as the parent, because a child's death signal
/// follows the thread that spawned it.
#[derive(Clone, Debug)]
pub struct Spawner {
    jobs: SyncSender<Job>,
}

impl Spawner {
    /// Starts the thread.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start() -> io::Result<Self> {
        let (jobs, inbox) = sync_channel::<Job>(1);
        std::thread::Builder::new().name("spawner".into()).spawn(move || {
            while let Ok(mut job) = inbox.recv() {
                // The asker waits for the reply, so there is always somebody to receive it.
                drop(job.reply.send(job.command.spawn()));
            }
        })?;
        Ok(Self { jobs })
    }

    /// Starts a child whose events go to `events` as `wrap` names them. Takes about a millisecond.
    /// Must be called inside the runtime.
    ///
    /// # Errors
    /// When the process or its channel cannot be had.
    pub fn spawn<M, E, W>(&self, spec: &ChildSpec, events: mpsc::Sender<E>, wrap: W) -> io::Result<ChildHandle>
    where
        M: DeserializeOwned + Send + 'static,
        E: Send + 'static,
        W: Fn(ChildEvent<M>) -> E + Send + Sync + 'static,
    {
        let (ours, theirs) = Channel::pair()?;
        let mut child = self.fork(spec, theirs.into_socket())?;
        let process = Arc::new(PidFd::open(child.id())?);
        ours.set_nonblocking()?;
        let channel = Arc::new(ours);
        if let Some(stderr) = child.stderr.take() {
            let pipe = tokio::net::unix::pipe::Receiver::from_owned_fd(OwnedFd::from(stderr))?;
            tokio::spawn(log_lines(pipe, spec.name.clone()));
        }
        tokio::spawn(watch(Arc::clone(&channel), Arc::clone(&process), events, wrap));
        Ok(ChildHandle { channel, process })
    }

    fn fork(&self, spec: &ChildSpec, stdin: OwnedFd) -> io::Result<std::process::Child> {
        let mut command = Command::new(&spec.program);
        command
            .args(&spec.arguments)
            .env_clear()
            .envs(&spec.environment)
            .stdin(Stdio::from(stdin))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C in a terminal goes to the parent alone, which then drains.
            .process_group(0);
        let gone = || io::Error::other("the spawner thread is gone");
        let (reply, answer) = sync_channel(1);
        self.jobs.send(Job { command, reply }).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }
}

async fn watch<M, E, W>(channel: Arc<Channel>, process: Arc<PidFd>, events: mpsc::Sender<E>, wrap: W)
where
    M: DeserializeOwned,
    W: Fn(ChildEvent<M>) -> E,
{
    let violation = forward(&channel, &events, &wrap).await;
    process.kill();
    let status = match reap(&process).await {
        Ok(status) => status,
        Err(error) => {
            tracing::warn!(pid = process.pid(), %error, "the end of a child could not be learned");
            ExitStatus::Code(-1)
        }
    };
    // A failure means that the owner is gone, and with it everybody who cared.
    drop(events.send(wrap(ChildEvent::Ended { status, violation })).await);
}

/// Forwards messages until the channel ends; returns the violation if that is why.
async fn forward<M, E, W>(channel: &Channel, events: &mpsc::Sender<E>, wrap: &W) -> Option<String>
where
    M: DeserializeOwned,
    W: Fn(ChildEvent<M>) -> E,
{
    let readiness = readiness::watch(channel).ok()?;
    loop {
        let mut ready = readiness.readable().await.ok()?;
        match channel.receive::<M>() {
            Ok((message, _)) => events.send(wrap(ChildEvent::Message(message))).await.ok()?,
            Err(ChannelError::Empty) => ready.clear_ready(),
            Err(ChannelError::Protocol(violation)) => return Some(violation),
            Err(_) => return None,
        }
    }
}

async fn reap(process: &PidFd) -> io::Result<ExitStatus> {
    let readiness = readiness::watch(process)?;
    loop {
        if let Some(status) = process.try_wait()? {
            return Ok(status);
        }
        readiness.readable().await?.clear_ready();
    }
}

/// The longest piece of a child's log line that is kept.
const MAX_LINE_BYTES: u64 = 4096;

/// Passes a child's standard error on to the log, where the sink redacts it like every other line.
async fn log_lines(pipe: tokio::net::unix::pipe::Receiver, name: String) {
    use tokio::io::AsyncReadExt;
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        match text.split_once(' ') {
            Some(("ERROR", rest)) => tracing::error!(child = name, "{}", rest.trim_start()),
            Some(("WARN", rest)) => tracing::warn!(child = name, "{}", rest.trim_start()),
            Some(("DEBUG" | "TRACE", rest)) => tracing::debug!(child = name, "{}", rest.trim_start()),
            Some(("INFO", rest)) => tracing::info!(child = name, "{}", rest.trim_start()),
            _ if text.is_empty() => {}
            _ => tracing::info!(child = name, "{text}"),
        }
    }
}
