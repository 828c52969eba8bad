//! Recovery from a disk that refuses or is damaged: sets damaged stores aside, retries, and writes what was missed.

use crate::publish::outbox::keeper::Keeper;
use crate::publish::outbox::record::Position;
use crate::publish::outbox::rescue;
use crate::publish::outbox::store::{Dropped, Store, StoreError};
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// Retry period of a disk that refuses.
const HEAL_EVERY: Duration = Duration::from_secs(1);

impl Keeper {
    /// Handles a failed disk operation: sets a damaged store aside, and schedules a retry.
    pub(super) fn refused(&mut self, error: &StoreError, now: Monotonic) {
        let (file, reason) = (self.rules.file.display(), error.to_string());
        self.heal_at = now + HEAL_EVERY;
        if let StoreError::Damaged(_) = error {
            tracing::error!(%file, reason, "the outbox is damaged; its readable events are kept");
            (self.store, self.must_reload) = (None, true);
            let before = self.queue.len().saturating_sub(self.ring.len());
            match rescue::set_aside(&self.rules.file, self.rules.vfs.as_deref()) {
                Ok(kept) => {
                    self.status.damaged += before.saturating_sub(kept) as u64;
                    // The new store does not have this count.
                    self.dropped.unreported += std::mem::take(&mut self.status.unreported);
                    self.heal_at = now;
                }
                Err(error) => tracing::error!(%file, %error, "the damaged outbox cannot be set aside"),
            }
        }
        if self.status.trouble.is_none() {
            tracing::error!(%file, reason, "events cannot be written to disk and are kept in memory; retrying");
            self.status.trouble = Some(reason);
            self.settled.iter().for_each(|position| self.queue.settled(*position));
        }
    }

    /// Retries the disk, and writes everything that it missed.
    pub(super) fn heal(&mut self, now: Monotonic) {
        self.heal_at = now + HEAL_EVERY;
        if let Err(error) = self.try_to_heal(now) {
            self.refused(&error, now);
        } else if self.status.trouble.take().is_some() {
            tracing::info!(file = %self.rules.file.display(), "events are written to the disk again");
        }
    }

    /// True when the file was removed under the open store. SQLite does not notice, and what it writes then is lost when
    /// the process ends.
    pub(super) fn is_removed(&self) -> bool {
        self.store.is_some() && self.rules.vfs.is_none() && !self.rules.file.exists()
    }

    /// Copies the contents of the removed file, which is still open, to a new one.
    fn copy_removed(&mut self) -> Result<(), StoreError> {
        let Some(store) = &self.store else { return Ok(()) };
        let unusable = |error: std::io::Error| StoreError::Unusable(error.to_string());
        self.rules.file.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(unusable)?;
        rescue::remove_log(&self.rules.file).map_err(unusable)?;
        store.copy_to(&self.rules.file)?;
        (self.store, self.must_reload) = (None, true);
        Ok(())
    }

    fn try_to_heal(&mut self, now: Monotonic) -> Result<(), StoreError> {
        if self.is_removed() {
            self.copy_removed()?;
        }
        let mut store = match self.store.take() {
            Some(store) => store,
            None => self.open()?,
        };
        if self.must_reload {
            self.renumber(store.newest()?);
        }
        if self.must_rewrite {
            store.rewrite()?;
            self.must_rewrite = false;
        }
        self.ring.make_contiguous();
        let missed = self.ring.as_slices().0;
        store.write(missed, &self.delivered_with(missed), self.dropped)?;
        self.status.recorded += self.ring.len() as u64;
        self.ring.clear();
        self.saved();
        self.unsynced_since.get_or_insert(now);
        if self.must_reload {
            self.reload(&store)?;
            self.must_reload = false;
        }
        self.store = Some(store);
        Ok(())
    }

    /// Opens the store. Restores the events that SQLite skips when its log is damaged.
    fn open(&self) -> Result<Store, StoreError> {
        let file = &self.rules.file;
        let unusable = |error: std::io::Error| StoreError::Unusable(error.to_string());
        rescue::finish(file).map_err(unusable)?;
        if rescue::has_damaged_header(file).map_err(unusable)? {
            return Err(StoreError::Damaged("its header is damaged".into()));
        }
        let (mut in_log, delivered) = rescue::left_in_log(file).unwrap_or_default();
        let mut store = Store::open(file, self.rules.vfs.as_deref())?;
        store.check()?;
        // Positions only grow, so events after the damage are newer than all before it. Older ones that are not there
        // were dropped or deleted.
        let newest = store.newest()?;
        in_log.retain(|record| record.position > newest && !self.ring.contains(record));
        let undelivered = store.undelivered()?;
        let is_news = |position: &Position| {
            *position > newest || undelivered.binary_search_by_key(position, |(position, _)| *position).is_ok()
        };
        let delivered: Vec<Position> = delivered.into_iter().filter(is_news).collect();
        if !in_log.is_empty() || !delivered.is_empty() {
            tracing::warn!(
                events = in_log.len(),
                "the outbox's log is damaged in one place; the events after it are kept"
            );
            store.write(&in_log, &delivered, Dropped::default())?;
        }
        Ok(store)
    }

    /// Gives events that were recorded before the store could be opened positions after all that are on it.
    fn renumber(&mut self, newest: Position) {
        self.next_position = self.next_position.max(newest + 1);
        if self.ring.front().is_some_and(|first| first.position <= newest) {
            for record in &mut self.ring {
                record.position = self.next_position;
                self.next_position += 1;
            }
        }
    }

    /// Rebuilds the queue from disk. Events in flight are sent again.
    fn reload(&mut self, store: &Store) -> Result<(), StoreError> {
        let undelivered = store.undelivered()?;
        let dropped = store.dropped()?;
        self.status.unreported = dropped.unreported;
        self.status.bytes = store.used_bytes()?;
        self.queue.clear();
        for (position, camera) in undelivered {
            self.queue.restore(position, camera.into());
        }
        Ok(())
    }
}
