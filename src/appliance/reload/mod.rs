//! Reads the settings again while the daemon runs, and applies what changed.
//!
//! ```text
//!  SIGHUP, POST /api/reload ──▶ read and check ──▶ Difference ──▶ BoxChange ──▶ shell ──▶ core
//!                                 │ a mistake: nothing changes, and the caller gets all of them
//!  the cluster's cameras ──▶ Claims ──▶ Difference ──▶ …       no file is read: a half-edited one holds up no takeover
//! ```

mod claims;
mod difference;

use crate::appliance::box_plan::{model_plan, model_terms};
use crate::appliance::engines::Engines;
use crate::appliance::package_loader::load_model;
pub use crate::appliance::reload::claims::ClusterInput;
use crate::appliance::reload::claims::{Claims, next_assignment};
use crate::appliance::reload::difference::Difference;
use crate::appliance::zone_placement::core_count;
use crate::camera::passwords::CameraPasswords;
use crate::camera::settings::CameraSettings;
use crate::control::{Accepted, ControlError, ReloadError, ReloadReport, ReloadRequest};
use crate::core::change::{BoxChange, ModelsChange};
use crate::core::desired_models::DesiredModels;
use crate::core::plan::ModelTerms;
use crate::publish::publisher::Publisher;
use crate::settings::Settings;
use crate::supervisor::settings::ModelSettings;
use crate::telemetry::logging::Redactor;
use crate::vision::camera_id::CameraId;
use crate::vision::error_chain::describe;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

/// A change for the shell, with what the core does not hold.
#[derive(Debug)]
pub(super) struct ChangeRequest {
    pub(super) change: BoxChange,
    /// The settings in force from now on.
    pub(super) settings: Arc<Settings>,
    pub(super) passwords: BTreeMap<CameraId, CameraPasswords>,
    /// The connection to a broker to go on with, if that changes.
    pub(super) publisher: Option<Box<Publisher>>,
    /// What the box has from its cluster; those cameras are in the settings too.
    pub(super) claims: Box<Claims>,
    pub(super) reply: oneshot::Sender<Result<Accepted, ControlError>>,
}

/// What a reload changes outside the appliance, and what it brings into it.
pub struct Prepared {
    /// The connection to a broker to go on with, if that changes. It has not begun.
    pub publisher: Option<Box<Publisher>>,
    /// One line for each change, for the operator.
    pub lines: Vec<String>,
    /// Called once the appliance has changed.
    pub apply: Box<dyn FnOnce() + Send>,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { publisher, lines, apply: _ } = self;
        out.debug_struct("Prepared").field("publisher", publisher).field("lines", lines).finish_non_exhaustive()
    }
}

/// Reloads the settings, one request after the other.
#[derive(Debug)]
pub struct Reloader {
    /// The settings in force: keys that need a restart have the values of the start.
    settings: Arc<Settings>,
    engines: Engines,
    passwords: BTreeMap<CameraId, CameraPasswords>,
    /// What the box has from its cluster.
    claims: Claims,
    cluster: Option<ClusterInput>,
    requests: mpsc::Receiver<ReloadRequest>,
    changes: mpsc::Sender<ChangeRequest>,
    /// One permit. A read that hangs keeps it: nothing breaks off such a read.
    turns: Arc<Semaphore>,
    limit: Duration,
}

/// How long files, certificates and packages may take to be read. Clients wait a little longer.
const READ_LIMIT: Duration = Duration::from_secs(60);

impl Reloader {
    pub(super) fn new(
        settings: Arc<Settings>,
        engines: Engines,
        passwords: BTreeMap<CameraId, CameraPasswords>,
        requests: mpsc::Receiver<ReloadRequest>,
        changes: mpsc::Sender<ChangeRequest>,
    ) -> Self {
        let (claims, turns) = (Claims::default(), Arc::new(Semaphore::new(1)));
        Self { settings, engines, passwords, claims, cluster: None, requests, changes, turns, limit: READ_LIMIT }
    }

    /// Adds the cameras of a cluster to those of the settings.
    #[must_use]
    pub fn in_cluster(self, cluster: ClusterInput) -> Self {
        Self { cluster: Some(cluster), ..self }
    }

