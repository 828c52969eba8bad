//! Models that the boxes of a cluster start, stop and scale together.
//!
//! Without a cluster that shares models nobody takes these commands, and they are for this box.

use crate::catalog::CatalogStore;
use crate::control::command::{Command, CommandRequest};
use crate::supervisor::ModelState;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use tokio::sync::{mpsc, watch};

/// A model as all boxes together run it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SharedModel {
    pub(crate) state: ModelState,
    /// The units that are wanted, on all boxes together.
    pub(crate) min_units: usize,
    pub(crate) max_units: Option<usize>,
    /// The units in service, on all boxes together.
    pub(crate) in_service: usize,
    /// The boxes with units in service.
    pub(crate) boxes: usize,
}

/// Shared models by name.
pub(crate) type SharedModels = BTreeMap<String, SharedModel>;

/// Commands about shared models, and what the boxes have made of the last ones. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct AllBoxes(Arc<OnceLock<(mpsc::Sender<CommandRequest>, watch::Receiver<SharedModels>)>>);

impl AllBoxes {
    /// Commands go to `commands` from now on.
    pub(super) fn set(&self, commands: mpsc::Sender<CommandRequest>, models: watch::Receiver<SharedModels>) {
        // There is one cluster, which is asked once.
        drop(self.0.set((commands, models)));
    }

    /// Who takes this command for all boxes; `None`: it is for this one. Versions that were imported here are only here.
    pub(super) fn taker(&self, command: &Command) -> Option<&mpsc::Sender<CommandRequest>> {
        let (Command::StartModel { model, .. } | Command::StopModel { model } | Command::ScaleModel { model, .. }) =
            command
        else {
            return None;
        };
        self.0.get().map(|(commands, _)| commands).filter(|_| !CatalogStore::is_imported(model))
    }

    /// A model of which something is wanted on all boxes.
    pub(super) fn model(&self, name: &str) -> Option<SharedModel> {
        self.0.get()?.1.borrow().get(name).cloned()
    }
}
