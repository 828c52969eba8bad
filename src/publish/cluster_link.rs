//! What publishing and the cluster tell each other: whose camera is whose, by the broker.

use crate::vision::camera_id::CameraId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::watch;

/// The schema name of [`OwnerMessage`].
pub const SCHEMA_OWNER: &str = "ocelli.owner.v1";

/// The cluster that the sink listens for.
#[derive(Clone, Debug)]
pub struct ClusterLink {
    /// Its name: the level of topics below which its cameras are.
    pub name: String,
    /// The highest epoch of each camera that the broker has told of.
    pub heard: watch::Sender<BTreeMap<CameraId, u64>>,
}

/// The cameras of a cluster, as a box has them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClusterCameras {
    /// Those that this box has.
    pub here: BTreeSet<CameraId>,
    /// All that there are.
    pub all: BTreeSet<CameraId>,
}

/// `<p>/<cluster>/owner/<cam>`, retained: who looks at a camera. `schema` is `ocelli.owner.v1`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OwnerMessage {
    /// The schema of this message.
    #[cfg_attr(test, schemars(extend("const" = SCHEMA_OWNER)))]
    pub schema: &'static str,
    /// The cluster's name.
    pub cluster: String,
    /// The camera's id.
    pub camera: String,
    /// The box that looks at it; absent once that has stopped, until another claims it.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub box_id: Option<String>,
    /// Rises with each claim. What has a lower one and was seen after `since` comes from a box that did not hear of this claim.
    pub epoch: u64,
    /// When the claim was made: RFC 3339, UTC, milliseconds.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub since: String,
}

/// What is read of an [`OwnerMessage`], of any later schema too.
#[derive(Debug, Deserialize)]
pub(in crate::publish) struct HeardOwner {
    pub(in crate::publish) epoch: u64,
}
