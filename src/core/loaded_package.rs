//! A model package as the shell has read it.

use crate::ipc::messages::LoadModel;
use crate::model::package::Package;
use std::sync::Arc;

/// A package that was read, and the load message for its units.
#[derive(Clone, Debug)]
pub struct LoadedPackage {
    /// Name, labels and thresholds.
    pub package: Arc<Package>,
    /// The load message.
    pub load: LoadModel,
}
