//! `[cluster]`: which boxes look at a site's cameras together.

use crate::secret::Credentials;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
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
    /// Start, stop and scale models on all boxes together: the units that are wanted are spread over the boxes that say so too. A model
    /// of which nothing is wanted yet runs as the settings of each box say.
    pub share_models: bool,
    /// Where a load balancer asks how much room this box has (HAProxy's agent-check). `None`: nowhere.
    pub agent_listen: Option<SocketAddr>,
    /// User and password for etcd.
    pub credentials: Credentials,
    /// Encrypts the connection to etcd.
    pub tls: ClusterTlsSettings,
    /// Where boxes hand each other calls.
    pub peers: PeerSettings,
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

/// `[cluster.peers]`: boxes hand calls that they would refuse to one that has room. Without `listen` this box takes none of
/// others, and hands none on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PeerSettings {
    /// Where this box takes calls of others.
    pub listen: Option<SocketAddr>,
    /// PEM file with this box's certificate, for both sides of a connection, and what it needs of a chain.
    pub certificate_file: Option<PathBuf>,
    /// PEM file with its private key.
    pub key_file: Option<PathBuf>,
    /// PEM file with the authority that signed the certificates of all boxes, and of nothing else.
    pub ca_file: Option<PathBuf>,
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
            share_models: false,
            agent_listen: None,
            credentials: Credentials::default(),
            tls: ClusterTlsSettings::default(),
            peers: PeerSettings::default(),
        }
    }
}

impl ClusterSettings {
    /// True if the box takes part in a cluster.
    pub fn is_on(&self) -> bool {
        !self.name.is_empty()
    }

    /// Where other boxes hand calls to this one, as `host:port`. `None`: nowhere, or its host is not known.
    pub fn call_address(&self) -> Option<String> {
        let listen = self.peers.listen.filter(|_| self.is_on())?;
        if !listen.ip().is_unspecified() {
            return Some(listen.to_string());
        }
        let host = self.address.rsplit_once(':').map_or(self.address.as_str(), |(host, _)| host);
        (!host.is_empty()).then(|| format!("{host}:{}", listen.port()))
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
