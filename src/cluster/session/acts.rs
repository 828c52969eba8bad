//! What a box asks of etcd: to be known, to plan, to own cameras.

use super::Session;
use crate::cluster::etcd::{Commit, Etcd, EtcdError, Expect};
use crate::cluster::member::{Request, Situation};
use crate::cluster::planning::{self, Inputs};
use crate::cluster::records::{BoxRecord, LeaderRecord, ModelUnits, NeedRecord, OwnerRecord};
use crate::cluster::report::{is_box_news, is_need_news};
use crate::cluster::view::KeyChange;
use crate::os::clock::{monotonic_now, wall_now_ms};
use crate::vision::camera_id::CameraId;
use crate::vision::error_chain::describe;
use crate::vision::model_state::ModelState;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a box that has just started lets others lead: after a power cut the first box that is back must not take all.
const FIRST_LEAD: Duration = Duration::from_secs(5);

/// By then a box is known even if none of its models has been measured.
const MEASURED_BY: Duration = Duration::from_secs(30);

/// How often the need of a camera is written at most.
const NEED_PERIOD: Duration = Duration::from_secs(60);

impl Session {
    /// Does what there is to do by the view of now. An answer of etcd is taken into the view at once; the watch repeats it.
    pub(super) async fn act(&mut self, etcd: &mut Etcd, lease: i64) -> Result<(), EtcdError> {
        self.register(etcd, lease).await?;
        self.lead(etcd, lease).await?;
        let requests = self.decide();
        for request in &requests {
            self.ask(request, etcd, lease).await?;
            // What was granted is had from now on. What was refused is asked for again once the watch has told why.
            drop(self.decide());
            self.tell();
        }
        self.write_needs(etcd).await?;
        self.write_hours(etcd).await?;
        self.tell();
        Ok(())
    }

    fn decide(&mut self) -> Vec<Request> {
        // Under another's name this box owns nothing.
        if self.namesake().is_some() {
            self.member.give_up_all();
            return Vec::new();
        }
        let (heard, report) = (self.heard.borrow().clone(), self.report.borrow().clone());
        let impossible = report.cannot.keys().cloned().collect();
        let situation = Situation {
            view: self.view.as_ref(),
            heard: &heard,
            streaming: &report.streaming,
            impossible: &impossible,
        };
        self.member.decide(situation, monotonic_now())
    }

    /// What is wrong if another box has this one's name.
    pub(super) fn namesake(&self) -> Option<String> {
        let other = self.view.as_ref()?.boxes.get(&self.box_id).filter(|kept| kept.value.run != self.run)?;
        Some(format!(
            "another box of the cluster has the id {} (at {}), or this one has just been restarted: it takes part once the other is gone, \
             for {} s; give each box an id of its own",
            self.box_id,
            if other.value.address.is_empty() { "an unknown address" } else { &other.value.address },
            self.settings.lease_seconds
        ))
    }

    /// Writes what this box says of itself, when it is not there or differs.
    async fn register(&mut self, etcd: &mut Etcd, lease: i64) -> Result<(), EtcdError> {
        let report = self.report.borrow().clone();
        // What is stopped will not be measured.
        let is_at_rest = |units: &ModelUnits| !matches!(units.state, ModelState::Starting | ModelState::Running);
        let runs_nothing = !report.models.is_empty() && report.models.values().all(is_at_rest);
        let is_measured = !report.capacity_tps.is_empty() || runs_nothing;
        if !is_measured && monotonic_now().since(self.began_at) < MEASURED_BY {
            return Ok(());
        }
        let call_address = self.settings.call_address().unwrap_or_default();
        let record = BoxRecord {
            run: self.run.clone(),
            address: self.settings.address.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            zone: self.settings.zone.clone(),
            capacity_tps: report.capacity_tps,
            packages: report.packages,
            // Nobody can use the room of a box that takes no calls of others.
            call_room: if call_address.is_empty() { BTreeMap::new() } else { report.call_room },
            call_address,
            processors: report.processors,
            idle_processors: report.idle_processors,
            is_draining: self.is_draining,
            cannot: report.cannot,
            most_units: report.most_units,
            most_models: report.most_models,
            models: report.models,
        };
        let known = self.view.as_ref().and_then(|view| view.boxes.get(&self.box_id));
        let expected = match known {
            None => Expect::Absent,
            Some(kept) if kept.value.run == self.run && is_box_news(&record, &kept.value) => {
                Expect::WrittenAt(kept.revision)
            }
            Some(_) => return Ok(()),
        };
        let key = self.keys.of_box(&self.box_id);
        self.write(etcd, &key, &record, Commit::default().if_key(&key, expected), Some(lease)).await.map(drop)
    }

