//! TLS to the broker, below the MQTT client: configured authorities, a client certificate if the broker requires one,
//! and errors with the setting to change.

use crate::os::clock::rfc3339_utc;
use crate::publish::sinks::mqtt::failure::AbruptEnd;
use crate::publish::sinks::mqtt::settings::MqttTlsSettings;
use crate::publish::sinks::mqtt::setup_error::MqttSetupError;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Time limit of the TCP connection and the handshake together.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Makes connections to one broker.
#[derive(Clone)]
pub(super) struct TlsTransport {
    connector: TlsConnector,
    settings: MqttTlsSettings,
    host: String,
    port: u16,
    server_name: ServerName<'static>,
}

impl TlsTransport {
    /// Reads the certificates and the key.
    ///
    /// # Errors
    /// [`MqttSetupError`] naming the file, or the host when it is no name that a certificate can be for.
    pub(super) fn new(settings: &MqttTlsSettings, host: &str, port: u16) -> Result<Self, MqttSetupError> {
        let server_name = ServerName::try_from(host.to_owned()).map_err(|_| MqttSetupError::Host(host.to_owned()))?;
        let connector = TlsConnector::from(Arc::new(client_config(settings)?));
        Ok(Self { connector, settings: settings.clone(), host: host.to_owned(), port, server_name })
    }

    /// Connects and completes the handshake.
    ///
    /// # Errors
    /// The problem with the broker's certificate, and how to fix it.
    pub(super) async fn connect(self) -> io::Result<TlsStream<TcpStream>> {
        let connecting = async {
            let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
            tcp.set_nodelay(true)?;
            self.connector.connect(self.server_name.clone(), tcp).await.map_err(|error| self.explained(error))
        };
        match tokio::time::timeout(HANDSHAKE, connecting).await {
            Ok(connected) => connected,
            Err(_) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, format!("no TLS within 5 s: {}", self.is_tls_port())))
            }
        }
    }

    /// What an operator can do about a handshake that fails.
    fn explained(&self, error: io::Error) -> io::Error {
        use rustls::Error::{InvalidCertificate, InvalidMessage};
        let reason = match (error.get_ref().and_then(|inner| inner.downcast_ref()), error.kind()) {
            (Some(InvalidCertificate(why)), _) => format!("the broker's certificate {}", self.mistake_in(why)),
            (Some(InvalidMessage(_)), _) => format!("it does not answer in TLS: {}", self.is_tls_port()),
            // An error kind that is not mistaken for a close after the handshake.
            (_, io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
                format!("it ends the TLS handshake: {}", self.is_tls_port())
            }
            _ => return error,
        };
        io::Error::new(io::ErrorKind::InvalidData, reason)
    }

    fn is_tls_port(&self) -> String {
        format!("is {} its port for TLS? If it has none, set mqtt.tls.enabled to false", self.port)
    }

    /// Does not include the current time, so that the text is the same for each retry and is logged once.
    fn mistake_in(&self, why: &CertificateError) -> String {
        let date = |time: &UnixTime| rfc3339_utc(i64::try_from(time.as_secs()).unwrap_or(0).saturating_mul(1000));
        match why {
            CertificateError::ExpiredContext { not_after, .. } => {
                format!("has expired on {}: renew it there, or set this box's clock", date(not_after))
            }
            CertificateError::NotValidYetContext { not_before, .. } => {
                format!("is not valid before {}: set this box's clock, or issue a new one there", date(not_before))
            }
            CertificateError::NotValidForNameContext { presented, .. } => format!(
                "is not for `{}` but for {}: set mqtt.host to a name that is in it, or issue a new one there",
                self.host,
                presented.join(", ")
            ),
            CertificateError::UnknownIssuer => format!(
                "is signed by an authority that is not in {}: set mqtt.tls.ca_file to that authority's certificate",
                self.settings.ca_file.as_deref().unwrap_or(Path::new("mqtt.tls.ca_file")).display()
            ),
            _ => format!("cannot be accepted: {why}"),
        }
    }

    /// The likely mistake in `[mqtt.tls]` when the broker closes the connection after the handshake, before its first
    /// packet. Without a client certificate, an alert and a plain close mean the same: which one arrives is chance.
    pub(super) fn mistake_behind(&self, end: AbruptEnd) -> String {
        match (&self.settings.certificate_file, end) {
            (None, _) => "it ends the connection as one does that wants a certificate of this box: \
                          set mqtt.tls.certificate_file and mqtt.tls.key_file"
                .to_owned(),
            (Some(own), AbruptEnd::Alert(alert)) => {
                format!("it does not accept this box's certificate, {}: {alert:?}", own.display())
            }
            (Some(own), AbruptEnd::Closed) => {
                format!("it ends the connection after the handshake: does it accept {}?", own.display())
            }
        }
    }
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
