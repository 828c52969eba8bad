//! `[cluster]`: which boxes look at a site's cameras together.

use crate::secret::Credentials;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// `[cluster]`. Without a name the box is on its own, and nothing of a cluster runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClusterSettings {
    /// The cluster's name: the level of topics below which its cameras are. Empty: the box is on its own.
    pub name: String,
    /// The members of etcd, such as `http://10.0.0.1:2379`. One that does not answer is passed over.
    pub endpoints: Vec<String>,
    /// Where other boxes and operators reach this box, such as `10.0.0.7:8443`; shown to operators.
    pub address: String,
    /// The room, building or power line of this box. Cameras that stand together can be kept on different ones.
    pub zone: String,
    /// The file with the key that all boxes of the cluster have, 64 hexadecimal digits: passwords of cameras are sealed with it.
    pub key_file: Option<PathBuf>,
    /// Seconds after which a box that is not heard of loses its cameras, 2..=60.
    pub lease_seconds: u16,
    /// Seconds for which a box that cannot reach etcd goes on with its cameras, marking what it publishes, 10..=2592000.
    pub alone_seconds: u32,
    /// On SIGTERM, wait until other boxes have taken the cameras over, for up to six seconds.
    pub drain_at_stop: bool,
    /// User and password for etcd.
    pub credentials: Credentials,
    /// Encrypts the connection to etcd.
    pub tls: ClusterTlsSettings,
}

/// `[cluster.tls]`: encryption, and the certificates of both sides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClusterTlsSettings {
    /// PEM file with the authorities that may have signed the members' certificates. Needed for `https://` endpoints.
    pub ca_file: Option<PathBuf>,
    /// PEM file with this box's certificate, if etcd asks for one.
    pub certificate_file: Option<PathBuf>,
    /// PEM file with this box's private key.
    pub key_file: Option<PathBuf>,
}

impl Default for ClusterSettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            endpoints: Vec::new(),
            address: String::new(),
            zone: String::new(),
            key_file: None,
            lease_seconds: 3,
            alone_seconds: 86_400,
            drain_at_stop: false,
            credentials: Credentials::default(),
            tls: ClusterTlsSettings::default(),
        }
    }
}

impl ClusterSettings {
    /// True if the box takes part in a cluster.
    pub fn is_on(&self) -> bool {
        !self.name.is_empty()
    }

    /// After how long a box that is not heard of loses its cameras.
    pub fn lease(&self) -> Duration {
        Duration::from_secs(u64::from(self.lease_seconds))
    }

    /// How long a box that cannot reach etcd goes on.
    pub fn alone(&self) -> Duration {
        Duration::from_secs(u64::from(self.alone_seconds))
    }
}
