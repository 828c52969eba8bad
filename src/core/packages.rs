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
    /// A swap to the package that the settings name now. No command waits for it.
    Settings,
    /// A retry of an unusable package. No command waits for it.
    Retry,
    /// The package that the model has, with the engine that was chosen for it. No command waits for it.
    Engine,
    /// A read that took too long: its command was answered, and its result is ignored.
    Overdue,
}

/// The time until an unusable package is read again.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// The longest that a command waits for a read: a package of 512 MB on a slow card takes about a minute.
const READ_LIMIT: Duration = Duration::from_secs(180);

/// The packages that are being read.
#[derive(Debug, Default)]
pub(super) struct PendingPackages {
    next: u64,
    pending: BTreeMap<PackageTicket, Pending>,
    /// Models with an unusable package: the package's name, and when it is read again.
    unusable: BTreeMap<String, (String, Monotonic)>,
}

#[derive(Debug)]
struct Pending {
    model: String,
    purpose: Purpose,
    deadline: Monotonic,
}

impl PendingPackages {
    /// Registers a package that is to be read for a model.
    pub(super) fn begin(&mut self, model: &str, purpose: Purpose, now: Monotonic) -> PackageTicket {
        let ticket = PackageTicket(self.next);
        self.next += 1;
        self.pending.insert(ticket, Pending { model: model.to_owned(), purpose, deadline: now + READ_LIMIT });
        ticket
    }

    /// Removes a package whose read has finished, and returns its model and purpose.
    pub(super) fn end(&mut self, ticket: PackageTicket) -> Option<(String, Purpose)> {
        self.pending.remove(&ticket).map(|pending| (pending.model, pending.purpose))
    }

    /// True if a package of the model is being read for a command, or was and the disk has not answered yet.
    pub(super) fn is_pending(&self, model: &str) -> bool {
        let keeps_waiting = |purpose: &Purpose| !matches!(purpose, Purpose::Retry | Purpose::Engine);
        self.pending.values().any(|pending| pending.model == model && keeps_waiting(&pending.purpose))
    }

    /// The commands that have waited too long, with their models. They stop waiting.
    pub(super) fn overdue(&mut self, now: Monotonic) -> Vec<(CommandTicket, String)> {
        let mut overdue = Vec::new();
        for pending in self.pending.values_mut().filter(|pending| now >= pending.deadline) {
            if let Purpose::Swap(ticket) | Purpose::Run(ticket, _) = pending.purpose {
                pending.purpose = Purpose::Overdue;
                overdue.push((ticket, pending.model.clone()));
            }
        }
        overdue
    }

    /// Models whose package the disk has not given for too long.
    pub(super) fn hanging(&self) -> impl Iterator<Item = &str> {
        let is_hanging = |pending: &&Pending| matches!(pending.purpose, Purpose::Overdue);
        self.pending.values().filter(is_hanging).map(|pending| &*pending.model)
    }

    /// Moves the deadlines by `gap`, for which the daemon was suspended.
    pub(super) fn paused(&mut self, gap: Duration) {
        self.pending.values_mut().for_each(|pending| pending.deadline = pending.deadline + gap);
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
            // A read that hangs holds a thread, so there is one at a time.
            if !self.pending.values().any(|pending| pending.model == *model) {
                due.push((model.clone(), package.clone()));
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn a_command_does_not_wait_for_ever_for_a_disk_that_hangs() {
        let mut packages = PendingPackages::default();
        let read = packages.begin("coco-ssd", Purpose::Swap(CommandTicket(7)), at(0));
        assert!(packages.overdue(at(179)).is_empty());
        packages.paused(Duration::from_secs(10));
        assert!(packages.overdue(at(185)).is_empty(), "the daemon was suspended for ten seconds");
        assert_eq!(packages.overdue(at(190)), [(CommandTicket(7), "coco-ssd".to_owned())]);
        assert!(packages.overdue(at(500)).is_empty(), "it is answered once");
        assert!(packages.is_pending("coco-ssd"), "the thread still hangs, and no second one is to");
        assert_eq!(packages.hanging().collect::<Vec<_>>(), ["coco-ssd"]);
        assert!(matches!(packages.end(read), Some((_, Purpose::Overdue))));
        assert!(!packages.is_pending("coco-ssd") && packages.hanging().next().is_none());
    }

    #[test]
    fn an_unusable_package_is_read_by_one_thread_at_a_time() {
        let mut packages = PendingPackages::default();
        packages.retry_later("coco-ssd", "broken", at(0));
        assert_eq!(packages.due(at(60)).len(), 1);
        let read = packages.begin("coco-ssd", Purpose::Retry, at(60));
        assert!(packages.due(at(120)).is_empty());
        packages.end(read);
        assert_eq!(packages.due(at(180)).len(), 1);
    }
}
