//! `aws-chunked` bodies: chunks with their lengths, perhaps signatures, and perhaps headers behind the last one.
//!
//! ```text
//! 10000;chunk-signature=<64 digits>\r\n   <65536 bytes>\r\n   ...   0;chunk-signature=<64 digits>\r\n
//! x-amz-checksum-crc32:NhCmhg==\r\n   x-amz-trailer-signature:<64 digits>\r\n   \r\n
//! ```
//!
//! Knows the form alone. What is in the chunks passes through, however it is cut.

use crate::http::auth::sigv4::is_lower_hex;

/// The longest line: a header with a SHA-256 has 90 bytes.
const MAX_LINE_BYTES: usize = 256;
/// Headers behind the chunks.
const MAX_TRAILER_LINES: usize = 4;
/// A body of tiny chunks costs far more time than its bytes are worth: after so many of them their average size must not be
/// small. S3 wants 8 kB; SDKs that pass on what they read from a stream send less now and then.
const SMALL_CHUNKS: u64 = 1024;
const SMALL_CHUNK_BYTES: u64 = 512;

/// Why a body is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ChunkError {
    /// It is not of the form above.
    #[error("the body is not aws-chunked as announced")]
    Malformed,
    /// Many small chunks.
    #[error("the chunks of the body are too small: send 8 kB and more in each")]
    TooSmall,
}

/// A piece of a body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Piece<'a> {
    /// A chunk begins; the last one has no bytes.
    Chunk {
        /// Of signed chunks.
        signature: Option<String>,
    },
    /// Bytes of the chunk.
    Data(&'a [u8]),
    /// The chunk is whole.
    ChunkEnd,
    /// A header behind the chunks, its name in lower case.
    Trailer(String, String),
    /// The end.
    End,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// In the line before a chunk.
    Head,
    /// So many bytes of the chunk are still to come.
    Data(u64),
    /// In the line behind a chunk, which is empty.
    Tail,
    /// In the lines behind the last chunk.
    Trailer(usize),
    Ended,
}

/// Cuts a body into pieces.
#[derive(Debug)]
pub struct Chunks {
    state: State,
    is_signed: bool,
    has_trailer: bool,
    line: Vec<u8>,
    chunks: u64,
    bytes: u64,
}

impl Chunks {
    /// What is expected: signatures, and headers behind the last chunk.
    pub fn new(is_signed: bool, has_trailer: bool) -> Self {
        Self { state: State::Head, is_signed, has_trailer, line: Vec::new(), chunks: 0, bytes: 0 }
    }

    /// True after [`Piece::End`].
    pub fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Takes the next piece from the front of `input`. `None`: more of the body is needed.
    ///
    /// # Errors
    /// [`ChunkError`]; the rest of the body means nothing then.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Piece<'a>>, ChunkError> {
        if let State::Data(left) = self.state {
            if left == 0 {
                self.state = State::Tail;
                return Ok(Some(Piece::ChunkEnd));
            }
            if input.is_empty() {
                return Ok(None);
            }
            let taken = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
            let (data, rest) = input.split_at(taken);
            *input = rest;
            self.state = State::Data(left - taken as u64);
            return Ok(Some(Piece::Data(data)));
        }
        if self.state == State::Ended {
            return if input.is_empty() { Ok(None) } else { Err(ChunkError::Malformed) };
        }
        let Some(line) = self.take_line(input)? else { return Ok(None) };
        match self.state {
            State::Head => self.head(&line).map(Some),
            State::Tail if line.is_empty() => {
                self.state = State::Head;
                self.next(input)
            }
            State::Trailer(_) if line.is_empty() => {
                self.state = State::Ended;
                Ok(Some(Piece::End))
            }
            State::Trailer(lines) if self.has_trailer && lines < MAX_TRAILER_LINES => {
                self.state = State::Trailer(lines + 1);
                let (name, value) = line.split_once(':').ok_or(ChunkError::Malformed)?;
                Ok(Some(Piece::Trailer(name.to_ascii_lowercase(), value.trim().to_owned())))
            }
            _ => Err(ChunkError::Malformed),
        }
    }

    fn head<'a>(&mut self, line: &str) -> Result<Piece<'a>, ChunkError> {
        let (size, signature) = match line.split_once(";chunk-signature=") {
            Some((size, signature)) if is_lower_hex(signature, 64) => (size, Some(signature.to_owned())),
            Some(_) => return Err(ChunkError::Malformed),
            None => (line, None),
        };
        let is_size = (1..=12).contains(&size.len()) && size.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = u64::from_str_radix(size, 16).ok().filter(|_| is_size).ok_or(ChunkError::Malformed)?;
        if signature.is_some() != self.is_signed {
            return Err(ChunkError::Malformed);
        }
        self.chunks += 1;
        self.bytes += size;
        if self.chunks > SMALL_CHUNKS && self.bytes < self.chunks * SMALL_CHUNK_BYTES {
            return Err(ChunkError::TooSmall);
        }
        // The last chunk has neither bytes nor a line behind them: its end is that of the headers.
        self.state = if size == 0 { State::Trailer(0) } else { State::Data(size) };
        Ok(Piece::Chunk { signature })
    }

    /// A line without its end. Headers may end in `\n` alone, as in the documentation's example.
    fn take_line(&mut self, input: &mut &[u8]) -> Result<Option<String>, ChunkError> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let (part, rest) = input.split_at(end.map_or(input.len(), |end| end + 1));
        if self.line.len() + part.len() > MAX_LINE_BYTES {
            return Err(ChunkError::Malformed);
        }
        self.line.extend_from_slice(part);
        *input = rest;
        if end.is_none() {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.line);
        line.pop();
        let has_return = line.last() == Some(&b'\r');
        if has_return {
            line.pop();
        }
        let is_header = matches!(self.state, State::Trailer(_));
        let text = String::from_utf8(line).ok().filter(|line| line.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        text.filter(|_| has_return || is_header).map(Some).ok_or(ChunkError::Malformed)
    }
}

#[cfg(test)]
mod tests;
