//! Notices a disk that neither answers nor fails. The outbox's thread hangs in it and can report nothing, so it notes
//! what it begins, and others look at the note.

use crate::vision::monotonic::Monotonic;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long one piece of work may take. A disk that needs longer counts as one that does not answer.
const PATIENCE: Duration = Duration::from_secs(5);

const NO_ANSWER: &str = "the disk does not answer; new events are kept in memory, and dropped once their queue is full";

/// The piece of work that the thread does on the disk now.
#[derive(Debug, Default)]
pub(super) struct DiskWork(Mutex<Option<Piece>>);

#[derive(Debug)]
struct Piece {
    since: Monotonic,
    is_logged: bool,
}

impl DiskWork {
    /// The thread begins to work on the disk.
    pub(super) fn begin(&self, now: Monotonic) {
        *self.lock() = Some(Piece { since: now, is_logged: false });
    }

    /// The disk has answered, with success or an error.
    pub(super) fn end(&self) {
        if self.lock().take().is_some_and(|piece| piece.is_logged) {
            tracing::info!("the disk of the outbox answers again");
        }
    }

    /// Why events are not written, when the work takes too long. The first call that says so logs it.
    pub(super) fn trouble(&self, now: Monotonic) -> Option<String> {
        let mut work = self.lock();
        let piece = work.as_mut().filter(|piece| now.since(piece.since) > PATIENCE)?;
        if !piece.is_logged {
            piece.is_logged = true;
            tracing::error!("events are not written to the disk: {NO_ANSWER}");
        }
        Some(NO_ANSWER.to_owned())
    }

    /// Held for moments only, never while the disk works.
    fn lock(&self) -> MutexGuard<'_, Option<Piece>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
