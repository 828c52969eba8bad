//! Scans of the events on disk, each with a limit on the rows that it reads: the table may be gigabytes on a slow card,
//! and no event is sent during a scan.

use crate::publish::outbox::record::{Position, Record};
use crate::publish::outbox::store::{Store, StoreError, keep_newest, newest_there, record};
use rusqlite::params;

const LOOK: &str = "SELECT position, delivered, recorded_ms FROM event WHERE position > ?1 ORDER BY position LIMIT ?2";

const PAGE: &str = "SELECT position, recorded_ms, camera, payload, checksum FROM event
                    WHERE position > ?1 ORDER BY position LIMIT ?2";

/// A lookup of the first event at or after a position.
const PROBE: &str = "SELECT position, recorded_ms, camera, payload, checksum FROM event
                     WHERE position >= ?1 ORDER BY position";

impl Store {
    /// Reads up to `limit` events after a position (0: from the first that was recorded at the time or later). Returns
    /// those that were recorded at the time or later, oldest first, and the position to continue after. Skips damaged
    /// events.
    pub(in crate::publish::outbox) fn since(
        &self,
        recorded_ms: i64,
        after: Position,
        limit: usize,
    ) -> Result<(Vec<Record>, Position), StoreError> {
        let after = if after == 0 { self.first_since(recorded_ms)? - 1 } else { after };
        let mut statement = self.connection.prepare_cached(PAGE)?;
        let mut rows = statement.query(params![after, row_limit(limit)])?;
        let (mut found, mut last) = (Vec::new(), after);
        while let Some(row) = rows.next()? {
            last = row.get(0)?;
            found.extend(record(row)?.filter(|event| event.recorded_ms >= recorded_ms));
        }
        Ok((found, last))
    }

