//! Models whose execution provider is chosen by measurement. They compute on the CPU until it is known what is faster, and are
//! then swapped to it as to another version: a unit that does not load with it replaces nothing.

use crate::core::effect::Effect;
use crate::core::event::PackageSource;
use crate::core::loaded_package::LoadedPackage;
use crate::core::packages::Purpose;
use crate::core::units::Units;
use crate::supervisor::ModelState;
use crate::vision::monotonic::Monotonic;

impl Units {
    /// An engine was chosen for the package of a model.
    pub(in crate::core) fn engine_chosen(&mut self, model: String, source: PackageSource, digest: String) {
        self.engines.insert(model, (source, digest));
    }

    /// Reads the packages of models whose engine was chosen. A model that is being swapped or stopped waits; one that has
    /// another package by now, or is gone, needs it no more.
    pub(super) fn read_for_engines(&mut self, now: Monotonic, effects: &mut Vec<Effect>) {
        for (model, (source, digest)) in std::mem::take(&mut self.engines) {
            let Some(pool) = self.fleet.model(&model).filter(|pool| pool.package().digest == digest) else { continue };
            if pool.is_swapping() || pool.state() == ModelState::Stopping || self.packages.is_pending(&model) {
                self.engines.insert(model, (source, digest));
                continue;
            }
            let ticket = self.packages.begin(&model, Purpose::Engine, now);
            effects.push(Effect::LoadPackage { ticket, model, source });
        }
    }

    /// The package was read with the engine. What has come between is newer.
    pub(super) fn swap_to_engine(&mut self, model: &str, result: Result<LoadedPackage, String>) {
        let Some(pool) = self.fleet.model(model) else { return };
        let Ok(loaded) = result else { return };
        let is_same = pool.package().digest == loaded.package.digest && !pool.is_unusable();
        if is_same && !pool.is_swapping() && pool.state() != ModelState::Stopping && *pool.load() != loaded.load {
            // Without units the model has it at once; with some, what becomes of the swap is in its state.
            drop(self.swap_to(model, Ok(loaded)));
        }
    }
}
