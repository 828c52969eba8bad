//! The lock of the state directory, which is taken as soon as the disk has one.

use crate::os::state_lock::{StateLock, StateLockError};
use crate::settings::Settings;
use crate::telemetry::troubles::Troubles;
use crate::vision::error_chain::describe;
use std::path::PathBuf;
use std::time::Duration;

/// The part that [`Troubles`] names.
const LOCK: &str = "state lock";

/// How often a lock that the disk refuses is tried again.
const LOCK_RETRY: Duration = Duration::from_secs(5);

/// The lock of the state directory. While the disk refuses one, the box does its work without it, says so, and tries
/// again.
pub(super) fn lock_state(settings: &Settings, troubles: &Troubles) -> Result<Option<StateLock>, StateLockError> {
    match StateLock::take(&settings.state_directory) {
        Ok(lock) => Ok(Some(lock)),
        Err(error @ StateLockError::Held { .. }) => Err(error),
        Err(error @ StateLockError::Unavailable { .. }) => {
            let what = "a second daemon with the same state directory would not be noticed, and what this one learns may \
                        be lost at its next start";
            tracing::warn!("{}: {what}", describe(&error));
            troubles.set(LOCK, describe(&error));
            tokio::spawn(lock_state_later(settings.state_directory.clone(), troubles.clone()));
            Ok(None)
        }
    }
}

/// Takes the lock as soon as the disk has one, and holds it until the end.
async fn lock_state_later(directory: PathBuf, troubles: Troubles) {
    loop {
        tokio::time::sleep(LOCK_RETRY).await;
        let place = directory.clone();
        let Ok(result) = tokio::task::spawn_blocking(move || StateLock::take(&place)).await else { return };
        match result {
            Ok(_lock) => {
                troubles.clear(LOCK);
                return std::future::pending().await;
            }
            Err(error) => drop(troubles.set(LOCK, describe(&error))),
        }
    }
}
