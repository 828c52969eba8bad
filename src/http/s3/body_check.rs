//! Takes a body apart and checks it against what its request says: the bytes of the object come out, or why it is refused.
//! Knows neither disk nor network.

use crate::http::auth::chunk_signer::ChunkSigner;
use crate::http::auth::payload::Payload;
use crate::http::s3::checksum::{Algorithm, Running};
use crate::http::s3::chunks::{ChunkError, Chunks, Piece};
use crate::http::s3::error::{Code, S3Error};
use crate::http::s3::plan::Plan;
use crate::model::manifest::hexadecimal;
use sha2::{Digest as _, Sha256};

/// A body that is being received.
#[derive(Debug)]
pub struct BodyCheck {
    object: Object,
    framing: Framing,
    checksums: Vec<Checksum>,
}

/// A checksum and what it must be in the end; one that comes behind the body is not known yet.
type Checksum = (Algorithm, Running, Option<Vec<u8>>);

/// The bytes of the object: so many are expected, and so many have come.
#[derive(Debug)]
struct Object {
    expected: u64,
    received: u64,
}

#[derive(Debug)]
enum Framing {
    /// The body is the object. Its hash and what that must be, if the request signs one.
    Whole(Option<(Sha256, String)>),
    Chunked(Box<Chunked>),
}

#[derive(Debug)]
struct Chunked {
    chunks: Chunks,
    signer: Option<ChunkSigner>,
    /// The hash of the chunk so far, and its signature.
    chunk: (Sha256, Option<String>),
    /// Whether the last chunk was found to be as signed: it ends with the body.
    is_last_checked: bool,
    /// The header behind the body, as it is signed.
    trailer: String,
    trailer_signature: Option<String>,
}

impl BodyCheck {
    /// `signer` checks the chunks of a body whose request signs them.
    pub fn new(plan: &Plan, signer: ChunkSigner) -> Self {
        let chunked = |signer: Option<ChunkSigner>, has_trailer| {
            let (chunks, chunk) = (Chunks::new(signer.is_some(), has_trailer), (Sha256::new(), None));
            let (trailer, trailer_signature) = (String::new(), None);
            Box::new(Chunked { chunks, signer, chunk, is_last_checked: false, trailer, trailer_signature })
        };
        let framing = match &plan.payload {
            Payload::Hash(hash) => Framing::Whole(Some((Sha256::new(), hash.clone()))),
            Payload::Unsigned => Framing::Whole(None),
            Payload::SignedChunks { has_trailer } => Framing::Chunked(chunked(Some(signer), *has_trailer)),
            Payload::UnsignedChunks => Framing::Chunked(chunked(None, true)),
        };
        let known = plan.checksums.iter().map(|(algorithm, value)| (*algorithm, Some(value.clone())));
        let checksums = known.chain(plan.trailer.map(|algorithm| (algorithm, None)));
        let checksums = checksums.map(|(algorithm, value)| (algorithm, Running::new(algorithm), value)).collect();
        Self { object: Object { expected: plan.bytes, received: 0 }, framing, checksums }
    }

    /// Takes the next bytes of the body, and passes those of the object to `keep`.
    ///
    /// # Errors
    /// [`S3Error`], also of `keep`.
    pub fn take(
        &mut self,
        mut bytes: &[u8],
        mut keep: impl FnMut(&[u8]) -> Result<(), S3Error>,
    ) -> Result<(), S3Error> {
        let Self { object, framing, checksums } = self;
        let chunked = match framing {
            Framing::Whole(hash) => {
                if let Some((hash, _)) = hash {
                    hash.update(bytes);
                }
                return object.pass(bytes, checksums, &mut keep);
            }
            Framing::Chunked(chunked) => chunked,
        };
        while let Some(piece) = chunked.chunks.next(&mut bytes).map_err(unreadable)? {
            match piece {
                Piece::Data(data) => {
                    if chunked.signer.is_some() {
                        chunked.chunk.0.update(data);
                    }
                    object.pass(data, checksums, &mut keep)?;
                }
                Piece::Chunk { signature } => chunked.chunk = (Sha256::new(), signature),
                Piece::ChunkEnd => chunked.check_chunk()?,
                Piece::Trailer(name, value) => {
                    chunked.check_last_chunk()?;
                    if name == "x-amz-trailer-signature" {
                        chunked.trailer_signature = Some(value);
                        continue;
                    }
                    let awaited = checksums.iter_mut().find(|(of, _, value)| of.header() == name && value.is_none());
                    let (algorithm, _, expected) = awaited.ok_or_else(malformed_trailer)?;
                    *expected = Some(algorithm.read(&value)?);
                    chunked.trailer = format!("{name}:{value}\n");
                }
                Piece::End => {
                    chunked.check_last_chunk()?;
                    chunked.check_trailer()?;
                }
            }
        }
        Ok(())
    }

