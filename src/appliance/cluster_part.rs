//! The box's part in a cluster: starts it, tells it of the box, and the box of it.

use crate::appliance::box_plan::most_units;
use crate::appliance::decoding_use::DecodingUse;
use crate::appliance::own_report::Measured;
use crate::appliance::reload::ClusterInput;
use crate::appliance::shared_models::{Caps, Sharing, ToldUnits};
use crate::appliance::zone_placement::core_count;
use crate::cluster::records::ModelHours;
use crate::cluster::sealed_passwords::ClusterKey;
use crate::cluster::{
    ClusterClient, ClusterStatus, EtcdError, ModelPlace, MonthHours, OwnReport, Session, SessionEnds,
};
use crate::control::{ApplianceStatus, Control};
use crate::os::clock::monotonic_now;
use crate::os::processor_load::ProcessorLoad;
use crate::os::processor_time;
use crate::publish::cluster_link::ClusterLink;
use crate::settings::Settings;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::troubles::Troubles;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// How long a stop waits for others to take the cameras over.
const HANDOVER: Duration = Duration::from_secs(6);

/// How often it looks whether they have.
const LOOK: Duration = Duration::from_millis(100);

/// The parts that the rest of the daemon uses.
#[derive(Debug)]
pub struct ClusterPart {
    /// For the API.
    pub client: ClusterClient,
    /// For the publisher.
    pub link: ClusterLink,
    /// For the reloader.
    pub input: ClusterInput,
    report: watch::Sender<OwnReport>,
    cannot: watch::Receiver<BTreeMap<CameraId, String>>,
    drains_at_stop: bool,
    /// What the box can run, if it shares its models.
    limits: Option<Limits>,
}

/// The most units and models of a box.
#[derive(Clone, Copy, Debug)]
struct Limits {
    units: usize,
    models: usize,
}

/// What is left to the end of the daemon.
#[derive(Clone, Debug)]
pub struct ClusterExit {
    client: ClusterClient,
    box_id: String,
    drains: bool,
}

impl ClusterPart {
    /// Starts it; `None` for a box on its own. `run` is another one at each start. Must be called inside the runtime.
    ///
    /// # Errors
    /// When a certificate or the password cannot be read.
    pub fn start(settings: &Settings, run: &str) -> Result<Option<Self>, EtcdError> {
        let (box_id, units, settings) = (&settings.box_id, &settings.units, &settings.cluster);
        if !settings.is_on() {
            return Ok(None);
        }
        let (session, SessionEnds { assigned, status, peers, report, heard, orders }) =
            Session::new(settings, box_id, run)?;
        tokio::spawn(session.run());
        let key = ClusterKey::read(settings.key_file.as_deref(), &settings.name);
        let (cannot, cannot_watch) = watch::channel(BTreeMap::new());
        Ok(Some(Self {
            client: ClusterClient { status, peers, orders },
            link: ClusterLink { name: settings.name.clone(), heard },
            input: ClusterInput { assigned, key, cannot },
            report,
            cannot: cannot_watch,
            drains_at_stop: settings.drain_at_stop,
            limits: settings.share_models.then(|| Limits { units: most_units(units), models: units.max_models.into() }),
        }))
    }

    /// Tells the cluster of the box and the operator of the cluster from now on. Returns what is for the reloader, and for the end.
    pub fn attach(
        self,
        control: &Control,
        status: watch::Receiver<ApplianceStatus>,
        troubles: Troubles,
        metrics: Arc<Metrics>,
    ) -> (ClusterInput, ClusterExit) {
        let Self { client, input, report, cannot, drains_at_stop, limits, .. } = self;
        let box_id = status.borrow().box_id.clone();
        let (caps, caps_seen) = watch::channel(Caps::new());
        if limits.is_some() {
            let sharing = Sharing::new(control.clone(), client.clone(), troubles.clone(), caps);
            tokio::spawn(sharing.run(status.clone()));
        }
        tokio::spawn(tell_troubles(client.status.clone(), box_id.clone(), troubles, metrics));
        tokio::spawn(tell_box(status, cannot, report, limits.map(|limits| (limits, caps_seen))));
        (input, ClusterExit { client, box_id, drains: drains_at_stop })
    }
}

