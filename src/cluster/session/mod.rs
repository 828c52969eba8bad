//! The box's part in the cluster, as one task: it keeps the lease, follows what etcd tells, and asks it for what
//! [`Member`] and [`Placer`] decide.
//!
//! ```text
//! connecting to the next member ──▶ attending ──connection or lease lost──▶ connecting …
//! ```
//! While it connects, cameras go on: `Member` decides without a view.

mod acts;
mod alone;
mod hours;
mod joining;
mod models;
mod orders;
mod telling;

pub use orders::{ModelOrder, Order};

use crate::cluster::etcd::{Access, EtcdError, LeaseEnd};
use crate::cluster::member::Member;
use crate::cluster::moves::Moves;
use crate::cluster::peers::Peers;
use crate::cluster::placer::{Placer, PlacerSettings};
use crate::cluster::planning::Inputs;
use crate::cluster::promise::Promise;
use crate::cluster::records::Keys;
use crate::cluster::report::{Assigned, Assignment, OwnReport};
use crate::cluster::session::joining::{Joined, join};
use crate::cluster::settings::ClusterSettings;
use crate::cluster::standing::Standings;
use crate::cluster::status::{ClusterStatus, EtcdStatus};
use crate::cluster::view::{KeyChange, View, epoch};
use crate::os::clock::monotonic_now;
use crate::vision::camera_id::CameraId;
use crate::vision::error_chain::describe;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// How often it decides although nothing was told.
const PERIOD: Duration = Duration::from_secs(1);

/// How long it waits before it tries the next member.
const PAUSE: Duration = Duration::from_millis(200);

/// The same after a member that was reached and failed within this time.
const LONG_PAUSE: Duration = Duration::from_secs(1);
const SHORT: Duration = Duration::from_secs(5);

/// Orders that may wait; further ones wait in their senders.
const ORDERS: usize = 4;

/// What the daemon holds of a session.
#[derive(Debug)]
pub struct SessionEnds {
    /// The cameras that this box has.
    pub assigned: watch::Receiver<Assigned>,
    /// The cluster as this box sees it.
    pub status: watch::Receiver<ClusterStatus>,
    /// The boxes that take calls of this one.
    pub peers: watch::Receiver<Peers>,
    /// What this box says of itself.
    pub report: watch::Sender<OwnReport>,
    /// The highest epoch of each camera that the broker has told of.
    pub heard: watch::Sender<BTreeMap<CameraId, u64>>,
    /// Orders.
    pub orders: mpsc::Sender<Order>,
}

/// The task.
#[derive(Debug)]
pub struct Session {
    settings: ClusterSettings,
    box_id: String,
    run: String,
    keys: Keys,
    access: Access,
    member: Member,
    placer: Placer,
    promise: Promise,
    /// The lease that etcd has granted, and its length.
    lease: Option<(i64, Duration)>,
    /// What etcd holds; `None` while it cannot be reached.
    view: Option<View>,
    /// All cameras when it was reached last.
    known: Arc<BTreeMap<CameraId, Assignment>>,
    is_draining: bool,
    began_at: Monotonic,
    needs_written: BTreeMap<CameraId, Monotonic>,
    moves: Moves,
    unplaced: BTreeMap<CameraId, String>,
    etcd: EtcdStatus,
    /// When etcd was heard of last.
    seen_at: Monotonic,
    assigned: watch::Sender<Assigned>,
    status: watch::Sender<ClusterStatus>,
    peers: watch::Sender<Peers>,
    report: watch::Receiver<OwnReport>,
    heard: watch::Receiver<BTreeMap<CameraId, u64>>,
    orders: mpsc::Receiver<Order>,
}

/// Why attending a member has ended.
enum End {
    Left,
    Failed(EtcdError),
    LeaseGone,
}

/// It was told to leave.
struct Left;

impl From<EtcdError> for End {
    fn from(error: EtcdError) -> Self {
        Self::Failed(error)
    }
}

impl Session {
    /// Reads the files that the settings name. `run` is another one at each start of the daemon.
    ///
    /// # Errors
    /// When a certificate or the password cannot be read.
    pub fn new(settings: &ClusterSettings, box_id: &str, run: &str) -> Result<(Self, SessionEnds), EtcdError> {
        let promise = Promise::default();
        let standings = Standings { cluster: settings.name.clone(), promise: promise.clone(), ..Standings::default() };
        let (assigned, assigned_end) = watch::channel(Assigned { standings, ..Assigned::default() });
        let (status, status_end) =
            watch::channel(ClusterStatus { name: settings.name.clone(), ..ClusterStatus::default() });
        let (peers, peers_end) = watch::channel(Peers::default());
        let (report_end, report) = watch::channel(OwnReport::default());
        let (heard_end, heard) = watch::channel(BTreeMap::new());
        let (orders_end, orders) = mpsc::channel(ORDERS);
        let ends = SessionEnds {
            assigned: assigned_end,
            status: status_end,
            peers: peers_end,
            report: report_end,
            heard: heard_end,
            orders: orders_end,
        };
        let session = Self {
            keys: Keys::new(&settings.name),
            access: Access::read(settings)?,
            member: Member::new(box_id, run, settings.alone()),
            placer: Placer::new(PlacerSettings::default()),
            settings: settings.clone(),
            box_id: box_id.to_owned(),
            run: run.to_owned(),
            promise,
            lease: None,
            view: None,
            known: Arc::default(),
            is_draining: false,
            began_at: monotonic_now(),
            needs_written: BTreeMap::new(),
            moves: Moves::default(),
            unplaced: BTreeMap::new(),
            etcd: EtcdStatus::default(),
            seen_at: monotonic_now(),
            assigned,
            status,
            peers,
            report,
            heard,
            orders,
        };
        Ok((session, ends))
    }

