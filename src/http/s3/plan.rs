//! What the head of a `PutObject` says of the object: its length, its checksums, its framing. What the box cannot keep, it
//! refuses by name: an object without the metadata that its client relies on is worse than an error.

use crate::http::auth::payload::Payload;
use crate::http::auth::sigv4::single;
use crate::http::s3::checksum::{Algorithm, OF_HEADERS};
use crate::http::s3::conditions::Conditions;
use crate::http::s3::error::{Code, S3Error};
use axum::http::HeaderMap;

/// Headers that say how a request is sent, or nothing that must be kept.
const KNOWN: [&str; 11] = [
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-expected-bucket-owner",
    "x-amz-request-payer",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
    "x-amz-te",
    "x-amz-trailer",
    "x-amz-user-agent",
    "x-amz-checksum-type",
];

/// Headers of HTTP that S3 keeps with an object.
const NOT_KEPT: [&str; 4] = ["cache-control", "content-disposition", "content-language", "expires"];

/// Headers that ask for what every object of a box has anyway.
const HARMLESS: [(&str, &[&str]); 2] =
    [("x-amz-acl", &["private", "bucket-owner-full-control"]), ("x-amz-storage-class", &["STANDARD"])];

/// An object that is to come.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its length in bytes.
    pub bytes: u64,
    /// How its body is vouched for.
    pub(super) payload: Payload,
    /// Checksums in the head.
    pub(super) checksums: Vec<(Algorithm, Vec<u8>)>,
    /// The checksum that comes behind the body.
    pub(super) trailer: Option<Algorithm>,
    /// What must be there, or not.
    pub(super) conditions: Conditions,
}

impl Plan {
    /// Reads the head of a request.
    ///
    /// # Errors
    /// [`S3Error`], naming the header.
    pub fn of(headers: &HeaderMap, payload: Payload) -> Result<Self, S3Error> {
        refuse_what_is_not_kept(headers)?;
        let mut checksums = Vec::new();
        for algorithm in OF_HEADERS.into_iter().chain([Algorithm::Md5]) {
            if let Some(value) = single(headers, algorithm.header())? {
                checksums.push((algorithm, algorithm.read(value)?));
            }
        }
        if checksums.iter().filter(|(algorithm, _)| *algorithm != Algorithm::Md5).count() > 1 {
            let what = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
            return Err(S3Error::new(Code::InvalidRequest, what));
        }
        let trailer = single(headers, "x-amz-trailer")?.map(|name| {
            let name = name.to_ascii_lowercase();
            let what = "The value specified in the x-amz-trailer header is not supported";
            Algorithm::of_header(&name).ok_or_else(|| S3Error::new(Code::InvalidRequest, what))
        });
        let trailer = trailer.transpose()?;
        let has_trailer = matches!(payload, Payload::SignedChunks { has_trailer: true } | Payload::UnsignedChunks);
        if trailer.is_some() != has_trailer {
            let what = "x-amz-trailer and x-amz-content-sha256 do not agree on whether headers follow the body";
            return Err(S3Error::new(Code::InvalidRequest, what));
        }
        let length = if payload.is_chunked() { "x-amz-decoded-content-length" } else { "content-length" };
        let bytes = single(headers, length)?.and_then(|bytes| bytes.parse().ok());
        let missing =
            || S3Error::new(Code::MissingContentLength, format!("You must provide the {length} HTTP header."));
        let (bytes, conditions) = (bytes.ok_or_else(missing)?, Conditions::of(headers)?);
        Ok(Self { bytes, payload, checksums, trailer, conditions })
    }
}

fn refuse_what_is_not_kept(headers: &HeaderMap) -> Result<(), S3Error> {
    for (name, value) in headers {
        let (name, value) = (name.as_str(), value.to_str().unwrap_or_default());
        let is_harmless = HARMLESS.iter().any(|(known, values)| *known == name && values.contains(&value));
        let is_known = KNOWN.contains(&name) || Algorithm::of_header(name).is_some();
        if name.starts_with("x-amz-") && !is_known && !is_harmless {
            return Err(S3Error::not_implemented(&format!("PutObject with the header {name}: it keeps no metadata")));
        }
    }
    if let Some(name) = NOT_KEPT.iter().find(|name| headers.contains_key(**name)) {
        return Err(S3Error::not_implemented(&format!("PutObject with the header {name}: it keeps no metadata")));
    }
    let encodings = single(headers, "content-encoding")?.unwrap_or_default();
    match encodings.split(',').map(str::trim).find(|encoding| !["", "aws-chunked", "identity"].contains(encoding)) {
        Some(_) => Err(S3Error::not_implemented("PutObject with a Content-Encoding: it keeps no metadata")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn plan(payload: &str, headers: &[(&'static str, &str)]) -> Result<Plan, Code> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Plan::of(&headers.collect(), Payload::of(payload).unwrap()).map_err(|error| error.code)
    }

    #[test]
    fn heads_of_sdks_are_understood() {
        let crc = ("x-amz-checksum-crc32", "NhCmhg==");
        let plain =
            plan(HASH, &[("content-length", "5"), crc, ("content-type", "image/jpeg"), ("x-amz-acl", "private")]);
        assert_eq!(plain.unwrap().checksums, [(Algorithm::Crc32, vec![0x36, 0x10, 0xa6, 0x86])]);
        let chunked = plan(
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            &[
                ("x-amz-decoded-content-length", "5"),
                ("x-amz-trailer", "x-amz-checksum-crc64nvme"),
                ("content-encoding", "aws-chunked"),
                ("x-amz-sdk-checksum-algorithm", "CRC64NVME"),
            ],
        );
        let chunked = chunked.unwrap();
        assert_eq!((chunked.bytes, chunked.trailer), (5, Some(Algorithm::Crc64Nvme)));
    }

    #[test]
    fn contradictions_and_what_is_not_kept_are_refused() {
        let (length, trailer) = (("content-length", "5"), ("x-amz-trailer", "x-amz-checksum-crc32"));
        let crc = ("x-amz-checksum-crc32", "NhCmhg==");
        for (payload, headers, code) in [
            (HASH, vec![], Code::MissingContentLength),
            (HASH, vec![("content-length", "-5")], Code::MissingContentLength),
            (HASH, vec![length, crc, ("x-amz-checksum-crc32c", "NhCmhg==")], Code::InvalidRequest),
            (HASH, vec![length, ("x-amz-checksum-crc32", "short")], Code::InvalidRequest),
            (HASH, vec![length, ("content-md5", "short")], Code::InvalidDigest),
            (HASH, vec![length, trailer], Code::InvalidRequest),
            ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", vec![("x-amz-decoded-content-length", "5")], Code::InvalidRequest),
            ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", vec![length, trailer], Code::MissingContentLength),
            (HASH, vec![length, ("x-amz-meta-owner", "anna")], Code::NotImplemented),
            (HASH, vec![length, ("x-amz-acl", "public-read")], Code::NotImplemented),
            (HASH, vec![length, ("x-amz-server-side-encryption", "AES256")], Code::NotImplemented),
            (HASH, vec![length, ("content-encoding", "gzip")], Code::NotImplemented),
            (HASH, vec![length, ("if-unmodified-since", "x")], Code::NotImplemented),
        ] {
            assert_eq!(plan(payload, &headers), Err(code), "{headers:?}");
        }
    }
}
