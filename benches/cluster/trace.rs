//! What a cluster has published, and what is wrong with it.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One detection, event or state of a camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// When it arrived at the subscriber, in milliseconds.
    pub arrived: i64,
    /// The last level of its topic.
    pub kind: String,
    /// The camera.
    pub camera: String,
    /// The box that has published it.
    pub box_id: String,
    /// The epoch that it names.
    pub epoch: u64,
    /// When the frame was captured or the event happened, in milliseconds since 1970.
    pub at: i64,
    /// Whether the box was not sure.
    pub is_uncertain: bool,
}

/// A claim, as the broker retains it.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The camera.
    pub camera: String,
    /// Its owner.
    pub box_id: String,
    /// The epoch.
    pub epoch: u64,
    /// When it was made, in milliseconds since 1970.
    pub since: i64,
}

/// Everything that was published, in the order of arrival.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Detections and events.
    pub seen: Vec<Seen>,
    /// Claims.
    pub claims: Vec<Claim>,
    /// Events that an outbox says it has dropped.
    pub dropped: u64,
    /// The numbers of the events of each run of a daemon, which begin with 1.
    pub events: BTreeMap<String, BTreeSet<u64>>,
}

impl Trace {
    /// Takes a message that arrived at a time in milliseconds. `time` reads RFC 3339.
    pub fn take(&mut self, arrived: i64, topic: &str, payload: &str, time: impl Fn(&str) -> Option<i64>) {
        let Ok(message) = serde_json::from_str::<Value>(payload) else { return };
        let text = |key: &str| message[key].as_str().map(str::to_owned);
        let kind = topic.rsplit('/').next().unwrap_or_default();
        let (Some(camera), Some(epoch)) = (text("camera"), message["epoch"].as_u64()) else { return };
        if topic.contains("/owner/") {
            let (Some(box_id), Some(since)) = (text("box"), text("since").and_then(|since| time(&since))) else {
                return;
            };
            let claim = Claim { camera, box_id, epoch, since };
            if !self.claims.contains(&claim) {
                self.claims.push(claim);
            }
            return;
        }
        let at = text("captured_at").or_else(|| text("at")).and_then(|at| time(&at));
        let (Some(box_id), Some(at)) = (text("box_id").or_else(|| text("box")), at) else { return };
        self.dropped += message["dropped"].as_u64().unwrap_or(0);
        if let (Some(id), Some(seq)) = (text("id"), message["seq"].as_u64())
            && let Some((run, _)) = id.rsplit_once('-')
        {
            self.events.entry(run.to_owned()).or_default().insert(seq);
        }
        let is_uncertain = message["owner_uncertain"] == true;
        self.seen.push(Seen { arrived, kind: kind.to_owned(), camera, box_id, epoch, at, is_uncertain });
    }

    /// What says that it is sure and was seen more than `lag` milliseconds after another box claimed the camera: the time that a
    /// box needs to hear of a takeover.
    pub fn unmarked_doubles(&self, lag: i64) -> Vec<&Seen> {
        let is_late = |seen: &&Seen| {
            let higher = self.claims.iter().filter(|claim| claim.camera == seen.camera && claim.epoch > seen.epoch);
            !seen.is_uncertain && higher.map(|claim| claim.since).min().is_some_and(|since| seen.at > since + lag)
        };
        self.seen.iter().filter(is_late).collect()
    }

    /// Events that were numbered and did not arrive, while a later one of the same run did. A box that looks before it owns a camera may fold
    /// events of that time into one, which leaves a gap too.
    pub fn missing_events(&self) -> u64 {
        let missing = |seqs: &BTreeSet<u64>| seqs.last().copied().unwrap_or(0).saturating_sub(seqs.len() as u64);
        self.events.values().map(missing).sum()
    }

    /// Epochs that two boxes have used for one camera.
    pub fn shared_epochs(&self) -> Vec<(String, u64)> {
        let mut boxes: BTreeMap<(String, u64), String> = BTreeMap::new();
        let mut shared = Vec::new();
        for seen in &self.seen {
            let key = (seen.camera.clone(), seen.epoch);
            let owner = boxes.entry(key.clone()).or_insert_with(|| seen.box_id.clone());
            if *owner != seen.box_id && !shared.contains(&key) {
                shared.push(key);
            }
        }
        shared
    }

    /// Who owned each camera at a time, by the claims.
    pub fn owners(&self, at: i64) -> BTreeMap<String, String> {
        let mut owners: BTreeMap<String, (u64, String)> = BTreeMap::new();
        for claim in self.claims.iter().filter(|claim| claim.since <= at) {
            let known = owners.entry(claim.camera.clone()).or_default();
            if claim.epoch > known.0 {
                *known = (claim.epoch, claim.box_id.clone());
            }
        }
        owners.into_iter().map(|(camera, (_, owner))| (camera, owner)).collect()
    }

    /// For each camera of a box that was lost at a time: how long until another box published a detection of it, in milliseconds.
    pub fn takeovers(&self, lost: &str, at: i64) -> Vec<(String, Option<i64>)> {
        let own = self.owners(at).into_iter().filter(|(_, owner)| owner == lost);
        let first = |camera: &str| {
            let of_others = self.seen.iter().filter(|seen| seen.camera == camera && seen.box_id != lost);
            of_others.filter(|seen| seen.kind == "detections" && seen.arrived > at).map(|seen| seen.arrived - at).min()
        };
        own.map(|(camera, _)| (camera.clone(), first(&camera))).collect()
    }

    /// The cameras of other boxes than `touched` that changed their owner between two times.
    pub fn needless_moves(&self, touched: &str, from: i64, to: i64) -> usize {
        let (before, after) = (self.owners(from), self.owners(to));
        let moved = |(camera, owner): &(&String, &String)| {
            *owner != touched && after.get(*camera).is_some_and(|now| now != *owner && now != touched)
        };
        before.iter().filter(moved).count()
    }
}
