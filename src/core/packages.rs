//! Packages that are being read from the disk, and the purpose of each.

use crate::core::event::{CommandTicket, PackageTicket};
use crate::supervisor::pool::UnitBounds;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a package is read for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// A swap of its model to this version.
    Swap(CommandTicket),
    /// A new model that no settings name.
    Run(CommandTicket, UnitBounds),
    /// A retry of an unusable package. No command waits for it.
    Retry,
}

/// The time until an unusable package is read again.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// The packages that are being read.
#[derive(Debug, Default)]
pub(super) struct PendingPackages {
    next: u64,
    pending: BTreeMap<PackageTicket, (String, Purpose)>,
    /// Models with an unusable package: the package's name, and when it is read again.
    unusable: BTreeMap<String, (String, Monotonic)>,
}

impl PendingPackages {
    /// Registers a package that is to be read for a model.
    pub(super) fn begin(&mut self, model: &str, purpose: Purpose) -> PackageTicket {
        let ticket = PackageTicket(self.next);
        self.next += 1;
        self.pending.insert(ticket, (model.to_owned(), purpose));
        ticket
    }

    /// Removes a package whose read has finished, and returns its model and purpose.
    pub(super) fn end(&mut self, ticket: PackageTicket) -> Option<(String, Purpose)> {
        self.pending.remove(&ticket)
    }

    /// True if a command waits for a package of the model.
    pub(super) fn is_pending(&self, model: &str) -> bool {
        self.pending.values().any(|(of, purpose)| of == model && !matches!(purpose, Purpose::Retry))
    }

    /// Schedules a retry for the unusable package of a model.
    pub(super) fn retry_later(&mut self, model: &str, package: &str, now: Monotonic) {
        self.unusable.insert(model.to_owned(), (package.to_owned(), now + RETRY_AFTER));
    }

    /// Makes the retry of a model's unusable package due at once.
    pub(super) fn retry_now(&mut self, model: &str, now: Monotonic) {
        if let Some((_, at)) = self.unusable.get_mut(model) {
            *at = now;
        }
    }

    /// Cancels the retries of a model, which has another version now.
    pub(super) fn forget(&mut self, model: &str) {
        self.unusable.remove(model);
    }

    /// The models whose retry is due, with the names of their packages. The next retry of each is scheduled.
    pub(super) fn due(&mut self, now: Monotonic) -> Vec<(String, String)> {
        let mut due = Vec::new();
        for (model, (package, at)) in self.unusable.iter_mut().filter(|(_, (_, at))| now >= *at) {
            *at = now + RETRY_AFTER;
            due.push((model.clone(), package.clone()));
        }
        due
    }
}
