//! Commands to the fleet: start, stop, scale, swap and remove a model.

use super::Fleet;
use crate::supervisor::model_version::ModelVersion;
use crate::supervisor::pool::{Pool, TpsQuota, UnitBounds};
use crate::vision::framing::Framing;
use crate::vision::model_state::ModelState;
use crate::vision::monotonic::Monotonic;

/// Why a command was refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FleetError {
    /// No model of that name.
    #[error("there is no model `{0}`; the models are under [[models]] in the settings")]
    NotFound(String),
    /// The model's state does not allow the command.
    #[error("`{model}` is {state}: {cure}")]
    WrongState {
        /// The model's name.
        model: String,
        /// Its state, as the API names it.
        state: &'static str,
        /// What the caller can do instead.
        cure: &'static str,
    },
    /// The command would exceed a limit of the box.
    #[error("{0}")]
    LimitExceeded(String),
    /// The numbers of units contradict each other.
    #[error("{0}")]
    Invalid(String),
}

impl Fleet {
    /// Starts a stopped model, with other bounds if some are given.
    ///
    /// # Errors
    /// [`FleetError`]; nothing has changed then.
    pub fn start(&mut self, model: &str, bounds: Option<UnitBounds>) -> Result<(), FleetError> {
        let pool = self.pool(model)?;
        let (state, bounds) = (pool.state(), bounds.unwrap_or_else(|| pool.bounds()));
        if matches!(state, ModelState::Starting | ModelState::Running) {
            return Err(wrong_state(model, state, "it need not be started; to change its units, scale it"));
        }
        let is_other = |(name, pool): &(&String, &Pool)| *name != model && pool.state() != ModelState::Stopped;
        let running = self.pools.iter().filter(is_other).count();
        if running >= self.limits.models {
            let limit = self.limits.models;
            let reason = format!("{limit} models run already; stop one, or raise units.max_models");
            return Err(FleetError::LimitExceeded(reason));
        }
        self.check_bounds(model, bounds)?;
        let pool = self.pool_mut(model)?;
        pool.rescale(bounds);
        pool.start();
        Ok(())
    }

    /// Stops a model; its units finish their current batches.
    ///
    /// # Errors
    /// [`FleetError`]; nothing has changed then.
    pub fn stop(&mut self, model: &str) -> Result<(), FleetError> {
        let pool = self.pool_mut(model)?;
        match pool.state() {
            state @ (ModelState::Stopped | ModelState::Stopping) => {
                Err(wrong_state(model, state, "it need not be stopped"))
            }
            _ => {
                pool.stop();
                Ok(())
            }
        }
    }

    /// Changes the number of units without interrupting service.
    ///
    /// # Errors
    /// [`FleetError`]; nothing has changed then.
    pub fn scale(&mut self, model: &str, bounds: UnitBounds) -> Result<(), FleetError> {
        self.check_bounds(model, bounds)?;
        self.pool_mut(model)?.rescale(bounds);
        Ok(())
    }

    /// Checks that a swap may start now.
    ///
    /// # Errors
    /// [`FleetError`] if it may not.
    pub fn check_swap(&self, model: &str) -> Result<(), FleetError> {
        let pool = self.pool(model)?;
        if pool.is_swapping() {
            return Err(wrong_state(model, pool.state(), "a swap to another version is in progress; wait for it"));
        }
        Ok(())
    }

    /// Starts a swap to another version. If the box has no room for a further unit, units are replaced one by one.
    ///
    /// # Errors
    /// [`FleetError`]; nothing has changed then.
    pub fn swap(&mut self, model: &str, version: ModelVersion) -> Result<(), FleetError> {
        self.check_swap(model)?;
        self.pool_mut(model)?.swap(version);
        Ok(())
    }

    /// Removes a stopped model that no camera uses.
    ///
    /// # Errors
    /// [`FleetError`]; nothing has changed then.
    pub fn remove_model(&mut self, model: &str) -> Result<(), FleetError> {
        let state = self.pool(model)?.state();
        if state != ModelState::Stopped || self.cameras.values().any(|of| of == model) {
            return Err(wrong_state(model, state, "stop it first"));
        }
        self.pools.remove(model);
        Ok(())
    }

    /// Changes how a model handles work; does nothing if there is no such model.
    pub fn set_terms(
        &mut self,
        model: &str,
        image_share: f64,
        quota: Option<TpsQuota>,
        image_framing: Framing,
        now: Monotonic,
    ) {
        if let Some(pool) = self.pools.get_mut(model) {
            pool.set_terms(image_share, quota, image_framing, now);
        }
    }

    fn check_bounds(&self, model: &str, bounds: UnitBounds) -> Result<(), FleetError> {
        let most = bounds.max.unwrap_or(bounds.min);
        if bounds.min == 0 || most < bounds.min {
            let text = "a model needs at least 1 inference unit, and a maximum that is not below the minimum";
            return Err(FleetError::Invalid(text.into()));
        }
        if most > self.limits.units {
            return Err(FleetError::LimitExceeded(format!(
                "{most} inference units are more than this box may have: its limit is {} (units.max_units)",
                self.limits.units
            )));
        }
        let others = self.pools.iter().filter(|(name, pool)| *name != model && pool.state() != ModelState::Stopped);
        let taken: usize = others.map(|(_, pool)| pool.bounds().min).sum();
        if taken + bounds.min > self.limits.units {
            return Err(FleetError::LimitExceeded(format!(
                "{} inference units are more than this box may have: its limit is {}, and other models need {taken} \
                 (units.max_units)",
                bounds.min, self.limits.units
            )));
        }
        let own = self.pools.get(model).map_or(0, Pool::unit_count);
        let (more, by_memory) = (bounds.min.saturating_sub(own), self.units_by_memory());
        if more > by_memory {
            return Err(FleetError::LimitExceeded(format!(
                "there is memory for {by_memory} more inference units, not for {more}: a unit takes {} MB",
                self.unit_bytes >> 20
            )));
        }
        Ok(())
    }

    fn pool(&self, model: &str) -> Result<&Pool, FleetError> {
        self.pools.get(model).ok_or_else(|| FleetError::NotFound(model.to_owned()))
    }

    fn pool_mut(&mut self, model: &str) -> Result<&mut Pool, FleetError> {
        self.pools.get_mut(model).ok_or_else(|| FleetError::NotFound(model.to_owned()))
    }
}

fn wrong_state(model: &str, state: ModelState, cure: &'static str) -> FleetError {
    FleetError::WrongState { model: model.to_owned(), state: state.name(), cure }
}
