//! Random texts that stand for a session or a link. The box keeps their digests only: its memory shows nobody a way in.

use crate::model::manifest::hexadecimal;
use crate::os::random;
use crate::secret::Secret;
use sha2::{Digest as _, Sha256};
use std::io;

/// 256 bits, of which each byte takes two characters.
const BYTES: usize = 32;

/// What is kept of a ticket. It is looked up by a digest that the caller cannot choose bit by bit, so that the time of a
/// look-up tells nothing.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(in crate::http) struct TicketDigest([u8; 32]);

impl TicketDigest {
    /// The digest of a text that somebody shows; `None` if it is no ticket.
    pub(super) fn of(text: &str) -> Option<Self> {
        let is_ticket = text.len() == 2 * BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_ticket.then(|| Self(Sha256::digest(text).into()))
    }
}

/// A new ticket and its digest.
///
/// # Errors
/// The I/O error, if the kernel gives no random numbers.
pub(super) fn make() -> io::Result<(Secret, TicketDigest)> {
    let text = hexadecimal(&random::bytes::<BYTES>()?);
    let digest = TicketDigest(Sha256::digest(&text).into());
    Ok((Secret::new(text), digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_found_by_what_is_shown_and_nothing_else_is_one() {
        let (ticket, digest) = make().unwrap();
        assert_eq!(TicketDigest::of(ticket.reveal()), Some(digest));
        assert_ne!(make().unwrap().1, digest);
        for text in ["", "abc", &"x".repeat(64), &ticket.reveal()[..63]] {
            assert_eq!(TicketDigest::of(text), None, "{text}");
        }
        assert!(!format!("{digest:?}").contains(ticket.reveal()));
    }
}
