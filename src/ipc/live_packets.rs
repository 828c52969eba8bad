//! What a capture process writes into the pipe of a camera that somebody watches, or of which a clip is made.
//!
//! A packet is two lengths (four bytes each, little endian), a head in postcard's encoding, and a body, which the daemon
//! passes on and never parses. The pipe is the order: the parent passes its end with
//! [`ToCapture::Live`](crate::ipc::messages::ToCapture::Live) or [`ToCapture::Clip`](crate::ipc::messages::ToCapture::Clip), and
//! closes the other end when nobody watches any more, or the clip has ended.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The two lengths.
pub const PREFIX_BYTES: usize = 8;

/// The longest head.
const MAX_HEAD_BYTES: usize = 256;

/// The longest body: no frame of a camera is larger than 8 MiB.
pub const MAX_BODY_BYTES: usize = 9 << 20;

/// The longest init segment: its parameter sets have some hundred bytes.
const MAX_INIT_BYTES: usize = 256 << 10;

/// The longest name of a codec: `hev1` with all its parts has about 40 letters.
const MAX_CODEC_BYTES: usize = 64;

/// What a packet brings.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum LiveHead {
    /// The body is an init segment: what follows belongs to it.
    Init {
        /// The codec's name as browsers take it, such as `avc3.64001f`.
        codec: String,
        /// In pixels.
        width: u16,
        /// In pixels.
        height: u16,
    },
    /// The body is a fragment of one frame.
    Fragment {
        /// True if playing can begin with it.
        is_keyframe: bool,
        /// Frames before it that were left out since the last fragment, because they were not read in time.
        dropped: u32,
    },
    /// Of a clip: where its first frame lies on the timeline of the live video, which is the box's monotonic clock. No body.
    Begins {
        /// In microseconds.
        media_us: u64,
    },
    /// The stream cannot be played in this form. No body, and nothing follows.
    Unplayable {
        /// `mjpeg`.
        codec: String,
    },
}

/// A packet. Clones share the body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LivePacket {
    /// What it brings.
    pub head: LiveHead,
    /// At most [`MAX_BODY_BYTES`].
    pub body: Arc<[u8]>,
}

/// Why what was read is no packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LiveError {
    /// A length is above its limit, or that of a body above the limit of its head.
    #[error("a packet of live video is too long")]
    TooLong,
    /// The head cannot be read.
    #[error("the head of a packet of live video cannot be read")]
    Head,
}

impl LivePacket {
    /// Lengths and head, which are sent before the body.
    pub fn front(&self) -> Vec<u8> {
        let head = postcard::to_allocvec(&self.head).unwrap_or_default();
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        [&length(&head)[..], &length(&self.body)[..], &head].concat()
    }

    /// True of a fragment that playing can begin with.
    pub fn is_keyframe(&self) -> bool {
        matches!(self.head, LiveHead::Fragment { is_keyframe: true, .. })
    }
}

/// The lengths of head and body.
///
/// # Errors
/// [`LiveError::TooLong`].
pub fn lengths(prefix: [u8; PREFIX_BYTES]) -> Result<(usize, usize), LiveError> {
    let [a, b, c, d, e, f, g, h] = prefix;
    let (head, body) = (u32::from_le_bytes([a, b, c, d]) as usize, u32::from_le_bytes([e, f, g, h]) as usize);
    if head > MAX_HEAD_BYTES || body > MAX_BODY_BYTES { Err(LiveError::TooLong) } else { Ok((head, body)) }
}

/// Judges the length of a body by its head.
///
/// # Errors
/// [`LiveError::TooLong`].
pub fn judge_body(head: &LiveHead, bytes: usize) -> Result<(), LiveError> {
    let most = match head {
        LiveHead::Fragment { .. } => MAX_BODY_BYTES,
        LiveHead::Init { .. } => MAX_INIT_BYTES,
        LiveHead::Begins { .. } | LiveHead::Unplayable { .. } => 0,
    };
    if bytes > most { Err(LiveError::TooLong) } else { Ok(()) }
}

/// Reads a head. Names of codecs go into messages of the daemon, so they have letters, digits and dots only.
///
/// # Errors
/// [`LiveError::Head`].
pub fn read_head(bytes: &[u8]) -> Result<LiveHead, LiveError> {
    let head: LiveHead = postcard::from_bytes(bytes).map_err(|_| LiveError::Head)?;
    match &head {
        LiveHead::Init { codec, .. } | LiveHead::Unplayable { codec } if !is_name(codec) => Err(LiveError::Head),
        _ => Ok(head),
    }
}

fn is_name(codec: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
    !codec.is_empty() && codec.len() <= MAX_CODEC_BYTES && codec.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet(codec: &str) -> LivePacket {
        let head = LiveHead::Init { codec: codec.into(), width: 640, height: 480 };
        LivePacket { head, body: Arc::from([1, 2, 3]) }
    }

    fn read(front: &[u8]) -> Result<LiveHead, LiveError> {
        let (prefix, head) = front.split_first_chunk::<PREFIX_BYTES>().ok_or(LiveError::Head)?;
        let (length, body) = lengths(*prefix)?;
        assert!(body <= MAX_BODY_BYTES);
        read_head(head.get(..length).ok_or(LiveError::Head)?)
    }

    #[test]
    fn a_packet_is_read_as_it_was_written() {
        let packet = packet("avc3.64001f");
        let front = packet.front();
        assert_eq!(read(&front), Ok(packet.head));
        assert_eq!(lengths(*front.first_chunk().unwrap()), Ok((front.len() - PREFIX_BYTES, 3)));
    }

    #[test]
    fn a_process_that_was_taken_over_writes_no_text_of_its_own_and_fills_no_memory() {
        for codec in ["", "avc3\"", "avc3 x", &"a".repeat(65)] {
            assert_eq!(read(&packet(codec).front()), Err(LiveError::Head), "{codec}");
        }
        assert_eq!(lengths([0, 0, 0, 0, 0, 0, 0x91, 0]), Err(LiveError::TooLong));
        assert_eq!(lengths([0, 2, 0, 0, 0, 0, 0, 0]), Err(LiveError::TooLong));
        assert_eq!(judge_body(&packet("avc3.64001f").head, MAX_INIT_BYTES + 1), Err(LiveError::TooLong));
        assert_eq!(judge_body(&LiveHead::Begins { media_us: 1 }, 1), Err(LiveError::TooLong));
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            drop(read(&bytes));
            drop(read_head(&bytes));
        }
    }
}
