//! Packages that are being read from the disk, and what is to be done with each when it is there.

use crate::core::event::{CommandTicket, PackageTicket};
use crate::supervisor::pool::UnitBounds;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// What is to be done with a package.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// Bring it in as another version of its model.
    Swap(CommandTicket),
    /// Run it as a model that no settings name.
    Run(CommandTicket, UnitBounds),
    /// Bring it in if it can be used now; nobody waits for an answer.
    Retry,
}

/// How long a package that cannot be used is left alone before it is read again.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// The packages that are being read.
#[derive(Debug, Default)]
pub(super) struct PendingPackages {
    next: u64,
    pending: BTreeMap<PackageTicket, (String, Purpose)>,
    /// Models whose package cannot be used: what it is called, and when it is read again.
    unusable: BTreeMap<String, (String, Monotonic)>,
}

impl PendingPackages {
    /// A package is to be read for a model.
    pub(super) fn begin(&mut self, model: &str, purpose: Purpose) -> PackageTicket {
        let ticket = PackageTicket(self.next);
        self.next += 1;
        self.pending.insert(ticket, (model.to_owned(), purpose));
        ticket
    }

    /// It was read, or cannot be used: its model, and what is to be done.
    pub(super) fn end(&mut self, ticket: PackageTicket) -> Option<(String, Purpose)> {
        self.pending.remove(&ticket)
    }

    /// A command about the model waits for its package.
    pub(super) fn is_pending(&self, model: &str) -> bool {
        self.pending.values().any(|(of, purpose)| of == model && !matches!(purpose, Purpose::Retry))
    }

    /// The package of a model cannot be used and is read again later.
    pub(super) fn retry_later(&mut self, model: &str, package: &str, now: Monotonic) {
        self.unusable.insert(model.to_owned(), (package.to_owned(), now + RETRY_AFTER));
    }

    /// The package of a model is read again at once, if it could not be used.
    pub(super) fn retry_now(&mut self, model: &str, now: Monotonic) {
        if let Some((_, at)) = self.unusable.get_mut(model) {
            *at = now;
        }
    }

    /// Another version was brought in.
    pub(super) fn forget(&mut self, model: &str) {
        self.unusable.remove(model);
    }

    /// Models whose package is to be read again now, and what it is called.
    pub(super) fn due(&mut self, now: Monotonic) -> Vec<(String, String)> {
        let mut due = Vec::new();
        for (model, (package, at)) in self.unusable.iter_mut().filter(|(_, (_, at))| now >= *at) {
            *at = now + RETRY_AFTER;
            due.push((model.clone(), package.clone()));
        }
        due
    }
}