impl ClusterExit {
    /// Turns true at a stop, once others have taken the cameras over if the settings say so. Must be called inside the runtime.
    pub fn after_handover(&self, mut stopped: watch::Receiver<bool>) -> watch::Receiver<bool> {
        let ((over, is_over), exit) = (watch::channel(false), self.clone());
        tokio::spawn(async move {
            // An error: whoever stops is gone, which is a stop too.
            drop(stopped.wait_for(|stopped| *stopped).await);
            exit.hand_over().await;
            over.send_replace(true);
        });
        is_over
    }

    /// Before cameras stop: waits until others have taken them over, if the settings say so.
    async fn hand_over(&self) {
        if !self.drains {
            return;
        }
        let owns = |status: &ClusterStatus| status.boxes.get(&self.box_id).is_some_and(|own| own.cameras > 0);
        let waiting = async {
            if let Err(why) = self.client.drain(true).await {
                tracing::warn!(why, "the cluster cannot take the cameras over before this box stops");
                return;
            }
            while owns(&self.client.status.borrow()) {
                sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(HANDOVER, waiting).await.is_err() {
            tracing::warn!("not every camera was taken over by another box in time; this box stops");
        }
    }

    /// After the last event: others take what is left at once.
    pub async fn leave(&self) {
        self.client.leave().await;
    }
}

/// Shows the cluster's troubles as those of the box, and its figures as metrics.
async fn tell_troubles(
    mut status: watch::Receiver<ClusterStatus>,
    box_id: String,
    troubles: Troubles,
    metrics: Arc<Metrics>,
) {
    loop {
        {
            let status = status.borrow_and_update();
            match status.troubles.as_slice() {
                [] if !status.etcd.connected => {}
                [] => drop(troubles.clear("cluster")),
                some => drop(troubles.set("cluster", some.join("; "))),
            }
            let unowned = status.cameras.values().filter(|camera| camera.owner.is_none()).count();
            let owned = status.boxes.get(&box_id).map_or(0, |own| own.cameras);
            metrics.cluster().set(status.etcd.connected, status.boxes.len(), (owned, unowned));
            metrics.cluster().set_moves(&status.move_counts);
            let units = |place: &ModelPlace| [place.min_units, place.in_service, place.missing];
            metrics.cluster().set_models(status.models.iter().map(|(model, place)| (model.as_str(), units(place))));
        }
        if status.changed().await.is_err() {
            return;
        }
    }
}

/// Tells the cluster what the event loop says of the box.
async fn tell_box(
    mut status: watch::Receiver<ApplianceStatus>,
    cannot: watch::Receiver<BTreeMap<CameraId, String>>,
    report: watch::Sender<OwnReport>,
    shared: Option<(Limits, watch::Receiver<Caps>)>,
) {
    let (mut load, mut measured, mut told) =
        (ProcessorLoad::default(), Measured::on(core_count()), ToldUnits::default());
    let mut decoding = DecodingUse::default();
    while status.changed().await.is_ok() {
        let now = {
            let status = status.borrow_and_update();
            decoding.look(&status.capture_processes, monotonic_now(), processor_time::of_process);
            let measured = measured.report(&status, &cannot.borrow(), load.idle_share(), &decoding);
            let measured = OwnReport { hours: hours_of(&status), ..measured };
            match &shared {
                Some((limits, caps)) => OwnReport {
                    most_units: limits.units,
                    most_models: limits.models,
                    models: told.of(&status, &caps.borrow(), monotonic_now()),
                    ..measured
                },
                None => measured,
            }
        };
        report.send_if_modified(|told| {
            let is_new = *told != now;
            *told = now;
            is_new
        });
    }
}

/// The inference hours of this month, and the units that add to them now.
fn hours_of(status: &ApplianceStatus) -> MonthHours {
    // What is not all of a month would be taken for it.
    let Some(month) = status.hours_month.clone() else { return MonthHours::default() };
    let row = |((model, version), hours): (&(String, String), &f64)| {
        let running = status.models.get(model).filter(|running| running.version == *version);
        let units = running.map_or(0, |running| running.in_service);
        ModelHours { model: model.clone(), version: version.clone(), hours: *hours, units }
    };
    MonthHours { month, rows: status.inference_hours.iter().map(row).collect() }
}