    /// Takes the lead if nobody has it, and plans if it has.
    async fn lead(&mut self, etcd: &mut Etcd, lease: i64) -> Result<(), EtcdError> {
        let Some(view) = &self.view else { return Ok(()) };
        let is_free = view.leader.is_none();
        let may_lead = monotonic_now().since(self.began_at) >= FIRST_LEAD.max(self.settings.lease());
        if is_free && may_lead && self.namesake().is_none() {
            let key = self.keys.leader();
            let record = LeaderRecord { box_id: self.box_id.clone(), run: self.run.clone() };
            self.write(etcd, &key, &record, Commit::default().if_key(&key, Expect::Absent), Some(lease)).await?;
        }
        let Some(view) = &self.view else { return Ok(()) };
        let own =
            view.leader.as_ref().filter(|leader| leader.value.box_id == self.box_id && leader.value.run == self.run);
        let Some(revision) = own.map(|leader| leader.revision) else {
            self.unplaced.clear();
            return Ok(());
        };
        let Inputs { boxes, cameras, plan } = Inputs::of(view);
        let decision = self.placer.decide(&boxes, &cameras, &plan, monotonic_now());
        let commits = planning::commits(&decision, view, &self.keys, revision, wall_now_ms());
        for moved in &decision.moves {
            let (from, to, why) = (moved.from.as_deref().unwrap_or("no box"), &moved.to, moved.why.words());
            tracing::info!(camera = %moved.camera, from, to, why, "a camera of the cluster is planned");
        }
        self.unplaced = decision.unplaced.into_iter().map(|unplaced| (unplaced.camera, unplaced.why)).collect();
        let mut is_written = !commits.is_empty();
        for commit in commits {
            is_written &= etcd.commit(commit).await?.is_some();
        }
        if is_written {
            // The next decision must see this one.
            self.read_again(etcd).await?;
        }
        Ok(())
    }

    async fn read_again(&mut self, etcd: &mut Etcd) -> Result<(), EtcdError> {
        let (entries, _) = etcd.everything(&format!("{}plan/", self.keys.all())).await?;
        self.take(&entries);
        Ok(())
    }

    async fn ask(&mut self, request: &Request, etcd: &mut Etcd, lease: i64) -> Result<(), EtcdError> {
        let own = OwnerRecord { box_id: self.box_id.clone(), run: self.run.clone(), at_ms: wall_now_ms() };
        match request {
            Request::Claim(camera) => {
                let key = self.keys.owner(camera);
                let commit = self.if_still_a_camera(camera).if_key(&key, Expect::Absent);
                self.write(etcd, &key, &own, commit, Some(lease)).await.map(drop)
            }
            Request::TakeOver { camera, epoch } => {
                let key = self.keys.owner(camera);
                let commit = self.if_still_a_camera(camera).if_key(&key, Expect::WrittenAt(revision(*epoch)));
                self.write(etcd, &key, &own, commit, Some(lease)).await.map(drop)
            }
            Request::Release { camera, epoch } => {
                let key = self.keys.owner(camera);
                let commit = Commit::default().if_key(&key, Expect::WrittenAt(revision(*epoch))).delete(&key);
                if let Some(revision) = etcd.commit(commit).await? {
                    self.take(&[KeyChange { key, value: None, revision }]);
                }
                Ok(())
            }
        }
    }

    /// A camera that was removed or changed meanwhile is not claimed by what was known of it.
    fn if_still_a_camera(&self, camera: &CameraId) -> Commit {
        let known = self.view.as_ref().and_then(|view| view.cameras.get(camera));
        let expected = known.map_or(Expect::Absent, |kept| Expect::WrittenAt(kept.revision));
        Commit::default().if_key(&self.keys.camera(camera), expected)
    }

    /// Gives the lease up: others take the cameras at once.
    pub(super) async fn leave(&mut self, etcd: &mut Etcd, lease: i64) {
        self.promise.end();
        if let Err(error) = self.close_hours(etcd, |_| true).await {
            tracing::warn!("the last inference hours are not told to the cluster: {}", describe(&error));
        }
        if let Err(error) = etcd.revoke(lease).await {
            tracing::warn!(
                "the cluster is not told that this box leaves, and waits for its lease: {}",
                describe(&error)
            );
        }
    }

    /// Writes the needs of this box's cameras that have changed.
    async fn write_needs(&mut self, etcd: &mut Etcd) -> Result<(), EtcdError> {
        let (needs, now) = (self.report.borrow().needs.clone(), monotonic_now());
        self.needs_written.retain(|_, at| now.since(*at) < NEED_PERIOD);
        for (camera, need) in needs {
            let Some(view) = &self.view else { return Ok(()) };
            let Some(kept) = view.cameras.get(&camera) else { continue };
            let unknown = NeedRecord { tps: kept.value.wanted_tps, cores: 0.0 };
            let before = view.needs.get(&camera).copied().unwrap_or(unknown);
            let need = need.after(before);
            let is_own = view.owner(&camera).is_some_and(|(owner, _)| owner.run == self.run);
            if is_own && is_need_news(need, before) && !self.needs_written.contains_key(&camera) {
                self.needs_written.insert(camera.clone(), now);
                let (key, commit) = (self.keys.need(&camera), self.if_still_a_camera(&camera));
                self.write(etcd, &key, &need, commit, None).await?;
            }
        }
        Ok(())
    }

    /// Writes a key if the conditions of `commit` hold. True if it was written; it is in the view then.
    pub(super) async fn write(
        &mut self,
        etcd: &mut Etcd,
        key: &str,
        value: &impl Serialize,
        commit: Commit,
        lease: Option<i64>,
    ) -> Result<bool, EtcdError> {
        let Some(revision) = etcd.commit(commit.put(key, value, lease)).await? else { return Ok(false) };
        let value = serde_json::to_vec(value).ok();
        self.take(&[KeyChange { key: key.to_owned(), value, revision }]);
        Ok(true)
    }
}

/// The revision of an epoch.
fn revision(epoch: u64) -> i64 {
    i64::try_from(epoch).unwrap_or(i64::MAX)
}
