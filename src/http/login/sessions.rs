//! The sessions of people: when one begins, is used, ends, or makes room.

use crate::http::login::ticket::TicketDigest;
use crate::http::login::viewer::ViewerRole;
use crate::vision::monotonic::Monotonic;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

/// Sessions at a time. A new one takes the place of the one that is unused for longest, of whoever has most.
const MAX_SESSIONS: usize = 256;

/// When a session ends by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct SessionRules {
    /// Unused for this long.
    pub(super) idle: Duration,
    /// However much it is used.
    pub(super) longest: Duration,
}

/// Whose a session is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Holder {
    /// A person of the settings, by name.
    Viewer(String),
    /// Whoever had a link of the box.
    Link,
    /// Whoever had the token of the state directory.
    Token,
}

impl Holder {
    /// True for what is a way in on the box alone, however its cookie came to another host.
    pub(super) fn is_of_the_box(&self) -> bool {
        matches!(self, Self::Link | Self::Token)
    }
}

/// A session that is in force.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Session {
    pub(super) holder: Holder,
    pub(super) role: ViewerRole,
    began: Monotonic,
    used: Monotonic,
}

/// All sessions.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    rules: SessionRules,
    open: HashMap<TicketDigest, Session>,
}

impl Sessions {
    pub(super) fn new(rules: SessionRules) -> Self {
        Self { rules, open: HashMap::new() }
    }

    /// Begins a session. Returns whose session had to make room for it.
    pub(super) fn begin(
        &mut self,
        ticket: TicketDigest,
        holder: Holder,
        role: ViewerRole,
        now: Monotonic,
    ) -> Option<Holder> {
        let rules = self.rules;
        self.open.retain(|_, session| session.left(rules, now).is_some());
        let pushed_out = (self.open.len() >= MAX_SESSIONS).then(|| self.one_to_end()).flatten();
        let ended = pushed_out.and_then(|ticket| self.open.remove(&ticket)).map(|session| session.holder);
        self.open.insert(ticket, Session { holder, role, began: now, used: now });
        ended
    }

    /// The session of a ticket, which is used by this, and how long it lasts if it is used no more.
    pub(super) fn find(&mut self, ticket: &TicketDigest, now: Monotonic) -> Option<(Session, Duration)> {
        let session = self.open.get_mut(ticket)?;
        if session.left(self.rules, now).is_none() {
            self.open.remove(ticket);
            return None;
        }
        session.used = now;
        let left = session.left(self.rules, now)?;
        Some((session.clone(), left))
    }

    /// True while the session of a ticket is in force. It is not used by this.
    pub(super) fn is_open(&self, ticket: &TicketDigest, now: Monotonic) -> bool {
        self.open.get(ticket).is_some_and(|session| session.left(self.rules, now).is_some())
    }

    /// Ends a session; returns whose it was.
    pub(super) fn end(&mut self, ticket: &TicketDigest) -> Option<Holder> {
        self.open.remove(ticket).map(|session| session.holder)
    }

    /// Ends the sessions of these holders; returns how many.
    pub(super) fn end_of(&mut self, is_one: impl Fn(&Holder) -> bool) -> usize {
        let before = self.open.len();
        self.open.retain(|_, session| !is_one(&session.holder));
        before - self.open.len()
    }

    /// How many are in force.
    pub(super) fn count(&self, now: Monotonic) -> usize {
        self.open.values().filter(|session| session.left(self.rules, now).is_some()).count()
    }

    fn one_to_end(&self) -> Option<TicketDigest> {
        let mut counts: HashMap<&Holder, usize> = HashMap::new();
        self.open.values().for_each(|session| *counts.entry(&session.holder).or_default() += 1);
        let order = |session: &Session| (Reverse(counts[&session.holder]), session.used);
        self.open.iter().min_by_key(|(_, session)| order(session)).map(|(ticket, _)| *ticket)
    }
}

