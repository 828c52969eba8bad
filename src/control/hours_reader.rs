//! Reads inference hours for clients. A disk that hangs costs one thread, however many ask.

use crate::metering::{HourRow, HoursFiles};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Longest wait of a client, its turn included.
const READ_LIMIT: Duration = Duration::from_secs(5);

/// Reads months one after the other.
#[derive(Clone, Debug)]
pub(super) struct HoursReader {
    files: HoursFiles,
    /// One permit. A read that hangs keeps it: nothing breaks off such a read.
    turns: Arc<Semaphore>,
}

impl HoursReader {
    pub(super) fn new(files: HoursFiles) -> Self {
        Self { files, turns: Arc::new(Semaphore::new(1)) }
    }

    /// The rows of a month.
    ///
    /// # Errors
    /// `TimedOut` if the disk does not answer, and as [`HoursFiles::read`].
    pub(super) async fn read(&self, month: &str) -> io::Result<Vec<HourRow>> {
        let read = async {
            let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(io::Error::other)?;
            let (files, month) = (self.files.clone(), month.to_owned());
            let rows = tokio::task::spawn_blocking(move || {
                let rows = files.read(&month);
                drop(turn);
                rows
            });
            rows.await.map_err(io::Error::other)?
        };
        let late = || io::Error::new(io::ErrorKind::TimedOut, "the disk of the inference hours does not answer");
        timeout(READ_LIMIT, read).await.map_err(|_| late())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn while_a_read_hangs_the_next_is_refused_in_time_and_takes_no_thread() {
        let home = tempfile::tempdir().unwrap();
        let reader = HoursReader::new(HoursFiles::new(home.path()));
        let hanging = Arc::clone(&reader.turns).acquire_owned().await.unwrap();
        assert_eq!(reader.read("2026-11").await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(hanging);
        assert!(reader.read("2026-11").await.unwrap().is_empty());
        assert_eq!(reader.read("../x").await.unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
