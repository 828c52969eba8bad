//! Which header answers which challenge, and when to give up: one wrong answer a connection.
//!
//! Cameras lock an account after five to seven refusals in a row, and GStreamer's own login repeats a refused answer eight
//! times. It also knows MD5 without qop only. The answers are computed here and not by `http-auth`, which only reads the
//! challenges: without qop that one leaves out `algorithm`, and a camera that offers two then has to guess.

use crate::model::manifest::hexadecimal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_auth::{ChallengeRef, parse_challenges};
use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};
use std::hash::{BuildHasher, RandomState};

/// A camera that calls each nonce stale would ask for ever.
const MAX_RENEWALS: u32 = 3;

/// Why a camera that demands a login gets none, or no other.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Refusal {
    /// There is nothing to answer with.
    #[error("the camera demands a login, and the settings have none")]
    NoCredentials,
    /// User or password is wrong, or the account is locked.
    #[error("the camera refuses the login (RTSP status 401): wrong user or password, or the account is locked")]
    Wrong,
    /// It knows neither digest with MD5, SHA-256 or SHA-512-256, nor basic.
    #[error("the camera demands a kind of login that ocelli does not know: {0}")]
    UnknownScheme(String),
    /// Basic sends the password as it is, and the settings forbid that.
    #[error("the camera demands a basic login, which sends the password unencrypted; the settings forbid it")]
    BasicForbidden,
}

/// What to do about a 401.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Next {
    /// Send the request again: [`Login::answer`] has one for it.
    Again,
    /// Take it for the camera's last word.
    GiveUp(Refusal),
}

/// What the settings say.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: String,
}

/// The login of one connection.
pub(super) struct Login {
    credentials: Option<Credentials>,
    /// Basic sends the password readable: allowed in TLS, and where the settings do not forbid it.
    allows_basic: bool,
    challenge: Option<Challenge>,
    /// How often the present nonce was answered.
    uses: u32,
    /// Nonces that ran out without a success between them.
    renewals: u32,
    /// An answer was accepted.
    is_proven: bool,
    has_given_up: bool,
}

/// The challenge that is answered.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Challenge {
    Basic,
    Digest(Box<DigestChallenge>),
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct DigestChallenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// As the camera names it; it is repeated if it was named.
    algorithm_name: Option<String>,
    /// It offers `qop=auth`; without qop the older form is meant.
    is_qop: bool,
    is_stale: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Algorithm {
    Md5,
    Sha256,
    Sha512_256,
}

impl Login {
    pub(super) fn new(credentials: Option<Credentials>, allows_basic: bool) -> Self {
        Self { credentials, allows_basic, challenge: None, uses: 0, renewals: 0, is_proven: false, has_given_up: false }
    }

    /// The `Authorization` header of a request; `None` until the camera asks for one, and after it was refused.
    pub(super) fn answer(&mut self, method: &str, uri: &str) -> Option<String> {
        self.answer_with(method, uri, &format!("{:016x}", RandomState::new().hash_one(self.uses)))
    }

    fn answer_with(&mut self, method: &str, uri: &str, client_nonce: &str) -> Option<String> {
        let credentials = self.credentials.as_ref().filter(|_| !self.has_given_up)?;
        match self.challenge.as_ref()? {
            Challenge::Basic => {
                Some(format!("Basic {}", STANDARD.encode(format!("{}:{}", credentials.user, credentials.password))))
            }
            Challenge::Digest(challenge) => {
                self.uses += 1;
                Some(challenge.answer(credentials, method, uri, self.uses, client_nonce))
            }
        }
    }

    /// A request with an answer was accepted.
    pub(super) fn accepted(&mut self) {
        self.renewals = 0;
        self.is_proven = self.challenge.is_some();
    }

    /// A request got 401 with these `WWW-Authenticate` headers; `was_answered` says whether it had an answer to an
    /// earlier one.
    pub(super) fn refused(&mut self, headers: &[String], was_answered: bool) -> Next {
        match self.judge(headers, was_answered) {
            Ok(()) => Next::Again,
            Err(refusal) => {
                self.has_given_up = true;
                Next::GiveUp(refusal)
            }
        }
    }

