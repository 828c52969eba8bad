//! Orders about shared models.

use super::Session;
use crate::cluster::etcd::{Commit, Etcd, Expect};
use crate::cluster::models::{ModelOrderError, missing_for};
use crate::cluster::records::ModelRecord;
use crate::vision::error_chain::describe;
use tokio::sync::oneshot;

/// What is wanted of a model on all boxes from now on.
#[derive(Debug)]
pub struct ModelOrder {
    /// The model.
    pub model: String,
    /// What is wanted of it.
    pub wanted: ModelRecord,
    /// Answered when etcd has it, or why not.
    pub reply: oneshot::Sender<Result<(), ModelOrderError>>,
}

impl Session {
    /// Writes what is wanted of a model, if the boxes have room for it. What it comes to is told before the answer.
    pub(super) async fn take_order(&mut self, etcd: &mut Etcd, order: ModelOrder) {
        let ModelOrder { model, wanted, reply } = order;
        let done = match self.room_for(&model, &wanted) {
            Ok(expected) => {
                let key = self.keys.model(&model);
                match self.write(etcd, &key, &wanted, Commit::default().if_key(&key, expected), None).await {
                    Ok(true) => Ok(()),
                    Ok(false) => Err("somebody else has changed the same model meanwhile: try again".to_owned()),
                    Err(error) => Err(describe(&error)),
                }
                .map_err(ModelOrderError::NotNow)
            }
            Err(error) => Err(error),
        };
        self.tell();
        // Who has asked may have left.
        drop(reply.send(done));
    }

    /// What etcd is to have of the model while the order is written.
    fn room_for(&self, model: &String, wanted: &ModelRecord) -> Result<Expect, ModelOrderError> {
        let view = self.view.as_ref().ok_or_else(|| ModelOrderError::NotNow(AWAY.to_owned()))?;
        let before = view.models.get(model);
        let missing = if wanted.is_running { missing_for(view, model, wanted) } else { 0 };
        if missing > 0 {
            return Err(ModelOrderError::NoRoom { wanted: wanted.min_units, room: wanted.min_units - missing });
        }
        Ok(before.map_or(Expect::Absent, |kept| Expect::WrittenAt(kept.revision)))
    }
}

/// The answer to an order that cannot be carried out everywhere.
pub(super) const AWAY: &str = "the cluster's etcd cannot be reached, and models are started and stopped on all boxes together: nothing has changed";
