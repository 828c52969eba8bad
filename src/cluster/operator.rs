//! What an operator changes in the cluster, from the command line of any of its boxes, with or without a running daemon.

use crate::cluster::etcd::{Access, Commit, Etcd, EtcdError, Expect};
use crate::cluster::records::{CameraRecord, Keys, PlanRecord};
use crate::cluster::settings::ClusterSettings;
use crate::cluster::status::ClusterStatus;
use crate::cluster::view::View;
use crate::os::clock::wall_now_ms;
use crate::vision::camera_id::CameraId;
use crate::vision::error_chain::describe;

/// Why something was not done. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The settings have no cluster.
    #[error("this box is in no cluster: set `cluster.name` and `cluster.endpoints`")]
    NoCluster,
    /// No member of etcd answers, or none with a majority.
    #[error("no member of the cluster's etcd answers: {0}")]
    Unreachable(String),
    /// etcd refused it.
    #[error(transparent)]
    Etcd(#[from] EtcdError),
    /// There is no such camera.
    #[error("the cluster has no camera `{0}`: `ocelli cluster cameras list` shows those that it has")]
    NoSuchCamera(CameraId),
    /// Nothing is wanted of such a model.
    #[error(
        "nothing is wanted of a model `{0}` on all boxes: `ocelli cluster status` shows the models that they share"
    )]
    NoSuchModel(String),
    /// There is one already.
    #[error("the cluster has a camera `{0}` already: remove it first, or import with --replace")]
    CameraExists(CameraId),
    /// There is no such box.
    #[error("the cluster has no box `{0}` now: there are {1}")]
    NoSuchBox(String, String),
    /// The box cannot take it.
    #[error("box {0} cannot take it: {1}")]
    Impossible(String, String),
    /// Somebody else changed it at the same time.
    #[error("somebody else has changed it meanwhile: try again")]
    Changed,
}

/// A connection for an operator.
#[derive(Debug)]
pub struct Operator {
    etcd: Etcd,
    keys: Keys,
    name: String,
    view: View,
}

impl Operator {
    /// Connects to the first member that answers with a majority behind it, and reads everything.
    ///
    /// # Errors
    /// When there is none.
    pub async fn connect(settings: &ClusterSettings) -> Result<Self, OperatorError> {
        if !settings.is_on() {
            return Err(OperatorError::NoCluster);
        }
        let (access, keys) = (Access::read(settings)?, Keys::new(&settings.name));
        let mut reasons = Vec::new();
        for endpoint in &settings.endpoints {
            match read(&access, endpoint, &keys).await {
                Ok((etcd, view)) => return Ok(Self { etcd, keys, name: settings.name.clone(), view }),
                Err(error) => reasons.push(format!("{endpoint}: {}", describe(&error))),
            }
        }
        Err(OperatorError::Unreachable(reasons.join("; ")))
    }

    /// The cluster as it was when the connection was made.
    pub fn status(&self) -> ClusterStatus {
        ClusterStatus::of(&self.name, &self.view)
    }

    /// The cluster's cameras.
    pub fn cameras(&self) -> impl Iterator<Item = (&CameraId, &CameraRecord)> {
        self.view.cameras.iter().map(|(id, kept)| (id, &kept.value))
    }

    /// Adds a camera; with `replaces`, one that is there gets other settings and keeps its pin.
    ///
    /// # Errors
    /// When it is there, or somebody changes it at the same time.
    pub async fn put_camera(
        &mut self,
        camera: &CameraId,
        record: CameraRecord,
        replaces: bool,
    ) -> Result<(), OperatorError> {
        let key = self.keys.camera(camera);
        let (expected, record) = match self.view.cameras.get(camera) {
            Some(_) if !replaces => return Err(OperatorError::CameraExists(camera.clone())),
            Some(kept) => {
                let pin = record.pin.clone().or_else(|| kept.value.pin.clone());
                let apart = record.apart.clone().or_else(|| kept.value.apart.clone());
                (Expect::WrittenAt(kept.revision), CameraRecord { pin, apart, ..record })
            }
            None => (Expect::Absent, record),
        };
        self.commit(Commit::default().if_key(&key, expected).put(&key, &record, None)).await
    }

