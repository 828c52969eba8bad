//! The thread that writes clips. It alone waits for the disk.

use crate::clips::clip_entry::ClipEntry;
use crate::clips::disk::{self, OpenClip};
use crate::clips::library::ClipKey;
use crate::clips::recordings::ClipId;
use crate::clips::ring::{RingRules, Room};
use crate::clips::shared::Shared;
use crate::os::clock::{is_wall_clock_synchronized, wall_now_ms};
use crate::os::free_space::available_bytes;
use crate::telemetry::clip_metrics::ClipResult;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// After so many bytes of a clip it is looked whether there is room for as many more.
const STEP_BYTES: u64 = 256 << 10;

/// Something to write.
#[derive(Debug)]
pub(super) enum Job {
    /// A clip has its first bytes.
    Begin(ClipId, ClipEntry),
    /// More of it. The permit bounds what waits for the disk.
    Write(ClipId, Arc<[u8]>, OwnedSemaphorePermit),
    /// It has all.
    Finish { clip: ClipId, end_ms: i64, dropped: u64 },
    /// It has nothing to show.
    Abandon(ClipId),
    /// Old clips are to go.
    Tidy,
}

/// Why a clip is lost.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the disk refuses them: {0}")]
    Disk(#[from] std::io::Error),
    #[error("there is no room: {0} MiB are free, and what events may need of them is left to these")]
    NoRoom(u64),
}

/// So many files may refuse to be removed before what needs the room is refused: a disk that can be read only refuses all.
const MOST_REFUSALS: usize = 3;

/// Writes, and keeps what is on the disk within its bounds.
#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    rules: RingRules,
    open: BTreeMap<ClipId, Writing>,
}

