//! Who looked at what, and who changed what: the newest entries, in memory.

use std::collections::VecDeque;

/// Entries that are kept. The oldest goes first.
const MAX_ENTRIES: usize = 1000;

/// Looks of one person at one thing within this time are one entry: a page asks for a picture every few seconds.
const ONE_LOOK_MS: i64 = 600_000;

/// The longest subject that is kept: paths of requests are no longer, unless somebody wants to fill the memory.
const MAX_SUBJECT: usize = 200;

/// What was done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::http) enum Deed {
    /// A camera's pictures as they come.
    Live,
    /// A picture of a camera.
    Snapshot,
    /// A picture of an event.
    EventPicture,
    /// A clip of an event.
    Clip,
    /// A request that changes something; the subject is the request.
    Changed,
    /// A session began, by a password or a link.
    LoggedIn,
    /// A session was ended by its holder.
    LoggedOut,
}

impl Deed {
    /// The word in answers and in the log.
    pub(in crate::http) fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Snapshot => "snapshot",
            Self::EventPicture => "event_picture",
            Self::Clip => "clip",
            Self::Changed => "changed",
            Self::LoggedIn => "logged_in",
            Self::LoggedOut => "logged_out",
        }
    }

    /// The line of the log.
    pub(in crate::http) fn sentence(self) -> &'static str {
        match self {
            Self::Live | Self::Snapshot | Self::EventPicture | Self::Clip => "somebody has looked",
            Self::Changed => "somebody has changed something",
            Self::LoggedIn => "somebody has logged in",
            Self::LoggedOut => "somebody has logged out",
        }
    }

    /// True if repetitions are one entry.
    pub(in crate::http) fn is_look(self) -> bool {
        matches!(self, Self::Live | Self::Snapshot | Self::EventPicture | Self::Clip)
    }
}

/// An entry of the record. Times are milliseconds of Unix time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::http) struct Access {
    pub(in crate::http) who: String,
    /// Of the client, or its user on this box.
    pub(in crate::http) address: String,
    pub(in crate::http) deed: Deed,
    /// A camera, an event, or a request.
    pub(in crate::http) subject: String,
    pub(in crate::http) first_ms: i64,
    pub(in crate::http) last_ms: i64,
    pub(in crate::http) count: u64,
}

impl Access {
    /// One access at this time.
    pub(in crate::http) fn new(who: String, address: String, deed: Deed, subject: &str, now_ms: i64) -> Self {
        let subject = subject.chars().take(MAX_SUBJECT).collect();
        Self { who, address, deed, subject, first_ms: now_ms, last_ms: now_ms, count: 1 }
    }

    fn continues(&self, earlier: &Self) -> bool {
        let is_same = |of: &Self| (of.who.clone(), of.address.clone(), of.deed, of.subject.clone());
        // A clock that was set back continues nothing.
        let is_near = (0..ONE_LOOK_MS).contains(&(self.first_ms - earlier.last_ms));
        self.deed.is_look() && is_near && is_same(self) == is_same(earlier)
    }
}

/// The entries, in the order of their last access.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct AccessRecord {
    entries: VecDeque<Access>,
    forgotten: u64,
}

impl AccessRecord {
    /// Adds an access. Returns true if the oldest entry had to go.
    pub(in crate::http) fn add(&mut self, mut access: Access) -> bool {
        let same = self.entries.iter().rposition(|earlier| access.continues(earlier));
        if let Some(earlier) = same.and_then(|position| self.entries.remove(position)) {
            access.first_ms = earlier.first_ms;
            access.count += earlier.count;
        }
        let is_full = self.entries.len() >= MAX_ENTRIES;
        if is_full {
            self.entries.pop_front();
            self.forgotten += 1;
        }
        self.entries.push_back(access);
        is_full
    }

    /// All entries, the newest first.
    pub(in crate::http) fn newest_first(&self) -> impl Iterator<Item = &Access> {
        self.entries.iter().rev()
    }

    /// How many older entries there were.
    pub(in crate::http) fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(who: &str, deed: Deed, subject: &str, now_ms: i64) -> Access {
        Access::new(who.into(), "192.0.2.1".into(), deed, subject, now_ms)
    }

    #[test]
    fn looks_at_one_thing_are_one_entry_and_changes_are_not() {
        let mut record = AccessRecord::default();
        for second in 0..100 {
            record.add(access("anna", Deed::Snapshot, "yard", second * 1000));
            record.add(access("bert", Deed::Snapshot, "yard", second * 1000));
        }
        record.add(access("anna", Deed::Snapshot, "gate", 100_000));
        record.add(access("anna", Deed::Changed, "POST /api/cameras/yard/disable", 101_000));
        record.add(access("anna", Deed::Changed, "POST /api/cameras/yard/disable", 102_000));
        record.add(access("anna", Deed::Snapshot, "yard", 99_000 + ONE_LOOK_MS));
        let shown: Vec<_> =
            record.newest_first().map(|it| (it.who.as_str(), it.deed, it.count, it.first_ms, it.last_ms)).collect();
        let later = 99_000 + ONE_LOOK_MS;
        assert_eq!(
            shown,
            [
                ("anna", Deed::Snapshot, 1, later, later),
                ("anna", Deed::Changed, 1, 102_000, 102_000),
                ("anna", Deed::Changed, 1, 101_000, 101_000),
                ("anna", Deed::Snapshot, 1, 100_000, 100_000),
                ("bert", Deed::Snapshot, 100, 0, 99_000),
                ("anna", Deed::Snapshot, 100, 0, 99_000),
            ]
        );
    }

    #[test]
    fn the_newest_thousand_are_kept_and_the_others_counted() {
        let mut record = AccessRecord::default();
        for number in 0..1500 {
            assert_eq!(record.add(access("anna", Deed::Changed, &format!("{number}"), number)), number >= 1000);
        }
        assert_eq!((record.newest_first().count(), record.forgotten()), (1000, 500));
        assert_eq!(record.newest_first().next().unwrap().subject, "1499");
        let long = access("anna", Deed::Changed, &"x".repeat(9000), 0);
        assert_eq!(long.subject.len(), 200);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_a_new_entry() {
        let mut record = AccessRecord::default();
        record.add(access("anna", Deed::Live, "yard", 1_000_000));
        record.add(access("anna", Deed::Live, "yard", 0));
        assert_eq!(record.newest_first().count(), 2);
    }
}