    fn judge(&mut self, headers: &[String], was_answered: bool) -> Result<(), Refusal> {
        if self.has_given_up || self.credentials.is_none() {
            return Err(if self.has_given_up { Refusal::Wrong } else { Refusal::NoCredentials });
        }
        let challenge = choose(headers, self.allows_basic)?;
        if was_answered {
            // A nonce that has run out, by the camera's word or, if the login was right before, by its being another.
            let is_renewal = match (&challenge, &self.challenge) {
                (Challenge::Digest(new), Some(Challenge::Digest(old))) => {
                    new.nonce != old.nonce && (new.is_stale || self.is_proven)
                }
                _ => false,
            };
            if !is_renewal || self.renewals >= MAX_RENEWALS {
                return Err(Refusal::Wrong);
            }
            self.renewals += 1;
            // Only once: if it is refused now, the password was changed.
            self.is_proven = false;
        }
        (self.challenge, self.uses) = (Some(challenge), 0);
        Ok(())
    }
}

/// The challenge to answer: the first digest that is known, as RFC 7616 orders them; else basic.
fn choose(headers: &[String], allows_basic: bool) -> Result<Challenge, Refusal> {
    let mut schemes = Vec::new();
    let mut is_basic = false;
    for header in headers {
        let Ok(challenges) = parse_challenges(header) else {
            schemes.push(printable(header));
            continue;
        };
        for challenge in challenges {
            is_basic |= challenge.scheme.eq_ignore_ascii_case("basic");
            if let Some(digest) = DigestChallenge::read(&challenge) {
                return Ok(Challenge::Digest(Box::new(digest)));
            }
            schemes.push(printable(challenge.scheme));
        }
    }
    match (is_basic, allows_basic) {
        (true, true) => Ok(Challenge::Basic),
        (true, false) => Err(Refusal::BasicForbidden),
        _ if schemes.is_empty() => Err(Refusal::UnknownScheme("it does not say which".into())),
        _ => Err(Refusal::UnknownScheme(schemes.join(", "))),
    }
}

impl DigestChallenge {
    /// Reads a digest; `None` if it is another scheme, or one that cannot be answered.
    fn read(challenge: &ChallengeRef<'_>) -> Option<Self> {
        if !challenge.scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let field = |name: &str| {
            let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_unescaped())
        };
        let algorithm_name = field("algorithm");
        let algorithm = match algorithm_name.as_deref().map(str::to_ascii_uppercase).as_deref() {
            None | Some("MD5" | "") => Algorithm::Md5,
            Some("SHA-256") => Algorithm::Sha256,
            Some("SHA-512-256") => Algorithm::Sha512_256,
            Some(_) => return None,
        };
        let qop = field("qop").filter(|qop| !qop.is_empty());
        let is_qop = qop.as_deref().is_some_and(|qop| qop.split(',').any(|one| one.trim() == "auth"));
        if qop.is_some() && !is_qop {
            return None;
        }
        let is_stale = field("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true"));
        let (realm, nonce, opaque) = (field("realm")?, field("nonce")?, field("opaque"));
        Some(Self { realm, nonce, opaque, algorithm, algorithm_name, is_qop, is_stale })
    }

    fn answer(&self, credentials: &Credentials, method: &str, uri: &str, uses: u32, client_nonce: &str) -> String {
        let Self { realm, nonce, .. } = self;
        let Credentials { user, password } = credentials;
        let secret = self.algorithm.hash(&format!("{user}:{realm}:{password}"));
        let request = self.algorithm.hash(&format!("{method}:{uri}"));
        let (qop, text) = if self.is_qop {
            let fields = format!(", qop=auth, nc={uses:08x}, cnonce=\"{client_nonce}\"");
            (fields, format!("{secret}:{nonce}:{uses:08x}:{client_nonce}:auth:{request}"))
        } else {
            (String::new(), format!("{secret}:{nonce}:{request}"))
        };
        let response = self.algorithm.hash(&text);
        let (user, realm, nonce) = (escaped(user), escaped(realm), escaped(nonce));
        let mut answer = format!("Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\"");
        if let Some(name) = &self.algorithm_name {
            answer += &format!(", algorithm={name}");
        }
        answer += &format!("{qop}, response=\"{response}\"");
        if let Some(opaque) = &self.opaque {
            answer += &format!(", opaque=\"{}\"", escaped(opaque));
        }
        answer
    }
}

impl Algorithm {
    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hexadecimal(&Md5::digest(text)),
            Self::Sha256 => hexadecimal(&Sha256::digest(text)),
            Self::Sha512_256 => hexadecimal(&Sha512_256::digest(text)),
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// A camera's word for the log: short and without control characters.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests;
