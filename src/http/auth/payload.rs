//! What `x-amz-content-sha256` says of the body of a request to S3.

use crate::http::auth::sigv4::is_lower_hex;

/// How a body is vouched for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Payload {
    /// By its SHA-256, in hex, which the request signs.
    Hash(String),
    /// By nothing.
    Unsigned,
    /// In chunks, each with a signature of its own.
    SignedChunks {
        /// The last chunk is followed by headers, which are signed too.
        has_trailer: bool,
    },
    /// In chunks without signatures, followed by headers.
    UnsignedChunks,
}

impl Payload {
    /// `None` for a value that is none of S3's, or of a form of signing that the box does not have.
    pub fn of(value: &str) -> Option<Self> {
        match value {
            "UNSIGNED-PAYLOAD" => Some(Self::Unsigned),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Some(Self::SignedChunks { has_trailer: false }),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Some(Self::SignedChunks { has_trailer: true }),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Some(Self::UnsignedChunks),
            hash if is_lower_hex(hash, 64) => Some(Self::Hash(hash.to_owned())),
            _ => None,
        }
    }

    /// True if the request signs the body, so that nobody on the way can change it.
    pub fn is_signed(&self) -> bool {
        matches!(self, Self::Hash(_) | Self::SignedChunks { .. })
    }

    /// True if the body comes as `aws-chunked`.
    pub fn is_chunked(&self) -> bool {
        matches!(self, Self::SignedChunks { .. } | Self::UnsignedChunks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sdks_send_is_known_and_nothing_else() {
        let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for (value, is_signed, is_chunked) in [
            (hash, true, false),
            ("UNSIGNED-PAYLOAD", false, false),
            ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", true, true),
            ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", true, true),
            ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", false, true),
        ] {
            let payload = Payload::of(value).unwrap();
            assert_eq!((payload.is_signed(), payload.is_chunked()), (is_signed, is_chunked), "{value}");
        }
        for value in
            ["", "unsigned-payload", &hash[1..], &hash.to_uppercase(), "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"]
        {
            assert_eq!(Payload::of(value), None, "{value}");
        }
    }
}