    /// Removes a camera from the cluster. Its owner stops.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn remove_camera(&mut self, camera: &CameraId) -> Result<(), OperatorError> {
        let revision = self.camera(camera)?.1;
        let key = self.keys.camera(camera);
        self.commit(Commit::default().if_key(&key, Expect::WrittenAt(revision)).delete(&key)).await
    }

    /// Has a camera looked at by another box, which may be changed later as any plan.
    ///
    /// # Errors
    /// When there is no such box, or it cannot take the camera.
    pub async fn move_camera(&mut self, camera: &CameraId, to: &str) -> Result<(), OperatorError> {
        let (_, revision) = self.camera(camera)?;
        self.check_box(camera, to)?;
        let plan = PlanRecord { box_id: to.to_owned(), why: "moved by an operator".into(), at_ms: wall_now_ms() };
        let still_there = Commit::default().if_key(&self.keys.camera(camera), Expect::WrittenAt(revision));
        self.commit(still_there.put(&self.keys.plan(camera), &plan, None)).await
    }

    /// Keeps a camera at a box as long as that is there; `None`: wherever it fits.
    ///
    /// # Errors
    /// When the box cannot take the camera.
    pub async fn pin_camera(&mut self, camera: &CameraId, pin: Option<&str>) -> Result<(), OperatorError> {
        let (record, revision) = self.camera(camera)?;
        let record = CameraRecord { pin: pin.map(str::to_owned), ..record.clone() };
        if let Some(pin) = pin {
            self.check_box(camera, pin)?;
        }
        let key = self.keys.camera(camera);
        self.commit(Commit::default().if_key(&key, Expect::WrittenAt(revision)).put(&key, &record, None)).await
    }

    /// Wants nothing of a model until the next command: each box runs it by itself.
    ///
    /// # Errors
    /// When nothing was wanted of it.
    pub async fn release_model(&mut self, model: &str) -> Result<(), OperatorError> {
        let kept = self.view.models.get(model).ok_or_else(|| OperatorError::NoSuchModel(model.to_owned()))?;
        let (key, expected) = (self.keys.model(model), Expect::WrittenAt(kept.revision));
        self.commit(Commit::default().if_key(&key, expected).delete(&key)).await
    }

    fn camera(&self, camera: &CameraId) -> Result<(&CameraRecord, i64), OperatorError> {
        let kept = self.view.cameras.get(camera).ok_or_else(|| OperatorError::NoSuchCamera(camera.clone()))?;
        Ok((&kept.value, kept.revision))
    }

    fn check_box(&self, camera: &CameraId, name: &str) -> Result<(), OperatorError> {
        let known = || self.view.boxes.keys().cloned().collect::<Vec<_>>().join(", ");
        let found = self.view.boxes.get(name).ok_or_else(|| OperatorError::NoSuchBox(name.to_owned(), known()))?;
        let why = |why: &str| Err(OperatorError::Impossible(name.to_owned(), why.to_owned()));
        match found.value.cannot.get(camera) {
            Some(reason) => why(reason),
            None if found.value.is_draining => why("it is draining"),
            None => Ok(()),
        }
    }

    async fn commit(&mut self, commit: Commit) -> Result<(), OperatorError> {
        self.etcd.commit(commit).await?.map(drop).ok_or(OperatorError::Changed)
    }
}

async fn read(access: &Access, endpoint: &str, keys: &Keys) -> Result<(Etcd, View), EtcdError> {
    let mut etcd = access.connect(endpoint).await?;
    let (entries, _) = etcd.everything(keys.all()).await?;
    let mut view = View::default();
    entries.iter().for_each(|entry| view.apply(keys, entry));
    Ok((etcd, view))
}
