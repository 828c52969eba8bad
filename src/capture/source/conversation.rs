//! What is said to a camera beside what GStreamer says: logins, keep-alives, and where not to go.

use crate::capture::lock::lock;
use crate::capture::source::keep_alive::{KeepAlive, Method};
use crate::capture::source::login::{Credentials, Login, Next, printable};
use crate::capture::source::reach::host_and_port;
use crate::capture::stream_loss::Loss;
use crate::ipc::messages::LossKind;
use crate::os::memory;
use crate::os::rtsp_extension::{self, Message};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// A challenge that the client takes for one that it can answer, and to which it adds nothing: its user name has a colon,
/// which no digest may hold (see [`NAMELESS`]). It then sends the request once more, and the answer is put in here.
const PLACEHOLDER: &str = "Digest realm=\"ocelli\", nonce=\"0\"";

/// What the client holds for user and password.
pub(super) const NAMELESS: &str = ":";

/// What the client believes of a camera that names no methods, or not the one by which it is made to keep the session.
const METHODS: &str = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER";

/// A status that the client takes for a failure and does nothing about.
const FAILED: i32 = 500;

/// A camera that redirects to itself would be followed for ever.
const MAX_REDIRECTS: u32 = 3;

/// By how much the process may grow while it waits for an answer. Answers are a few kilobytes, and GStreamer takes what
/// is sent for one without an end; it cannot be interrupted either. Other cameras of the process may start meanwhile.
const FLOOD_BYTES: u64 = 96 << 20;

/// The rules of one connection.
pub(super) struct Rules {
    pub(super) credentials: Option<Credentials>,
    /// `host[:port]` of the camera's URL: nobody else gets the credentials.
    pub(super) authority: String,
    pub(super) allows_basic: bool,
    pub(super) follows_redirects: bool,
    /// Over TLS: no redirect leads out of it.
    pub(super) is_tls: bool,
    /// How long an answer may take; the client itself gives up one of which nothing comes.
    pub(super) answer_limit: Duration,
}

/// One conversation.
pub(super) struct Conversation(Mutex<State>);

impl std::fmt::Debug for Conversation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Conversation").finish_non_exhaustive()
    }
}

struct State {
    login: Login,
    keep_alive: KeepAlive,
    authority: String,
    follows_redirects: bool,
    is_tls: bool,
    redirects: u32,
    is_at_home: bool,
    answer_limit: Duration,
    /// Until when an answer is awaited, and the memory of the process when its request was sent.
    awaits: Option<(Instant, Option<u64>)>,
    is_described: bool,
    is_playing: bool,
    /// The transport was refused, and another may do.
    is_transport_refused: bool,
    loss: Option<Loss>,
}

impl Conversation {
    pub(super) fn new(rules: Rules) -> Self {
        Self(Mutex::new(State {
            login: Login::new(rules.credentials, rules.allows_basic),
            keep_alive: KeepAlive::new(),
            authority: rules.authority,
            follows_redirects: rules.follows_redirects,
            is_tls: rules.is_tls,
            redirects: 0,
            is_at_home: true,
            answer_limit: rules.answer_limit,
            awaits: None,
            is_described: false,
            is_playing: false,
            is_transport_refused: false,
            loss: None,
        }))
    }

    /// Why the camera refused, in better words than the client's.
    pub(super) fn loss(&self) -> Option<Loss> {
        self.state().loss.clone()
    }

    /// True if what comes instead of an answer has no end: it goes on and on, or (where `is_alone`, as nothing else then takes
    /// memory in this process) fills the memory.
    pub(super) fn is_flooded(&self, is_alone: bool, now: Instant) -> bool {
        let Some((until, before)) = self.state().awaits else { return false };
        let has_grown =
            || is_alone && own_bytes().zip(before).is_some_and(|(bytes, before)| bytes > before + FLOOD_BYTES);
        now > until || has_grown()
    }

    /// True once the camera has said what it offers.
    pub(super) fn is_described(&self) -> bool {
        self.state().is_described
    }

    /// True once PLAY was accepted.
    pub(super) fn is_playing(&self) -> bool {
        self.state().is_playing
    }

    /// True if the camera refuses the transport that it was asked for.
    pub(super) fn is_transport_refused(&self) -> bool {
        self.state().is_transport_refused
    }

    /// True if a request is due that keeps the session. The caller has the client send GET_PARAMETER, which becomes the
    /// request that the camera knows.
    pub(super) fn is_keep_alive_due(&self, now: Instant) -> bool {
        let mut state = self.state();
        let is_due = state.keep_alive.due(now).is_some();
        if is_due {
            state.keep_alive.asked(now);
        }
        is_due
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves plain values behind.
        lock(&self.0)
    }
}

impl rtsp_extension::Conversation for Conversation {
    fn before_send(&self, request: &mut Message<'_>) {
        let mut state = self.state();
        if request.method() == Method::GetParameter.name() {
            // The client sends it only when it is made to.
            request.become_bare(match state.keep_alive.method() {
                Method::GetParameter => c"GET_PARAMETER",
                Method::Options => c"OPTIONS",
            });
        }
        let (method, uri) = (request.method(), request.uri());
        if method == "DESCRIBE" || (method == "OPTIONS" && !state.is_playing) {
            // Later URIs may be in other names, but go over the same connection.
            state.is_at_home = is_same_place(authority_of(&uri), &state.authority);
        }
        // Behind PLAY the stream itself may come before the answer.
        let is_awaited = !state.is_playing && matches!(method, "OPTIONS" | "DESCRIBE" | "SETUP");
        state.awaits = is_awaited.then(|| (Instant::now() + state.answer_limit, own_bytes()));
        request.remove_header(c"Authorization");
        if state.is_at_home
            && let Some(answer) = state.login.answer(method, &uri)
        {
            request.set_header(c"Authorization", &answer);
        }
    }

