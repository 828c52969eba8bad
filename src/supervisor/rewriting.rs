//! Has a confined process write a graph that it makes of a model, for `ocelli model quantize`.

use crate::ipc::channel::ChannelError;
use crate::ipc::child_process::{ChildEvent, ChildSpec, Spawner};
use crate::ipc::messages::{FromUnit, ToUnit};
use crate::ipc::quantize_messages::{QuantizeOrder, Quantized};
use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Why no graph was written.
#[derive(Debug, thiserror::Error)]
pub enum RewritingError {
    /// The process could not be created.
    #[error("a process to rewrite the model could not be started")]
    Spawn(#[source] std::io::Error),
    /// The request could not be sent to the process.
    #[error("the process that rewrites the model accepts no messages")]
    Channel(#[from] ChannelError),
    /// The process refuses the model, with its reason.
    #[error("{0}")]
    Refused(String),
    /// The process ended: its memory limit, or a crash.
    #[error("the process that rewrites the model ended ({0})")]
    Ended(String),
    /// The process did not reply in time.
    #[error("the model could not be rewritten within {0:?}")]
    TimedOut(Duration),
}

/// Writes what an order wants to an open file, within a time limit.
///
/// # Errors
/// [`RewritingError`]; the file may then have a part of it.
pub async fn rewrite_once(
    program: PathBuf,
    environment: BTreeMap<String, String>,
    order: QuantizeOrder,
    target: BorrowedFd<'_>,
    limit: Duration,
) -> Result<Quantized, RewritingError> {
    let (sender, mut events) = mpsc::channel(4);
    let spec = ChildSpec { program, arguments: vec!["unit".into()], environment, title: "model writer".into() };
    // The process would die with the thread that spawned it.
    let spawner = Spawner::start().map_err(RewritingError::Spawn)?;
    let handle = spawner.spawn(&spec, sender, |event| event).map_err(RewritingError::Spawn)?;
    handle.send(&ToUnit::Quantize(Box::new(order)), Some(target))?;
    let answer = timeout(limit, async {
        loop {
            match events.recv().await {
                Some(ChildEvent::Message(FromUnit::Quantized(done))) => return Ok(done),
                Some(ChildEvent::Message(FromUnit::LoadFailed { reason })) => {
                    return Err(RewritingError::Refused(reason));
                }
                Some(ChildEvent::Message(_)) => {}
                Some(ChildEvent::Ended { status, violation }) => {
                    return Err(RewritingError::Ended(violation.unwrap_or(status.to_string())));
                }
                None => return Err(RewritingError::Ended("its status is unknown".to_owned())),
            }
        }
    });
    answer.await.unwrap_or(Err(RewritingError::TimedOut(limit)))
}
