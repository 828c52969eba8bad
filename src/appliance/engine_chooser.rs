//! Measures the engines of models, one model after the other, and tells the core what was chosen.

use crate::appliance::engines::{EngineOrder, EngineTerms, Engines};
use crate::core::Event;
use crate::engine_choice::{Choice, FILE_NAME, Room, measure_all};
use crate::kept::{FileKeeper, OnRefusal};
use crate::os::memory;
use std::path::PathBuf;
use tokio::sync::mpsc;

/// What a measurement needs of the daemon.
pub(super) struct EngineChooser {
    pub(super) engines: Engines,
    pub(super) orders: mpsc::Receiver<EngineOrder>,
    /// The program of units.
    pub(super) program: PathBuf,
    pub(super) files: FileKeeper,
    pub(super) state_directory: PathBuf,
    /// Takes what was chosen.
    pub(super) own: mpsc::Sender<Event>,
}

impl EngineChooser {
    /// Measures until nobody can order any more.
    pub(super) async fn run(mut self) {
        while let Some(order) = self.orders.recv().await {
            let EngineOrder { model, package, source, mut terms } = order;
            // Another model with the same package may have been measured meanwhile.
            let is_known = self.engines.records().of(&terms.key).is_some();
            if !is_known {
                terms.bench.program.clone_from(&self.program);
                let Some(choice) = measure(&model, &terms).await else { continue };
                self.engines.records().insert(terms.key, &package.name, choice);
                self.keep();
            }
            let event = Event::EngineChosen { model, source, digest: package.digest };
            if self.own.send(event).await.is_err() {
                return;
            }
        }
    }

    /// Writes the choices. If the disk refuses, they are in force all the same, and are written once it takes them.
    fn keep(&self) {
        let content = serde_json::to_vec_pretty(&*self.engines.records());
        let written = content.map_err(|error| error.to_string()).and_then(|content| {
            let path = self.state_directory.join(FILE_NAME);
            self.files.write(&path, content, OnRefusal::TryAgain, |_| {}).map_err(str::to_owned)
        });
        if let Err(error) = written {
            tracing::warn!(error, "the choice of an engine cannot be kept; after a restart it is measured again");
        }
    }
}

/// The room for the units of a model: what is available now beside the reserve.
pub fn room(terms: &EngineTerms) -> Room {
    let bytes = memory::available_bytes().map(|bytes| bytes.saturating_sub(terms.reserve_bytes));
    Room { bytes, units: terms.units }
}

async fn measure(model: &str, terms: &EngineTerms) -> Option<Choice> {
    tracing::info!(model, "measuring what computes the model fastest here; until then it computes on the CPU");
    let next = |engine| tracing::debug!(model, %engine, "an engine is tried");
    match measure_all(&terms.bench, terms.wanted, room(terms), next).await {
        Ok(choice) => {
            for (engine, reason) in choice.refused() {
                tracing::info!(model, %engine, reason, "an engine is refused");
            }
            tracing::info!(model, engine = %choice.engine, measured = choice.in_words(), "an engine is chosen");
            Some(choice)
        }
        Err(reason) => {
            tracing::warn!(model, reason, "engines cannot be compared; the model computes on the CPU");
            None
        }
    }
}
