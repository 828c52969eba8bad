//! What is wrong now with parts of the daemon that run on their own, such as the log and the public address.
//!
//! Each part sets its trouble here and clears it when it has healed. The status and `/readyz` show all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The current trouble of each part, for the operator. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Troubles(Arc<Mutex<BTreeMap<&'static str, String>>>);

impl Troubles {
    /// Sets the trouble of `part`, and replaces its earlier one. True if it had none: log it then, and only then.
    pub fn set(&self, part: &'static str, trouble: String) -> bool {
        self.lock().insert(part, trouble).is_none()
    }

    /// Clears the trouble of `part`. True if it had one.
    pub fn clear(&self, part: &'static str) -> bool {
        self.lock().remove(part).is_some()
    }

    /// All troubles, as sentences for `degraded`.
    pub fn all(&self) -> Vec<String> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_new_once_and_gone_when_it_is_cleared() {
        let troubles = Troubles::default();
        assert!(troubles.set("log", "the disk is full".into()));
        assert!(!troubles.clone().set("log", "the disk is read-only".into()), "it is known already");
        assert_eq!(troubles.all(), ["the disk is read-only"]);
        assert!(troubles.clear("log") && !troubles.clear("log"));
        assert!(troubles.all().is_empty());
    }
}
