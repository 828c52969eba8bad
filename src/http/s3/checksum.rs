//! Checksums that clients send with an object.

use crate::http::s3::error::{Code, S3Error};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc::{CRC_32_ISCSI, CRC_64_NVME, Crc, Digest, Table};
use sha2::Digest as _;

static CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
static CRC64NVME: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_NVME);

/// How a checksum is computed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Algorithm {
    /// `crc32`, which SDKs choose by themselves.
    Crc32,
    /// `crc32c`.
    Crc32c,
    /// `crc64nvme`.
    Crc64Nvme,
    /// `sha1`.
    Sha1,
    /// `sha256`.
    Sha256,
    /// `Content-MD5`, which older SDKs send.
    Md5,
}

/// Those of headers that begin with `x-amz-checksum-`.
pub(super) const OF_HEADERS: [Algorithm; 5] =
    [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme, Algorithm::Sha1, Algorithm::Sha256];

impl Algorithm {
    /// The header, in lower case.
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
            Self::Md5 => "content-md5",
        }
    }

    /// The algorithm of a header in lower case.
    pub(super) fn of_header(name: &str) -> Option<Self> {
        OF_HEADERS.into_iter().find(|algorithm| algorithm.header() == name)
    }

    fn bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Md5 => 16,
        }
    }

    /// The checksum that a header gives in base64.
    ///
    /// # Errors
    /// [`Code::InvalidDigest`] and, for all but `Content-MD5`, [`Code::InvalidRequest`].
    pub(super) fn read(self, value: &str) -> Result<Vec<u8>, S3Error> {
        let (code, header) = match self {
            Self::Md5 => (Code::InvalidDigest, "Content-MD5"),
            _ => (Code::InvalidRequest, self.header()),
        };
        let decoded = STANDARD.decode(value).ok().filter(|decoded| decoded.len() == self.bytes());
        decoded.ok_or_else(|| S3Error::new(code, format!("Value for {header} header is invalid.")))
    }
}

/// A checksum of what has been received so far.
pub(super) enum Running {
    /// See [`Algorithm`] for all of them.
    Crc32(crc32fast::Hasher),
    /// See [`Algorithm`].
    Crc32c(Digest<'static, u32, Table<16>>),
    /// See [`Algorithm`].
    Crc64Nvme(Digest<'static, u64, Table<16>>),
    /// See [`Algorithm`].
    Sha1(sha1::Sha1),
    /// See [`Algorithm`].
    Sha256(sha2::Sha256),
    /// See [`Algorithm`].
    Md5(md5::Md5),
}

impl std::fmt::Debug for Running {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Running")
    }
}

impl Running {
    /// Nothing has been received.
    pub(super) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc32(crc32fast::Hasher::new()),
            Algorithm::Crc32c => Self::Crc32c(CRC32C.digest()),
            Algorithm::Crc64Nvme => Self::Crc64Nvme(CRC64NVME.digest()),
            Algorithm::Sha1 => Self::Sha1(sha1::Sha1::default()),
            Algorithm::Sha256 => Self::Sha256(sha2::Sha256::default()),
            Algorithm::Md5 => Self::Md5(md5::Md5::default()),
        }
    }

    /// These bytes have been received.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(hasher) => hasher.update(bytes),
            Self::Crc32c(digest) => digest.update(bytes),
            Self::Crc64Nvme(digest) => digest.update(bytes),
            Self::Sha1(hash) => hash.update(bytes),
            Self::Sha256(hash) => hash.update(bytes),
            Self::Md5(hash) => hash.update(bytes),
        }
    }

    /// The checksum of all of it.
    pub(super) fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc32(hasher) => hasher.finalize().to_be_bytes().to_vec(),
            Self::Crc32c(digest) => digest.finalize().to_be_bytes().to_vec(),
            Self::Crc64Nvme(digest) => digest.finalize().to_be_bytes().to_vec(),
            Self::Sha1(hash) => hash.finalize().to_vec(),
            Self::Sha256(hash) => hash.finalize().to_vec(),
            Self::Md5(hash) => hash.finalize().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the algorithms: of `123456789`, as the catalogue of CRCs and the RFCs of the hashes give them.
    #[test]
    fn each_algorithm_gives_its_published_check_value() {
        for (algorithm, expected) in [
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (Algorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
            (Algorithm::Md5, "25f9e794323b453885f5181f1b624d0b"),
        ] {
            let mut running = Running::new(algorithm);
            running.update(b"1234");
            running.update(b"56789");
            let checksum = running.finish();
            assert_eq!(crate::model::manifest::hexadecimal(&checksum), expected, "{algorithm:?}");
            assert_eq!(algorithm.read(&STANDARD.encode(&checksum)).unwrap(), checksum);
            assert!(algorithm.read(&STANDARD.encode(&checksum[1..])).is_err() && algorithm.read("!").is_err());
        }
    }
}
