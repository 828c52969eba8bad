//! The certificate of the public address: the configured one, or one that the box signs itself at its first start. The log
//! shows its fingerprint, so that clients can be set up to trust it.

use crate::http::settings::HttpTlsSettings;
use crate::os::atomic_file;
use crate::vision::error_chain::describe;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;

/// Why the public address has no TLS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
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

/// The certificate that is shown to clients. Clones share it; connections made from now on get a new one.
#[derive(Clone, Debug, Default)]
pub struct ServedCertificate(Arc<RwLock<Option<Arc<CertifiedKey>>>>);

impl ServedCertificate {
    /// Shows this certificate from now on.
    pub(crate) fn set(&self, certificate: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(certificate));
    }

    /// True if a certificate is shown.
    pub(crate) fn is_set(&self) -> bool {
        self.get().is_some()
    }

    /// The fingerprint of the certificate that is shown.
    pub(super) fn fingerprint(&self) -> Option<String> {
        self.get().map(|certificate| fingerprint(&certificate))
    }

    /// True if it is the certificate that is shown.
    pub(crate) fn is(&self, certificate: &CertifiedKey) -> bool {
        self.get().is_some_and(|shown| shown.cert == certificate.cert)
    }

    fn get(&self) -> Option<Arc<CertifiedKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The acceptor of TLS connections that shows it.
    ///
    /// # Errors
    /// When this build has no TLS version.
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, TlsError> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.clone()));
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for ServedCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.get()
    }
}

/// Reads the configured certificate and key, or those that the box has made itself; makes them if there are none yet.
///
/// # Errors
/// [`TlsError`] naming the file.
pub(crate) fn certificate(
    settings: &HttpTlsSettings,
    state_directory: &Path,
    names: &[String],
) -> Result<CertifiedKey, TlsError> {
    let (certificate_file, key_file) = match (&settings.certificate_file, &settings.key_file) {
        (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
        _ => self_signed(&state_directory.join("tls"), &[names, &settings.names].concat())?,
    };
    read(&certificate_file, &key_file)
}

/// Reads the configured certificate and key as the server does; nothing if there are none.
///
/// # Errors
/// The file and the reason, for the operator.
pub(crate) fn check_configured(settings: &HttpTlsSettings) -> Result<(), String> {
    let (Some(certificate), Some(key)) = (&settings.certificate_file, &settings.key_file) else { return Ok(()) };
    read(certificate, key).map(drop).map_err(|error| describe(&error))
}

/// Reads a certificate and its key.
///
/// # Errors
/// [`TlsError`] naming the file.
pub(super) fn read(certificate_file: &Path, key_file: &Path) -> Result<CertifiedKey, TlsError> {
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| TlsError::Unreadable(path.into(), error.to_string());
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate_file)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(certificate_file, &error))?;
    let key = PrivateKeyDer::from_pem_file(key_file).map_err(|error| unreadable(key_file, &error))?;
    if chain.is_empty() {
        return Err(unreadable(certificate_file, &"it holds no certificate"));
    }
    Ok(CertifiedKey::from_der(chain, key, &ring::default_provider())?)
}

/// Makes a certificate and its key at the first start only: clients have to trust each new one.
fn self_signed(directory: &Path, names: &[String]) -> Result<(PathBuf, PathBuf), TlsError> {
    let (certificate, key) = (directory.join("certificate.pem"), directory.join("key.pem"));
    if certificate.exists() && key.exists() {
        return Ok((certificate, key));
    }
    let made = rcgen::generate_simple_self_signed(names)?;
    let write = |path: &Path, pem: &str| {
        let result = atomic_file::replace(path, pem.as_bytes());
        result.map_err(|error| TlsError::Unwritable(path.to_owned(), error))
    };
    write(&key, &made.signing_key.serialize_pem())?;
    write(&certificate, &made.cert.pem())?;
    Ok((certificate, key))
}

/// The SHA-256 of the first certificate, `AB:CD:...`, as browsers and `openssl x509 -fingerprint -sha256` show it.
fn fingerprint(certificate: &CertifiedKey) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(certificate.cert.first().map_or(&[][..], |first| first.as_ref())) {
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
        let make = || fingerprint(&certificate(&HttpTlsSettings::default(), home.path(), &["box.lan".into()]).unwrap());
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
        let error = certificate(&settings, home.path(), &[]).err().unwrap().to_string();
        assert!(error.contains("empty.pem"), "{error}");
        assert!(check_configured(&settings).unwrap_err().contains("empty.pem"));
        assert_eq!(check_configured(&HttpTlsSettings::default()), Ok(()));
    }
}
