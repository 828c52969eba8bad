//! Commands about models: start, stop, scale, swap, run, remove.

use crate::control::{Command, ControlError};
use crate::core::effect::Effect;
use crate::core::event::CommandTicket;
use crate::core::event::{PackageSource, PackageTicket};
use crate::core::loaded_package::LoadedPackage;
use crate::core::packages::Purpose;
use crate::core::units::{CommandResult, Progress, Units};
use crate::supervisor::FleetError;
use crate::supervisor::pool::{Pool, UnitBounds};
use crate::vision::monotonic::Monotonic;

impl Units {
    /// Executes a command about a model.
    pub(in crate::core) fn command(
        &mut self,
        ticket: CommandTicket,
        command: Command,
        now: Monotonic,
        effects: &mut Vec<Effect>,
    ) -> CommandResult {
        let is_kept = match command {
            Command::StartModel { model, bounds } => {
                self.fleet.start(&model, bounds)?;
                self.not_started.remove(&model);
                self.packages.retry_now(&model, now);
                self.keep(&model, Some(ticket), effects, |desired| {
                    desired.is_running = true;
                    bounds.inspect(|bounds| desired.set_bounds(*bounds));
                })
            }
            Command::StopModel { model } => {
                self.fleet.stop(&model)?;
                self.not_started.remove(&model);
                self.keep(&model, Some(ticket), effects, |desired| desired.is_running = false)
            }
            Command::ScaleModel { model, bounds } => {
                self.fleet.scale(&model, bounds)?;
                self.keep(&model, Some(ticket), effects, |desired| desired.set_bounds(bounds))
            }
            // Stored when its units are in service: see `keep_package`.
            Command::SwapModel { model, package } => {
                if self.desired.of(&model).is_none() {
                    return Err(FleetError::NotFound(model).into());
                }
                self.fleet.check_swap(&model)?;
                return self.read(&model, PackageSource::Named(package), Purpose::Swap(ticket), now, effects);
            }
            Command::RunPackage { model, directory, bounds } => {
                if !self.fleet.has_model(&model) {
                    let purpose = Purpose::Run(ticket, bounds);
                    return self.read(&model, PackageSource::Directory(directory), purpose, now, effects);
                }
                self.fleet.start(&model, Some(bounds))?;
                false
            }
            Command::RemoveModel { model } if self.desired.of(&model).is_some() => {
                let state = self.fleet.model(&model).map_or("STOPPED", |pool| pool.state().name());
                return Err(
                    FleetError::WrongState { model, state, cure: "the settings name it; remove it there" }.into()
                );
            }
            Command::RemoveModel { model } => {
                self.fleet.remove_model(&model)?;
                false
            }
            Command::SwitchCamera { .. } => false,
        };
        Ok(if is_kept { Progress::Keeping } else { Progress::Done })
    }

    /// Starts to read a package for a model; refused while another one is being read for it.
    fn read(
        &mut self,
        model: &str,
        source: PackageSource,
        purpose: Purpose,
        now: Monotonic,
        effects: &mut Vec<Effect>,
    ) -> CommandResult {
        if self.packages.is_pending(model) {
            let state = self.fleet.model(model).map_or("STOPPED", |pool| pool.state().name());
            let (model, cure) = (model.to_owned(), "another version of it is being read; wait for it");
            return Err(FleetError::WrongState { model, state, cure }.into());
        }
        let ticket = self.packages.begin(model, purpose, now);
        effects.push(Effect::LoadPackage { ticket, model: model.to_owned(), source });
        Ok(Progress::Reading)
    }

    /// Reads unusable packages again when their retry is due.
    pub(super) fn retry_packages(&mut self, now: Monotonic, effects: &mut Vec<Effect>) {
        for (model, package) in self.packages.due(now) {
            let ticket = self.packages.begin(&model, Purpose::Retry, now);
            effects.push(Effect::LoadPackage { ticket, model, source: PackageSource::Named(package) });
        }
    }

    /// Answers commands whose package the disk has not given in time. A read cannot be broken off, so the next command that
    /// needs a package of the model is refused until it has ended.
    pub(super) fn refuse_overdue(&mut self, now: Monotonic, effects: &mut Vec<Effect>) {
        for (ticket, model) in self.packages.overdue(now) {
            let reason = format!("the package of {model} cannot be read: the disk does not answer");
            effects.push(Effect::AnswerCommand { ticket, result: Err(ControlError::Package(reason)) });
        }
    }

    /// A package was read, or cannot be used. Returns the waiting command, if any, and how far it has come.
    pub(in crate::core) fn package_loaded(
        &mut self,
        ticket: PackageTicket,
        result: Result<LoadedPackage, String>,
        now: Monotonic,
        effects: &mut Vec<Effect>,
    ) -> Option<(CommandTicket, CommandResult)> {
        let (model, purpose) = self.packages.end(ticket)?;
        match purpose {
            Purpose::Swap(ticket) => {
                let result = self.swap_to(&model, result).map(|()| {
                    // Without units the swap is complete at once.
                    let package = self.fleet.model(&model).filter(|pool| !pool.is_swapping()).map(Pool::package);
                    match package.is_some_and(|package| self.keep_package(&package, Some(ticket), effects)) {
                        true => Progress::Keeping,
                        false => Progress::Done,
                    }
                });
                Some((ticket, result))
            }
            Purpose::Run(ticket, bounds) => {
                Some((ticket, self.run(&model, result, bounds, now).map(|()| Progress::Done)))
            }
            Purpose::Overdue => None,
            Purpose::Engine => {
                self.swap_to_engine(&model, result);
                None
            }
            Purpose::Settings | Purpose::Retry => {
                self.swap_as_desired(&model, result, now);
                None
            }
        }
    }

    pub(super) fn swap_to(&mut self, model: &str, result: Result<LoadedPackage, String>) -> Result<(), ControlError> {
        let loaded = result.map_err(ControlError::Package)?;
        let version = self.version(loaded);
        self.fleet.swap(model, version)?;
        self.packages.forget(model);
        self.kept_back.remove(model);
        Ok(())
    }

    fn run(
        &mut self,
        model: &str,
        result: Result<LoadedPackage, String>,
        bounds: UnitBounds,
        now: Monotonic,
    ) -> Result<(), ControlError> {
        let loaded = result.map_err(ControlError::Package)?;
        let pool = self.pool(loaded, self.terms.brought_in, UnitBounds { min: 1, max: None }, now);
        self.fleet.add_model(pool);
        Ok(self.fleet.start(model, Some(bounds))?)
    }
}
