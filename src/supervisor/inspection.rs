//! Reads the facts of a model file in a confined process, for `ocelli model inspect`.

use crate::ipc::channel::ChannelError;
use crate::ipc::child_process::{ChildEvent, ChildSpec, Spawner};
use crate::ipc::messages::{FromUnit, ToUnit};
use crate::model::model_facts::ModelFacts;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Why a file could not be inspected.
#[derive(Debug, thiserror::Error)]
pub enum InspectionError {
    /// The file cannot be opened.
    #[error("{0} cannot be read")]
    NotFound(PathBuf, #[source] std::io::Error),
    /// The process or its channel could not be created.
    #[error("a process to read the file could not be started")]
    Spawn(#[source] std::io::Error),
    /// The request could not be sent to the process.
    #[error("the process that reads the file accepts no messages")]
    Channel(#[from] ChannelError),
    /// The process rejected the file, with its reason.
    #[error("{0}: {1}")]
    Refused(PathBuf, String),
    /// The process exceeded its memory limit or crashed.
    #[error("{0} cannot be read: it is damaged or made to do harm; the process that read it ended ({1})")]
    Ended(PathBuf, String),
    /// The process did not reply within the limit.
    #[error("{0} could not be read within {1:?}")]
    TimedOut(PathBuf, Duration),
}

/// Reads a model file in a separate process, within a time limit, and returns the facts.
///
/// # Errors
/// [`InspectionError`], which names the file.
pub async fn inspect_once(
    program: PathBuf,
    environment: BTreeMap<String, String>,
    file: &Path,
    limit: Duration,
) -> Result<ModelFacts, InspectionError> {
    let found = std::fs::canonicalize(file).map_err(|error| InspectionError::NotFound(file.to_owned(), error))?;
    let (sender, mut events) = mpsc::channel(4);
    let spec = ChildSpec { program, arguments: vec!["unit".into()], environment, title: "model reader".into() };
    // The process would die with the thread that spawned it.
    let spawner = Spawner::start().map_err(InspectionError::Spawn)?;
    let handle = spawner.spawn(&spec, sender, |event| event).map_err(InspectionError::Spawn)?;
    handle.send(&ToUnit::Inspect { file: found }, None)?;
    let answer = timeout(limit, async {
        loop {
            match events.recv().await {
                Some(ChildEvent::Message(FromUnit::Inspected(facts))) => return Ok(*facts),
                Some(ChildEvent::Message(FromUnit::LoadFailed { reason })) => {
                    return Err(InspectionError::Refused(file.to_owned(), reason));
                }
                Some(ChildEvent::Message(_)) => {}
                Some(ChildEvent::Ended { status, violation }) => {
                    return Err(InspectionError::Ended(file.to_owned(), violation.unwrap_or(status.to_string())));
                }
                None => return Err(InspectionError::Ended(file.to_owned(), "its status is unknown".to_owned())),
            }
        }
    });
    answer.await.unwrap_or_else(|_| Err(InspectionError::TimedOut(file.to_owned(), limit)))
}