    /// Serves requests until the daemon stops. `files` are the settings files, in the order of precedence. `prepare` gets the
    /// settings in force and the new ones, reads what they name outside the appliance, and returns what applies them, or the
    /// mistakes.
    pub async fn serve(
        mut self,
        files: Vec<PathBuf>,
        redactor: Redactor,
        prepare: impl Fn(&Settings, &Settings) -> Result<Prepared, Vec<String>> + Clone + Send + 'static,
    ) {
        loop {
            let reply = tokio::select! {
                reply = self.requests.recv() => reply,
                true = next_assignment(&mut self.cluster) => {
                    self.take_assigned(&redactor).await;
                    continue;
                }
            };
            let Some(reply) = reply else { return };
            let result = self.reload(&files, &redactor, prepare.clone()).await;
            match &result {
                Ok(ReloadReport { changed, restart }) => {
                    tracing::info!(?changed, ?restart, "the settings were read again");
                }
                Err(error) => tracing::error!("the settings were read again, and nothing changes: {error}"),
            }
            // What the box can take of the cluster's cameras may be another, or the same with other models.
            self.take_assigned(&redactor).await;
            // The client may have left.
            drop(reply.send(result));
        }
    }

    async fn reload(
        &mut self,
        files: &[PathBuf],
        redactor: &Redactor,
        prepare: impl Fn(&Settings, &Settings) -> Result<Prepared, Vec<String>> + Send + 'static,
    ) -> Result<ReloadReport, ReloadError> {
        let (files, old, old_passwords) = (files.to_vec(), Arc::clone(&self.settings), self.passwords.clone());
        let engines = self.engines.clone();
        let turn = Arc::clone(&self.turns).try_acquire_owned().map_err(|_| ReloadError::Hanging)?;
        let claimed: Vec<CameraSettings> = self.claims.cameras().cloned().collect();
        let read = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let wanted = Wanted::read(&files, &old, &engines, &old_passwords, &claimed)?;
            let prepared = prepare(&old, &wanted.settings).map_err(ReloadError::Mistakes)?;
            Ok::<_, ReloadError>((wanted, prepared))
        });
        let read = timeout(self.limit, read).await.map_err(|_| ReloadError::Hanging)?;
        let (wanted, prepared) = read.map_err(|error| ReloadError::Mistakes(vec![describe(&error)]))??;
        wanted.passwords.values().flat_map(CameraPasswords::all).for_each(|password| redactor.register(password));
        let (reply, replied) = oneshot::channel();
        let (settings, passwords) = (Arc::clone(&wanted.settings), wanted.passwords.clone());
        let Prepared { publisher, lines, apply } = prepared;
        let claims = Box::new(self.claims.clone());
        let request = ChangeRequest { change: wanted.change, settings, passwords, publisher, claims, reply };
        self.changes.send(request).await.map_err(|_| ReloadError::Busy)?;
        replied.await.map_err(|_| ReloadError::Busy)?.map_err(|_| ReloadError::Busy)?;
        apply();
        (self.settings, self.passwords) = (wanted.settings, wanted.passwords);
        let changed = [wanted.difference.lines(), lines].concat();
        Ok(ReloadReport { changed, restart: wanted.restart })
    }

    /// Applies what the cluster has assigned to this box. What cannot be taken is told to the cluster.
    async fn take_assigned(&mut self, redactor: &Redactor) {
        let Some(cluster) = &mut self.cluster else { return };
        let assigned = cluster.assigned.borrow_and_update().clone();
        let claimed = |id: &CameraId| self.claims.cameras().any(|camera| camera.id == *id);
        let own = self.settings.cameras.iter().filter(|camera| !claimed(&camera.id)).cloned().collect();
        let own = Settings { cameras: own, ..(*self.settings).clone() };
        let claims = self.claims.of(&assigned, &own, &cluster.key);
        cluster.cannot.send_if_modified(|cannot| {
            let is_new = *cannot != claims.cannot;
            cannot.clone_from(&claims.cannot);
            is_new
        });
        let mut settings = own;
        settings.cameras.extend(claims.cameras().cloned());
        let passwords: BTreeMap<CameraId, CameraPasswords> = settings
            .cameras
            .iter()
            .filter_map(|camera| {
                let known = self.passwords.get(&camera.id).filter(|_| !claims.standings.has(&camera.id)).cloned();
                // Those of the cluster are inline by now.
                Some((camera.id.clone(), known.or_else(|| CameraPasswords::resolve(camera).ok())?))
            })
            .collect();
        passwords.values().flat_map(CameraPasswords::all).for_each(|password| redactor.register(password));
        let is_other = |camera: &&CameraSettings| passwords.get(&camera.id) != self.passwords.get(&camera.id);
        let other_logins = settings.cameras.iter().filter(is_other).map(|camera| camera.id.clone()).collect();
        let difference = Difference::new(&self.settings, &settings, &other_logins);
        let lines = difference.lines();
        if !lines.is_empty() {
            tracing::info!(changed = ?lines, "the cluster has changed the cameras of this box");
        }
        let change = BoxChange {
            removed_cameras: difference.removed_cameras,
            added_cameras: difference.added_cameras,
            changed_cameras: difference.changed_cameras,
            ..BoxChange::default()
        };
        let (settings, (reply, replied)) = (Arc::new(settings), oneshot::channel());
        let (in_force, known) = (Arc::clone(&settings), passwords.clone());
        let request =
            ChangeRequest { change, settings, passwords, publisher: None, claims: Box::new(claims.clone()), reply };
        if self.changes.send(request).await.is_err() || !matches!(replied.await, Ok(Ok(_))) {
            // The appliance is stopping.
            return;
        }
        (self.settings, self.passwords, self.claims) = (in_force, known, claims);
    }
}

