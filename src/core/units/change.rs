//! Models that come, go or change while the box runs.

use super::{Units, within};
use crate::core::change::ModelsChange;
use crate::core::desired_models::DesiredModels;
use crate::core::effect::Effect;
use crate::core::event::PackageSource;
use crate::core::loaded_package::LoadedPackage;
use crate::core::packages::Purpose;
use crate::core::plan::ModelTerms;
use crate::supervisor::{FleetError, ModelState};
use crate::vision::monotonic::Monotonic;

impl Units {
    /// Applies a change of the models. What commands have changed stays for models whose settings are the same.
    pub(in crate::core) fn change(&mut self, change: ModelsChange, now: Monotonic, effects: &mut Vec<Effect>) {
        let ModelsChange { settings, renewed, cores, terms, brought_in, added } = change;
        let before = std::mem::take(&mut self.desired);
        self.desired = DesiredModels::new(&settings, &before, cores);
        self.terms.brought_in = brought_in;
        self.default_model = settings.first().map(|model| model.name.clone()).unwrap_or_default();
        let gone: Vec<&str> = before.names().filter(|model| self.desired.of(model).is_none()).collect();
        gone.into_iter().for_each(|model| self.leave(model));
        for (model, terms) in &terms {
            let ModelTerms { image_share, quota, image_framing } = *terms;
            self.fleet.set_terms(model, image_share, quota, image_framing, now);
        }
        for plan in added {
            match self.fleet.has_model(&plan.name) {
                // It is back before its units have stopped.
                true => drop(self.leaving.remove(&plan.name)),
                false => self.add(plan, now),
            }
        }
        for model in self.desired.names().map(str::to_owned).collect::<Vec<_>>() {
            self.follow_desired(&model, renewed.contains(&model), now, effects);
        }
        effects.push(Effect::KeepModels { models: Box::new(self.desired.clone()), ticket: None });
    }

    fn leave(&mut self, model: &str) {
        // A stopped model is refused, and need not be stopped.
        drop(self.fleet.stop(model));
        self.packages.forget(model);
        self.not_started.remove(model);
        self.kept_back.remove(model);
        self.leaving.insert(model.to_owned());
    }

    /// Brings a model of the settings to its desired state, as far as it is not there.
    fn follow_desired(&mut self, model: &str, is_renewed: bool, now: Monotonic, effects: &mut Vec<Effect>) {
        let (Some(desired), Some(pool)) = (self.desired.of(model).cloned(), self.fleet.model(model)) else { return };
        if is_renewed || pool.package().name != desired.package {
            self.kept_back.insert(model.to_owned(), "the package of the settings is being read".to_owned());
            let ticket = self.packages.begin(model, Purpose::Settings, now);
            let source = PackageSource::Named(desired.package.clone());
            effects.push(Effect::LoadPackage { ticket, model: model.to_owned(), source });
        }
        self.reach_desired(model);
    }

    /// Tries again to start or scale the models for which there was no room.
    pub(super) fn retry_not_started(&mut self) {
        for model in self.not_started.keys().cloned().collect::<Vec<_>>() {
            self.reach_desired(&model);
        }
    }

    /// Gives a model its desired bounds, and starts or stops it.
    fn reach_desired(&mut self, model: &str) {
        let (Some(desired), Some(pool)) = (self.desired.of(model), self.fleet.model(model)) else { return };
        let is_running = !matches!(pool.state(), ModelState::Stopped | ModelState::Stopping);
        let (bounds, is_wanted) = (within(desired.bounds(), self.most_units), desired.is_running);
        let is_scaled = pool.bounds() != bounds;
        let scaled = if is_scaled { self.fleet.scale(model, bounds) } else { Ok(()) };
        let result: Result<(), FleetError> = scaled.and_then(|()| match (is_running, is_wanted) {
            (true, false) => self.fleet.stop(model),
            (false, true) => self.fleet.start(model, None),
            _ => Ok(()),
        });
        match result {
            Ok(()) => drop(self.not_started.remove(model)),
            Err(error) => drop(self.not_started.insert(model.to_owned(), error.to_string())),
        }
    }

    /// A package was read because the settings name it, or because the one before was unusable: swaps the model to it,
    /// unless a command has chosen another meanwhile. A model that has units keeps its version while that fails.
    pub(super) fn swap_as_desired(&mut self, model: &str, result: Result<LoadedPackage, String>, now: Monotonic) {
        let Some(wanted) = self.desired.of(model).map(|desired| desired.package.clone()) else { return };
        let Some(pool) = self.fleet.model(model) else { return };
        if pool.state() == ModelState::Stopping {
            // A swap would end with the units that it replaces. Once they have stopped the model can have the package at once.
            return self.packages.retry_later(model, &wanted, now);
        }
        let (is_unusable, is_kept_back) = (pool.is_unusable(), self.kept_back.contains_key(model));
        let is_wanted = |loaded: &LoadedPackage| is_unusable || (is_kept_back && loaded.package.name == wanted);
        let swapped = match result {
            Ok(loaded) if is_wanted(&loaded) => self.swap_to(model, Ok(loaded)).map_err(|error| error.to_string()),
            // A command has chosen another one, or the settings have, and that one is being read.
            Ok(_) => return,
            Err(reason) => Err(reason),
        };
        match swapped {
            Ok(()) => {}
            // Its state says why it is FAILED, and a retry is scheduled.
            Err(_) if is_unusable => {}
            Err(reason) => {
                self.packages.retry_later(model, &wanted, now);
                self.kept_back.insert(model.to_owned(), format!("its package {wanted} cannot be used: {reason}"));
            }
        }
    }

    /// Removes models that the settings do not name any more and whose units have stopped.
    pub(super) fn remove_left(&mut self) {
        let fleet = &mut self.fleet;
        self.leaving
            .retain(|model| fleet.remove_model(model).is_err_and(|error| !matches!(error, FleetError::NotFound(_))));
    }
}