    fn after_send(&self, request: &Message<'_>, answer: &mut Message<'_>) {
        let mut state = self.state();
        state.awaits = None;
        let (method, status) = (request.method(), answer.status());
        let was_answered = !request.header(c"Authorization").is_empty();
        if status == 401 {
            return state.unauthorized(was_answered, answer);
        }
        if was_answered && status != 403 {
            state.login.accepted();
        }
        let is_keep_alive = state.is_playing && matches!(method, "OPTIONS" | "GET_PARAMETER");
        match (method, status) {
            _ if is_keep_alive && status != 200 => state.keep_alive.refused(),
            _ if is_keep_alive => {}
            (_, 300..=399) => state.redirected(answer),
            ("OPTIONS", _) => state.options(answer),
            ("DESCRIBE", 200) => state.is_described = true,
            ("SETUP", 200) => state.session(answer),
            ("SETUP", 461) => state.is_transport_refused = true,
            ("PLAY", 200) => {
                state.session(answer);
                state.is_playing = true;
                state.keep_alive.asked(Instant::now());
            }
            ("DESCRIBE" | "SETUP" | "PLAY", 400..) if status != 404 || method == "DESCRIBE" => {
                let kind = LossKind::of_status(status);
                state.loss = Some(Loss::new(kind, format!("{} (RTSP status {status})", kind.words())));
            }
            _ => {}
        }
    }
}

impl State {
    fn unauthorized(&mut self, was_answered: bool, answer: &mut Message<'_>) {
        let challenges = answer.header(c"WWW-Authenticate");
        answer.remove_header(c"WWW-Authenticate");
        match self.login.refused(&challenges, was_answered) {
            Next::Again if self.is_at_home => answer.set_header(c"WWW-Authenticate", PLACEHOLDER),
            Next::Again => {
                let detail = "another host than that of `url` demands the login of this camera, and does not get it";
                self.loss = Some(Loss::new(LossKind::AuthFailed, detail));
            }
            // A camera may refuse what keeps the session, and go on sending.
            Next::GiveUp(_) if self.is_playing => {}
            Next::GiveUp(refusal) => self.loss = Some(Loss::new(LossKind::AuthFailed, refusal.to_string())),
        }
    }

    fn redirected(&mut self, answer: &mut Message<'_>) {
        let place = answer.header(c"Location").into_iter().next();
        self.redirects += 1;
        let is_open_where_this_is_not = self.is_tls && place.as_ref().is_some_and(|place| place.starts_with("rtsp://"));
        if self.follows_redirects && place.is_some() && !is_open_where_this_is_not && self.redirects <= MAX_REDIRECTS {
            return;
        }
        // Without user and password, which a camera may put there, and without what could disturb a terminal.
        let place = place.map_or("no place".into(), |place| printable(authority_of(&place)));
        self.loss =
            Some(Loss::new(LossKind::Redirect, format!("the camera redirects to {place}, which is not followed")));
        answer.set_status(FAILED);
    }

    fn options(&mut self, answer: &mut Message<'_>) {
        let public = answer.header(c"Public").join(", ");
        self.keep_alive.offered(&public);
        let methods =
            if public.is_empty() { METHODS.into() } else { format!("{public}, {}", Method::GetParameter.name()) };
        answer.set_header(c"Public", &methods);
    }

    fn session(&mut self, answer: &Message<'_>) {
        if let Some(session) = answer.header(c"Session").first() {
            self.keep_alive.session(session);
        }
    }
}

/// `host[:port]` of a URL, without user and password.
pub(super) fn authority_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// True for one host and port, in whatever spelling.
fn is_same_place(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|authority| host_and_port(&authority.to_ascii_lowercase()));
    one == other
}

fn own_bytes() -> Option<u64> {
    memory::anonymous_bytes(std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_of_a_url_is_its_host_and_port_without_credentials() {
        for (url, expected) in [
            ("rtsp://10.0.0.5:554/x", "10.0.0.5:554"),
            ("rtsp://admin:p@ss@cam.local/x?y=@z", "cam.local"),
            ("rtsps://[fe80::1]:322", "[fe80::1]:322"),
            ("/x", ""),
            ("cam/x", "cam"),
        ] {
            assert_eq!(authority_of(url), expected, "{url}");
        }
    }

    #[test]
    fn credentials_are_for_one_host_and_port() {
        assert!(is_same_place("Cam.local:554", "cam.local") && is_same_place("[FE80::1]:8554", "[fe80::1]:8554"));
        assert!(!is_same_place("cam.local:8554", "cam.local") && !is_same_place("cam.local.evil", "cam.local"));
    }

    #[test]
    fn a_keep_alive_is_due_once_an_interval() {
        let conversation = Conversation::new(Rules {
            credentials: None,
            authority: String::new(),
            allows_basic: true,
            follows_redirects: false,
            is_tls: false,
            answer_limit: Duration::from_secs(1),
        });
        let start = Instant::now();
        let later = start + Duration::from_secs(31);
        assert!(!conversation.is_keep_alive_due(later), "nothing plays");
        conversation.state().keep_alive.asked(start);
        assert!(conversation.is_keep_alive_due(later));
        assert!(!conversation.is_keep_alive_due(later));
    }
}
