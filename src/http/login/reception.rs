//! What all listeners share about people: who may come, who is here, and who was.

use crate::http::connections::{Peer, network};
use crate::http::login::access_record::{Access, AccessRecord, Deed};
use crate::http::login::failures::{Failures, Forgotten};
use crate::http::login::hashing::{Busy, Hashing};
use crate::http::login::links::Links;
use crate::http::login::password::MAX_PASSWORD_BYTES;
use crate::http::login::sessions::{Holder, Session, SessionRules, Sessions};
use crate::http::login::ticket::{self, TicketDigest};
use crate::http::login::viewer::{MAX_NAME, Viewer, ViewerRole};
use crate::http::login::visitor::shown;
use crate::http::settings::SessionSettings;
use crate::os::clock::{monotonic_now, wall_now_ms};
use crate::secret::Secret;
use crate::telemetry::metrics::Metrics;
use crate::vision::line_limit::LineLimit;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The people, sessions, links and limits of a box. Clones share them.
#[derive(Clone, Debug)]
pub struct Reception(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    book: Mutex<Book>,
    hashing: Hashing,
    rules: SessionRules,
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
struct Book {
    viewers: Vec<Viewer>,
    sessions: Sessions,
    links: Links,
    failures: Failures<Peer>,
    record: AccessRecord,
    /// Of the lines about logins and changes, and of those about logins that fail.
    lines: LineLimit,
    failed_lines: LineLimit,
}

/// A session that has begun.
#[derive(Debug)]
pub(in crate::http) struct Welcome {
    /// For the cookie.
    pub(in crate::http) ticket: Secret,
    pub(in crate::http) name: String,
    pub(in crate::http) role: ViewerRole,
    /// If it is not used.
    pub(in crate::http) expires_in: Duration,
    /// However much it is used.
    pub(in crate::http) longest: Duration,
}

/// Why no session has begun.
#[derive(Debug)]
pub(in crate::http) enum NoWelcome {
    /// The settings have nobody.
    NoViewers,
    /// Name or password is wrong; which of them is not told.
    Wrong,
    /// The link was used, is too old, or never was one.
    NoLink,
    /// It is not the token, or none counts here.
    NoToken,
    /// Too many failed before.
    TooMany(Duration),
    /// Too many passwords are being checked.
    Busy,
    /// The kernel gives no random numbers.
    NoTicket(io::Error),
}

impl Reception {
    /// A reception for these people.
    pub fn new(viewers: Vec<Viewer>, settings: &SessionSettings, metrics: Arc<Metrics>) -> Self {
        let rules = SessionRules { idle: settings.idle(), longest: settings.longest() };
        let book = Book {
            viewers,
            sessions: Sessions::new(rules),
            links: Links::default(),
            failures: Failures::new(),
            record: AccessRecord::default(),
            lines: LineLimit::default(),
            failed_lines: LineLimit::default(),
        };
        Self(Arc::new(Shared { book: Mutex::new(book), hashing: Hashing::default(), rules, metrics }))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if these are the people of now.
    pub fn knows(&self, viewers: &[Viewer]) -> bool {
        self.book().viewers == viewers
    }

    /// Replaces the people. Sessions of those who are gone or have changed end.
    pub fn set_viewers(&self, viewers: Vec<Viewer>) {
        let mut book = self.book();
        let stays = |name: &str| {
            let of = |list: &[Viewer]| list.iter().find(|viewer| viewer.name == name).cloned();
            of(&viewers).is_some_and(|viewer| Some(viewer) == of(&book.viewers))
        };
        let kept: Vec<String> = book.viewers.iter().map(|it| it.name.clone()).filter(|name| stays(name)).collect();
        let is_gone = |holder: &Holder| matches!(holder, Holder::Viewer(name) if !kept.contains(name));
        let ended = book.sessions.end_of(is_gone);
        book.viewers = viewers;
        if ended > 0 {
            tracing::info!(ended, "sessions of people who were removed or changed have ended");
        }
    }

    /// True if people can log in with a password.
    pub(in crate::http) fn has_viewers(&self) -> bool {
        !self.book().viewers.is_empty()
    }

    /// Begins a session for a name and a password.
    pub(in crate::http) async fn log_in(&self, name: &str, password: Secret, peer: Peer) -> Result<Welcome, NoWelcome> {
        let (key, from) = (name.chars().take(MAX_NAME + 1).collect::<String>(), network(peer));
        let viewer = {
            let mut book = self.book();
            if book.viewers.is_empty() {
                return Err(NoWelcome::NoViewers);
            }
            if let Err(wait) = book.failures.begin(&key, &from, monotonic_now()) {
                self.failed(&mut book, "limited", peer);
                return Err(NoWelcome::TooMany(wait));
            }
            self.count_forgotten(&mut book);
            book.viewers.iter().find(|viewer| viewer.name == name).cloned()
        };
        // An unknown name takes the time of a known one: somebody's hash is computed all the same.
        let hash = viewer.as_ref().map_or_else(|| self.hash_for_nobody(&key), |viewer| viewer.hash.clone());
        let password = if password.reveal().len() > MAX_PASSWORD_BYTES { Secret::default() } else { password };
        let is_right = match self.0.hashing.is_right(hash, password).await {
            Ok(is_right) => is_right,
            Err(Busy) => {
                let mut book = self.book();
                book.failures.not_tried(&key, &from);
                self.failed(&mut book, "busy", peer);
                return Err(NoWelcome::Busy);
            }
        };
        let mut book = self.book();
        // A reload may have removed or changed the person meanwhile.
        match viewer.filter(|viewer| is_right && book.viewers.contains(viewer)) {
            Some(viewer) => {
                book.failures.succeeded(&key, &from);
                self.welcome(&mut book, Holder::Viewer(viewer.name), viewer.role, peer)
            }
            None => {
                self.failed(&mut book, "wrong_password", peer);
                Err(NoWelcome::Wrong)
            }
        }
    }

    /// Begins a session for whoever has a link.
    pub(in crate::http) fn follow_link(&self, link: &Secret, peer: Peer) -> Result<Welcome, NoWelcome> {
        let mut book = self.book();
        let role = TicketDigest::of(link.reveal()).and_then(|ticket| book.links.take(&ticket, monotonic_now()));
        match role {
            Some(role) => self.welcome(&mut book, Holder::Link, role, peer),
            None => {
                self.failed(&mut book, "wrong_link", peer);
                Err(NoWelcome::NoLink)
            }
        }
    }

    /// Begins a session for whoever has shown the token of the box: a browser cannot send it with a WebSocket. It is judged by
    /// `is_right`, and may be guessed as rarely as a password.
    pub(in crate::http) fn take_token(
        &self,
        is_right: impl FnOnce() -> bool,
        peer: Peer,
    ) -> Result<Welcome, NoWelcome> {
        let (key, from) = (name_of(&Holder::Token), network(peer));
        let mut book = self.book();
        if let Err(wait) = book.failures.begin(key, &from, monotonic_now()) {
            self.failed(&mut book, "limited", peer);
            return Err(NoWelcome::TooMany(wait));
        }
        self.count_forgotten(&mut book);
        if !is_right() {
            self.failed(&mut book, "wrong_token", peer);
            return Err(NoWelcome::NoToken);
        }
        book.failures.succeeded(key, &from);
        self.welcome(&mut book, Holder::Token, ViewerRole::Operator, peer)
    }

    /// Makes a link that opens one session.
    ///
    /// # Errors
    /// The I/O error, if the kernel gives no random numbers.
    pub(in crate::http) fn make_link(&self, role: ViewerRole) -> io::Result<Secret> {
        let (link, ticket) = ticket::make()?;
        if self.book().links.add(ticket, role, monotonic_now()) {
            self.0.metrics.strangers().visitors().forgotten("link", 1);
        }
        Ok(link)
    }

    /// The session of one of these tickets, which is used by this, its ticket, and how long it lasts if it is used no more.
    pub(super) fn session(&self, tickets: &[TicketDigest]) -> Option<(TicketDigest, Session, Duration)> {
        let (mut book, now) = (self.book(), monotonic_now());
        tickets.iter().find_map(|ticket| {
            let (session, left) = book.sessions.find(ticket, now)?;
            Some((*ticket, session, left))
        })
    }

    /// True while the session of this ticket is in force. It is not used by this.
    pub(super) fn has_session(&self, ticket: &TicketDigest) -> bool {
        self.book().sessions.is_open(ticket, monotonic_now())
    }

    /// Ends the sessions of these tickets.
    pub(in crate::http) fn log_out(&self, tickets: &[TicketDigest], peer: Peer) {
        let ended: Vec<Holder> = {
            let mut book = self.book();
            tickets.iter().filter_map(|ticket| book.sessions.end(ticket)).collect()
        };
        ended.into_iter().for_each(|holder| self.note(name_of(&holder), peer, Deed::LoggedOut, ""));
    }

    /// Writes an access into the record. Changes, logins and logouts are logged as well.
    pub(in crate::http) fn note(&self, who: &str, peer: Peer, deed: Deed, subject: &str) {
        self.note_in(&mut self.book(), who, peer, deed, subject);
    }

    fn note_in(&self, book: &mut Book, who: &str, peer: Peer, deed: Deed, subject: &str) {
        let access = Access::new(who.to_owned(), shown(peer), deed, subject, wall_now_ms());
        if !deed.is_look()
            && let Some(left_out) = book.lines.admit(monotonic_now())
        {
            let (address, subject, count) = (&access.address, &access.subject, left_out.count());
            tracing::info!(who, address, subject, left_out = count, "{}{left_out}", deed.sentence());
        }
        if book.record.add(access) {
            self.0.metrics.strangers().visitors().forgotten("access", 1);
        }
    }

    /// A copy of the record.
    pub(in crate::http) fn record(&self) -> AccessRecord {
        self.book().record.clone()
    }

    /// How many sessions are in force.
    pub(in crate::http) fn sessions(&self) -> usize {
        self.book().sessions.count(monotonic_now())
    }

    fn welcome(&self, book: &mut Book, holder: Holder, role: ViewerRole, peer: Peer) -> Result<Welcome, NoWelcome> {
        let (ticket, digest) = ticket::make().map_err(NoWelcome::NoTicket)?;
        let name = name_of(&holder).to_owned();
        let way = match &holder {
            Holder::Viewer(_) => "password",
            Holder::Link => "link",
            Holder::Token => "token",
        };
        let visitors = self.0.metrics.strangers().visitors();
        if book.sessions.begin(digest, holder, role, monotonic_now()).is_some() {
            visitors.forgotten("session", 1);
        }
        visitors.login(way);
        self.note_in(book, &name, peer, Deed::LoggedIn, role.name());
        let SessionRules { idle, longest } = self.0.rules;
        Ok(Welcome { ticket, name, role, expires_in: idle.min(longest), longest })
    }

    /// Counts and logs a login that fails. The name is not told: people type their password there.
    fn failed(&self, book: &mut Book, result: &'static str, peer: Peer) {
        self.0.metrics.strangers().visitors().login(result);
        if let Some(left_out) = book.failed_lines.admit(monotonic_now()) {
            let (address, count) = (shown(peer), left_out.count());
            tracing::warn!(address, result, left_out = count, "a login has failed{left_out}");
        }
    }

    fn count_forgotten(&self, book: &mut Book) {
        let Forgotten { names, addresses } = book.failures.take_forgotten();
        let visitors = self.0.metrics.strangers().visitors();
        visitors.forgotten("name", names);
        visitors.forgotten("address", addresses);
    }

    /// The hash that stands in for that of a name that nobody has, always the same for a name.
    fn hash_for_nobody(&self, name: &str) -> Secret {
        let book = self.book();
        let sum: usize = name.bytes().map(usize::from).sum();
        let viewer = sum.checked_rem(book.viewers.len()).and_then(|index| book.viewers.get(index));
        viewer.map(|viewer| viewer.hash.clone()).unwrap_or_default()
    }
}

fn name_of(holder: &Holder) -> &str {
    match holder {
        Holder::Viewer(name) => name,
        Holder::Link => "link",
        Holder::Token => "token",
    }
}
