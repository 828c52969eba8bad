//! `PutObject` and `DeleteObject`.
//!
//! A body passes through a short queue to a thread of its own, which hashes and writes it: the threads that forward frames
//! do neither, and what is in memory of an object is what the queue holds. Only a body that was as announced is put in its
//! place.

use crate::http::auth::access_keys::AccessKey;
use crate::http::auth::chunk_signer::ChunkSigner;
use crate::http::body::{Arriving, BodyError, Patience};
use crate::http::rekognition::settings::BucketSettings;
use crate::http::s3::body_check::BodyCheck;
use crate::http::s3::conditions::etag;
use crate::http::s3::error::{Code, S3Error};
use crate::http::s3::key::ObjectKey;
use crate::http::s3::plan::Plan;
use crate::http::s3::state::S3State;
use crate::http::s3::usage::Room;
use crate::os::beneath::unless_trouble;
use crate::os::object_directory::{ObjectDirectory, Upload};
use axum::body::{Body, Bytes};
use std::io::Write as _;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

/// Parts of a body that wait for the disk. Each has at most the 16 KiB that the server reads at once.
const WAITING_PARTS: usize = 16;
/// It holds one of few places for as long as it takes.
const PATIENCE: Patience = Patience { silence: Duration::from_secs(10), whole: None };
/// The disk is made to keep what it has, again and again: all at once at the end could take longer than clients wait.
const SYNC_EVERY_BYTES: u64 = 16 << 20;

/// An object that is being received, and what it needs to be put in its place.
struct Receiving {
    root: ObjectDirectory,
    key: ObjectKey,
    plan: Plan,
    room: Room,
    upload: Upload,
    _place: OwnedSemaphorePermit,
}

/// Receives an object. Returns its tag. Sets `is_read` once the body is read, for which a client may wait.
pub(super) async fn put(
    state: &S3State,
    bucket: BucketSettings,
    key: &str,
    plan: Plan,
    signer: ChunkSigner,
    body: &mut Body,
    is_read: &mut bool,
) -> Result<String, S3Error> {
    let (key, place) = (ObjectKey::parse(key)?, state.upload_place()?);
    let (state, check) = (state.clone(), BodyCheck::new(&plan, signer));
    // Before the first byte is asked for: who waits for `100 Continue` need not send what is refused anyway.
    let begun = spawn_blocking(move || {
        let refused = |error| S3Error::disk("an object cannot be received", &error);
        let root = ObjectDirectory::open(&bucket.directory).map_err(refused)?;
        let room = state.usage.of(&root).map_err(refused)?.reserve(&bucket, &root, plan.bytes)?;
        let upload = Upload::begin(&root, uuid::Uuid::new_v4().simple().to_string()).map_err(refused)?;
        Ok::<_, S3Error>(Receiving { root, key, plan, room, upload, _place: place })
    });
    let receiving: Receiving = begun.await.unwrap_or_else(|error| Err(S3Error::incomplete(&error)))?;
    let (parts, waiting) = mpsc::channel(WAITING_PARTS);
    let written = spawn_blocking(move || receiving.receive(check, waiting));
    *is_read = true;
    let sent = send(body, parts).await;
    let written = written.await.unwrap_or_else(|error| Err(S3Error::incomplete(&error)));
    // What was wrong with the body is the cause of its end, if the thread did not end it.
    match (sent, written) {
        (Err(error), Err(_)) => Err(error),
        (_, written) => written,
    }
}

/// Passes the body on as it arrives. Returns at once when nobody takes it any more.
async fn send(body: &mut Body, parts: mpsc::Sender<Option<Bytes>>) -> Result<(), S3Error> {
    let mut arriving = Arriving::begin(body, PATIENCE);
    loop {
        let part = tokio::select! {
            part = arriving.next() => part,
            () = parts.closed() => return Ok(()),
        };
        let is_end = matches!(part, Ok(None));
        let handed_over = Instant::now();
        if parts.send(part?).await.is_err() || is_end {
            return Ok(());
        }
        // A disk that is slow is no fault of the client.
        arriving.excuse(handed_over.elapsed());
    }
}

impl From<BodyError> for S3Error {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooSlow => {
                let what =
                    "Your socket connection to the server was not read from or written to within the timeout period.";
                Self::new(Code::RequestTimeout, what)
            }
            _ => Self::new(Code::IncompleteBody, "The request ended early."),
        }
    }
}

impl Receiving {
    /// Writes and checks what comes. `None` is the end; a queue that ends without it is a client that went away.
    fn receive(self, mut check: BodyCheck, mut parts: mpsc::Receiver<Option<Bytes>>) -> Result<String, S3Error> {
        let (mut file, mut unsynced) = (self.upload.file(), 0);
        let refused = |error| S3Error::disk("an object cannot be written", &error);
        while let Some(part) = parts.blocking_recv() {
            let Some(part) = part else {
                check.finish()?;
                return self.place();
            };
            check.take(&part, |data| file.write_all(data).map_err(refused))?;
            unsynced += part.len() as u64;
            if unsynced >= SYNC_EVERY_BYTES {
                file.sync_data().map_err(refused)?;
                unsynced = 0;
            }
        }
        Err(S3Error::new(Code::IncompleteBody, "The request ended early."))
    }

    fn place(self) -> Result<String, S3Error> {
        let Self { root, key, plan, room, upload, _place } = self;
        // Slow, and the lock is for this: otherwise the last bytes would be written under it.
        upload.file().sync_all().map_err(|error| S3Error::disk("an object cannot be written", &error))?;
        let usage = room.usage();
        let _turn = usage.turn();
        let names = key.names();
        let there = unless_trouble(root.facts_below(&names));
        let there = there.map_err(|error| S3Error::disk("an object cannot be looked at", &error))?;
        plan.conditions.allow_writing(there.as_ref())?;
        let facts = upload.place(&root, &names).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotADirectory => {
                S3Error::invalid("Objects of this box are files, and there is one where this key needs a directory.")
            }
            std::io::ErrorKind::AlreadyExists => {
                S3Error::invalid("Objects of this box are files, and something else has this name.")
            }
            _ => S3Error::disk("an object cannot be put in its place", &error),
        })?;
        room.filled(there.map(|facts| facts.bytes));
        Ok(etag(&facts))
    }
}

/// Removes an object. One that is not there is removed, as in S3.
pub(super) async fn delete(
    state: &S3State,
    bucket: BucketSettings,
    key: &str,
    caller: Option<&AccessKey>,
) -> Result<(), S3Error> {
    // A key that no file can have names nothing.
    let Ok(key) = ObjectKey::parse(key) else { return Ok(()) };
    let (shared, name, removed_key) = (state.clone(), bucket.name.clone(), key.clone());
    let place = state.upload_place()?;
    let removed = spawn_blocking(move || {
        let _place = place;
        let refused = |error| S3Error::disk("an object cannot be removed", &error);
        let root = ObjectDirectory::open(&bucket.directory).map_err(refused)?;
        let usage = shared.usage.of(&root).map_err(refused)?;
        let _turn = usage.turn();
        match root.remove(&key.names()) {
            Ok(facts) => {
                usage.removed(facts.bytes);
                Ok(true)
            }
            Err(error) => match error.kind() {
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory | std::io::ErrorKind::InvalidInput => {
                    Ok(false)
                }
                _ => Err(refused(error)),
            },
        }
    });
    if removed.await.unwrap_or_else(|error| Err(S3Error::incomplete(&error)))? {
        let id = caller.map_or("", |key| key.id.as_str());
        state.log_change("deleted", id, &name, removed_key.as_str());
    }
    Ok(())
}