    /// Takes part until it is told to leave.
    pub async fn run(mut self) {
        let endpoints = self.settings.endpoints.clone();
        for endpoint in endpoints.iter().cycle() {
            endpoint.clone_into(&mut self.etcd.endpoint);
            let begun = monotonic_now();
            let end = self.attend(endpoint).await;
            let why = match end {
                End::Left => return,
                End::Failed(error) => describe(&error),
                End::LeaseGone => {
                    self.lease = None;
                    "etcd has given up this box's lease: it was not heard of in time".to_owned()
                }
            };
            if self.etcd.connected || self.etcd.reason.is_none() {
                tracing::warn!(endpoint, why, "the cluster's etcd cannot be reached; cameras go on");
            }
            let has_joined = self.view.is_some();
            (self.view, self.etcd.connected, self.etcd.reason) = (None, false, Some(why));
            self.decide_alone();
            // etcd that answers and takes no writes would be asked without an end.
            let lasted = monotonic_now().since(begun);
            let pause = if lasted < SHORT { LONG_PAUSE } else { PAUSE };
            if self.alone_while(sleep(if has_joined { pause } else { PAUSE })).await.is_err() {
                return;
            }
        }
    }

    /// Connects to a member and does what there is to do, until that fails.
    async fn attend(&mut self, endpoint: &str) -> End {
        let lease = self.lease.map(|(lease, _)| lease);
        let joining = join(self.access.clone(), endpoint.to_owned(), lease, self.settings.lease(), self.keys.clone());
        let joined = match self.alone_while(joining).await {
            Ok(Ok(joined)) => joined,
            Ok(Err(error)) => return End::Failed(error),
            Err(Left) => return End::Left,
        };
        let Joined { mut etcd, keeper, lease, new_at, mut changes, view } = joined;
        if let Some(revision) = new_at {
            self.promise.begin(epoch(revision));
        }
        tracing::info!(
            endpoint,
            cameras = view.cameras.len(),
            boxes = view.boxes.len(),
            "the cluster's etcd is reached"
        );
        if new_at.is_some() && self.etcd.reason.is_some() {
            self.placer.wait_for_each(&Inputs::of(&view).plan, monotonic_now());
        }
        (self.lease, self.view) = (Some(lease), Some(view));
        (self.etcd.connected, self.etcd.reason) = (true, None);
        let mut keeping = tokio::spawn(keeper.run(self.promise.clone()));
        let mut tick = interval(PERIOD);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = loop {
            if let Err(error) = self.act(&mut etcd, lease.0).await {
                break End::Failed(error);
            }
            tokio::select! {
                told = changes.next() => match told {
                    Ok(told) => self.take(&told),
                    Err(error) => break End::Failed(error),
                },
                end = &mut keeping => break match end {
                    Ok(LeaseEnd::Gone) => End::LeaseGone,
                    Ok(LeaseEnd::Unknown(error)) => End::Failed(error),
                    Err(_) => End::Failed(EtcdError::Failed("the task that renews the lease has ended".into())),
                },
                Ok(()) = self.heard.changed() => {}
                Ok(()) = self.report.changed() => {}
                order = self.orders.recv() => match order {
                    Some(Order::Drain(is_draining, reply)) => {
                        self.is_draining = is_draining;
                        let done = self.act(&mut etcd, lease.0).await.map_err(|error| describe(&error));
                        // Who has asked may have left.
                        drop(reply.send(done));
                    }
                    Some(Order::Model(order)) => self.take_order(&mut etcd, order).await,
                    Some(Order::Leave(reply)) => {
                        self.leave(&mut etcd, lease.0).await;
                        let _left: Result<(), ()> = reply.send(());
                        break End::Left;
                    }
                    None => break End::Left,
                },
                _ = tick.tick() => {}
            }
        };
        keeping.abort();
        end
    }

    /// Takes over what etcd tells.
    fn take(&mut self, told: &[KeyChange]) {
        let Some(view) = &mut self.view else { return };
        for change in told {
            let camera = self.keys.parts(&change.key).filter(|(kind, _)| *kind == "plan");
            let camera = camera.and_then(|(_, camera)| CameraId::new(camera).ok());
            let plan = |view: &View, camera: &CameraId| view.plan.get(camera).map(|plan| plan.value.clone());
            let before = camera.as_ref().and_then(|camera| plan(view, camera));
            view.apply(&self.keys, change);
            if let Some(camera) = camera {
                self.moves.note(&camera, before.as_ref(), plan(view, &camera).as_ref());
            }
        }
    }
}
