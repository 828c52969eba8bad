//! Why a camera could not be asked, with the cure.

use crate::discover::reader_process::ReaderError;
use std::time::Duration;

/// How long a request may take, connecting included. Cheap cameras take two seconds for a list of profiles.
pub(crate) const REQUEST_LIMIT: Duration = Duration::from_secs(8);

/// A request or an answer that is no HTTP.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// hyper's words.
    #[error("the answer is not HTTP")]
    Answer(#[source] hyper::Error),
    /// The URL cannot be sent.
    #[error("the URL cannot be asked for")]
    Request(#[source] hyper::http::Error),
}

/// Why a camera could not be asked. The text does not name the camera.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// There is no such host.
    #[error("no such host: name its address instead, such as 192.168.1.20")]
    NoSuchHost,
    /// Nothing listens at this port.
    #[error(
        "refuses connections at port {0}: switch ONVIF on in the camera's own settings, or name another port, as in HOST:8000"
    )]
    Refused(u16),
    /// The network has no way to it, or the connection fails.
    #[error("cannot be reached: is it switched on, and in a network of this box?")]
    Unreachable(#[source] std::io::Error),
    /// It does not answer in time.
    #[error("does not answer within {} s: is it switched on, and is the address right?", REQUEST_LIMIT.as_secs())]
    TimedOut,
    /// All requests together took too long.
    #[error("took longer than {0} s for its answers")]
    TooSlow(u64),
    /// It answers something else.
    #[error("does not speak HTTP at this port: name the port of its ONVIF service, as in HOST:8000")]
    NotHttp(#[source] HttpError),
    /// The answer is too long.
    #[error("its answer to {request} is longer than {limit} bytes: it is not ONVIF, or made to do harm")]
    TooLong {
        /// The request.
        request: &'static str,
        /// What is read at most.
        limit: usize,
    },
    /// It answers something else.
    #[error("is not ONVIF at this URL: its answer to {request}: {reason}")]
    NotOnvif {
        /// The request.
        request: &'static str,
        /// What the answer is instead.
        reason: String,
    },
    /// The login was wrong.
    #[error("refuses the login of `{user}` at {request}{}: check user and password; many cameras have ONVIF users of their \
         own, apart from those of their web page{}. It was tried once: cameras lock accounts", quoted(.words), hint(*.cause))]
    LoginRefused {
        /// The user's name.
        user: String,
        /// The request.
        request: &'static str,
        /// In the camera's words.
        words: String,
        /// What else it may be.
        cause: LoginCause,
    },
    /// It tells nothing without a login.
    #[error("wants a login: name one with --user and --password-file")]
    LoginWanted,
    /// It refuses a request.
    #[error("refuses {request}: {reason}")]
    Fault {
        /// The request.
        request: &'static str,
        /// In the camera's words.
        reason: String,
    },
    /// It has no stream.
    #[error("names no profile with video")]
    NoProfiles,
    /// The confined process failed.
    #[error("its answer to {request} could not be read")]
    Reader {
        /// The request.
        request: &'static str,
        /// What happened to the process.
        #[source]
        source: ReaderError,
    },
    /// The box has no random numbers.
    #[error("this box gives no random numbers, which a login needs")]
    Random(#[source] std::io::Error),
}

/// What a refused login may come from, apart from a wrong password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LoginCause {
    /// Nothing else is known.
    Password,
    /// The camera does not tell its clock, so that the login may seem too old.
    Clock,
    /// It asks for a login of HTTP, which is not spoken.
    HttpDigest,
}

impl AskError {
    /// True if other requests to the same camera may go well.
    pub(super) fn is_of_this_request(&self) -> bool {
        matches!(self, Self::Fault { .. } | Self::NotOnvif { .. } | Self::TooLong { .. } | Self::Reader { .. })
    }
}

fn quoted(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(" (\"{words}\")") }
}

fn hint(cause: LoginCause) -> &'static str {
    match cause {
        LoginCause::Password => "",
        LoginCause::Clock => "; it does not tell its clock: set it, because a login by another clock is refused",
        LoginCause::HttpDigest => "; it asks for a login by HTTP digest, which discover does not speak",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_login_says_what_else_it_may_be() {
        let text = |words: &str, cause| {
            let (user, words) = ("viewer".to_owned(), words.to_owned());
            AskError::LoginRefused { user, request: "GetProfiles", words, cause }.to_string()
        };
        assert!(
            text("no", LoginCause::Clock).starts_with("refuses the login of `viewer` at GetProfiles (\"no\"): check")
        );
        assert!(
            text("", LoginCause::Clock).contains("clock") && text("", LoginCause::HttpDigest).contains("HTTP digest")
        );
        assert!(!text("", LoginCause::Password).contains("clock"));
    }
}