#[derive(Debug)]
struct Writing {
    clip: OpenClip,
    /// There is room for it up to here.
    reserved: u64,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, rules: RingRules) -> Self {
        Self { shared, rules, open: BTreeMap::new() }
    }

    /// Works until nobody sends jobs any more.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        self.load();
        while let Some(job) = jobs.blocking_recv() {
            self.perform(job);
        }
    }

    fn load(&mut self) {
        let found = disk::scan(&self.shared.directory);
        let mut inner = self.shared.lock();
        found.into_iter().for_each(|entry| inner.library.add(entry));
        drop(inner);
        self.perform(Job::Tidy);
    }

    fn perform(&mut self, job: Job) {
        match job {
            Job::Begin(clip, entry) => {
                let begun = self.make_room(STEP_BYTES).and_then(|()| {
                    let created = OpenClip::create(&self.shared.directory, entry)?;
                    self.open.insert(clip, Writing { clip: created, reserved: STEP_BYTES });
                    Ok(())
                });
                self.judge(clip, begun);
            }
            Job::Write(clip, bytes, _room) => {
                let written = self.write(clip, &bytes);
                self.judge(clip, written);
            }
            Job::Finish { clip, end_ms, dropped } => self.finish(clip, end_ms, dropped),
            Job::Abandon(clip) => {
                if let Some(writing) = self.open.remove(&clip) {
                    writing.clip.discard();
                }
                self.shared.lock().recordings.forget(clip);
            }
            Job::Tidy => self.tidy(),
        }
        self.shared.metrics.live().clips().bytes(self.shared.lock().library.bytes());
    }

    fn write(&mut self, clip: ClipId, bytes: &[u8]) -> Result<(), Refusal> {
        let Some(writing) = self.open.get(&clip) else { return Ok(()) };
        let wanted = writing.clip.entry.bytes + bytes.len() as u64;
        if wanted > writing.reserved {
            let more = STEP_BYTES.max(bytes.len() as u64);
            self.make_room(more)?;
        }
        let Some(writing) = self.open.get_mut(&clip) else { return Ok(()) };
        if wanted > writing.reserved {
            writing.reserved = wanted.max(writing.reserved + STEP_BYTES);
        }
        Ok(writing.clip.write(bytes)?)
    }

    /// A clip that the disk refuses is removed, and what still comes of it is left out.
    fn judge(&mut self, clip: ClipId, result: Result<(), Refusal>) {
        let Err(refusal) = result else { return };
        if let Some(writing) = self.open.remove(&clip) {
            writing.clip.discard();
        }
        self.refused(clip, &refusal);
    }

    fn refused(&self, clip: ClipId, refusal: &Refusal) {
        let result = match refusal {
            Refusal::Disk(_) => ClipResult::Refused,
            Refusal::NoRoom(_) => ClipResult::NoRoom,
        };
        self.shared.lost(clip, result);
        self.shared.is_refused(&refusal.to_string());
    }

    fn finish(&mut self, clip: ClipId, end_ms: i64, dropped: u64) {
        let events = self.shared.lock().recordings.events(clip);
        if let Some(mut writing) = self.open.remove(&clip) {
            let entry = &mut writing.clip.entry;
            (entry.events, entry.end_ms, entry.dropped) = (events, end_ms, dropped);
            match writing.clip.finish() {
                Ok(entry) => {
                    self.shared.lock().library.add(entry);
                    self.shared.metrics.live().clips().ended(ClipResult::Kept);
                    self.shared.is_taken();
                }
                Err(error) => self.refused(clip, &error.into()),
            }
        }
        self.shared.lock().recordings.forget(clip);
    }

    /// Removes clips that are old, and files that could not be removed before.
    fn tidy(&self) {
        let stuck = self.shared.lock().library.stuck();
        for key in stuck {
            if disk::remove(&self.shared.directory.join(key.1.as_str()), key.0).is_ok() {
                self.shared.lock().library.unstuck(&key);
                self.shared.metrics.live().clips().removed(1);
            }
        }
        // Without a directory there is nothing to tidy.
        drop(self.remove_what_is_in_the_way(0, is_wall_clock_synchronized().then(wall_now_ms)));
    }

    /// Removes clips that are in the way of so many bytes. Those that are old are left to the next tidying: it looks at all of
    /// them, and this is done with each quarter of a megabyte.
    fn make_room(&self, next_bytes: u64) -> Result<(), Refusal> {
        self.remove_what_is_in_the_way(next_bytes, None)
    }

    fn remove_what_is_in_the_way(&self, next_bytes: u64, now_ms: Option<i64>) -> Result<(), Refusal> {
        // It is made with the first clip; its parent is there.
        let place = self.shared.directory.ancestors().find(|place| place.exists());
        let open_bytes = self.open.values().map(|writing| writing.clip.entry.bytes).sum();
        let mut all_refusals = 0;
        loop {
            let free_bytes = place.map_or(Ok(0), available_bytes)?;
            let room = Room { free_bytes, open_bytes, next_bytes, now_ms };
            let (removed, is_enough) = self.shared.lock().library.in_the_way(&self.rules, room);
            let refusals: Vec<_> = removed.iter().filter_map(|(key, bytes)| self.remove(key, *bytes).err()).collect();
            self.shared.metrics.live().clips().removed((removed.len() - refusals.len()) as u64);
            all_refusals += refusals.len();
            match refusals.into_iter().next() {
                None if is_enough => return Ok(()),
                None => return Err(Refusal::NoRoom(free_bytes >> 20)),
                // Where a file stays, others have to go instead of it, but not one after the other until none is left.
                Some(error) if all_refusals > MOST_REFUSALS => return Err(error.into()),
                Some(_) => {}
            }
        }
    }

    /// Removes a clip.
    ///
    /// # Errors
    /// Why its file stays: it is counted, and tried again.
    fn remove(&self, key: &ClipKey, bytes: u64) -> std::io::Result<()> {
        // First what leads to it: nobody is sent to a file that goes.
        self.shared.lock().library.remove_stuck(key, bytes);
        disk::remove(&self.shared.directory.join(key.1.as_str()), key.0).inspect_err(|error| {
            tracing::warn!(camera = %key.1, %error, "the file of an old clip cannot be removed; it is tried again");
        })?;
        self.shared.lock().library.unstuck(key);
        tracing::debug!(camera = %key.1, "an old clip has made room");
        Ok(())
    }
}

#[cfg(test)]
mod tests;
