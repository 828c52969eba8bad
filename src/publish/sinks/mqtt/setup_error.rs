//! What keeps the sink from starting: all of it is in the settings and the files that they name.

use std::path::PathBuf;

/// Why the sink cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum MqttSetupError {
    /// A certificate or key.
    #[error("{path} holds no usable {what}: {reason}")]
    Pem {
        /// Which file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// With TLS.
    #[error("mqtt.host: `{0}` is neither a name nor an address that a certificate can be for")]
    Host(String),
    /// The certificates do not fit together.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The broker's password.
    #[error("the broker's password cannot be had")]
    Secret(#[from] crate::secret::SecretError),
}
