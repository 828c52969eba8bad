//! Allows one daemon per state directory: two would write the same files and use the same identity at the broker.
//!
//! The lock is `flock` on a file. The kernel releases it when its holder ends for any reason, so a stale lock never
//! blocks the next start. The file names the holder, for the error text of a second daemon.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The name of the lock file in the state directory.
const FILE: &str = "lock";

/// Only this much of the lock file is read.
const MAX_NOTE_BYTES: u64 = 4096;

/// The lock, held until it is dropped. Children do not inherit it, because the file is close-on-exec.
#[derive(Debug)]
pub struct StateLock {
    _file: File,
}

/// Why the state directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum StateLockError {
    /// Another daemon holds the lock.
    #[error(
        "another daemon ({holder}) uses the state directory {directory}: stop it, or give this one a \
         `state_directory` and a `box_id` of its own"
    )]
    Held {
        /// Process number and command line of the holder, for the error text.
        holder: String,
        /// The state directory.
        directory: PathBuf,
    },
    /// The directory cannot be written, or its file system has no locks. The daemon can run without the lock.
    #[error("{directory} cannot be locked")]
    Unavailable {
        /// The state directory.
        directory: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl StateLock {
    /// Locks a state directory without waiting. Creates the directory if it does not exist.
    ///
    /// # Errors
    /// [`StateLockError::Held`] if another process has the lock, else [`StateLockError::Unavailable`].
    pub fn take(directory: &Path) -> Result<Self, StateLockError> {
        let unavailable = |source| StateLockError::Unavailable { directory: directory.to_owned(), source };
        std::fs::create_dir_all(directory).map_err(unavailable)?;
        // Not truncated before it is locked: it names the holder.
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o644).open(directory.join(FILE));
        let mut file = file.map_err(unavailable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StateLockError::Held { holder: holder(&mut file), directory: directory.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(unavailable(error)),
        }
        // The note is informative only: on a full disk the lock works without it.
        if let Err(error) = write_note(&mut file) {
            tracing::debug!(%error, "the holder could not be written to the state directory's lock file");
        }
        Ok(Self { _file: file })
    }

    /// Names the daemon that has locked a state directory; `None` if there is none, or the lock file cannot be read. It
    /// holds the lock for an instant itself, so only a person's command may use it and no daemon.
    pub fn holder_of(directory: &Path) -> Option<String> {
        let mut file = File::open(directory.join(FILE)).ok()?;
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)).then(|| holder(&mut file))
    }
}

fn write_note(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    let command: Vec<String> = std::env::args().collect();
    file.write_all(format!("{}\n{}\n", std::process::id(), command.join(" ")).as_bytes())
}

fn holder(file: &mut File) -> String {
    let mut note = String::new();
    let is_read = file.take(MAX_NOTE_BYTES).read_to_string(&mut note).is_ok();
    match note.split_once('\n') {
        Some((pid, command)) if is_read => format!("process {pid}, `{}`", command.trim_end()),
        _ => "unknown process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn the_second_one_is_told_who_holds_the_lock_and_gets_it_afterwards() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state");
        let lock = StateLock::take(&state).unwrap();
        let error = StateLock::take(&state).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, StateLockError::Held { .. }), "{text}");
        let holder = format!("process {}, `", std::process::id());
        assert!(text.contains(&holder) && text.contains(&state.display().to_string()), "{text}");
        assert!(text.contains("state_directory"), "{text}");
        assert!(StateLock::holder_of(&state).is_some_and(|found| found.starts_with(&holder)));
        drop(lock);
        assert_eq!(StateLock::holder_of(&state), None);
        StateLock::take(&state).unwrap();
        assert_eq!(StateLock::holder_of(&home.path().join("nowhere")), None);
    }

    #[test]
    fn a_child_does_not_keep_the_lock_of_its_parent() {
        let home = tempfile::tempdir().unwrap();
        let lock = StateLock::take(home.path()).unwrap();
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // Its reply proves that exec has happened, which closes the lock file.
        child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        drop(lock);
        StateLock::take(home.path()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_note_that_was_left_behind_or_is_no_text_keeps_nobody_out() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(FILE), [0xFF; 9000]).unwrap();
        let lock = StateLock::take(home.path()).unwrap();
        let note = std::fs::read_to_string(home.path().join(FILE)).unwrap();
        assert!(note.starts_with(&format!("{}\n", std::process::id())), "{note}");
        drop(lock);
    }

    #[test]
    fn a_place_where_no_lock_can_be_is_told_from_one_that_is_held() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("file"), "").unwrap();
        let error = StateLock::take(&home.path().join("file/state")).unwrap_err();
        assert!(matches!(error, StateLockError::Unavailable { .. }), "{error}");
    }
}
