//! Mutual TLS between boxes: each shows a certificate of the cluster's own authority.

use crate::cluster::settings::PeerSettings;
use crate::http::tls::{self, TlsError};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Why boxes cannot speak to each other.
#[derive(Debug, thiserror::Error)]
pub enum PeerTlsError {
    /// The box's own certificate or key.
    #[error("`cluster.peers`: the box cannot show its certificate: {0}")]
    Own(String),
    /// The authority.
    #[error("`cluster.peers.ca_file`: {0} cannot be used: {1}")]
    Authority(PathBuf, String),
    /// They do not fit together.
    #[error("`cluster.peers`: certificate, key and authority cannot be used together")]
    Unusable(#[from] rustls::Error),
}

/// Both sides of the connections between boxes.
#[derive(Clone)]
pub struct PeerTls {
    pub(super) acceptor: TlsAcceptor,
    pub(super) connector: TlsConnector,
}

impl std::fmt::Debug for PeerTls {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("PeerTls")
    }
}

impl PeerTls {
    /// Reads the files; `None` if boxes hand on nothing.
    ///
    /// # Errors
    /// [`PeerTlsError`], which names the setting.
    pub fn read(settings: &PeerSettings) -> Result<Option<Self>, PeerTlsError> {
        let (Some(_), Some(certificate), Some(key), Some(authority)) =
            (settings.listen, &settings.certificate_file, &settings.key_file, &settings.ca_file)
        else {
            return Ok(None);
        };
        let own = tls::read(certificate, key)
            .map_err(|error: TlsError| PeerTlsError::Own(crate::vision::error_chain::describe(&error)))?;
        let (own, authority) = (Arc::new(SingleCertAndKey::from(own)), Arc::new(roots(authority)?));
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&authority), Arc::clone(&provider))
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::clone(&own) as _);
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(authority)
            .with_client_cert_resolver(own);
        let (acceptor, connector) = (TlsAcceptor::from(Arc::new(server)), TlsConnector::from(Arc::new(client)));
        Ok(Some(Self { acceptor, connector }))
    }
}

fn roots(file: &Path) -> Result<RootCertStore, PeerTlsError> {
    let unusable = |why: &dyn std::fmt::Display| PeerTlsError::Authority(file.to_owned(), why.to_string());
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unusable(&error))? {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        store.add(certificate).map_err(|error| unusable(&error))?;
    }
    if store.is_empty() { Err(unusable(&"it holds no certificate")) } else { Ok(store) }
}
