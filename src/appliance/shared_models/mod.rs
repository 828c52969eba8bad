//! Models that the boxes of a cluster share: commands go to all boxes, and this box runs its part.

mod decision;

use crate::appliance::shared_models::decision::{InForce, next_command};
use crate::cluster::records::ModelUnits;
use crate::cluster::{ClusterClient, ClusterStatus, ModelOrderError, ModelPlace};
use crate::control::shared_models::{SharedModel, SharedModels};
use crate::control::{Accepted, ApplianceStatus, Command, CommandRequest, Control, ControlError};
use crate::os::clock::wall_now_ms;
use crate::supervisor::{FleetError, ModelStatus};
use crate::telemetry::troubles::Troubles;
use std::collections::BTreeMap;
use tokio::sync::{mpsc, watch};

/// The part that [`Troubles`] names.
const PART: &str = "shared models";

/// What a box tells the others of its models. Versions that were imported here are not shared.
pub(super) fn units_of(status: &ApplianceStatus) -> BTreeMap<String, ModelUnits> {
    let units = |(name, model): (&String, &ModelStatus)| {
        let units = ModelUnits {
            state: model.state,
            min_units: model.min_units,
            in_service: model.in_service,
            is_shared: !name.contains(':'),
        };
        (name.clone(), units)
    };
    status.models.iter().map(units).collect()
}

/// Takes commands for all boxes, and has this one follow what they come to.
#[derive(Debug)]
pub(super) struct Sharing {
    control: Control,
    client: ClusterClient,
    commands: mpsc::Receiver<CommandRequest>,
    told: watch::Sender<SharedModels>,
    troubles: Troubles,
    /// What is wanted by which this box acted last.
    in_force: InForce,
}

impl Sharing {
    /// From now on commands about models of the settings are for all boxes.
    pub(super) fn new(control: Control, client: ClusterClient, troubles: Troubles) -> Self {
        let (told, models) = watch::channel(SharedModels::new());
        let commands = control.for_all_boxes(models);
        Self { control, client, commands, told, troubles, in_force: InForce::default() }
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
        let local = self.control.read(|status| status.models.get(&model).cloned());
        let local = local.ok_or_else(|| ControlError::Fleet(FleetError::NotFound(model.clone())))?;
        let shared = self.told.borrow().get(&model).cloned();
        let wanted = decision::wanted(&command, shared.as_ref(), &local, wall_now_ms())?;
        match self.client.want(model, wanted).await {
            Ok(()) => Ok(Accepted::default()),
            Err(error @ ModelOrderError::NoRoom { .. }) => Err(FleetError::LimitExceeded(error.to_string()).into()),
            Err(ModelOrderError::NotNow(why)) => Err(ControlError::Cluster(why)),
        }
    }

    /// Changes the models of this box to what the cluster wants of it.
    async fn follow(&mut self) {
        let box_id = self.control.box_id();
        let commands = {
            let cluster = self.client.status.borrow();
            self.in_force.keep(|model| cluster.models.contains_key(model));
            // A box that drains keeps its units until others have its cameras.
            if !is_following(&cluster, &box_id) {
                return;
            }
            self.control.read(|status| {
                let next = |(model, place): (&String, &ModelPlace)| {
                    next_command(model, place, &box_id, status.models.get(model)?, &mut self.in_force)
                };
                cluster.models.iter().filter_map(next).collect::<Vec<_>>()
            })
        };
        let mut refused = Vec::new();
        for command in commands {
            let model = command.subject().to_owned();
            tracing::info!(?command, "the cluster wants this of a shared model");
            if let Err(error) = self.control.ask_here(command).await {
                refused.push(format!("{model}: this box cannot do its part for the cluster: {error}"));
            }
        }
        match refused.as_slice() {
            [] => drop(self.troubles.clear(PART)),
            some => drop(self.troubles.set(PART, some.join("; "))),
        }
    }
}

fn is_following(cluster: &ClusterStatus, box_id: &str) -> bool {
    cluster.boxes.get(box_id).is_some_and(|own| !own.draining)
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
