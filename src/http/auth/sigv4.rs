//! AWS Signature Version 4 as a server checks it.
//!
//! Format: "Signature Version 4 signing process" of the AWS General Reference. Only a signature in the
//! `Authorization` header over the whole body is accepted: presigned URLs, streaming and unsigned payloads
//! are where other servers have let requests through that nobody signed.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use subtle::ConstantTimeEq;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "rekognition";
/// What a signature must cover, or a request could be changed into another.
const MUST_BE_SIGNED: [&str; 3] = ["host", "x-amz-date", "x-amz-target"];
/// The longest header value that is looked at.
const MAX_HEADER_BYTES: usize = 4096;

/// Why a request counts as unsigned. The messages say nothing that helps whoever guesses.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignatureError {
    /// There is no signature.
    #[error("Request is missing Authentication Token")]
    Missing,
    /// It is not in the form of the standard.
    #[error("{0}")]
    Incomplete(&'static str),
    /// A form of signing that is not accepted.
    #[error("{0}")]
    NotAccepted(&'static str),
    /// Nobody has this access key.
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    /// It does not fit the request.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."
    )]
    Mismatch,
    /// It was seen long ago, by a box that cannot tell the time.
    #[error("Signature expired: it was first seen too long ago")]
    Replayed,
    /// The box cannot tell whether it is of this time.
    #[error("Signature cannot be judged: this box does not know the time")]
    NoClock,
    /// It was made at another time.
    #[error("Signature expired or not yet valid: the request says {signed}, this box has {here}")]
    Skewed {
        /// By the request.
        signed: String,
        /// By the box.
        here: String,
    },
}

/// The signature of a request, taken apart. Nothing of it is trusted yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Presented {
    /// Whose signature it claims to be.
    pub access_key_id: String,
    /// `20261124`.
    day: String,
    /// As the client has it configured.
    pub region: String,
    /// In the order of the request.
    signed_headers: Vec<String>,
    signature: String,
    /// `20261124T002820Z`.
    time: String,
}

impl Presented {
    /// Takes the signature apart, before a byte of the body is read.
    ///
    /// # Errors
    /// [`SignatureError`] for everything that is wrong without knowing the key.
    pub fn of(parts: &Parts) -> Result<Self, SignatureError> {
        let query = parts.uri.query().unwrap_or_default();
        let is_presigned = query.split('&').any(|pair| pair.to_ascii_lowercase().starts_with("x-amz-signature"));
        if is_presigned {
            return Err(SignatureError::NotAccepted("presigned requests are not accepted: sign with a header"));
        }
        let authorization = single(&parts.headers, "authorization")?.ok_or(SignatureError::Missing)?;
        let presented = Self::parse(authorization, single(&parts.headers, "x-amz-date")?)?;
        for header in MUST_BE_SIGNED {
            if !presented.signed_headers.iter().any(|signed| signed == header) {
                return Err(SignatureError::Incomplete("host, x-amz-date and x-amz-target must be signed"));
            }
        }
        // A header that is signed is there, once: of two values one would be signed and the other used.
        for header in &presented.signed_headers {
            single(&parts.headers, header)?.ok_or(SignatureError::Incomplete("a signed header is not there"))?;
        }
        for header in ["content-type", "x-amz-security-token", "x-amz-content-sha256"] {
            single(&parts.headers, header)?;
        }
        if let Some(hash) = single(&parts.headers, "x-amz-content-sha256")?
            && !is_lower_hex(hash, 64)
        {
            return Err(SignatureError::NotAccepted("unsigned and streaming payloads are not accepted"));
        }
        Ok(presented)
    }