    /// The body has ended.
    ///
    /// # Errors
    /// [`S3Error`] if it is not the one that its request promised.
    pub fn finish(self) -> Result<(), S3Error> {
        let has_ended = match &self.framing {
            Framing::Whole(_) => true,
            Framing::Chunked(chunked) => chunked.chunks.has_ended(),
        };
        if self.object.received != self.object.expected || !has_ended {
            let what = "You did not provide the number of bytes specified by the Content-Length HTTP header";
            return Err(S3Error::new(Code::IncompleteBody, what));
        }
        if let Framing::Whole(Some((hash, claimed))) = self.framing
            && hexadecimal(&hash.finalize()) != claimed
        {
            let what = "The provided 'x-amz-content-sha256' header does not match what was computed.";
            return Err(S3Error::new(Code::XAmzContentSha256Mismatch, what));
        }
        for (algorithm, running, expected) in self.checksums {
            if running.finish() != expected.ok_or_else(malformed_trailer)? {
                let what = format!("The {} you specified did not match what we received.", algorithm.header());
                return Err(S3Error::new(Code::BadDigest, what));
            }
        }
        Ok(())
    }
}

impl Object {
    fn pass(
        &mut self,
        data: &[u8],
        checksums: &mut [Checksum],
        keep: &mut impl FnMut(&[u8]) -> Result<(), S3Error>,
    ) -> Result<(), S3Error> {
        self.received += data.len() as u64;
        if self.received > self.expected {
            return Err(S3Error::new(Code::IncompleteBody, "The body is longer than announced."));
        }
        checksums.iter_mut().for_each(|(_, running, _)| running.update(data));
        keep(data)
    }
}

impl Chunked {
    fn check_chunk(&mut self) -> Result<(), S3Error> {
        let (hash, signature) = std::mem::take(&mut self.chunk);
        let Some(signer) = &mut self.signer else { return Ok(()) };
        match signature.is_some_and(|signature| signer.accepts_chunk(&signature, &hash.finalize())) {
            true => Ok(()),
            false => Err(forged()),
        }
    }

    fn check_last_chunk(&mut self) -> Result<(), S3Error> {
        match std::mem::replace(&mut self.is_last_checked, true) {
            true => Ok(()),
            false => self.check_chunk(),
        }
    }

    fn check_trailer(&mut self) -> Result<(), S3Error> {
        match (&mut self.signer, &self.trailer_signature) {
            (Some(signer), Some(signature)) => match signer.accepts_trailer(signature, &self.trailer) {
                true => Ok(()),
                false => Err(forged()),
            },
            (Some(_), None) if !self.trailer.is_empty() => Err(forged()),
            (None, Some(_)) => Err(malformed_trailer()),
            (_, None) => Ok(()),
        }
    }
}

fn forged() -> S3Error {
    let what = "The chunk or trailer signature we calculated does not match the signature you provided.";
    S3Error::new(Code::SignatureDoesNotMatch, what)
}

fn malformed_trailer() -> S3Error {
    S3Error::new(Code::MalformedTrailerError, "The headers behind the body are not those that x-amz-trailer announces.")
}

fn unreadable(error: ChunkError) -> S3Error {
    let code = match error {
        ChunkError::Malformed => Code::IncompleteBody,
        ChunkError::TooSmall => Code::InvalidChunkSizeError,
    };
    S3Error::new(code, error.to_string())
}

#[cfg(test)]
mod tests;
