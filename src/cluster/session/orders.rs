//! What a session is asked for.

use crate::cluster::models::ModelOrderError;
use crate::cluster::records::ModelRecord;
use tokio::sync::oneshot;

/// What the operator or the end of the daemon asks for.
#[derive(Debug)]
pub enum Order {
    /// Give all cameras away, or take some again. Answered when etcd has it, or why not.
    Drain(bool, oneshot::Sender<Result<(), String>>),
    /// Start, stop or scale a model on all boxes that share it.
    Model(ModelOrder),
    /// Leave the cluster: the lease is given up, and others take the cameras at once.
    Leave(oneshot::Sender<()>),
}

/// What is wanted of a model on all boxes from now on.
#[derive(Debug)]
pub struct ModelOrder {
    /// The model.
    pub model: String,
    /// What is wanted of it.
    pub wanted: ModelRecord,
    /// The revision of what was wanted before, by which that was decided; `None`: nothing was.
    pub before: Option<i64>,
    /// Answered when etcd has it, or why not.
    pub reply: oneshot::Sender<Result<(), ModelOrderError>>,
}

/// The answer to an order that another one has overtaken.
pub(super) const CHANGED: &str = "somebody else has started, stopped or scaled a model meanwhile: look, and try again";

/// The answer to an order that cannot be carried out everywhere.
pub(super) const AWAY: &str = "the cluster's etcd cannot be reached, and models are started and stopped on all boxes together: nothing has changed";
