//! A version of a model: what its units load, and the labels that their results are read with.

use crate::ipc::messages::LoadModel;
use crate::model::package::Package;
use std::sync::Arc;

/// A version of a model, numbered in the order of requests.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct VersionId(pub u32);

/// A version of a model. Every unit holds the version that it was started with, so that its results are always read
/// with the labels of the model that produced them.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelVersion {
    /// Its place in the order of requests.
    pub id: VersionId,
    /// Name, labels and thresholds.
    pub package: Arc<Package>,
    /// Sent to its units; zone and cores are filled in for each unit.
    pub load: LoadModel,
}
