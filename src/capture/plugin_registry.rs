//! Starts GStreamer so that its plugins are looked at once, and not by every capture process at the same time.
//!
//! `gstreamer::init()` reads a registry of all plugins. Where there is none, or after an upgrade, it loads each plugin to
//! see what it offers, which takes seconds of CPU time, and writes the registry. Processes that start together would each
//! do that for itself, and on a slow box none would get to the end. So a process locks the directory of the registry
//! while it starts GStreamer: the first one looks at the plugins, the others wait and read what it has written.
//!
//! The lock is on the directory and not on a file in it: it leaves nothing behind, and a disk that is read-only has it
//! too. The kernel takes it back from a process that dies. Nothing is sent to the parent meanwhile, for only another
//! thread could, and would also do so if this one hangs; the parent waits for `Initialized` for as long as
//! [`INITIALIZATION_LIMIT`] says.

use crate::ipc::heartbeat::INITIALIZATION_LIMIT;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long the lock is waited for. A lock that never comes must not blind a camera: then this process starts GStreamer
/// without it, and still has time to do so before the parent gives it up.
const LOCK_LIMIT: Duration = INITIALIZATION_LIMIT.saturating_sub(Duration::from_secs(30));

/// How often it is tried.
const LOCK_POLL: Duration = Duration::from_millis(20);

/// `gstreamer::init()`, one process at a time.
pub(super) fn start_gstreamer() -> Result<(), gstreamer::glib::Error> {
    let registry = Registry::from_environment();
    let lock = registry.as_ref().and_then(|registry| registry.lock(LOCK_LIMIT));
    if let (Some(registry), Some(_)) = (&registry, &lock) {
        registry.remove_leftovers();
    }
    let versions = || registry.as_ref().map(Registry::versions).unwrap_or_default();
    let (before, begun) = (versions(), Instant::now());
    // First: where there is no registry, GStreamer makes the RTSP client's class while it looks at the plugins.
    crate::os::rtsp_extension::register_at_start();
    gstreamer::init()?;
    if versions() != before {
        let seconds = begun.elapsed().as_secs_f32();
        tracing::info!(seconds, "GStreamer's plugins were looked at, and their registry was written");
    }
    Ok(())
}

/// Where GStreamer keeps what it knows of its plugins.
#[derive(Debug)]
pub(super) struct Registry {
    pub(super) directory: PathBuf,
    /// The file's name where the environment says it; GStreamer's own is `registry.<processor>.bin`.
    file: Option<OsString>,
}

impl Registry {
    /// As GStreamer finds it.
    pub(super) fn from_environment() -> Option<Self> {
        if let Some(file) = std::env::var_os("GST_REGISTRY").map(PathBuf::from) {
            let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            return Some(Self { directory: directory.to_owned(), file: file.file_name().map(OsStr::to_owned) });
        }
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
        Some(Self { directory: cache.join("gstreamer-1.0"), file: None })
    }

    /// The lock, which is held until the value is dropped; `None` if it cannot be had within `limit`.
    fn lock(&self, limit: Duration) -> Option<File> {
        let directory = File::open(&self.directory);
        let directory = directory
            .inspect_err(|error| tracing::debug!(%error, "the directory of GStreamer's registry cannot be locked"))
            .ok()?;
        let deadline = Instant::now() + limit;
        loop {
            match directory.try_lock() {
                Ok(()) => return Some(directory),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(LOCK_POLL),
                Err(error) => {
                    tracing::warn!(%error, "GStreamer is started without waiting for other processes that start it");
                    return None;
                }
            }
        }
    }

    /// Removes what processes that were killed while they wrote the registry have left. Only for the holder of the lock:
    /// nobody else of ours is writing then. Another program that is writing makes its registry again at its next start.
    fn remove_leftovers(&self) {
        for name in self.names().filter(|name| self.is_leftover(name)) {
            if let Err(error) = std::fs::remove_file(self.directory.join(&name)) {
                tracing::debug!(?name, %error, "what is left of a registry cannot be removed");
            }
        }
    }

    /// What tells a registry from the one that was written before it.
    fn versions(&self) -> BTreeSet<(OsString, u64, i64)> {
        let version = |name: OsString| {
            let file = std::fs::metadata(self.directory.join(&name)).ok()?;
            Some((name, file.ino(), file.mtime_nsec() ^ file.mtime()))
        };
        self.names().filter(|name| self.is_registry(name)).filter_map(version).collect()
    }

    fn names(&self) -> impl Iterator<Item = OsString> {
        let entries = std::fs::read_dir(&self.directory).into_iter().flatten();
        entries.flatten().map(|entry| entry.file_name())
    }

    fn is_registry(&self, name: &OsStr) -> bool {
        match (&self.file, name.to_str()) {
            (Some(file), _) => name == file,
            (None, Some(name)) => name.starts_with("registry.") && name.ends_with(".bin"),
            (None, None) => false,
        }
    }

    /// GStreamer writes `<registry>.tmpXXXXXX`, and renames it.
    fn is_leftover(&self, name: &OsStr) -> bool {
        let Some((registry, random)) = name.to_str().and_then(|name| name.rsplit_once(".tmp")) else { return false };
        random.len() == 6 && self.is_registry(OsStr::new(registry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(home: &Path, file: Option<&str>) -> Registry {
        Registry { directory: home.to_owned(), file: file.map(OsString::from) }
    }

    fn files(home: &Path) -> Vec<String> {
        let names = std::fs::read_dir(home).unwrap().flatten();
        let mut names: Vec<String> = names.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let keep = ["registry.x86_64.bin", "registry.x86_64.bin.tmp", "registry.x86_64.bin.tmp1234567", "x.tmp123456"];
        for name in keep.iter().chain(&["registry.x86_64.bin.tmpAb0_xY", "registry.aarch64.bin.tmp123456"]) {
            std::fs::write(home.path().join(name), "").unwrap();
        }
        registry(home.path(), None).remove_leftovers();
        assert_eq!(files(home.path()), keep);
        registry(home.path(), Some("x")).remove_leftovers();
        assert_eq!(files(home.path()), keep[..3]);
    }

    #[test]
    fn one_process_has_the_lock_and_the_others_wait_for_no_longer_than_their_limit() {
        let home = tempfile::tempdir().unwrap();
        let registry = registry(home.path(), None);
        let lock = registry.lock(Duration::ZERO).expect("it is free");
        assert!(registry.lock(Duration::from_millis(50)).is_none());
        let waiting = std::thread::spawn({
            let registry = Registry { directory: registry.directory.clone(), file: None };
            move || registry.lock(Duration::from_secs(60)).is_some()
        });
        drop(lock);
        assert!(waiting.join().unwrap());
        assert!(files(home.path()).is_empty(), "a lock leaves nothing behind");
    }

    #[test]
    fn a_registry_that_cannot_be_locked_keeps_nobody_waiting() {
        let nowhere = registry(Path::new("/nowhere"), None);
        assert!(nowhere.lock(Duration::from_secs(60)).is_none());
        nowhere.remove_leftovers();
        assert!(nowhere.versions().is_empty());
    }
}
