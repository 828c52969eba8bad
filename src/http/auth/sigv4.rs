//! AWS Signature Version 4, checked by the server.
//!
//! Format: "Signature Version 4 signing process" of the AWS General Reference. Only a signature in the
//! `Authorization` header is accepted, and for Rekognition only over the whole body. Presigned URLs, streaming and unsigned
//! payloads are the features with which other servers have let unsigned requests through: S3 has the last two by
//! [`payload`](crate::http::auth::payload) alone.

use crate::http::auth::chunk_signer::{ChunkSigner, hmac};
use crate::model::manifest::hexadecimal;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use subtle::ConstantTimeEq;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The longest accepted value of a header that is signed or checked.
const MAX_HEADER_BYTES: usize = 4096;

/// What a signature is for, as its scope says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Service {
    /// The calls of Rekognition.
    Rekognition,
    /// The objects of buckets.
    S3,
}

impl Service {
    /// The name in the scope.
    fn name(self) -> &'static str {
        match self {
            Self::Rekognition => "rekognition",
            Self::S3 => "s3",
        }
    }

    /// Headers that a signature must cover. Without them, a signed request could be turned into another one.
    fn required_headers(self) -> [&'static str; 3] {
        match self {
            Self::Rekognition => ["host", "x-amz-date", "x-amz-target"],
            Self::S3 => ["host", "x-amz-date", "x-amz-content-sha256"],
        }
    }
}

/// Why a request is treated as unsigned. The messages do not help an attacker who guesses.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignatureError {
    /// The request has no signature.
    #[error("Request is missing Authentication Token")]
    Missing,
    /// The signature is malformed; the message says how.
    #[error("{0}")]
    Incomplete(&'static str),
    /// Headers whose meaning others could add to a signed request.
    #[error("There were headers present in the request which were not signed")]
    NotSigned,
    /// A form of signing that this server refuses.
    #[error("{0}")]
    NotAccepted(&'static str),
    /// No access key has this id.
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    /// The signature does not match the request.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."
    )]
    Mismatch,
    /// It was first received too long ago, by a box without a synchronised clock.
    #[error("Signature expired: it was first received too long ago")]
    Replayed,
    /// The box has no synchronised clock to judge its age by.
    #[error("Signature cannot be checked: the clock of this box is not synchronised")]
    NoClock,
    /// Its time differs too much from the box's clock.
    #[error("Signature expired or not yet valid: the request says {signed}, this box has {here}")]
    Skewed {
        /// The time in the request.
        signed: String,
        /// The time of the box.
        here: String,
    },
}

/// The parsed signature of a request. Nothing in it is verified yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Presented {
    service: Service,
    /// The key that it claims to be made with.
    pub access_key_id: String,
    /// `20261124`.
    day: String,
    /// The region that the client has configured.
    pub region: String,
    /// Names in the order of the request.
    signed_headers: Vec<String>,
    signature: String,
    /// `20261124T002820Z`.
    time: String,
}

impl Presented {
    /// Parses the signature for a service. The body is not needed yet.
    ///
    /// # Errors
    /// [`SignatureError`] for everything that can be checked without the key.
    pub fn of(parts: &Parts, service: Service) -> Result<Self, SignatureError> {
        let query = parts.uri.query().unwrap_or_default();
        let is_presigned = query.split('&').any(|pair| pair.to_ascii_lowercase().starts_with("x-amz-signature"));
        if is_presigned {
            return Err(SignatureError::NotAccepted(
                "presigned requests are not accepted: sign with the Authorization header",
            ));
        }
        let authorization = single(&parts.headers, "authorization")?.ok_or(SignatureError::Missing)?;
        let presented = Self::parse(authorization, single(&parts.headers, "x-amz-date")?, service)?;
        if !service.required_headers().iter().all(|header| presented.signs(header)) {
            return Err(SignatureError::Incomplete(match service {
                Service::Rekognition => "host, x-amz-date and x-amz-target must be signed",
                Service::S3 => "host, x-amz-date and x-amz-content-sha256 must be signed",
            }));
        }
        let mut names = parts.headers.keys().map(|name| name.as_str());
        if service == Service::S3 && names.any(|name| name.starts_with("x-amz-") && !presented.signs(name)) {
            return Err(SignatureError::NotSigned);
        }
        // A signed header must be present exactly once. Of two values, one could be signed and the other used.
        for header in &presented.signed_headers {
            single(&parts.headers, header)?.ok_or(SignatureError::Incomplete("a signed header is missing"))?;
        }
        for header in ["content-type", "x-amz-security-token", "x-amz-content-sha256"] {
            single(&parts.headers, header)?;
        }
        if service == Service::Rekognition
            && let Some(hash) = single(&parts.headers, "x-amz-content-sha256")?
            && !is_lower_hex(hash, 64)
        {
            return Err(SignatureError::NotAccepted("unsigned and streaming payloads are not accepted"));
        }
        Ok(presented)
    }

