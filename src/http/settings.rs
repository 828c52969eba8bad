//! `[http]`.

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};

/// `[http]`: health and metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSettings {
    /// False: no port is opened.
    pub enabled: bool,
    /// Loopback only: there is no authentication yet.
    pub address: IpAddr,
    /// 0: any free port, named in the log.
    pub port: u16,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self { enabled: true, address: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 8480 }
    }
}
