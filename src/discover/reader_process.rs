//! The confined child that reads XML, seen from this process.

use crate::discover::answers::{Question, Reading, ToReader};
use crate::discover::xml_tree::MAX_BYTES;
use crate::ipc::channel::ChannelError;
use crate::ipc::child_process::{ChildEvent, ChildHandle, ChildSpec, Spawner};
use crate::os::memfd::{WriteMapping, create_sealed};
use std::collections::BTreeMap;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// The hidden subcommand of the child.
pub(crate) const SUBCOMMAND: &str = "discover-child";

/// How long reading a document may take, the start of the process included. It takes milliseconds.
const LIMIT: Duration = Duration::from_secs(10);

/// Why a document could not be read at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReaderError {
    /// The process or the memory for the document could not be made.
    #[error("a process that reads it could not be started")]
    Start(#[from] std::io::Error),
    /// The process takes no messages.
    #[error("the process that reads it takes no messages")]
    Channel(#[from] ChannelError),
    /// The process crashed, or exceeded its memory.
    #[error("it is damaged or made to do harm: the process that read it ended ({0})")]
    Ended(String),
    /// The process did not answer.
    #[error("it is made to do harm: reading it took longer than {} s", LIMIT.as_secs())]
    TimedOut,
}

/// How the children are started.
#[derive(Clone, Debug)]
pub(crate) struct ReaderStart {
    /// Must live as long as the children.
    pub(crate) spawner: Spawner,
    /// This binary.
    pub(crate) program: PathBuf,
    /// The complete environment.
    pub(crate) environment: BTreeMap<String, String>,
}

type Child = (ChildHandle, mpsc::Receiver<ChildEvent<Reading>>);

/// A child that reads what one camera answers. Started when it is needed, and ended with this value.
#[derive(Debug)]
pub(crate) struct Reader {
    start: ReaderStart,
    child: Option<Child>,
}

impl Reader {
    /// No process is started yet.
    pub(crate) fn new(start: ReaderStart) -> Self {
        Self { start, child: None }
    }

    /// Has a document read.
    ///
    /// # Errors
    /// [`ReaderError`]. The next document gets a new process.
    pub(crate) async fn read(&mut self, question: Question, document: &[u8]) -> Result<Reading, ReaderError> {
        let length = document.len();
        if length == 0 || length > MAX_BYTES {
            return Ok(Reading::Unreadable(format!("it has {length} bytes")));
        }
        let mut child = match self.child.take() {
            Some(child) => child,
            None => self.start()?,
        };
        let reading = ask(&mut child, question, document).await?;
        self.child = Some(child);
        Ok(reading.printable())
    }

    fn start(&self) -> Result<Child, ReaderError> {
        let ReaderStart { spawner, program, environment } = self.start.clone();
        let (sender, events) = mpsc::channel(4);
        let title = "answers of cameras".to_owned();
        let spec = ChildSpec { program, arguments: vec![SUBCOMMAND.to_owned()], environment, title };
        Ok((spawner.spawn(&spec, sender, |event| event)?, events))
    }
}

async fn ask((handle, events): &mut Child, question: Question, document: &[u8]) -> Result<Reading, ReaderError> {
    let memory = create_sealed("ocelli-answer", document.len())?;
    WriteMapping::new(&memory, document.len())?.bytes_mut().copy_from_slice(document);
    let bytes = u32::try_from(document.len()).unwrap_or(u32::MAX);
    match handle.send(&ToReader { question, bytes }, Some(memory.as_fd())) {
        // Its end is among the events, with the reason.
        Ok(()) | Err(ChannelError::Closed) => {}
        Err(error) => return Err(error.into()),
    }
    match timeout(LIMIT, events.recv()).await {
        Err(_) => Err(ReaderError::TimedOut),
        Ok(Some(ChildEvent::Message(reading))) => Ok(reading),
        Ok(Some(ChildEvent::Ended { status, violation })) => {
            Err(ReaderError::Ended(violation.unwrap_or(status.to_string())))
        }
        Ok(None) => Err(ReaderError::Ended("its status is unknown".into())),
    }
}
