//! How many more units fit on the box, and which model may start them.
//!
//! The minimum of each running model is guaranteed: a command that the box cannot guarantee is refused. Units above the
//! minimum are borrowed: they are given back when another model is below its minimum.

use super::Fleet;
use crate::supervisor::actions::SupervisorAction;
use crate::supervisor::pool::{Pool, Room};

impl Fleet {
    /// The number of further units that fit into memory, each assumed to be a fifth larger than the largest. Units that
    /// are loading have not allocated their memory yet, so they are subtracted.
    pub(super) fn units_by_memory(&self) -> usize {
        let Some(available) = self.available_bytes else { return usize::MAX };
        let each = self.unit_bytes + self.unit_bytes / 5;
        let units = available.saturating_sub(self.limits.reserve_bytes) / each.max(1);
        let pending: usize =
            self.pools.values().map(|pool| pool.unit_count() - pool.in_service().min(pool.unit_count())).sum();
        usize::try_from(units).unwrap_or(usize::MAX).saturating_sub(pending)
    }

    /// The number of units of all models, including those that are leaving.
    fn unit_count(&self) -> usize {
        self.pools.values().map(Pool::unit_count).sum()
    }

    /// Takes units from models above their minimum while another model is below its minimum and the box has no room.
    pub(super) fn make_room_for_minima(&mut self, actions: &mut Vec<SupervisorAction>) {
        if self.pools.values().all(|pool| pool.missing_minimum() == 0) {
            return;
        }
        let units = self.unit_count();
        let capacity = self.limits.units.min(units.saturating_add(self.units_by_memory()));
        let wanted: usize = self.pools.values().map(Pool::wanted).sum();
        for _ in capacity..wanted {
            let largest = self.pools.values_mut().max_by_key(|pool| pool.surplus());
            let Some(pool) = largest.filter(|pool| pool.surplus() > 0) else { return };
            pool.give_way(actions);
        }
    }

    /// Runs `act` on a pool with the room that it may use, and adds the zone's settings to the units that it starts.
    pub(super) fn with_pool<T>(
        &mut self,
        model: &str,
        actions: &mut Vec<SupervisorAction>,
        act: impl FnOnce(&mut Pool, &mut Room<'_>, &mut Vec<SupervisorAction>) -> T,
    ) -> Option<T> {
        let (by_limit, by_memory) = (self.limits.units.saturating_sub(self.unit_count()), self.units_by_memory());
        let limit = if by_memory < by_limit {
            "there is no memory for more"
        } else {
            "the limit of this box is reached (units.max_units)"
        };
        let others = self.pools.iter().filter(|(name, _)| *name != model);
        let reserved: usize = others.map(|(_, pool)| pool.missing_minimum()).sum();
        let pool = self.pools.get_mut(model)?;
        let free = by_limit.min(by_memory);
        // A model below its own minimum does not leave room for other models below theirs.
        let units = free.saturating_sub(reserved).max(free.min(pool.missing_minimum()));
        let reserved = reserved.saturating_sub(free);
        let mut room = Room { zones: &mut self.zones, next_unit: &mut self.next_unit, units, reserved, limit };
        let first = actions.len();
        let result = act(pool, &mut room, actions);
        for action in &mut actions[first..] {
            if let SupervisorAction::Start { unit, load, .. } = action
                && let Some(placement) = pool.zone_of(*unit).and_then(|zone| self.placements.get(zone.0))
            {
                load.cores.clone_from(&placement.cores);
                load.turn_to(placement.execution_provider, placement.device.as_deref());
                placement.runtime_library.iter().for_each(|library| load.runtime_library.clone_from(library));
            }
        }
        Some(result)
    }
}
