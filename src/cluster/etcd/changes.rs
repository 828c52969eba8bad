//! The changes below a prefix, as etcd tells them.

use crate::cluster::etcd::error::EtcdError;
use crate::cluster::view::KeyChange;
use etcd_client::{Event, EventType, WatchStream};

/// A running watch.
#[derive(Debug)]
pub(in crate::cluster) struct Changes(WatchStream);

impl Changes {
    pub(super) fn new(stream: WatchStream) -> Self {
        Self(stream)
    }

    /// The next changes, in the order of their revisions. Waits for ever while nothing changes.
    ///
    /// # Errors
    /// When the watch has ended: by the connection, or because etcd has forgotten the revision from which it should go on.
    pub(in crate::cluster) async fn next(&mut self) -> Result<Vec<KeyChange>, EtcdError> {
        let told = self.0.message().await?.ok_or_else(|| EtcdError::Failed("the watch has ended".into()))?;
        if told.canceled() {
            return Err(EtcdError::Failed(format!("the watch was cancelled: {}", told.cancel_reason())));
        }
        Ok(told.events().iter().filter_map(change).collect())
    }
}

fn change(event: &Event) -> Option<KeyChange> {
    let entry = event.kv()?;
    let key = String::from_utf8_lossy(entry.key()).into_owned();
    let value = (event.event_type() == EventType::Put).then(|| entry.value().to_vec());
    Some(KeyChange { key, value, revision: entry.mod_revision() })
}
