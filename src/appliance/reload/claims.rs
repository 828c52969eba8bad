//! The cameras that the box has from its cluster, beside those of its settings.

use crate::camera::settings::CameraSettings;
use crate::cluster::sealed_passwords::{ClusterKey, KeyError};
use crate::cluster::{Assigned, Assignment, Standings};
use crate::publish::cluster_link::ClusterCameras;
use crate::secret::Credentials;
use crate::settings::Settings;
use crate::vision::camera_id::CameraId;
use crate::vision::error_chain::describe;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// The cluster's end in the appliance.
#[derive(Debug)]
pub struct ClusterInput {
    /// The cameras that this box has.
    pub assigned: watch::Receiver<Assigned>,
    /// The key by which passwords are opened, or why there is none.
    pub key: Result<ClusterKey, KeyError>,
    /// Takes the cameras that this box cannot take, and why.
    pub cannot: watch::Sender<BTreeMap<CameraId, String>>,
}

/// What the box has from its cluster.
#[derive(Clone, Debug, Default)]
pub(in crate::appliance) struct Claims {
    pub(in crate::appliance) standings: Standings,
    /// All cameras of the cluster, by the revision of etcd at which they were read.
    all: Arc<BTreeMap<CameraId, Assignment>>,
    /// Those that this box can take.
    possible: BTreeMap<CameraId, CameraSettings>,
    pub(in crate::appliance) cannot: BTreeMap<CameraId, String>,
}

impl Claims {
    /// What is assigned now. `own` are the settings without the cluster's cameras.
    pub(super) fn of(&self, assigned: &Assigned, own: &Settings, key: &Result<ClusterKey, KeyError>) -> Self {
        let mut claims =
            Self { standings: assigned.standings.clone(), all: Arc::clone(&assigned.cameras), ..Self::default() };
        for (id, assignment) in assigned.cameras.iter() {
            match camera(id, assignment, own, key) {
                Ok(camera) => drop(claims.possible.insert(id.clone(), camera)),
                Err(why) => drop(claims.cannot.insert(id.clone(), why)),
            }
        }
        let Self { standings, possible, .. } = &mut claims;
        standings.cameras.retain(|camera, _| possible.contains_key(camera));
        claims
    }

    /// The cameras that this box has.
    pub(super) fn cameras(&self) -> impl Iterator<Item = &CameraSettings> {
        self.possible.values().filter(|camera| self.standings.has(&camera.id))
    }

    /// For the publisher: which cameras are the cluster's.
    pub(in crate::appliance) fn published(&self) -> ClusterCameras {
        ClusterCameras {
            here: self.cameras().map(|camera| camera.id.clone()).collect(),
            all: self.all.keys().cloned().collect(),
        }
    }
}

/// True when something else is assigned. Waits for ever without a cluster, and when that has ended.
pub(super) async fn next_assignment(cluster: &mut Option<ClusterInput>) -> bool {
    if let Some(cluster) = cluster
        && cluster.assigned.changed().await.is_ok()
    {
        return true;
    }
    std::future::pending().await
}

/// The settings of a camera with its passwords.
fn camera(
    id: &CameraId,
    assignment: &Assignment,
    own: &Settings,
    key: &Result<ClusterKey, KeyError>,
) -> Result<CameraSettings, String> {
    let camera = own.cluster_camera(&assignment.record.settings)?;
    if camera.id != *id {
        return Err(format!("its settings are those of another camera, {}", camera.id));
    }
    let Some(sealed) = &assignment.record.passwords else { return Ok(camera) };
    let key = key.as_ref().map_err(|error| describe(error))?;
    let open = key.open((id, &assignment.record.settings), sealed).map_err(|error| describe(&error))?;
    let with = |credentials: &Credentials, password| Credentials { password, ..credentials.clone() };
    Ok(CameraSettings {
        credentials: with(&camera.credentials, open.main),
        detect_credentials: with(&camera.detect_credentials, open.detect),
        ..camera
    })
}
