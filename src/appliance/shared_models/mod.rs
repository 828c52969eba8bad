//! Models that the boxes of a cluster share: commands go to all boxes, and this box runs its part.

mod decision;
mod refused;
mod told;

pub(super) use told::ToldUnits;

use crate::appliance::shared_models::decision::{InForce, by_settings, next_command};
use crate::appliance::shared_models::refused::Refused;
use crate::cluster::{ClusterClient, ModelOrderError, ModelPlace};
use crate::control::shared_models::{SharedModel, SharedModels};
use crate::control::{Accepted, ApplianceStatus, Command, CommandRequest, Control, ControlError};
use crate::os::clock::{monotonic_now, wall_now_ms};
use crate::supervisor::{FleetError, ModelState, ModelStatus};
use crate::telemetry::troubles::Troubles;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// The most units of each model that this box can take, where it has refused more.
pub(super) type Caps = BTreeMap<String, usize>;

/// The part that [`Troubles`] names.
const PART: &str = "shared models";

/// For so long after etcd was reached this box only stops models: after a power cut the first box that is back must not take all.
const HOLD: Duration = Duration::from_secs(8);

/// Takes commands for all boxes, and has this one follow what they come to.
#[derive(Debug)]
pub(super) struct Sharing {
    control: Control,
    client: ClusterClient,
    commands: mpsc::Receiver<CommandRequest>,
    told: watch::Sender<SharedModels>,
    caps: watch::Sender<Caps>,
    troubles: Troubles,
    in_force: InForce,
    refused: Refused,
    /// What a restart of this box would forget, by model.
    warnings: BTreeMap<String, String>,
    connected_since: Option<Monotonic>,
}

impl Sharing {
    /// From now on commands about models of the settings are for all boxes. `caps` is told what this box cannot take.
    pub(super) fn new(control: Control, client: ClusterClient, troubles: Troubles, caps: watch::Sender<Caps>) -> Self {
        let (told, models) = watch::channel(SharedModels::new());
        let commands = control.for_all_boxes(models);
        Self {
            control,
            client,
            commands,
            told,
            caps,
            troubles,
            in_force: InForce::default(),
            refused: Refused::default(),
            warnings: BTreeMap::new(),
            connected_since: None,
        }
    }

    /// As long as the daemon runs.
    pub(super) async fn run(mut self, mut status: watch::Receiver<ApplianceStatus>) {
        let mut cluster = self.client.status.clone();
        loop {
            tokio::select! {
                request = self.commands.recv() => {
                    let Some((command, reply)) = request else { return };
                    let done = self.order(command).await;
                    // Who reads next is to find the effect.
                    self.tell();
                    // Who has asked may have left.
                    drop(reply.send(done));
                }
                Ok(()) = cluster.changed() => {}
                changed = status.changed() => if changed.is_err() { return },
            }
            self.tell();
            self.follow().await;
        }
    }

    /// Says how all boxes together run each model.
    fn tell(&self) {
        let models: SharedModels = {
            let status = self.client.status.borrow();
            status.models.iter().map(|(name, place)| (name.clone(), shared(place))).collect()
        };
        self.told.send_if_modified(|told| {
            let is_new = *told != models;
            *told = models;
            is_new
        });
    }

    /// Has all boxes do what a command says.
    async fn order(&self, command: Command) -> Result<Accepted, ControlError> {
        let model = command.subject().to_owned();
        let local = self.control.read(|status| status.models.get(&model).map(of_box));
        let local = local.ok_or_else(|| ControlError::Fleet(FleetError::NotFound(model.clone())))?;
        let (now, before) = {
            let cluster = self.client.status.borrow();
            match cluster.models.get(&model) {
                Some(place) => (shared(place), Some(place.revision)),
                None => {
                    let of_boxes = cluster.boxes.values().filter_map(|it| it.models.get(&model));
                    (by_settings(of_boxes).unwrap_or(local), None)
                }
            }
        };
        let wanted = decision::wanted(&command, &now, wall_now_ms())?;
        match self.client.want(model, wanted, before).await {
            Ok(()) => Ok(Accepted::default()),
            Err(error @ ModelOrderError::NoRoom { .. }) => Err(FleetError::LimitExceeded(error.to_string()).into()),
            Err(ModelOrderError::NotNow(why)) => Err(ControlError::Cluster(why)),
        }
    }

