//! Starts GStreamer so that its plugins are looked at once, and by no process that talks to a camera.
//!
//! `gstreamer::init()` reads a registry of all plugins. Where there is none, or after an upgrade, it loads each plugin to
//! see what it offers, which takes seconds of CPU time, and writes the registry, which every later process believes. One
//! that a camera has taken over must not write it. So before a capture process is confined, it starts another one that
//! brings the registry up to date and ends ([`keep`]), waits for it ([`bring_up_to_date`]), and can only read the file then.
//!
//! Processes that start together would each look at all plugins, and on a slow box none would get to the end. So the
//! directory of the registry is locked meanwhile: the first one looks at the plugins, the others find what it has written.
//! The lock is on the directory and not on a file in it: it leaves nothing behind, and a disk that is read-only has it
//! too. The kernel takes it back from a process that dies. Nothing is sent to the parent meanwhile; it waits for
//! `Initialized` for as long as [`INITIALIZATION_LIMIT`] says. Without a registry that can be written or waited for,
//! each process looks at the plugins for itself.

use crate::ipc::heartbeat::INITIALIZATION_LIMIT;
use crate::os::parent_gate;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// The hidden subcommand that runs [`keep`].
const SUBCOMMAND: &str = "capture-plugins";

/// How long the registry is waited for. One that never comes must not blind a camera: then this process looks at the
/// plugins itself, and still has time to do so before the parent gives it up.
const LIMIT: Duration = INITIALIZATION_LIMIT.saturating_sub(Duration::from_secs(30));

/// How long the other process waits for the lock, so that it ends before it is given up.
const LOCK_LIMIT: Duration = LIMIT.saturating_sub(Duration::from_secs(10));

/// How often the lock and the other process are tried.
const POLL: Duration = Duration::from_millis(10);

/// Has a process of its own bring the registry up to date. Call it before this process is confined.
pub(super) fn bring_up_to_date() {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("ocelli: plugins").arg(SUBCOMMAND).env_remove(parent_gate::VARIABLE);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let child = command.spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return tracing::warn!(%error, "no process can be started that looks at GStreamer's plugins"),
    };
    let deadline = Instant::now() + LIMIT;
    while let Ok(None) = child.try_wait() {
        if Instant::now() >= deadline {
            tracing::warn!("GStreamer's plugins are looked at for too long; this process looks at them itself");
            // It may have ended just now.
            drop(child.kill());
            drop(child.wait());
            return;
        }
        std::thread::sleep(POLL);
    }
}

/// The whole life of the process that brings the registry up to date. It has no sockets, and nobody talks to it.
pub(super) fn keep() -> ExitCode {
    let Some(registry) = Registry::from_environment() else { return ExitCode::SUCCESS };
    let Some(_lock) = registry.lock(LOCK_LIMIT) else { return ExitCode::SUCCESS };
    registry.remove_leftovers();
    let (before, begun) = (registry.versions(), Instant::now());
    if let Err(error) = gstreamer::init() {
        // The capture process says what to do.
        tracing::debug!(%error, "GStreamer cannot be started");
        return ExitCode::FAILURE;
    }
    if registry.versions() != before {
        let seconds = begun.elapsed().as_secs_f32();
        tracing::info!(seconds, "GStreamer's plugins were looked at, and their registry was written");
    }
    ExitCode::SUCCESS
}

/// `gstreamer::init()`, with our extension of its RTSP client.
pub(super) fn start_gstreamer() -> Result<(), gstreamer::glib::Error> {
    // First: where there is no registry, GStreamer makes the RTSP client's class while it looks at the plugins.
    crate::os::rtsp_extension::register_at_start();
    gstreamer::init()
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

    /// The registry itself where the environment names it, else the directory: GStreamer chooses the name.
    pub(super) fn place(&self) -> PathBuf {
        self.file.as_ref().map_or_else(|| self.directory.clone(), |file| self.directory.join(file))
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
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(POLL),
                Err(error) => {
                    tracing::warn!(%error, "the registry of GStreamer's plugins is not brought up to date");
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
