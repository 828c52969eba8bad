//! Why etcd did not do what it was asked for.

use crate::secret::SecretError;
use std::path::PathBuf;
use std::time::Duration;

/// Why etcd did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum EtcdError {
    /// No answer in time: it is away, or without a majority of its members.
    #[error("no answer within {} ms", .0.as_millis())]
    Late(Duration),
    /// The library's own words.
    #[error("{0}")]
    Failed(String),
    /// A file of the settings.
    #[error("{0} cannot be read")]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// The password.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl From<etcd_client::Error> for EtcdError {
    fn from(error: etcd_client::Error) -> Self {
        Self::Failed(match error {
            // Its own text repeats the code twice, and what follows is for developers.
            etcd_client::Error::GRpcStatus(status) => status.message().to_owned(),
            etcd_client::Error::TransportError(error) => crate::vision::error_chain::describe(&error),
            other => other.to_string(),
        })
    }
}

/// The length of a lease; zero if there is none.
pub(super) fn seconds_of(ttl: i64) -> Duration {
    Duration::from_secs(u64::try_from(ttl).unwrap_or(0))
}
