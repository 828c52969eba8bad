//! TLS to the broker, below the MQTT client: our own authorities, a client certificate if the broker wants one, and
//! refusals that say what to do.

use crate::publish::sinks::mqtt::MqttSetupError;
use crate::publish::sinks::mqtt::settings::MqttTlsSettings;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long the handshake may take, with the TCP connection before it.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Makes connections to one broker.
#[derive(Clone)]
pub(super) struct TlsTransport {
    connector: TlsConnector,
    host: String,
    port: u16,
    server_name: ServerName<'static>,
}

impl TlsTransport {
    /// Reads the files.
    ///
    /// # Errors
    /// [`MqttSetupError`] naming the file, or the host when it is no name that a certificate can be for.
    pub(super) fn new(settings: &MqttTlsSettings, host: &str, port: u16) -> Result<Self, MqttSetupError> {
        let server_name = ServerName::try_from(host.to_owned()).map_err(|_| MqttSetupError::Host(host.to_owned()))?;
        let connector = TlsConnector::from(Arc::new(client_config(settings)?));
        Ok(Self { connector, host: host.to_owned(), port, server_name })
    }

    /// Connects and shakes hands.
    ///
    /// # Errors
    /// With a sentence that says what is wrong with the broker's certificate, and what mends it.
    pub(super) async fn connect(self) -> io::Result<TlsStream<TcpStream>> {
        let connecting = async {
            let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
            tcp.set_nodelay(true)?;
            self.connector.connect(self.server_name.clone(), tcp).await
        };
        match tokio::time::timeout(HANDSHAKE, connecting).await {
            Ok(connected) => connected.map_err(|error| explained(error, &self.host)),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the TLS handshake took longer than 5 s: is it a TLS port?",
            )),
        }
    }
}

/// Says what an operator can do about a certificate that is not accepted.
fn explained(error: io::Error, host: &str) -> io::Error {
    let Some(rustls::Error::InvalidCertificate(why)) = error.get_ref().and_then(|inner| inner.downcast_ref()) else {
        return error;
    };
    let cure = match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired: renew it, or set this box's clock".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet: set this box's clock".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("it is not for `{host}`: set mqtt.host to a name that is in it")
        }
        CertificateError::UnknownIssuer => "an authority has signed it that is not in mqtt.tls.ca_file".to_owned(),
        _ => "it cannot be accepted".to_owned(),
    };
    io::Error::new(io::ErrorKind::InvalidData, format!("invalid peer certificate: {cure} ({why})"))
}

/// Reads the files and builds rustls' side of the connection.
fn client_config(settings: &MqttTlsSettings) -> Result<ClientConfig, MqttSetupError> {
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
