//! The camera's side of a login: challenges, and whether an answer is right (RFC 2617, RFC 7616).
//!
//! Written from the RFCs and without the library that the appliance uses, so that the two check each other.

use super::quirk::Quirk::{self, *};
use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};
use std::collections::BTreeMap;

pub const USER: &str = "admin";
/// With everything that a URL would have to escape.
pub const PASSWORD: &str = "p@ss/w#rd:%1?";
const REALM: &str = "IP Cam";

/// What one connection has been asked and told.
#[derive(Debug)]
pub struct Login {
    quirk: Quirk,
    nonce: String,
    uses: u32,
    made: u32,
}

/// What the camera says to a request.
#[derive(Debug, Eq, PartialEq)]
pub enum Verdict {
    Welcome,
    /// 401 with these header lines.
    Refused(String),
    Forbidden,
}

impl Login {
    pub fn new(quirk: Quirk, connection: u32) -> Self {
        Self { quirk, nonce: format!("{connection:08x}"), uses: 0, made: connection }
    }

    /// Judges a request by its Authorization header.
    pub fn judge(&mut self, method: &str, authorization: Option<&str>) -> Verdict {
        match self.quirk {
            NoChallenge => return Verdict::Refused(String::new()),
            UnknownScheme => return Verdict::Refused("WWW-Authenticate: Hawk ts=\"1\"\r\n".into()),
            _ => {}
        }
        let Some(authorization) = authorization else { return Verdict::Refused(self.challenges(false)) };
        if let Some(basic) = authorization.strip_prefix("Basic ") {
            let is_offered = matches!(self.quirk, BasicOnly | BasicAndDigest);
            let is_right = basic.trim() == base64(format!("{USER}:{PASSWORD}").as_bytes());
            return if is_offered && is_right { Verdict::Welcome } else { Verdict::Refused(self.challenges(false)) };
        }
        let fields = fields(authorization);
        if fields.get("nonce") != Some(&self.nonce) {
            return Verdict::Refused(self.challenges(true));
        }
        if !self.is_right(method, &fields) {
            return Verdict::Refused(self.challenges(false));
        }
        if self.quirk == Forbidden {
            return Verdict::Forbidden;
        }
        self.uses += 1;
        let uses = match self.quirk {
            DigestStale => 3,
            DigestNonceOnce => 1,
            _ => u32::MAX,
        };
        if self.uses >= uses {
            self.made += 0x1000;
            (self.nonce, self.uses) = (format!("{:08x}", self.made), 0);
        }
        Verdict::Welcome
    }

    fn challenges(&self, stale: bool) -> String {
        let stale = if stale { ", stale=true" } else { "" };
        let digest = |more: &str| {
            format!("WWW-Authenticate: Digest realm=\"{REALM}\", nonce=\"{}\"{more}{stale}\r\n", self.nonce)
        };
        let basic = format!("WWW-Authenticate: Basic realm=\"{REALM}\"\r\n");
        match self.quirk {
            BasicOnly => basic,
            BasicAndDigest => basic + &digest(""),
            DigestMd5Quoted => digest(", algorithm=\"MD5\""),
            DigestOpaque => digest(", opaque=\"5ccc\", algorithm=MD5"),
            DigestSha256 => digest(", algorithm=SHA-256"),
            DigestSha512 => digest(", algorithm=SHA-512-256"),
            DigestSha256First => digest(", algorithm=\"SHA-256\"") + &digest(", algorithm=\"MD5\""),
            DigestMd5First => digest(", algorithm=MD5") + &digest(", algorithm=SHA-256"),
            DigestQop => digest(", qop=\"auth\""),
            DigestSha256Qop => digest(", algorithm=SHA-256, qop=\"auth,auth-int\""),
            _ => digest(""),
        }
    }

    fn is_right(&self, method: &str, fields: &BTreeMap<String, String>) -> bool {
        let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        let algorithm = match self.quirk {
            DigestSha256 | DigestSha256Qop => "SHA-256",
            DigestSha512 => "SHA-512-256",
            // Offered both: whichever the client names.
            DigestSha256First | DigestMd5First => field("algorithm"),
            _ => "MD5",
        };
        let is_named = field("algorithm") == algorithm || (algorithm == "MD5" && field("algorithm").is_empty());
        if !is_named && algorithm != field("algorithm") {
            return false;
        }
        let is_qop = matches!(self.quirk, DigestQop | DigestSha256Qop);
        if is_qop != (field("qop") == "auth") || (self.quirk == DigestOpaque && field("opaque") != "5ccc") {
            return false;
        }
        let secret = hash(algorithm, &format!("{USER}:{REALM}:{PASSWORD}"));
        let request = hash(algorithm, &format!("{method}:{}", field("uri")));
        let nonce = &self.nonce;
        let expected = if is_qop {
            let (count, client) = (field("nc"), field("cnonce"));
            hash(algorithm, &format!("{secret}:{nonce}:{count}:{client}:auth:{request}"))
        } else {
            hash(algorithm, &format!("{secret}:{nonce}:{request}"))
        };
        field("username") == USER && field("response") == expected
    }
}

fn hash(algorithm: &str, text: &str) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    match algorithm {
        "SHA-256" => hex(&Sha256::digest(text)),
        "SHA-512-256" => hex(&Sha512_256::digest(text)),
        _ => hex(&Md5::digest(text)),
    }
}

/// `name="value"` and `name=value`, separated by commas.
fn fields(authorization: &str) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let mut rest = authorization.strip_prefix("Digest ").unwrap_or_default();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        fields.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        rest = next.trim_start_matches([',', ' ']);
    }
    fields
}

pub fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
