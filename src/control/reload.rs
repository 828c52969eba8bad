//! The request to read the settings again.

use tokio::sync::{mpsc, oneshot};

/// What a reload has done.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReloadReport {
    /// One line for each part that changed.
    pub changed: Vec<String>,
    /// Keys with another value that only a restart applies.
    pub restart: Vec<String>,
}

/// Why a reload has changed nothing.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReloadError {
    /// The settings have mistakes.
    #[error("{}", .0.join("; "))]
    Mistakes(Vec<String>),
    /// A disk does not answer.
    #[error("the settings and what they name could not be read in time: a disk does not answer")]
    Hanging,
    /// The daemon is stopping, or other reloads wait already.
    #[error("the appliance takes no reload now; try again later")]
    Busy,
}

/// The reply channel of a request.
pub(crate) type ReloadRequest = oneshot::Sender<Result<ReloadReport, ReloadError>>;

/// Queue capacity for reloads. When it is full they are refused.
pub(super) const RELOAD_QUEUE: usize = 4;

/// The clients' end of the queue of reloads.
pub(super) type ReloadSender = mpsc::Sender<ReloadRequest>;
