//! When a camera hears that we are still there, and by which request.
//!
//! Over TCP GStreamer sends nothing of the kind, and cameras that count only requests end the session each minute.

use std::time::{Duration, Instant};

/// The timeout of a session whose camera names none (RFC 2326, section 12.37).
const DEFAULT_TIMEOUT_SECONDS: u32 = 60;

/// A camera that names less would be asked all the time.
const SHORTEST_TIMEOUT_SECONDS: u32 = 2;

/// A request that keeps a session.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Method {
    GetParameter,
    /// What every camera must know.
    #[default]
    Options,
}

impl Method {
    /// As it is written in a request.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::GetParameter => "GET_PARAMETER",
            Self::Options => "OPTIONS",
        }
    }
}

/// The keep-alive of one connection.
#[derive(Debug)]
pub(super) struct KeepAlive {
    method: Method,
    timeout_seconds: u32,
    /// Since the session runs; before that there is nothing to keep.
    asked_at: Option<Instant>,
}

impl KeepAlive {
    pub(super) fn new() -> Self {
        Self { method: Method::default(), timeout_seconds: DEFAULT_TIMEOUT_SECONDS, asked_at: None }
    }

    /// Reads the `Public` header of an answer to OPTIONS.
    pub(super) fn offered(&mut self, public: &str) {
        let is_offered = public.split(',').any(|method| method.trim().eq_ignore_ascii_case("GET_PARAMETER"));
        self.method = if is_offered { Method::GetParameter } else { Method::Options };
    }

    /// Reads the `Session` header of an answer to SETUP or PLAY.
    pub(super) fn session(&mut self, session: &str) {
        if let Some(seconds) = timeout_of(session) {
            self.timeout_seconds = seconds;
        }
    }

    /// The camera refuses the request; OPTIONS is what is left.
    pub(super) fn refused(&mut self) {
        self.method = Method::Options;
    }

    /// The request by which this camera is asked.
    pub(super) fn method(&self) -> Method {
        self.method
    }

    /// The session runs from now on, or a request has just kept it.
    pub(super) fn asked(&mut self, now: Instant) {
        self.asked_at = Some(now);
    }

    /// The request that is due; the caller sends it and calls [`Self::asked`].
    pub(super) fn due(&self, now: Instant) -> Option<Method> {
        let asked_at = self.asked_at?;
        (now.saturating_duration_since(asked_at) >= self.interval()).then_some(self.method)
    }

    /// Half of the timeout, so that one request may be lost; never longer than half a minute, since cameras' firewalls
    /// forget a silent connection.
    fn interval(&self) -> Duration {
        Duration::from_secs(u64::from(self.timeout_seconds.clamp(SHORTEST_TIMEOUT_SECONDS, 60))) / 2
    }
}

/// The timeout in a `Session` header, in whole seconds. Cameras write it with blanks, fractions, signs, or leave it empty;
/// what is no positive number is none.
fn timeout_of(session: &str) -> Option<u32> {
    let mut parameters = session.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("timeout"))?;
    let digits = value.trim().split('.').next().unwrap_or_default();
    digits.parse().ok().filter(|seconds| *seconds > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_write_the_timeout_in_many_ways() {
        for (session, expected) in [
            ("12345678;timeout=60", Some(60)),
            ("12345678 ; Timeout = 30", Some(30)),
            ("12345678;timeout=60.0;x=1", Some(60)),
            ("12345678;x=1;timeout=10", Some(10)),
            ("12345678;timeout=0", None),
            ("12345678;timeout=-1", None),
            ("12345678;timeout=", None),
            ("12345678;timeout", None),
            ("12345678;", None),
            ("", None),
        ] {
            assert_eq!(timeout_of(session), expected, "{session:?}");
        }
    }

    fn due_after(session: &str) -> u64 {
        let start = Instant::now();
        let mut keep_alive = KeepAlive::new();
        keep_alive.session(session);
        assert_eq!(keep_alive.due(start + Duration::from_secs(1000)), None, "no session runs yet");
        keep_alive.asked(start);
        (0..).find(|seconds| keep_alive.due(start + Duration::from_secs(*seconds)).is_some()).unwrap()
    }

    #[test]
    fn a_request_is_due_at_half_of_the_timeout_and_each_half_minute_at_least() {
        assert_eq!(due_after("1;timeout=60"), 30);
        assert_eq!(due_after("1;timeout=6"), 3);
        assert_eq!(due_after("1;timeout=3600"), 30);
        assert_eq!(due_after("1"), 30);
        assert_eq!(due_after("1;timeout=1"), 1);
    }

    #[test]
    fn the_request_is_one_that_the_camera_offers() {
        let asked = |keep_alive: &mut KeepAlive| {
            let now = Instant::now();
            keep_alive.asked(now);
            keep_alive.due(now + Duration::from_secs(60)).unwrap().name()
        };
        let mut keep_alive = KeepAlive::new();
        assert_eq!(asked(&mut keep_alive), "OPTIONS");
        keep_alive.offered("OPTIONS, DESCRIBE, Get_Parameter,SETUP");
        assert_eq!(asked(&mut keep_alive), "GET_PARAMETER");
        keep_alive.refused();
        assert_eq!(asked(&mut keep_alive), "OPTIONS");
        keep_alive.offered("OPTIONS, GET_PARAMETERS");
        assert_eq!(asked(&mut keep_alive), "OPTIONS");
    }
}
