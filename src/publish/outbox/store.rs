//! The events on disk: one SQLite file with its write-ahead log.

mod passes;

use crate::publish::outbox::record::{LAST_POSITION, Position, Record};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, params};
use std::path::Path;

/// Version of the tables, stored in the file.
const SCHEMA_VERSION: i32 = 1;

/// Positions are SQLite's 64-bit row ids, so that a read by position is one descent.
const SCHEMA: &str = "
    CREATE TABLE event (
        position INTEGER PRIMARY KEY,
        delivered INTEGER NOT NULL,
        recorded_ms INTEGER NOT NULL,
        camera TEXT NOT NULL,
        payload BLOB NOT NULL,
        checksum INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE tally (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT;
    PRAGMA user_version = 1;
";

/// Why a disk operation failed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum StoreError {
    /// The disk is full, read-only or failing, or another process has the file. A retry may succeed.
    #[error("{0}")]
    Unusable(String),
    /// The file's content is not what was written.
    #[error("{0}")]
    Damaged(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(text),
            // On an intact store our statements find their tables and violate no constraint.
            Some(
                ErrorCode::Unknown
                | ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch
                | ErrorCode::TooBig
                | ErrorCode::SchemaChanged,
            ) => Self::Damaged(text),
            Some(_) => Self::Unusable(text),
            // A column has another type than was written.
            None => Self::Damaged(text),
        }
    }
}

/// The open file.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    /// No event up to here is delivered, so a search for delivered ones starts after it.
    undelivered_to: Position,
    /// A search finds no delivered event that was recorded before this time, ms; it has looked as far as `looked_to`.
    none_before_ms: i64,
    looked_to: Position,
}

impl Store {
    /// Opens or creates the file. `vfs` names another SQLite VFS, for tests.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Damaged`] also when another program wrote the file.
    pub(super) fn open(file: &Path, vfs: Option<&str>) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(file, flags, vfs)?,
            None => Connection::open_with_flags(file, flags)?,
        };
        // One process, one connection: no shared memory beside the file, and a second daemon is refused. A commit is
        // written but not synced: it survives the daemon. `sync` makes it survive the power. Each commit writes the page
        // of its event anew, so pages are small; a store that exists keeps the size it has.
        connection.execute_batch(
            "PRAGMA page_size = 1024; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
             PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -512;
             PRAGMA journal_size_limit = 4194304; PRAGMA secure_delete = FAST;",
        )?;
        let store = Self { connection, undelivered_to: 0, none_before_ms: i64::MIN, looked_to: 0 };
        match store.pragma("user_version")? {
            0 => store.connection.execute_batch(&format!("BEGIN IMMEDIATE; {SCHEMA} COMMIT;"))?,
            version if version == i64::from(SCHEMA_VERSION) => {}
            version => return Err(StoreError::Damaged(format!("its tables are of version {version}"))),
        }
        Ok(store)
    }

    /// Checks the whole file for damage that would hide events silently, such as a wrong page pointer.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let found: String = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found == "ok" { Ok(()) } else { Err(StoreError::Damaged(found)) }
    }

    /// Before this time, ms, no event was recorded that [`Store::forget_delivered`] would find.
    #[cfg(test)]
    pub(super) fn none_before_ms(&self) -> i64 {
        self.none_before_ms
    }

    fn pragma(&self, name: &str) -> Result<i64, StoreError> {
        Ok(self.connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?)
    }

    /// Bytes in use. Pages of deleted events are reused before the file grows.
    pub(super) fn used_bytes(&self) -> Result<u64, StoreError> {
        let pages = self.pragma("page_count")? - self.pragma("freelist_count")?;
        Ok(u64::try_from(pages * self.pragma("page_size")?).unwrap_or(0))
    }

    /// The newest position ever written, also when its event is gone; 0 when there was none.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] also when it is one that no box gets to.
    pub(super) fn newest(&self) -> Result<Position, StoreError> {
        let sql = "SELECT max((SELECT coalesce(max(position), 0) FROM event),
                              (SELECT coalesce(max(count), 0) FROM tally WHERE name = 'newest'))";
        let newest = self.connection.query_row(sql, [], |row| row.get(0))?;
        match newest <= LAST_POSITION {
            true => Ok(newest),
            false => Err(StoreError::Damaged(format!("position {newest} is in it, which no event ever had"))),
        }
    }

    /// Position and camera of all undelivered events, oldest first.
    pub(super) fn undelivered(&self) -> Result<Vec<(Position, String)>, StoreError> {
        let mut statement =
            self.connection.prepare("SELECT position, camera FROM event WHERE delivered = 0 ORDER BY position")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Writes new events, delivered positions and drop counts in one transaction.
    pub(super) fn write(&mut self, new: &[Record], delivered: &[Position], dropped: Dropped) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        insert(&transaction, new)?;
        {
            let mut mark = transaction.prepare_cached("UPDATE event SET delivered = 1 WHERE position = ?1")?;
            for position in delivered {
                mark.execute([position])?;
            }
        }
        add_dropped(&transaction, dropped)?;
        transaction.commit()?;
        let changed = new.iter().map(|event| event.position).chain(delivered.iter().copied());
        self.undelivered_to =
            changed.map(|position| position.saturating_sub(1)).fold(self.undelivered_to, Position::min);
        // One that the last search passed, because it was not delivered, may be old.
        let was_passed = delivered.iter().any(|position| *position <= self.looked_to);
        let oldest = new.iter().map(|event| event.recorded_ms).chain(was_passed.then_some(i64::MIN)).min();
        self.none_before_ms = self.none_before_ms.min(oldest.unwrap_or(i64::MAX));
        Ok(())
    }

    /// How many events were dropped so far, and of how many no subscriber knows yet. Damage may have made a count huge;
    /// it is cut off where sums of it cannot overflow.
    pub(super) fn dropped(&self) -> Result<Dropped, StoreError> {
        let mut read = self.connection.prepare_cached("SELECT count FROM tally WHERE name = ?1")?;
        let mut count = |name: &str| {
            let count = read.query_row([name], |row| row.get(0)).optional()?.unwrap_or(0_i64);
            Ok::<i64, StoreError>(count.clamp(0, LAST_POSITION / 2))
        };
        Ok(Dropped { total: count("dropped")?, unreported: count("unreported")? })
    }

    /// Writes delivered positions and drop counts, and makes them and all earlier commits survive a power cut: a synced
    /// commit syncs those before it in the log.
    pub(super) fn sync(&mut self, delivered: &[Position], dropped: Dropped) -> Result<(), StoreError> {
        self.connection.execute_batch("PRAGMA synchronous = FULL")?;
        let before = self.connection.total_changes();
        let mut done = self.write(&[], delivered, dropped);
        // There has to be something to commit: those events may be gone already.
        if done.is_ok() && self.connection.total_changes() == before {
            done = self.count_sync();
        }
        self.connection.execute_batch("PRAGMA synchronous = NORMAL")?;
        done
    }

    fn count_sync(&self) -> Result<(), StoreError> {
        let sql = "INSERT INTO tally VALUES ('syncs', 1) ON CONFLICT (name) DO UPDATE SET count = count + 1";
        self.connection.execute(sql, [])?;
        Ok(())
    }

    /// Copies the whole store to a file that does not exist yet.
    pub(super) fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        let file = file.to_str().ok_or_else(|| StoreError::Unusable("its path is not UTF-8".into()))?;
        self.connection.execute("VACUUM INTO ?1", [file])?;
        Ok(())
    }

    /// After a failed sync the kernel may treat unwritten pages as clean. So this writes the whole log from memory into
    /// the store's file, and syncs that.
    pub(super) fn rewrite(&mut self) -> Result<(), StoreError> {
        let busy: i64 = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy != 0 {
            return Err(StoreError::Unusable("its log cannot be written into its file".into()));
        }
        Ok(())
    }

    /// Reads one event; `None` when its checksum is wrong.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] also when it is not found: then a page above it is damaged, and hides others too.
    pub(super) fn read(&self, position: Position) -> Result<Option<Record>, StoreError> {
        let sql = "SELECT position, recorded_ms, camera, payload, checksum FROM event WHERE position = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        match statement.query_row([position], record).optional()? {
            Some(found) => Ok(found),
            None => Err(StoreError::Damaged(format!("event {position} is not where it was written"))),
        }
    }

    /// Deletes undelivered events, and counts them as dropped in the same transaction.
    pub(super) fn drop_events(&mut self, positions: &[Position]) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        let newest = newest_there(&transaction)?;
        {
            let mut delete = transaction.prepare_cached("DELETE FROM event WHERE position = ?1")?;
            for position in positions {
                delete.execute([position])?;
            }
        }
        let count = i64::try_from(positions.len()).unwrap_or(i64::MAX);
        keep_newest(&transaction, newest)?;
        add_dropped(&transaction, Dropped { total: count, unreported: count })?;
        transaction.commit()?;
        Ok(())
    }
}

