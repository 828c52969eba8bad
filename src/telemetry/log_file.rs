//! The log file, opened again when it was removed, renamed or could not be written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often the open file is compared with what lies at its path.
const CHECK_PERIOD: Duration = Duration::from_secs(1);

/// A file that log lines are appended to. Its calls block as long as the disk does: only the log's thread makes them.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    open: Option<File>,
    checked_at: Instant,
    /// The last line could only be written in part, so that the next one needs a line end before it.
    is_torn: bool,
}

impl LogFile {
    /// Opens nothing yet.
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), open: None, checked_at: Instant::now(), is_torn: false }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let mut file = self.file()?;
        let result = match self.is_torn {
            true => write_all(&mut file, b"\n").and_then(|()| write_all(&mut file, line)),
            false => write_all(&mut file, line),
        };
        match result {
            Ok(()) => {
                self.is_torn = false;
                self.open = Some(file);
                Ok(())
            }
            Err(Failed { written, error }) => {
                self.is_torn |= written > 0;
                Err(error)
            }
        }
    }

    #[cfg(test)]
    pub(super) fn mark_torn(&mut self) {
        self.is_torn = true;
    }

    /// The open file, which the caller gives back when it could be written.
    fn file(&mut self) -> io::Result<File> {
        if self.checked_at.elapsed() >= CHECK_PERIOD {
            self.checked_at = Instant::now();
            self.open = self.open.take().filter(|file| is_at(file, &self.path));
        }
        if let Some(file) = self.open.take() {
            return Ok(file);
        }
        let file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        self.checked_at = Instant::now();
        if file.metadata()?.len() == 0 {
            self.is_torn = false;
        }
        Ok(file)
    }
}

/// False when the file was removed or renamed: what is written to it then is lost, or in a rotated log.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(at_path)) = (file.metadata(), fs::metadata(path)) else { return false };
    (open.dev(), open.ino()) == (at_path.dev(), at_path.ino())
}

struct Failed {
    /// Bytes that were written before.
    written: usize,
    error: io::Error,
}

fn write_all(file: &mut File, bytes: &[u8]) -> Result<(), Failed> {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return Err(Failed { written, error: ErrorKind::WriteZero.into() }),
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Failed { written, error }),
        }
    }
    Ok(())
}
