//! The invariants that are checked every few simulated seconds, and at the end of a run.

use crate::control::ApplianceStatus;
use crate::core::simulation::world::{MS, World};
use crate::supervisor::{ModelState, ModelStatus};

/// How long a command may wait for its reply: for the disk, or for its package on a slow disk.
const LONGEST_COMMAND_MS: u64 = 20_000;

/// How long a request for a snapshot may wait: for a frame, then for the picture.
const LONGEST_SNAPSHOT_MS: u64 = 12_000;

impl World {
    /// Checks the invariants that hold at any time.
    pub(super) fn check(&mut self) {
        let status = self.core.status();
        if !status.ledger_closes() {
            return self.fail("the ledger does not close");
        }
        let frames = self.books.frames.len();
        if status.lent_slots as usize != frames {
            return self.fail(format!("{} slots are lent, and {frames} frames have no outcome", status.lent_slots));
        }
        if self.core.is_at_rest() && status.in_flight > 0 {
            return self.fail("the box is at rest, and work is in flight");
        }
        let active = self.active();
        let is_late = |since: &u64, limit: u64| active > since + limit * MS;
        if self.books.commands.values().any(|since| is_late(since, LONGEST_COMMAND_MS)) {
            return self.fail("a command is not answered");
        }
        if self.books.snapshots.values().any(|since| is_late(since, LONGEST_SNAPSHOT_MS)) {
            return self.fail("a request for a snapshot is not answered");
        }
        for (name, model) in &status.models {
            let is_short = model.state != ModelState::Stopped
                && model.state != ModelState::Stopping
                && model.in_service < model.desired;
            if is_short && !model.degraded.iter().any(|reason| reason.starts_with(name.as_str())) {
                let text = format!("{name} has {} of {} units, but reports no reason", model.in_service, model.desired);
                return self.fail(text);
            }
        }
        self.check_swaps(&status);
        let most = self.settings.limit + self.units.values().filter(|running| running.is_killed).count();
        if self.units.len() > most {
            let text = format!("{} units run, and the box may have {}", self.units.len(), self.settings.limit);
            self.fail(text);
        }
    }

    /// Checks that each swap ends, and that a restart would load the version that serves.
    fn check_swaps(&mut self, status: &ApplianceStatus) {
        self.books.swapping_since.retain(|name, _| status.models.contains_key(name));
        for (name, model) in &status.models {
            if model.next_version.is_none() {
                self.books.swapping_since.remove(name);
                let kept = self.books.kept.as_ref().and_then(|kept| kept.of(name)).map(|kept| &*kept.package);
                // A reload may have named another one, which a restart would load.
                let configured = self.wanted.models.iter().find(|configured| configured.name == *name);
                // One that the settings do not name any more leaves.
                let Some(configured) = configured.map(|configured| &*configured.package) else { continue };
                let is_kept =
                    kept.map_or(configured == model.package, |kept| kept == model.package || kept == configured);
                if !is_kept && !name.starts_with("brought") {
                    return self.fail(format!("{name} serves {}, and a restart would load {kept:?}", model.package));
                }
                continue;
            }
            let now = self.now;
            let since = *self.books.swapping_since.entry(name.clone()).or_insert(now);
            // Each unit may use its load timeout several times, because faults may kill it meanwhile.
            let load = std::time::Duration::from_secs_f32(self.settings.load_timeout_seconds);
            let limit = u64::try_from(load.as_millis()).unwrap() * 12;
            let limit = limit.max(600_000);
            if now > since + limit * MS {
                return self.fail(format!("{name}: a swap has not ended after {} s: {model:?}", limit / 1000));
            }
        }
    }

    /// Checks the state after a time without faults: models run, cameras stream, and no request is open.
    pub(super) fn check_healed(&mut self) {
        let status = self.core.status();
        // A model that cannot load fails in every zone, so the box keeps probing zones with one unit of another model.
        let is_bad = |model: &ModelStatus| model.state != ModelState::Stopped && !model.package.starts_with("good");
        let in_probes = usize::from(status.models.values().any(is_bad));
        for (name, model) in &status.models {
            let is_settled = match model.state {
                ModelState::Running => model.in_service + in_probes >= model.desired && model.next_version.is_none(),
                ModelState::Stopped => true,
                // Only an unusable package prevents a model from running.
                ModelState::Failed | ModelState::Starting => !model.package.starts_with("good"),
                ModelState::Stopping => false,
            };
            if !is_settled {
                let text = format!(
                    "{name} has not healed: {:?}, {} of {} units, package {}, next {:?}, {:?}",
                    model.state, model.in_service, model.desired, model.package, model.next_version, model.degraded
                );
                return self.fail(text);
            }
        }
        let wanted: Vec<&str> = self.wanted.cameras.values().map(|camera| camera.id.as_str()).collect();
        let cameras: Vec<&str> = status.cameras.keys().map(|id| id.as_str()).collect();
        if cameras != wanted {
            return self.fail(format!("the settings name the cameras {wanted:?}, and there are {cameras:?}"));
        }
        for (id, camera) in &status.cameras {
            use crate::vision::camera_status::CameraStatus::{Disabled, Streaming};
            if !matches!(camera.state.state, Streaming | Disabled) {
                return self.fail(format!("{id} has not healed: {:?}", camera.state));
            }
            let main = camera.state.main.as_ref();
            if main.is_some_and(|main| main.state != camera.state.state) {
                return self.fail(format!("the main stream of {id} has not healed: {:?}", camera.state));
            }
        }
        if self.books.commands.len() + self.books.snapshots.len() > 0 {
            self.fail("a command or a snapshot request is still open");
        }
    }
}