/// Counts of dropped events, or an increment of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Dropped {
    /// Since the store was created.
    pub(super) total: i64,
    /// Those that no delivered event has reported.
    pub(super) unreported: i64,
}

fn insert(transaction: &Transaction<'_>, new: &[Record]) -> Result<(), StoreError> {
    let mut insert = transaction.prepare_cached("INSERT INTO event VALUES (?1, 0, ?2, ?3, ?4, ?5)")?;
    for event in new {
        insert.execute(params![event.position, event.recorded_ms, event.camera, event.payload, event.checksum()])?;
    }
    Ok(())
}

fn add_dropped(transaction: &Transaction<'_>, more: Dropped) -> Result<(), StoreError> {
    if more == Dropped::default() {
        return Ok(());
    }
    let mut add = transaction.prepare_cached(
        "INSERT INTO tally VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET count = count + excluded.count",
    )?;
    add.execute(params!["dropped", more.total])?;
    add.execute(params!["unreported", more.unreported])?;
    Ok(())
}

fn newest_there(transaction: &Transaction<'_>) -> Result<Position, StoreError> {
    let sql = "SELECT coalesce(max(position), 0) FROM event";
    Ok(transaction.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Stores the newest position when its event was deleted, so that it is never reused.
fn keep_newest(transaction: &Transaction<'_>, newest: Position) -> Result<(), StoreError> {
    if newest_there(transaction)? < newest {
        transaction.execute(
            "INSERT INTO tally VALUES ('newest', ?1) ON CONFLICT (name) DO UPDATE SET count = max(count, excluded.count)",
            [newest],
        )?;
    }
    Ok(())
}

/// Reads a row of position, time, camera, payload and checksum; `None` when the checksum is wrong.
fn record(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Record>> {
    let camera: String = row.get(2)?;
    let event = Record { position: row.get(0)?, recorded_ms: row.get(1)?, camera: camera.into(), payload: row.get(3)? };
    Ok((row.get::<_, u32>(4)? == event.checksum()).then_some(event))
}