    /// Changes the models of this box to what the cluster wants of it.
    async fn follow(&mut self) {
        let now = monotonic_now();
        for command in self.due(now) {
            let model = command.subject().to_owned();
            if self.refused.is_news(&command) {
                tracing::info!(?command, "the cluster wants this of a shared model");
            }
            match self.control.ask_here(command.clone()).await {
                Ok(Accepted { warning }) => {
                    self.refused.done(&model);
                    match warning {
                        Some(warning) => drop(self.warnings.insert(model.clone(), format!("{model}: {warning}"))),
                        None => drop(self.warnings.remove(&model)),
                    }
                }
                Err(error) => {
                    let runs = |it: &ModelStatus| matches!(it.state, ModelState::Starting | ModelState::Running);
                    let of_model = |status: &ApplianceStatus| {
                        status.models.get(&model).filter(|it| runs(it)).map(|it| it.min_units)
                    };
                    let units = self.control.read(of_model).unwrap_or_default();
                    self.refused.add(command, units, &error, now);
                }
            }
        }
        let caps = self.refused.caps();
        self.caps.send_if_modified(|told| {
            let is_new = *told != caps;
            *told = caps;
            is_new
        });
        let reasons: Vec<&str> = self.refused.reasons().chain(self.warnings.values().map(String::as_str)).collect();
        match reasons.as_slice() {
            [] => drop(self.troubles.clear(PART)),
            some => drop(self.troubles.set(PART, some.join("; "))),
        }
    }

    /// The commands for this box that are due.
    fn due(&mut self, now: Monotonic) -> Vec<Command> {
        let box_id = self.control.box_id();
        let (places, is_draining, is_connected) = {
            let cluster = self.client.status.borrow();
            let is_draining = cluster.boxes.get(&box_id).is_none_or(|own| own.draining);
            (cluster.models.clone(), is_draining, cluster.etcd.connected)
        };
        self.in_force.keep(|model| places.contains_key(model));
        self.refused.forget(now, |model| places.contains_key(model));
        self.warnings.retain(|model, _| places.contains_key(model));
        if !is_connected {
            self.connected_since = None;
            return Vec::new();
        }
        let since = *self.connected_since.get_or_insert(now);
        // A box that drains keeps its units until others have its cameras.
        let only_stops = is_draining || now.since(since) < HOLD;
        let Self { control, in_force, refused, .. } = self;
        control.read(|status| {
            let next = |(model, place): (&String, &ModelPlace)| {
                if only_stops && place.is_wanted {
                    return None;
                }
                let is_new = in_force.is_new(model, place.revision);
                if is_new {
                    refused.begin_anew(model);
                }
                let has_cameras = status.cameras.values().any(|camera| camera.model == *model);
                let local = status.models.get(model)?;
                let command = next_command(model, place, (&box_id, has_cameras), local, is_new)?;
                refused.may_try(&command, now).then_some(command)
            };
            places.iter().filter_map(next).collect()
        })
    }
}

fn shared(place: &ModelPlace) -> SharedModel {
    SharedModel {
        state: place.state,
        min_units: place.min_units,
        max_units: place.max_units,
        in_service: place.in_service,
        boxes: place.boxes.values().filter(|at| at.in_service > 0).count(),
    }
}

/// A model of this box alone.
fn of_box(model: &ModelStatus) -> SharedModel {
    SharedModel {
        state: model.state,
        min_units: model.min_units,
        max_units: model.max_units,
        in_service: model.in_service,
        boxes: usize::from(model.in_service > 0),
    }
}
