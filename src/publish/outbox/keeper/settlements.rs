//! What has come of the events that were sent: it is counted at once, and marked on disk with the next event or sync.

use crate::publish::outbox::Settled;
use crate::publish::outbox::keeper::Keeper;
use crate::publish::outbox::record::Position;
use crate::vision::monotonic::Monotonic;

impl Keeper {
    /// Marks the settled events now.
    pub(super) fn mark_settled(&mut self, now: Monotonic) {
        if !self.settled.is_empty() && self.status.trouble.is_none() {
            self.write(Vec::new(), 0, now);
        }
    }

    pub(super) fn count_settled(&mut self, settled: &[Settled], now: Monotonic) {
        for one in settled {
            let position = match *one {
                Settled::Delivered(position) => {
                    self.status.delivered += 1;
                    if let Some(count) = self.reports.remove(&position) {
                        self.dropped.unreported -= count;
                    }
                    position
                }
                Settled::Refused(position) => {
                    self.status.refused += 1;
                    self.reports.remove(&position);
                    position
                }
                Settled::PutOff(position) => {
                    self.status.put_off += 1;
                    self.reports.remove(&position);
                    self.queue.put_off(position, now);
                    continue;
                }
            };
            self.settle(position);
        }
    }

    /// Marks an event as settled with the next write. An event in the ring is just removed.
    fn settle(&mut self, position: Position) {
        let in_ring = self.ring.iter().position(|one| one.position == position);
        match in_ring.and_then(|at| self.ring.remove(at)) {
            Some(_) => self.queue.settled(position),
            None => self.settled.push(position),
        }
        // While the disk refuses, the event must not occupy the send window. One that is back in its place since its
        // connection was lost must not go again.
        if self.status.trouble.is_some() || !self.queue.is_on_its_way(position) {
            self.queue.settled(position);
        }
    }
}
