//! Connecting to a member: everything that must be there before the box decides by what etcd holds.

use crate::cluster::etcd::{Access, Changes, Etcd, EtcdError, LeaseKeeper};
use crate::cluster::records::Keys;
use crate::cluster::view::View;
use std::time::Duration;

/// A member that answers with a majority behind it.
pub(super) struct Joined {
    pub(super) etcd: Etcd,
    pub(super) keeper: LeaseKeeper,
    /// The lease and its length.
    pub(super) lease: (i64, Duration),
    /// The revision of etcd at which the lease was found to be new; `None`: it is the former one.
    pub(super) new_at: Option<i64>,
    pub(super) changes: Changes,
    pub(super) view: View,
}

/// Connects, renews the lease or takes one, and reads everything. `held` is the lease so far.
pub(super) async fn join(
    access: Access,
    endpoint: String,
    held: Option<i64>,
    wanted: Duration,
    keys: Keys,
) -> Result<Joined, EtcdError> {
    let mut etcd = access.connect(&endpoint).await?;
    let kept = match held {
        Some(lease) => etcd.keep(lease).await?.map(|keeper| (keeper, (lease, wanted))),
        None => None,
    };
    let is_new = kept.is_none();
    let (keeper, lease) = match kept {
        Some(kept) => kept,
        None => {
            let lease = etcd.grant(wanted).await?;
            let keeper = etcd.keep(lease.0).await?;
            (keeper.ok_or_else(|| EtcdError::Failed("a new lease is gone at once".into()))?, lease)
        }
    };
    let (entries, revision) = etcd.everything(keys.all()).await?;
    let mut view = View::default();
    entries.iter().for_each(|entry| view.apply(&keys, entry));
    let changes = etcd.changes(keys.all(), revision + 1).await?;
    Ok(Joined { etcd, keeper, lease, new_at: is_new.then_some(revision), changes, view })
}
