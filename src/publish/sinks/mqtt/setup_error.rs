//! Why the sink cannot start: a mistake in the settings, or in a file that they name.

use std::path::PathBuf;

/// Why the sink cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum MqttSetupError {
    /// A file does not hold a usable certificate or key.
    #[error("{path} holds no usable {what}: {reason}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What the file should hold: a certificate or a private key.
        what: &'static str,
        /// The reason of the parser or the operating system.
        reason: String,
    },
    /// TLS needs a host that a certificate can name.
    #[error("mqtt.host: `{0}` is neither a name nor an address that a certificate can be for")]
    Host(String),
    /// The certificates and the key do not fit together.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The broker's password cannot be read.
    #[error("the broker's password cannot be read")]
    Secret(#[from] crate::secret::SecretError),
}
