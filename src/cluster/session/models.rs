//! Orders about shared models.

use super::Session;
use super::orders::{AWAY, CHANGED, ModelOrder};
use crate::cluster::etcd::{Commit, Etcd, Expect};
use crate::cluster::models::{ModelOrderError, missing_for};
use crate::cluster::records::ModelRecord;
use crate::vision::error_chain::describe;

impl Session {
    /// Writes what is wanted of a model, if the boxes have room for it. What it comes to is told before the answer.
    pub(super) async fn take_order(&mut self, etcd: &mut Etcd, order: ModelOrder) {
        let ModelOrder { model, wanted, before, reply } = order;
        let done = match self.conditions(&model, &wanted, before) {
            Ok(commit) => {
                let key = self.keys.model(&model);
                match self.write(etcd, &key, &wanted, commit, None).await {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(CHANGED.to_owned()),
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

    /// What etcd is to have while the order is written: the orders with which the room for it was counted.
    fn conditions(&self, model: &String, wanted: &ModelRecord, before: Option<i64>) -> Result<Commit, ModelOrderError> {
        let view = self.view.as_ref().ok_or_else(|| ModelOrderError::NotNow(AWAY.to_owned()))?;
        if view.models.get(model).map(|kept| kept.revision) != before {
            return Err(ModelOrderError::NotNow(CHANGED.to_owned()));
        }
        let missing = if wanted.is_running { missing_for(view, model, wanted) } else { 0 };
        if missing > 0 {
            return Err(ModelOrderError::NoRoom { wanted: wanted.min_units, room: wanted.min_units - missing });
        }
        let mut commit = Commit::default();
        for (other, kept) in &view.models {
            commit = commit.if_key(&self.keys.model(other), Expect::WrittenAt(kept.revision));
        }
        let is_new = before.is_none();
        Ok(if is_new { commit.if_key(&self.keys.model(model), Expect::Absent) } else { commit })
    }
}