/// The settings as they are on the disk now, and what they change.
struct Wanted {
    /// What is in force with the change.
    settings: Arc<Settings>,
    passwords: BTreeMap<CameraId, CameraPasswords>,
    difference: Difference,
    /// Keys with another value that only a restart applies.
    restart: Vec<String>,
    change: BoxChange,
}

impl Wanted {
    /// Reads the settings, the passwords of the cameras and the packages of new models. `claimed` are the cameras of the cluster.
    ///
    /// # Errors
    /// All mistakes in the settings; a package that cannot be used is one too.
    fn read(
        files: &[PathBuf],
        old: &Settings,
        engines: &Engines,
        old_passwords: &BTreeMap<CameraId, CameraPasswords>,
        claimed: &[CameraSettings],
    ) -> Result<Self, ReloadError> {
        let read = Settings::load(files);
        let read = read.map_err(|errors| ReloadError::Mistakes(errors.0.iter().map(ToString::to_string).collect()))?;
        let (mut settings, restart) = old.after_reload(&read);
        settings.cameras.extend(claimed.iter().cloned());
        let (mut passwords, mut mistakes) = (BTreeMap::new(), settings.contradictions());
        for camera in &settings.cameras {
            match CameraPasswords::resolve(camera) {
                Ok(resolved) => drop(passwords.insert(camera.id.clone(), resolved)),
                Err(error) => mistakes.push(format!("camera {}: {}", camera.id, describe(&error))),
            }
        }
        let is_other = |camera: &&CameraSettings| passwords.get(&camera.id) != old_passwords.get(&camera.id);
        let other_logins: BTreeSet<CameraId> =
            settings.cameras.iter().filter(is_other).map(|camera| camera.id.clone()).collect();
        let difference = Difference::new(old, &settings, &other_logins);
        let models = difference.are_models_new.then(|| models_change(old, &settings, engines, &mut mistakes));
        if !mistakes.is_empty() {
            return Err(ReloadError::Mistakes(mistakes));
        }
        let change = BoxChange {
            removed_cameras: difference.removed_cameras.clone(),
            added_cameras: difference.added_cameras.clone(),
            changed_cameras: difference.changed_cameras.clone(),
            tracking: difference.is_tracking_new.then(|| settings.tracking.clone()),
            snapshots: difference.are_snapshots_new.then(|| settings.snapshots.clone()),
            models,
        };
        Ok(Self { settings: Arc::new(settings), passwords, difference, restart, change })
    }
}

/// The change of the models. Adds a mistake for each new or changed package that cannot be used.
fn models_change(old: &Settings, new: &Settings, engines: &Engines, mistakes: &mut Vec<String>) -> ModelsChange {
    let desired = DesiredModels::new(&new.models, &DesiredModels::default(), core_count());
    let mut added = Vec::new();
    for model in &new.models {
        let before = old.models.iter().find(|before| before.name == model.name);
        if before.is_some_and(|before| before.package() == model.package()) {
            continue;
        }
        let plan = model_plan(new, engines, model, &desired);
        if let Err(reason) = &plan.loaded {
            mistakes.push(format!("model {}: {reason}", model.name));
        }
        if before.is_none() {
            added.push(plan);
        }
    }
    let is_renewed = |model: &&ModelSettings| {
        let before = old.models.iter().find(|before| before.name == model.name);
        // What is chosen by measurement is no part of the load that the settings give.
        let engine = |model: &ModelSettings| (model.execution_provider, model.variant);
        before.is_some_and(|before| {
            engine(before) != engine(model) || load_model(old, before, "") != load_model(new, model, "")
        })
    };
    ModelsChange {
        settings: new.models.clone(),
        renewed: new.models.iter().filter(is_renewed).map(|model| model.name.clone()).collect(),
        cores: core_count(),
        terms: new.models.iter().map(|model| (model.name.clone(), model_terms(model))).collect(),
        brought_in: ModelTerms { quota: None, ..model_terms(&new.default_model()) },
        added,
    }
}

#[cfg(test)]
mod tests;
