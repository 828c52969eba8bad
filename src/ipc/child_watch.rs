//! Watches a child: forwards its messages, and notices its end.

use crate::ipc::channel::{Channel, ChannelError};
use crate::os::pidfd::{ExitStatus, PidFd};
use crate::vision::error_chain::describe;
use serde::de::DeserializeOwned;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

/// What the owner of a child receives.
#[derive(Debug)]
pub enum ChildEvent<M> {
    /// A message from the child.
    Message(M),
    /// The child has ended. Always the last event.
    Ended {
        /// Exit code or signal.
        status: ExitStatus,
        /// The protocol violation for which it was killed, if any.
        violation: Option<String>,
    },
}

/// A child with the descriptors that its watcher polls.
pub(super) struct Watched {
    pub(super) channel: Arc<Channel>,
    pub(super) messages: AsyncFd<OwnedFd>,
    pub(super) process: Arc<PidFd>,
    pub(super) end: AsyncFd<OwnedFd>,
}

/// Sends the events of a child until its end, which is the last.
pub(super) async fn watch<M, E, W>(child: Watched, events: mpsc::Sender<E>, wrap: W)
where
    M: DeserializeOwned,
    W: Fn(ChildEvent<M>) -> E,
{
    let violation = forward(&child, &events, &wrap).await;
    // Before it is reaped, while its group is certainly its own.
    child.process.kill();
    let status = match reap(&child).await {
        Ok(status) => status,
        Err(error) => {
            tracing::warn!(pid = child.process.pid(), %error, "the exit status of a child cannot be read");
            ExitStatus::Code(-1)
        }
    };
    // Fails only if the owner has dropped its queue.
    drop(events.send(wrap(ChildEvent::Ended { status, violation })).await);
}

/// Forwards messages until the channel or the process ends. Returns why, unless the child has closed the channel or ended.
/// A process that the child has started may hold the channel open after it.
async fn forward<M, E, W>(child: &Watched, events: &mpsc::Sender<E>, wrap: &W) -> Option<String>
where
    M: DeserializeOwned,
    W: Fn(ChildEvent<M>) -> E,
{
    let mut has_ended = false;
    loop {
        let mut ready = None;
        if !has_ended {
            tokio::select! {
                messages = child.messages.readable() => ready = Some(messages.ok()?),
                _ = child.end.readable() => {
                    // What it has started might go on sending.
                    child.process.kill();
                    has_ended = true;
                }
            }
        }
        match child.channel.receive::<M>() {
            Ok((message, _)) => events.send(wrap(ChildEvent::Message(message))).await.ok()?,
            Err(ChannelError::Empty) if has_ended => return None,
            Err(ChannelError::Empty) => ready.iter_mut().for_each(|ready| ready.clear_ready()),
            Err(ChannelError::Protocol(violation)) => return Some(violation),
            Err(ChannelError::Closed) => return None,
            Err(error) => return Some(describe(&error)),
        }
    }
}

async fn reap(child: &Watched) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = child.process.try_wait()? {
            return Ok(status);
        }
        child.end.readable().await?.clear_ready();
    }
}