    /// The first position at or after a time, by binary search over the positions. Times grow with positions unless
    /// the wall clock was set back. Then this finds the start of one of the runs of newer events; the whole last run is
    /// after it.
    fn first_since(&self, recorded_ms: i64) -> Result<Position, StoreError> {
        let oldest = "SELECT coalesce(min(position), 1) FROM event WHERE position > 0";
        let mut low: Position = self.connection.prepare_cached(oldest)?.query_row([], |row| row.get(0))?;
        let mut high = self.newest()?.max(low - 1) + 1;
        while low < high {
            let middle = low + (high - low) / 2;
            match self.intact_from(middle)? {
                Some((position, at_ms)) if at_ms < recorded_ms => low = position + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// Position and time of the first intact event at or after a position: a damaged time would mislead the search.
    fn intact_from(&self, position: Position) -> Result<Option<(Position, i64)>, StoreError> {
        let mut statement = self.connection.prepare_cached(PROBE)?;
        let mut rows = statement.query([position])?;
        while let Some(row) = rows.next()? {
            if let Some(event) = record(row)? {
                return Ok(Some((event.position, event.recorded_ms)));
            }
        }
        Ok(None)
    }

    /// Deletes up to `limit` delivered events that were recorded before a time, oldest first, and reads at most `rows`
    /// rows. Returns the number of deleted events. Later scans start after the undelivered events that this one passed,
    /// and there is none until a delivered event is old enough.
    pub(in crate::publish::outbox) fn forget_delivered(
        &mut self,
        before_ms: i64,
        limit: usize,
        rows: usize,
    ) -> Result<usize, StoreError> {
        if before_ms <= self.none_before_ms {
            return Ok(0);
        }
        let found = self.find_delivered(before_ms, limit, rows)?;
        if !found.old.is_empty() {
            let transaction = self.connection.transaction()?;
            let newest = newest_there(&transaction)?;
            {
                let mut delete = transaction.prepare_cached("DELETE FROM event WHERE position = ?1")?;
                for position in &found.old {
                    delete.execute([position])?;
                }
            }
            keep_newest(&transaction, newest)?;
            transaction.commit()?;
        }
        self.undelivered_to = found.undelivered_to;
        self.none_before_ms = if found.is_complete { found.oldest_kept_ms } else { i64::MIN };
        self.looked_to = found.looked_to;
        Ok(found.old.len())
    }

    fn find_delivered(&self, before_ms: i64, limit: usize, rows: usize) -> Result<Delivered, StoreError> {
        let mut statement = self.connection.prepare_cached(LOOK)?;
        let mut looked_at = statement.query(params![self.undelivered_to, row_limit(rows)])?;
        let to = self.undelivered_to;
        let mut found = Delivered {
            old: Vec::new(),
            undelivered_to: to,
            oldest_kept_ms: i64::MAX,
            looked_to: to,
            is_complete: false,
        };
        let mut looked = 0;
        while found.old.len() < limit
            && let Some(row) = looked_at.next()?
        {
            let (position, delivered, recorded_ms): (Position, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            (looked, found.looked_to) = (looked + 1, position);
            if delivered == 1 && recorded_ms < before_ms {
                found.old.push(position);
            } else if delivered == 1 {
                found.oldest_kept_ms = found.oldest_kept_ms.min(recorded_ms);
            }
            if found.oldest_kept_ms == i64::MAX {
                found.undelivered_to = position;
            }
        }
        // Either it came to the end, or the next one would look at the same rows, from the first event that is kept.
        let is_at_end = looked < rows && found.old.len() < limit;
        found.is_complete = is_at_end || (found.old.is_empty() && found.oldest_kept_ms < i64::MAX);
        Ok(found)
    }
}

/// What a search for delivered events has found.
struct Delivered {
    /// The events to delete.
    old: Vec<Position>,
    /// No delivered event is left up to here once they are.
    undelivered_to: Position,
    /// When the oldest delivered event that is kept was recorded, ms; the maximum if there is none.
    oldest_kept_ms: i64,
    /// The last position that was looked at.
    looked_to: Position,
    /// Another search finds nothing more until an event is old enough.
    is_complete: bool,
}

fn row_limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::outbox::store::Dropped;
    use rusqlite::StatementStatus;

    /// Events 1 to `count`, each recorded in the millisecond of its position; those in `delivered` are delivered.
    fn store_with(count: i64, delivered: std::ops::RangeInclusive<i64>) -> (tempfile::TempDir, Store) {
        let home = tempfile::tempdir().unwrap();
        let mut store = Store::open(&home.path().join("events.db"), None).unwrap();
        let event = |position| Record { position, recorded_ms: position, camera: "yard".into(), payload: b"{}".into() };
        let events: Vec<Record> = (1..=count).map(event).collect();
        store.write(&events, &delivered.collect::<Vec<_>>(), Dropped::default()).unwrap();
        (home, store)
    }

    /// The steps that SQLite's machine has taken for a statement since the last question.
    fn steps(store: &Store, sql: &str) -> i32 {
        store.connection.prepare_cached(sql).unwrap().reset_status(StatementStatus::VmStep)
    }

    #[test]
    fn a_pass_for_old_events_costs_the_same_whatever_the_size_of_the_table() {
        let steps_of_a_pass = [2_000, 20_000].map(|count| {
            let (_home, mut store) = store_with(count, 1..=count);
            assert_eq!(store.forget_delivered(0, 1000, 1000).unwrap(), 0, "none is old");
            assert_eq!(store.forget_delivered(501, 1000, 1000).unwrap(), 500);
            steps(&store, LOOK)
        });
        assert_eq!(steps_of_a_pass[0], steps_of_a_pass[1]);
        assert!(steps_of_a_pass[0] > 1000, "{steps_of_a_pass:?}");
    }

    #[test]
    fn old_delivered_events_behind_many_undelivered_ones_are_forgotten_after_a_few_passes() {
        let (_home, mut store) = store_with(5_000, 3_001..=4_000);
        let forgotten: Vec<usize> = (0..5).map(|_| store.forget_delivered(i64::MAX, 1000, 1000).unwrap()).collect();
        assert_eq!(forgotten, [0, 0, 0, 1000, 0]);
        // An event that a pass has gone by is found again once it is delivered.
        store.write(&[], &[7], Dropped::default()).unwrap();
        assert_eq!(store.forget_delivered(i64::MAX, 1000, 1000).unwrap(), 1);
    }

    #[test]
    fn a_full_table_without_delivered_events_is_read_through_only_once() {
        let (_home, mut store) = store_with(20_000, 0..=0);
        assert_eq!(store.forget_delivered(i64::MAX, 64, usize::MAX).unwrap(), 0);
        assert!(steps(&store, LOOK) > 20_000);
        assert_eq!(store.forget_delivered(i64::MAX, 64, usize::MAX).unwrap(), 0);
        let again = steps(&store, LOOK);
        assert!(again < 100, "{again} steps");
    }

    #[test]
    fn the_first_event_since_a_time_is_found_without_reading_those_before_it() {
        let (_home, store) = store_with(20_000, 1..=20_000);
        let (found, last) = store.since(19_990, 0, 5).unwrap();
        assert_eq!(
            found.iter().map(|event| event.position).collect::<Vec<_>>(),
            [19_990, 19_991, 19_992, 19_993, 19_994]
        );
        assert_eq!(last, 19_994);
        let read = steps(&store, PROBE) + steps(&store, PAGE);
        assert!(read < 1_000, "{read} steps");
        assert_eq!(store.since(19_990, last, 100).unwrap().0.len(), 6);
        assert_eq!(store.since(0, 0, 3).unwrap().1, 3);
        assert_eq!(store.since(20_001, 0, 3).unwrap().0, []);
    }

    #[test]
    fn the_search_by_time_steps_over_gaps_and_damaged_events() {
        let (_home, mut store) = store_with(100, 1..=40);
        assert_eq!(store.forget_delivered(i64::MAX, 40, 100).unwrap(), 40);
        store.connection.execute("DELETE FROM event WHERE position BETWEEN 60 AND 69", []).unwrap();
        store.connection.execute("UPDATE event SET recorded_ms = 0 WHERE position BETWEEN 71 AND 99", []).unwrap();
        let positions = |ms| store.since(ms, 0, 100).unwrap().0.iter().map(|event| event.position).collect::<Vec<_>>();
        assert_eq!(positions(58), [58, 59, 70, 100]);
        assert_eq!(positions(0).len(), 41 - 20);
    }
}
