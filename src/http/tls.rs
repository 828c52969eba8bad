//! The certificate of the public address: the configured one, or one that the box signs itself at its first start. The log
//! shows its fingerprint, so that clients can be set up to trust it.

use crate::http::settings::HttpTlsSettings;
use crate::os::atomic_file;
use crate::vision::error_chain::describe;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Why the public address has no TLS.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    /// A file that is there or configured, and the reason.
    #[error("the certificate or key {0} cannot be read: {1}; replace it, or remove it if the box made it itself")]
    Unreadable(PathBuf, String),
    /// They do not belong together, or use an unsupported algorithm.
    #[error("the certificate and the key cannot be used together")]
    Unusable(#[from] rustls::Error),
    /// Names that no certificate can be for.
    #[error("the box cannot make a certificate for itself")]
    Make(#[from] rcgen::Error),
    /// The place and the reason.
    #[error("the box's own certificate cannot be written to {0}")]
    Unwritable(PathBuf, #[source] std::io::Error),
}

/// Returns the acceptor of TLS connections, and the SHA-256 fingerprint of its certificate.
pub(super) fn acceptor(
    settings: &HttpTlsSettings,
    state_directory: &Path,
    names: &[String],
) -> Result<(TlsAcceptor, String), TlsError> {
    let (certificate_file, key_file) = match (&settings.certificate_file, &settings.key_file) {
        (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
        _ => self_signed(&state_directory.join("tls"), &[names, &settings.names].concat())?,
    };
    let (config, fingerprint) = server_config(&certificate_file, &key_file)?;
    Ok((TlsAcceptor::from(Arc::new(config)), fingerprint))
}

/// Reads the configured certificate and key as the server does; nothing if there are none.
///
/// # Errors
/// The file and the reason, for the operator.
pub(crate) fn check_configured(settings: &HttpTlsSettings) -> Result<(), String> {
    let (Some(certificate), Some(key)) = (&settings.certificate_file, &settings.key_file) else { return Ok(()) };
    server_config(certificate, key).map(drop).map_err(|error| describe(&error))
}

/// Returns the configuration, and the fingerprint of the certificate.
fn server_config(certificate_file: &Path, key_file: &Path) -> Result<(ServerConfig, String), TlsError> {
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| TlsError::Unreadable(path.into(), error.to_string());
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate_file)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(certificate_file, &error))?;
    let key = PrivateKeyDer::from_pem_file(key_file).map_err(|error| unreadable(key_file, &error))?;
    let first = chain.first().ok_or_else(|| unreadable(certificate_file, &"it holds no certificate"))?;
    let fingerprint = fingerprint(first);
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok((config, fingerprint))
}

/// Makes a certificate and its key at the first start only: clients have to trust each new one.
fn self_signed(directory: &Path, names: &[String]) -> Result<(PathBuf, PathBuf), TlsError> {
    let (certificate, key) = (directory.join("certificate.pem"), directory.join("key.pem"));
    if certificate.exists() && key.exists() {
        return Ok((certificate, key));
    }
    let made = rcgen::generate_simple_self_signed(names)?;
    let write = |path: &Path, pem: &str| {
        let result = atomic_file::replace_private(path, pem.as_bytes());
        result.map_err(|error| TlsError::Unwritable(path.to_owned(), error))
    };
    write(&key, &made.signing_key.serialize_pem())?;
    write(&certificate, &made.cert.pem())?;
    Ok((certificate, key))
}

/// `AB:CD:...`, as browsers and `openssl x509 -fingerprint -sha256` show it.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(certificate) {
        let separator = if text.is_empty() { "" } else { ":" };
        // Writing to a string cannot fail.
        write!(text, "{separator}{byte:02X}").unwrap_or(());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_box_makes_one_certificate_with_a_private_key_file() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let make = || acceptor(&HttpTlsSettings::default(), home.path(), &["box.lan".into()]).unwrap().1;
        let first = make();
        assert_eq!(first.len(), 32 * 3 - 1);
        assert_eq!(make(), first);
        let mode = std::fs::metadata(home.path().join("tls/key.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_error_names_a_file_without_a_certificate() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("empty.pem");
        std::fs::write(&file, "").unwrap();
        let settings = HttpTlsSettings { certificate_file: Some(file.clone()), key_file: Some(file), names: vec![] };
        let error = acceptor(&settings, home.path(), &[]).err().unwrap().to_string();
        assert!(error.contains("empty.pem"), "{error}");
        assert!(check_configured(&settings).unwrap_err().contains("empty.pem"));
        assert_eq!(check_configured(&HttpTlsSettings::default()), Ok(()));
    }
}
