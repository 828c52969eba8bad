//! What the boxes keep in etcd, as JSON, and under which keys.
//!
//! | key below `/ocelli/<cluster>/` | written by | lives |
//! |---|---|---|
//! | `boxes/<box>` | the box, when its figures change by a tenth | as long as its lease |
//! | `cameras/<camera>` | the operator | until it is removed |
//! | `needs/<camera>` | its owner, when its need changes by a tenth, or that of processors by a quarter | with the camera |
//! | `leader` | the box that plans | as long as its lease |
//! | `plan/<camera>` | the leader | with the camera |
//! | `owner/<camera>` | the box that looks at it | as long as its lease |
//! | `models/<model>` | the box that was told to start, stop or scale it | until it is given back to the boxes' settings |
//! | `hours/<month>/<box>` | the box, when its units change, and each hour | for good |

use crate::cluster::headroom::CallRoom;
use crate::cluster::sealed_passwords::SealedPasswords;
use crate::vision::camera_id::CameraId;
use crate::vision::model_state::ModelState;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a box says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BoxRecord {
    /// The daemon's boot id: another one is another run of the box.
    pub run: String,
    /// Where it is reached.
    pub address: String,
    /// Where it takes calls of other boxes, as `host:port`; empty: nowhere.
    pub call_address: String,
    /// The version of ocelli.
    pub version: String,
    /// Its zone; empty: none.
    pub zone: String,
    /// The transactions a second that its units can do, by model.
    pub capacity_tps: BTreeMap<String, f32>,
    /// The digest of the package of each model.
    pub packages: BTreeMap<String, String>,
    /// What each running model can do for callers.
    pub call_room: BTreeMap<String, CallRoom>,
    /// Its processor cores.
    pub processors: f32,
    /// The share of its processors that is free, 0..=1.
    pub idle_processors: f32,
    /// True while it gives its cameras away and takes none.
    pub is_draining: bool,
    /// The cameras that it cannot take, and why.
    pub cannot: BTreeMap<CameraId, String>,
    /// The most units that it may run, of all models together.
    pub most_units: usize,
    /// The most models that it may run.
    pub most_models: usize,
    /// What it says of each model.
    pub models: BTreeMap<String, ModelUnits>,
}

/// A model at one box.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelUnits {
    /// Its state there.
    pub state: ModelState,
    /// The units that it has there at least.
    pub min_units: usize,
    /// The units that it has there at most; `None`: always `min_units`.
    pub max_units: Option<usize>,
    /// Those in service.
    pub in_service: usize,
    /// The most units that it can take there, since it refused more; `None`: it has refused none.
    pub cap: Option<usize>,
    /// True if the box runs it as the cluster wants: it is a model of its settings, which have `cluster.share_models`.
    pub is_shared: bool,
}

/// What is wanted of a model on all boxes that share it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelRecord {
    /// True if it is to run.
    pub is_running: bool,
    /// Units at least, on all boxes together.
    pub min_units: usize,
    /// Units at most; `None`: always `min_units`.
    pub max_units: Option<usize>,
    /// Wall time of the order, in milliseconds since 1970.
    pub at_ms: i64,
}

/// Inference hours of a model in a month at one box.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelHours {
    /// The model.
    pub model: String,
    /// The version in its package's manifest.
    pub version: String,
    /// Hours of one unit, since the month began.
    pub hours: f64,
    /// The units that were in service.
    pub units: usize,
}

/// What a box has written of a month.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HoursRecord {
    /// The run of the box: the units of another run have ended at an unknown time.
    pub run: String,
    /// Wall time, in milliseconds since 1970.
    pub at_ms: i64,
    /// By model and version.
    pub rows: Vec<ModelHours>,
}

/// A camera of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CameraRecord {
    /// Its settings: the keys of one entry of `[[cameras]]` in TOML, without passwords.
    pub settings: String,
    /// The passwords of its streams.
    pub passwords: Option<SealedPasswords>,
    /// The model that looks at its frames, and how many frames a second it wants: what the plan counts with before it is measured.
    pub model: String,
    /// Transactions a second that it wants at most.
    pub wanted_tps: f32,
    /// The box that is to look at it, if that is there.
    pub pin: Option<String>,
    /// Cameras with the same word are kept on different boxes, and in different zones where there are several.
    pub apart: Option<String>,
}

/// What a camera was measured to need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NeedRecord {
    /// Transactions a second.
    pub tps: f32,
    /// Processor cores of its owner that receiving and decoding it takes; 0: not measured yet.
    pub cores: f32,
}

impl NeedRecord {
    /// What its owner tells. One that has not measured the cores yet leaves them as the former owner told them: a camera that was
    /// taken over takes about as many.
    pub(super) fn after(self, before: Self) -> Self {
        Self { cores: if self.cores > 0.0 { self.cores } else { before.cores }, ..self }
    }
}

/// Where a camera is to be.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlanRecord {
    /// The box.
    #[serde(rename = "box")]
    pub box_id: String,
    /// Why, in words for the operator.
    pub why: String,
    /// Wall time of the plan, in milliseconds since 1970.
    pub at_ms: i64,
}

/// Who looks at a camera. The revision at which this was written is the epoch.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnerRecord {
    /// The box.
    #[serde(rename = "box")]
    pub box_id: String,
    /// The run of the box.
    pub run: String,
    /// Wall time of the claim, in milliseconds since 1970.
    pub at_ms: i64,
}

/// The box that plans.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeaderRecord {
    /// The box.
    #[serde(rename = "box")]
    pub box_id: String,
    /// The run of the box.
    pub run: String,
}

/// The keys of one cluster.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Keys {
    base: String,
}

impl Keys {
    /// Those of the cluster with this name.
    pub fn new(cluster: &str) -> Self {
        Self { base: format!("/ocelli/{cluster}/") }
    }

    /// What all keys begin with.
    pub fn all(&self) -> &str {
        &self.base
    }

    /// What a key says after [`Self::all`]: its kind, and whose it is.
    pub fn parts<'a>(&self, key: &'a str) -> Option<(&'a str, &'a str)> {
        let rest = key.strip_prefix(&self.base)?;
        Some(rest.split_once('/').unwrap_or((rest, "")))
    }

    pub(super) fn of_box(&self, box_id: &str) -> String {
        format!("{}boxes/{box_id}", self.base)
    }

    pub(super) fn camera(&self, camera: &CameraId) -> String {
        format!("{}cameras/{camera}", self.base)
    }

    pub(super) fn need(&self, camera: &CameraId) -> String {
        format!("{}needs/{camera}", self.base)
    }

    pub(super) fn plan(&self, camera: &CameraId) -> String {
        format!("{}plan/{camera}", self.base)
    }

    pub(super) fn owner(&self, camera: &CameraId) -> String {
        format!("{}owner/{camera}", self.base)
    }

    pub(super) fn model(&self, model: &str) -> String {
        format!("{}models/{model}", self.base)
    }

    pub(super) fn hours(&self, month: &str, box_id: &str) -> String {
        format!("{}hours/{month}/{box_id}", self.base)
    }

    pub(super) fn leader(&self) -> String {
        format!("{}leader", self.base)
    }
}
