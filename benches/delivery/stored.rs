//! What the outbox has kept: read from its file, past its code.

use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// An event on disk.
pub(crate) struct StoredEvent {
    pub(crate) id: String,
    pub(crate) camera: String,
}

/// What is in the file of a daemon that has ended.
pub(crate) struct Stored {
    /// In the order in which they were recorded.
    pub(crate) events: Vec<StoredEvent>,
    /// As the outbox counts them.
    pub(crate) dropped: i64,
}

pub(crate) fn read(file: &Path) -> Stored {
    let store = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut rows = store.prepare("SELECT camera, payload FROM event ORDER BY position").unwrap();
    let events = rows.query_map([], |row| {
        let payload: Vec<u8> = row.get(1)?;
        let payload: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        let id = payload["id"].as_str().unwrap().to_owned();
        Ok(StoredEvent { id, camera: row.get(0)? })
    });
    let events = events.unwrap().map(Result::unwrap).collect();
    let dropped = "SELECT coalesce(sum(count), 0) FROM tally WHERE name = 'dropped'";
    Stored { events, dropped: store.query_row(dropped, [], |row| row.get(0)).unwrap() }
}
