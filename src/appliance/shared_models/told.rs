//! What a box tells the others of its models.

use crate::catalog::CatalogStore;
use crate::cluster::records::ModelUnits;
use crate::control::ApplianceStatus;
use crate::supervisor::{ModelState, ModelStatus};
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// A running model that has had no unit in service for so long fails: others are to have its units.
const NO_UNIT: Duration = Duration::from_secs(30);

/// Follows how long models have been without a unit.
#[derive(Debug, Default)]
pub(in crate::appliance) struct ToldUnits {
    without_unit: BTreeMap<String, Monotonic>,
}

impl ToldUnits {
    /// What to tell now. `caps`: the most units of each model that the box can take. Versions that were imported here are not shared.
    pub(in crate::appliance) fn of(
        &mut self,
        status: &ApplianceStatus,
        caps: &BTreeMap<String, usize>,
        now: Monotonic,
    ) -> BTreeMap<String, ModelUnits> {
        let has_none = |model: &ModelStatus| model.state == ModelState::Running && model.in_service == 0;
        self.without_unit.retain(|name, _| status.models.get(name).is_some_and(has_none));
        let mut units = BTreeMap::new();
        for (name, model) in &status.models {
            let is_failing = has_none(model) && {
                let since = *self.without_unit.entry(name.clone()).or_insert(now);
                now.since(since) >= NO_UNIT
            };
            let told = ModelUnits {
                state: if is_failing { ModelState::Failed } else { model.state },
                min_units: model.min_units,
                max_units: model.max_units,
                in_service: model.in_service,
                cap: caps.get(name).copied(),
                is_shared: !CatalogStore::is_imported(name),
            };
            units.insert(name.clone(), told);
        }
        units
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_has_lost_all_its_units_for_long_fails_for_the_others() {
        let mut told = ToldUnits::default();
        let status = |in_service| {
            let model = ModelStatus { state: ModelState::Running, in_service, ..ModelStatus::default() };
            let models = [("m".to_owned(), model.clone()), ("m:v1".to_owned(), model)].into();
            ApplianceStatus { models, ..ApplianceStatus::default() }
        };
        let at = |seconds: u64| Monotonic::from_nanos(seconds * 1_000_000_000);
        let caps = BTreeMap::from([("m".to_owned(), 2)]);
        let mut state = |in_service, seconds| told.of(&status(in_service), &caps, at(seconds))["m"].state;
        assert_eq!(
            (state(0, 0), state(0, 29), state(0, 30)),
            (ModelState::Running, ModelState::Running, ModelState::Failed)
        );
        assert_eq!((state(1, 31), state(0, 32)), (ModelState::Running, ModelState::Running));
        let units = told.of(&status(1), &caps, at(40));
        assert_eq!((units["m"].cap, units["m"].is_shared, units["m:v1"].is_shared), (Some(2), true, false));
    }
}