    /// Takes `Authorization` and `X-Amz-Date` apart.
    ///
    /// # Errors
    /// [`SignatureError::Incomplete`] and [`SignatureError::Missing`].
    pub fn parse(authorization: &str, time: Option<&str>) -> Result<Self, SignatureError> {
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
                _ => return Err(incomplete("the Authorization header has a field of another kind")),
            };
            if place.replace(value).is_some() {
                return Err(incomplete("a field of the Authorization header is there twice"));
            }
        }
        let credential = credential.ok_or(incomplete("Credential is missing"))?;
        let [access_key_id, day, region, service, terminator] = credential.split('/').collect::<Vec<_>>()[..] else {
            return Err(incomplete("Credential must be key/day/region/service/aws4_request"));
        };
        if service != SERVICE || terminator != "aws4_request" {
            return Err(incomplete("the credential's scope is another service's"));
        }
        let is_name = |text: &str| {
            (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if !is_name(access_key_id) || !is_name(region) {
            return Err(incomplete("Credential has an access key or region that cannot be"));
        }
        let signed_headers: Vec<String> =
            signed_headers.ok_or(incomplete("SignedHeaders is missing"))?.split(';').map(str::to_owned).collect();
        let is_sorted = signed_headers.is_sorted_by(|a, b| a < b);
        let is_header = |name: &String| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if signed_headers.len() > 64 || !is_sorted || !signed_headers.iter().all(is_header) {
            return Err(incomplete("SignedHeaders must be lower case, sorted and each there once"));
        }
        let signature = signature.filter(|hex| is_lower_hex(hex, 64)).ok_or(incomplete("Signature is no SHA-256"))?;
        let time = time.ok_or(incomplete("X-Amz-Date is missing"))?;
        let is_time = time.len() == 16
            && time.bytes().enumerate().all(|(at, byte)| match at {
                8 => byte == b'T',
                15 => byte == b'Z',
                _ => byte.is_ascii_digit(),
            });
        if !is_time || !time.starts_with(day) || day.len() != 8 {
            return Err(incomplete("X-Amz-Date must be of the day in the credential's scope"));
        }
        Ok(Self {
            access_key_id: access_key_id.to_owned(),
            day: day.to_owned(),
            region: region.to_owned(),
            signed_headers,
            signature: signature.to_owned(),
            time: time.to_owned(),
        })
    }

    /// When it was made, by the client's clock: `20261124T002820Z`.
    pub fn time(&self) -> &str {
        &self.time
    }

    /// The signature itself.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// Compares the signature with the one that `secret` makes of the request and the hash of the body as received.
    ///
    /// # Errors
    /// [`SignatureError::Mismatch`], whichever part does not fit.
    pub fn verify(&self, parts: &Parts, body: &[u8], secret: &str) -> Result<(), SignatureError> {
        let body_hash = hex(&Sha256::digest(body));
        let is_whole = match single(&parts.headers, "x-amz-content-sha256")? {
            Some(claimed) => bool::from(claimed.as_bytes().ct_eq(body_hash.as_bytes())),
            None => true,
        };
        let canonical = self.canonical_request(parts, &body_hash)?;
        let scope = format!("{}/{}/{SERVICE}/aws4_request", self.day, self.region);
        let to_sign = format!("{ALGORITHM}\n{}\n{scope}\n{}", self.time, hex(&Sha256::digest(canonical)));
        let key = [self.day.as_str(), &self.region, SERVICE, "aws4_request"]
            .into_iter()
            .fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part.as_bytes()));
        let expected = hex(&hmac(&key, to_sign.as_bytes()));
        let fits = bool::from(expected.as_bytes().ct_eq(self.signature.as_bytes()));
        if is_whole && fits { Ok(()) } else { Err(SignatureError::Mismatch) }
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

/// Pairs sorted by name and value; the encoding is left as the client made it.
fn canonical_query(uri: &axum::http::Uri) -> String {
    let mut pairs: Vec<String> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
        .collect();
    pairs.sort();
    pairs.join("&")
}

/// The value of a header that may be there once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, SignatureError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(SignatureError::Incomplete("a header that counts is there twice"));
    }
    let text = value.to_str().ok().filter(|text| text.len() <= MAX_HEADER_BYTES);
    text.map(Some).ok_or(SignatureError::Incomplete("a header that counts is no plain text, or too long"))
}

fn is_lower_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap_or(());
        text
    })
}

#[cfg(test)]
mod tests;