    /// Parses `Authorization` and `X-Amz-Date`.
    ///
    /// # Errors
    /// [`SignatureError::Incomplete`] and [`SignatureError::Missing`].
    pub fn parse(authorization: &str, time: Option<&str>, for_service: Service) -> Result<Self, SignatureError> {
        let incomplete = SignatureError::Incomplete;
        let fields = authorization.strip_prefix(ALGORITHM).and_then(|rest| rest.strip_prefix(' '));
        let fields = fields.ok_or(incomplete("the Authorization header must begin with AWS4-HMAC-SHA256"))?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for field in fields.split(',') {
            let (name, value) = field.trim().split_once('=').ok_or(incomplete("a field has no value"))?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return Err(incomplete("the Authorization header has an unknown field")),
            };
            if place.replace(value).is_some() {
                return Err(incomplete("a field of the Authorization header is repeated"));
            }
        }
        let credential = credential.ok_or(incomplete("Credential is missing"))?;
        let [access_key_id, day, region, service, terminator] = credential.split('/').collect::<Vec<_>>()[..] else {
            return Err(incomplete("Credential must be key/day/region/service/aws4_request"));
        };
        if service != for_service.name() || terminator != "aws4_request" {
            return Err(incomplete(match for_service {
                Service::Rekognition => "the credential's scope must be rekognition/aws4_request",
                Service::S3 => "the credential's scope must be s3/aws4_request",
            }));
        }
        let is_name = |text: &str| {
            (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if !is_name(access_key_id) || !is_name(region) {
            return Err(incomplete("Credential has a malformed access key or region"));
        }
        let signed_headers: Vec<String> =
            signed_headers.ok_or(incomplete("SignedHeaders is missing"))?.split(';').map(str::to_owned).collect();
        let is_sorted = signed_headers.is_sorted_by(|a, b| a < b);
        let is_header = |name: &String| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if signed_headers.len() > 64 || !is_sorted || !signed_headers.iter().all(is_header) {
            return Err(incomplete("SignedHeaders must be lower case, sorted and without repetitions"));
        }
        let signature = signature
            .filter(|hex| is_lower_hex(hex, 64))
            .ok_or(incomplete("Signature must be a SHA-256 in lower-case hex"))?;
        let time = time.ok_or(incomplete("X-Amz-Date is missing"))?;
        let is_time = time.len() == 16
            && time.bytes().enumerate().all(|(at, byte)| match at {
                8 => byte == b'T',
                15 => byte == b'Z',
                _ => byte.is_ascii_digit(),
            });
        if !is_time || !time.starts_with(day) || day.len() != 8 {
            return Err(incomplete("X-Amz-Date must be on the day of the credential's scope"));
        }
        Ok(Self {
            service: for_service,
            access_key_id: access_key_id.to_owned(),
            day: day.to_owned(),
            region: region.to_owned(),
            signed_headers,
            signature: signature.to_owned(),
            time: time.to_owned(),
        })
    }

    /// When it was made by the client's clock, as `20261124T002820Z`.
    pub fn time(&self) -> &str {
        &self.time
    }

    /// The signature itself, in hex.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    fn signs(&self, header: &str) -> bool {
        self.signed_headers.iter().any(|signed| signed == header)
    }

    /// Compares the signature with the one that `secret` gives for the request and the body as received.
    ///
    /// # Errors
    /// [`SignatureError::Mismatch`], whichever part differs.
    pub fn verify(&self, parts: &Parts, body: &[u8], secret: &str) -> Result<(), SignatureError> {
        let body_hash = hexadecimal(&Sha256::digest(body));
        let has_its_hash = match single(&parts.headers, "x-amz-content-sha256")? {
            Some(claimed) => bool::from(claimed.as_bytes().ct_eq(body_hash.as_bytes())),
            None => true,
        };
        let matches = self.verify_payload(parts, &body_hash, secret).is_ok();
        if has_its_hash && matches { Ok(()) } else { Err(SignatureError::Mismatch) }
    }

    /// Compares the signature with the one that `secret` gives for the head of the request and what it says of its body:
    /// `payload` is the last line of the canonical request. Returns what signs the chunks of a body that has some.
    ///
    /// # Errors
    /// [`SignatureError::Mismatch`], whichever part differs.
    pub fn verify_payload(&self, parts: &Parts, payload: &str, secret: &str) -> Result<ChunkSigner, SignatureError> {
        let canonical = self.canonical_request(parts, payload)?;
        let service = self.service.name();
        let scope = format!("{}/{}/{service}/aws4_request", self.day, self.region);
        let to_sign = format!("{ALGORITHM}\n{}\n{scope}\n{}", self.time, hexadecimal(&Sha256::digest(canonical)));
        let key = [self.day.as_str(), &self.region, service, "aws4_request"]
            .into_iter()
            .fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part.as_bytes()));
        let expected = hexadecimal(&hmac(&key, to_sign.as_bytes()));
        match bool::from(expected.as_bytes().ct_eq(self.signature.as_bytes())) {
            true => Ok(ChunkSigner::new(key, &self.time, &scope, expected)),
            false => Err(SignatureError::Mismatch),
        }
    }

    fn canonical_request(&self, parts: &Parts, body_hash: &str) -> Result<String, SignatureError> {
        let mut text = format!("{}\n{}\n{}\n", parts.method, parts.uri.path(), canonical_query(&parts.uri));
        for name in &self.signed_headers {
            let value = single(&parts.headers, name)?.unwrap_or_default();
            let words: Vec<&str> = value.split(' ').filter(|word| !word.is_empty()).collect();
            // Writing to a string cannot fail.
            writeln!(text, "{name}:{}", words.join(" ")).unwrap_or(());
        }
        write!(text, "\n{}\n{body_hash}", self.signed_headers.join(";")).unwrap_or(());
        Ok(text)
    }
}

/// Sorts pairs by name and value. Keeps the encoding of the client.
fn canonical_query(uri: &axum::http::Uri) -> String {
    let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(&str, &str)> = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// The value of a header that must not be repeated.
pub(in crate::http) fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, SignatureError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(SignatureError::Incomplete("a header that is checked is repeated"));
    }
    let text = value.to_str().ok().filter(|text| text.len() <= MAX_HEADER_BYTES);
    text.map(Some).ok_or(SignatureError::Incomplete("a header that is checked is not plain text, or too long"))
}

pub(in crate::http) fn is_lower_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests;
