//! `PutObject` and `DeleteObject`.
//!
//! A body passes through a short queue to a thread of its own, which hashes and writes it: the threads that forward frames
//! do neither, and what is in memory of an object is what the queue holds. Only a body that was as announced is put in its
//! place.

use crate::http::auth::access_keys::AccessKey;
use crate::http::auth::chunk_signer::ChunkSigner;
use crate::http::rekognition::settings::BucketSettings;
use crate::http::s3::body_check::BodyCheck;
use crate::http::s3::conditions::etag;
use crate::http::s3::error::{Code, S3Error};
use crate::http::s3::key::ObjectKey;
use crate::http::s3::plan::Plan;
use crate::http::s3::state::S3State;
use crate::http::s3::usage::Room;
use crate::os::object_directory::{ObjectDirectory, Upload};
use axum::body::{Body, Bytes};
use http_body_util::BodyExt as _;
use std::io::Write as _;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

/// Parts of a body that wait for the disk. Each has at most the 16 KiB that the server reads at once.
const WAITING_PARTS: usize = 16;
/// How long a client may send nothing.
const SILENCE: Duration = Duration::from_secs(10);
/// A body may begin slowly. After that it must average at least this many bytes a second: it holds one of few places.
const SLOW_START: Duration = Duration::from_secs(10);
const MIN_BYTES_PER_SECOND: u64 = 32 * 1024;
/// The disk is made to keep what it has, again and again: all at once at the end could take longer than clients wait.
const SYNC_EVERY_BYTES: u64 = 16 << 20;

/// An object that is being received, and what it needs to be put in its place.
struct Receiving {
    state: S3State,
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
        let room = state.usage.reserve(&bucket, &root, plan.bytes)?;
        let upload = Upload::begin(&root, uuid::Uuid::new_v4().simple().to_string()).map_err(refused)?;
        Ok::<_, S3Error>(Receiving { state, root, key, plan, room, upload, _place: place })
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
    let (begun, mut bytes) = (Instant::now(), 0_u64);
    let slow = || {
        let what = "Your socket connection to the server was not read from or written to within the timeout period.";
        Err(S3Error::new(Code::RequestTimeout, what))
    };
    loop {
        let frame = tokio::select! {
            frame = timeout(SILENCE, body.frame()) => frame,
            () = parts.closed() => return Ok(()),
        };
        let Ok(frame) = frame else { return slow() };
        let Some(frame) = frame else {
            drop(parts.send(None).await);
            return Ok(());
        };
        let broken = |_| S3Error::new(Code::IncompleteBody, "The request ended early.");
        let Ok(part) = frame.map_err(broken)?.into_data() else { continue };
        bytes += part.len() as u64;
        let steady = begun.elapsed().saturating_sub(SLOW_START).as_secs();
        if bytes < steady * MIN_BYTES_PER_SECOND {
            return slow();
        }
        if parts.send(Some(part)).await.is_err() {
            return Ok(());
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
        let Self { state, root, key, plan, room, upload, _place } = self;
        // Slow, and the lock is for this: otherwise the last bytes would be written under it.
        upload.file().sync_all().map_err(|error| S3Error::disk("an object cannot be written", &error))?;
        let _turn = state.in_order.lock().unwrap_or_else(PoisonError::into_inner);
        let names = key.names();
        let there = root.facts_below(&names).ok();
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
        let _turn = shared.in_order.lock().unwrap_or_else(PoisonError::into_inner);
        match ObjectDirectory::open(&bucket.directory).and_then(|root| root.remove(&key.names())) {
            Ok(facts) => {
                shared.usage.removed(&bucket, facts.bytes);
                Ok(true)
            }
            Err(error) => match error.kind() {
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory | std::io::ErrorKind::InvalidInput => {
                    Ok(false)
                }
                _ => Err(S3Error::disk("an object cannot be removed", &error)),
            },
        }
    });
    if removed.await.unwrap_or_else(|error| Err(S3Error::incomplete(&error)))? {
        let id = caller.map_or("", |key| key.id.as_str());
        state.log_change("deleted", id, &name, removed_key.as_str());
    }
    Ok(())
}
