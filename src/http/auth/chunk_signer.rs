//! Signatures of the chunks of a body: each covers its chunk and the signature before it, from that of the request on.

use crate::model::manifest::hexadecimal;
use hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Checks the chunks of one body, in their order.
#[derive(Clone)]
pub struct ChunkSigner {
    key: Vec<u8>,
    /// The time and the scope of the request, a line each.
    context: String,
    previous: String,
}

impl std::fmt::Debug for ChunkSigner {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("***")
    }
}

impl ChunkSigner {
    /// `key` is that of the day, the region and the service; `seed` the signature of the request, in hex.
    pub fn new(key: Vec<u8>, time: &str, scope: &str, seed: String) -> Self {
        Self { key, context: format!("{time}\n{scope}"), previous: seed }
    }

    /// True if `signature` is that of the next chunk, of which `sha256` is the hash.
    pub fn accepts_chunk(&mut self, signature: &str, sha256: &[u8]) -> bool {
        let (kind, nothing) = ("AWS4-HMAC-SHA256-PAYLOAD", hexadecimal(&Sha256::digest(b"")));
        let (context, previous) = (&self.context, &self.previous);
        let to_sign = format!("{kind}\n{context}\n{previous}\n{nothing}\n{}", hexadecimal(sha256));
        self.accepts(signature, &to_sign)
    }

    /// True if `signature` is that of the headers behind the last chunk: `trailer` has a line for each, `name:value\n`.
    pub fn accepts_trailer(&mut self, signature: &str, trailer: &str) -> bool {
        let (context, previous) = (&self.context, &self.previous);
        let hash = hexadecimal(&Sha256::digest(trailer));
        let to_sign = format!("AWS4-HMAC-SHA256-TRAILER\n{context}\n{previous}\n{hash}");
        self.accepts(signature, &to_sign)
    }

    fn accepts(&mut self, signature: &str, to_sign: &str) -> bool {
        let expected = hexadecimal(&hmac(&self.key, to_sign.as_bytes()));
        let matches = bool::from(expected.as_bytes().ct_eq(signature.as_bytes()));
        self.previous = expected;
        matches
    }
}

pub(super) fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the documentation: "Signature calculations for the authorization header: transferring payload in
    /// multiple chunks".
    #[test]
    fn the_documented_chunks_are_accepted_and_no_others() {
        let key = ["20130524", "us-east-1", "s3", "aws4_request"]
            .into_iter()
            .fold(b"AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_vec(), |key, part| hmac(&key, part.as_bytes()));
        let scope = "20130524/us-east-1/s3/aws4_request";
        let seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
        let mut signer = ChunkSigner::new(key, "20130524T000000Z", scope, seed.into());
        let mut forged = signer.clone();
        for (chunk, signature) in [
            (vec![b'a'; 65536], "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
            (vec![b'a'; 1024], "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
            (vec![], "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
        ] {
            assert!(signer.accepts_chunk(signature, &Sha256::digest(chunk)));
        }
        let signature = "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";
        assert!(!forged.accepts_chunk(signature, &Sha256::digest([b'a'; 65535])));
    }

    #[test]
    fn headers_behind_the_chunks_are_signed_too() {
        let mut signer = ChunkSigner::new(b"key".to_vec(), "20130524T000000Z", "scope", "seed".into());
        let mut same = signer.clone();
        let hash = hexadecimal(&Sha256::digest("x-amz-checksum-crc32:AAAAAA==\n"));
        let to_sign = format!("AWS4-HMAC-SHA256-TRAILER\n20130524T000000Z\nscope\nseed\n{hash}");
        let signature = hexadecimal(&hmac(b"key", to_sign.as_bytes()));
        assert!(signer.accepts_trailer(&signature, "x-amz-checksum-crc32:AAAAAA==\n"));
        assert!(!same.accepts_trailer(&signature, "x-amz-checksum-crc32:AAAAAQ==\n"));
    }
}
