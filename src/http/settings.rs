//! `[http]`.

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

/// `[http]`: health, metrics, the native API and the AWS-compatible one on loopback; the last also elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSettings {
    /// False: no port is opened.
    pub enabled: bool,
    /// Loopback only: nobody is asked who they are there.
    pub address: IpAddr,
    /// 0: any free port, named in the log.
    pub port: u16,
    /// Where the AWS-compatible API is served to others, signed calls only; none: nowhere.
    pub public_address: Option<IpAddr>,
    /// 0: any free port, named in the log.
    pub public_port: u16,
    /// Serve it without TLS: images then cross the network for everybody to see, signatures stay safe.
    pub public_plain: bool,
    /// The public certificate.
    pub tls: HttpTlsSettings,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8480,
            public_address: None,
            public_port: 8443,
            public_plain: false,
            tls: HttpTlsSettings::default(),
        }
    }
}

/// `[http.tls]`. Without files the box makes a certificate for itself at its first start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpTlsSettings {
    /// PEM, with the chain.
    pub certificate_file: Option<PathBuf>,
    /// PEM.
    pub key_file: Option<PathBuf>,
    /// Host names and addresses by which clients reach the box, for the certificate that it makes for itself; beside
    /// `<box>`, `<box>.local` and `localhost`.
    pub names: Vec<String>,
}
