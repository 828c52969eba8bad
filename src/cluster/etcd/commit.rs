//! A transaction of etcd: what must be so, and what is written then, all or nothing.

use etcd_client::{Compare, CompareOp, PutOptions, Txn, TxnOp};
use serde::Serialize;

/// What must be so of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::cluster) enum Expect {
    /// It is not there.
    Absent,
    /// It was last written at this revision.
    WrittenAt(i64),
}

/// What to write, and on which conditions.
#[derive(Clone, Debug, Default)]
pub(in crate::cluster) struct Commit {
    conditions: Vec<Compare>,
    operations: Vec<TxnOp>,
}

impl Commit {
    /// A condition.
    #[must_use]
    pub(in crate::cluster) fn if_key(mut self, key: &str, expected: Expect) -> Self {
        self.conditions.push(match expected {
            Expect::Absent => Compare::create_revision(key, CompareOp::Equal, 0),
            Expect::WrittenAt(revision) => Compare::mod_revision(key, CompareOp::Equal, revision),
        });
        self
    }

    /// Writes a key, which goes with `lease` if there is one.
    #[must_use]
    pub(in crate::cluster) fn put(mut self, key: &str, value: &impl Serialize, lease: Option<i64>) -> Self {
        let options = lease.map(|lease| PutOptions::new().with_lease(lease));
        // Records have no map with keys that are no text, the only thing that fails.
        let value = serde_json::to_vec(value).unwrap_or_default();
        self.operations.push(TxnOp::put(key, value, options));
        self
    }

    /// Deletes a key.
    #[must_use]
    pub(in crate::cluster) fn delete(mut self, key: &str) -> Self {
        self.operations.push(TxnOp::delete(key, None));
        self
    }

    pub(super) fn into_transaction(self) -> Txn {
        Txn::new().when(self.conditions).and_then(self.operations)
    }
}