impl Session {
    /// How long it lasts if it is used no more; `None`: it has ended.
    fn left(&self, rules: SessionRules, now: Monotonic) -> Option<Duration> {
        let idle = rules.idle.checked_sub(now.since(self.used))?;
        let longest = rules.longest.checked_sub(now.since(self.began))?;
        Some(idle.min(longest)).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::login::ticket;

    const MINUTE: Duration = Duration::from_secs(60);
    const RULES: SessionRules = SessionRules { idle: Duration::from_secs(600), longest: Duration::from_secs(3600) };

    fn at(minutes: u32) -> Monotonic {
        Monotonic::from_nanos(0) + minutes * MINUTE
    }

    fn anna() -> Holder {
        Holder::Viewer("anna".into())
    }

    fn ticket() -> TicketDigest {
        ticket::make().unwrap().1
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_after_a_time_however_much_it_is_used() {
        let (mut sessions, ticket) = (Sessions::new(RULES), ticket());
        sessions.begin(ticket, anna(), ViewerRole::Viewer, at(0));
        for minute in [5, 14, 23, 32, 41, 50] {
            let (session, left) = sessions.find(&ticket, at(minute)).unwrap();
            assert_eq!((session.holder, session.role), (anna(), ViewerRole::Viewer));
            assert_eq!(left, 10 * MINUTE, "minute {minute}");
        }
        assert_eq!(sessions.find(&ticket, at(55)).unwrap().1, 5 * MINUTE, "the hour ends it earlier");
        assert!(sessions.find(&ticket, at(60)).is_none());
        assert!(sessions.find(&ticket, at(56)).is_none(), "one that has ended does not come back");

        let idle = self::ticket();
        sessions.begin(idle, anna(), ViewerRole::Viewer, at(100));
        assert_eq!((sessions.count(at(109)), sessions.count(at(110))), (1, 0));
        assert!(sessions.find(&idle, at(110)).is_none());
    }

    #[test]
    fn the_one_that_is_unused_for_longest_of_whoever_has_most_makes_room() {
        let mut sessions = Sessions::new(RULES);
        let berts = ticket();
        sessions.begin(berts, Holder::Viewer("bert".into()), ViewerRole::Viewer, at(0));
        let annas: Vec<TicketDigest> = (1..MAX_SESSIONS).map(|_| ticket()).collect();
        for ticket in &annas {
            assert_eq!(sessions.begin(*ticket, anna(), ViewerRole::Operator, at(1)), None);
        }
        for ticket in annas.iter().filter(|ticket| **ticket != annas[7]) {
            sessions.find(ticket, at(2)).unwrap();
        }
        assert_eq!(sessions.begin(ticket(), anna(), ViewerRole::Operator, at(3)), Some(anna()));
        assert!(sessions.find(&annas[7], at(3)).is_none());
        assert!(sessions.find(&berts, at(3)).is_some(), "bert has used his for no longer, but he has one only");
        assert_eq!(sessions.count(at(3)), MAX_SESSIONS);
    }

    #[test]
    fn sessions_that_have_ended_make_room_first() {
        let mut sessions = Sessions::new(RULES);
        for _ in 0..MAX_SESSIONS {
            sessions.begin(ticket(), anna(), ViewerRole::Viewer, at(0));
        }
        assert_eq!(sessions.begin(ticket(), anna(), ViewerRole::Viewer, at(11)), None);
        assert_eq!(sessions.count(at(11)), 1);
    }

    #[test]
    fn logging_out_ends_one_and_the_removal_of_a_person_all_of_theirs() {
        let mut sessions = Sessions::new(RULES);
        let (first, second, link) = (ticket(), ticket(), ticket());
        sessions.begin(first, anna(), ViewerRole::Viewer, at(0));
        sessions.begin(second, anna(), ViewerRole::Viewer, at(0));
        sessions.begin(link, Holder::Link, ViewerRole::Operator, at(0));
        assert_eq!(sessions.end(&first), Some(anna()));
        assert_eq!((sessions.end(&first), sessions.find(&first, at(0))), (None, None));
        assert_eq!(sessions.end_of(|holder| *holder == anna()), 1);
        assert!(sessions.find(&second, at(0)).is_none() && sessions.find(&link, at(0)).is_some());
    }
}
