//! TLS for the broker: our own authorities, and a client certificate if the broker wants one.

use crate::publish::sinks::mqtt::MqttSetupError;
use crate::publish::sinks::mqtt::settings::MqttTlsSettings;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// Reads the files and builds rustls' side of the connection.
///
/// # Errors
/// [`MqttSetupError`] naming the file.
pub(super) fn client_config(settings: &MqttTlsSettings) -> Result<ClientConfig, MqttSetupError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = &settings.ca_file {
        for certificate in certificates(path)? {
            roots.add(certificate)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    match (&settings.certificate_file, &settings.key_file) {
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate)?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, "private key", &error))?;
            Ok(builder.with_client_auth_cert(chain, key)?)
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, MqttSetupError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(unusable(path, "certificate", &"there is none in it")),
        Err(error) => Err(unusable(path, "certificate", &error)),
    }
}

fn unusable(path: &Path, what: &'static str, reason: &dyn std::fmt::Display) -> MqttSetupError {
    MqttSetupError::Pem { path: path.to_owned(), what, reason: reason.to_string() }
}
