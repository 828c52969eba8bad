//! Links that the box hands out to whoever may use its Unix socket: each opens one session, within minutes.

use crate::http::login::ticket::TicketDigest;
use crate::http::login::viewer::ViewerRole;
use crate::vision::monotonic::Monotonic;
use std::collections::VecDeque;
use std::time::Duration;

/// How long a link may wait for its use.
pub(in crate::http) const LINK_LIFETIME: Duration = Duration::from_secs(300);

/// Unused links at a time. A new one takes the place of the oldest.
const MAX_LINKS: usize = 16;

/// The links that nobody has used yet, the oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Links(VecDeque<Link>);

#[derive(Clone, Debug)]
struct Link {
    ticket: TicketDigest,
    role: ViewerRole,
    made: Monotonic,
}

impl Links {
    /// Adds a link. Returns true if an unused one had to make room for it.
    pub(super) fn add(&mut self, ticket: TicketDigest, role: ViewerRole, now: Monotonic) -> bool {
        self.0.retain(|link| link.is_valid(now));
        let is_full = self.0.len() >= MAX_LINKS;
        if is_full {
            self.0.pop_front();
        }
        self.0.push_back(Link { ticket, role, made: now });
        is_full
    }

    /// Uses a link up; `None` if there is none, or no longer.
    pub(super) fn take(&mut self, ticket: &TicketDigest, now: Monotonic) -> Option<ViewerRole> {
        let position = self.0.iter().position(|link| link.ticket == *ticket)?;
        self.0.remove(position).filter(|link| link.is_valid(now)).map(|link| link.role)
    }
}

impl Link {
    fn is_valid(&self, now: Monotonic) -> bool {
        now.since(self.made) < LINK_LIFETIME
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::login::ticket;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(0) + Duration::from_secs(seconds)
    }

    fn ticket() -> TicketDigest {
        ticket::make().unwrap().1
    }

    #[test]
    fn a_link_opens_once_and_within_five_minutes() {
        let (mut links, one, late) = (Links::default(), ticket(), ticket());
        links.add(one, ViewerRole::Operator, at(0));
        links.add(late, ViewerRole::Viewer, at(0));
        assert_eq!(links.take(&ticket(), at(1)), None);
        assert_eq!(links.take(&one, at(299)), Some(ViewerRole::Operator));
        assert_eq!(links.take(&one, at(299)), None);
        assert_eq!(links.take(&late, at(300)), None);
    }

    #[test]
    fn a_new_link_takes_the_place_of_the_oldest() {
        let (mut links, first) = (Links::default(), ticket());
        assert!(!links.add(first, ViewerRole::Viewer, at(0)));
        let others: Vec<bool> = (0..MAX_LINKS).map(|_| links.add(ticket(), ViewerRole::Viewer, at(1))).collect();
        assert_eq!(others.iter().filter(|pushed| **pushed).count(), 1);
        assert_eq!(links.take(&first, at(2)), None);
    }
}
