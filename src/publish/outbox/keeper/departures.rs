//! Reads the event to send next, from the disk or the ring, and adds the count of dropped events to it.

use crate::publish::outbox::keeper::{Departure, Keeper};
use crate::publish::outbox::queue::Next;
use crate::publish::outbox::record::{Position, Record};
use crate::publish::outbox::store::StoreError;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

impl Keeper {
    /// The sink has connected or disconnected.
    pub(in crate::publish::outbox) fn set_connected(&mut self, is_connected: bool, now: Monotonic) {
        // What was settled over the old connection does not go again over the next one.
        self.mark_settled(now);
        self.queue.disconnected();
        self.reports.clear();
        if is_connected {
            self.queue.connected();
        }
    }

    /// The next event to send, or how long to wait for it; `Err(None)`: until something changes.
    pub(in crate::publish::outbox) fn next(&mut self, now: Monotonic) -> Result<Departure, Option<Duration>> {
        loop {
            let position = match self.queue.next(now) {
                Next::Send(position) => position,
                Next::Wait(time) => return Err(Some(time)),
                Next::Nothing => return Err(None),
            };
            match self.read(position) {
                Ok(Some(record)) => return Ok(self.departure(record)),
                Ok(None) => {
                    tracing::error!(position, "an event is damaged on disk and is skipped");
                    self.status.damaged += 1;
                    self.settled.push(position);
                    self.queue.settled(position);
                }
                Err(error) => {
                    // Events on disk wait until they can be read.
                    self.must_reload = true;
                    self.refused(&error, now);
                    self.queue.keep_only(|position| self.ring.iter().any(|one| one.position == position));
                }
            }
        }
    }

    pub(super) fn read(&self, position: Position) -> Result<Option<Record>, StoreError> {
        if let Some(record) = self.ring.iter().find(|one| one.position == position) {
            return Ok(Some(record.clone()));
        }
        match &self.store {
            Some(store) => store.read(position),
            None => Err(StoreError::Unusable("it is not open".into())),
        }
    }

    fn departure(&mut self, record: Record) -> Departure {
        let Record { position, camera, mut payload, .. } = record;
        let unreported = self.status.unreported + self.dropped.unreported - self.reports.values().sum::<i64>();
        if unreported > 0 && payload.last() == Some(&b'}') {
            payload.pop();
            payload.extend(format!(",\"dropped\":{unreported}}}").into_bytes());
            self.reports.insert(position, unreported);
        }
        Departure { position, camera, payload }
    }
}
