//! A cache of optimised graphs in ONNX Runtime's format (`.ort`).
//!
//! A mapped graph loads in milliseconds instead of a tenth of a second. A graph is optimised for one library on one
//! CPU, so its file name is a hash of model, library and CPU. The cache is optional: if it fails, the unit loads the
//! model itself.
//!
//! The cache is bounded. A load removes what killed processes have left, graphs that were not used for [`UNUSED_FOR`],
//! and all but the [`MOST_GRAPHS`] graphs used last. The parent gives each model a directory of its own
//! ([`LoadModel::of_package`](crate::ipc::messages::LoadModel::of_package)), because a checksum says nothing against
//! a unit that may write both. A graph is written before the first picture comes; from then on the unit may change no file.
//!
//! The name of a graph ends with its checksum, so one rename puts both in place. Units that write the same graph at the same
//! time do not disturb each other, though ONNX Runtime does not always write the same bytes.

use crate::model::manifest::{hexadecimal, sha256_of_file};
use crate::os::{free_space, mapped_file};
use crate::unit::time_limit;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A graph that was not used for this long belongs to a model, library or CPU that is no longer in use.
const UNUSED_FOR: Duration = Duration::from_secs(90 * 24 * 3600);

/// The most graphs in the cache: one for each model of a box (`units.max_models`), because its next start needs all.
const MOST_GRAPHS: usize = 64;

/// Time limit for reading a graph, and for starting to write one. A third of the default `units.load_timeout_seconds`,
/// so that the rest is enough to load the model without the cache.
const DISK_LIMIT: Duration = Duration::from_secs(20);

/// The graphs of one model for one library and CPU. Usually there is one.
#[derive(Clone, Debug)]
pub(super) struct CacheEntry {
    directory: PathBuf,
    /// The first part of their names.
    key: String,
}

/// A file being written. The writer holds a lock on it while it is alive. The file is removed on drop.
struct Partial {
    path: PathBuf,
    _lock: File,
}

impl Partial {
    fn create(path: PathBuf) -> io::Result<Self> {
        let lock = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
        lock.try_lock().map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self { path, _lock: lock })
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Fails if the file was renamed.
        drop(fs::remove_file(&self.path));
    }
}

impl CacheEntry {
    /// Derives the file names from the model, the library and the CPU.
    pub(super) fn new(directory: &Path, model_sha256: &str, library_build: &str) -> Self {
        let mut key = Sha256::new();
        for part in [model_sha256, library_build, &cpu_features()] {
            key.update(part.as_bytes());
            key.update([0]);
        }
        Self { directory: directory.to_owned(), key: hexadecimal(&key.finalize()[..16]) }
    }

    /// The graphs with their checksums, as their names say.
    fn graphs(&self) -> Vec<(PathBuf, String)> {
        let graph = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().ok()?;
            let checksum = name.strip_prefix(&self.key)?.strip_prefix('-')?.strip_suffix(".ort")?;
            Some((entry.path(), checksum.to_owned()))
        };
        fs::read_dir(&self.directory).into_iter().flatten().flatten().filter_map(graph).collect()
    }

    /// Sweeps the cache and maps the graph. Returns `None` if it is missing or damaged; a damaged one is removed.
    ///
    /// # Errors
    /// When the disk does not respond within [`DISK_LIMIT`].
    pub(super) fn map(&self) -> io::Result<Option<&'static [u8]>> {
        let entry = self.clone();
        time_limit::run(DISK_LIMIT, move || {
            sweep(&entry.directory, SystemTime::now());
            Ok(entry.map_now())
        })
    }

    fn map_now(&self) -> Option<&'static [u8]> {
        self.graphs().into_iter().find_map(|(graph, checksum)| {
            if sha256_of_file(&graph).ok()? != checksum {
                tracing::warn!(file = %graph.display(), "a cached graph is damaged and is rebuilt");
                remove(&graph);
                return None;
            }
            // Records the use. This fails on a read-only cache, which is not swept either.
            if let Ok(file) = OpenOptions::new().append(true).open(&graph) {
                drop(file.set_modified(SystemTime::now()));
            }
            mapped_file::map_for_ever(&graph).ok()
        })
    }

    /// Calls `write` to create the graph, of about `bytes`, under a temporary name, and renames it when it is complete.
    /// Units that do this concurrently leave a graph each, which the sweep removes when it is no longer used.
    ///
    /// # Errors
    /// When the disk lacks space or does not respond in time, or the error of `write`. No file is left then.
    pub(super) fn make<E: From<io::Error>>(
        &self,
        bytes: u64,
        write: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        let own_path = self.directory.join(format!("{}.ort.{}", self.key, std::process::id()));
        let directory = self.directory.clone();
        let graph = time_limit::run(DISK_LIMIT, move || begin(&directory, own_path, bytes))?;
        write(&graph.path)?;
        let checksum = sha256_of_file(&graph.path)?;
        fs::rename(&graph.path, self.directory.join(format!("{}-{checksum}.ort", self.key)))?;
        Ok(())
    }

    /// Removes the graphs, so that the next load rebuilds one.
    pub(super) fn remove(&self) {
        self.graphs().iter().for_each(|(graph, _)| remove(graph));
    }
}

/// Creates an empty file and checks the free space. Without this check a full disk would be noticed only after the
/// optimisation, which doubles the time of the load and may exceed its limit.
fn begin(directory: &Path, own_path: PathBuf, bytes: u64) -> io::Result<Partial> {
    fs::create_dir_all(directory)?;
    let partial = Partial::create(own_path)?;
    let left = free_space::available_bytes(directory)?;
    match left < bytes {
        true => Err(io::Error::new(io::ErrorKind::StorageFull, format!("it needs {bytes} bytes and has {left} left"))),
        false => Ok(partial),
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(file = %path.display(), %error, "a file of the model cache cannot be removed");
    }
}

/// Removes abandoned files and unused graphs. Other processes may do so concurrently.
fn sweep(directory: &Path, now: SystemTime) {
    let mut used: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let modified = entry.metadata().and_then(|metadata| metadata.modified()).unwrap_or(now);
        if name.ends_with(".ort") {
            used.push((modified, path));
        } else if name.contains(".ort.") && is_abandoned(&path) {
            remove(&path);
        }
    }
    used.sort_by_key(|(modified, _)| std::cmp::Reverse(*modified));
    for (number, (modified, graph)) in used.into_iter().enumerate() {
        let age = now.duration_since(modified).unwrap_or_default();
        if number >= MOST_GRAPHS || age > UNUSED_FOR {
            remove(&graph);
        }
    }
}

/// True for a partial file whose writer has ended, which releases its lock.
fn is_abandoned(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

/// The CPU features that the kernel lists, which determine the optimisation. Empty if unknown.
fn cpu_features() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("flags") || line.starts_with("Features"));
    line.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(entry: &CacheEntry, content: &[u8]) {
        entry.make::<io::Error>(0, |path| fs::write(path, content)).unwrap();
    }

    fn graph(entry: &CacheEntry) -> PathBuf {
        entry.graphs().remove(0).0
    }

    #[test]
    fn a_graph_is_cached_and_a_damaged_one_is_rebuilt() {
        let directory = tempfile::tempdir().unwrap();
        let entry = CacheEntry::new(directory.path(), "model", "library");
        assert!(entry.map().unwrap().is_none());
        make(&entry, b"graph");
        assert_eq!(entry.map().unwrap(), Some(&b"graph"[..]));
        fs::write(graph(&entry), b"grbph").unwrap();
        assert!(entry.map().unwrap().is_none());
        assert!(entry.graphs().is_empty());
        make(&entry, b"graph");
        assert!(entry.map().unwrap().is_some());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn units_that_make_a_graph_at_the_same_time_do_not_damage_it() {
        let directory = tempfile::tempdir().unwrap();
        let entry = CacheEntry::new(directory.path(), "model", "library");
        make(&entry, b"one order of nodes");
        make(&entry, b"another");
        assert_eq!(entry.graphs().len(), 2);
        assert!(entry.map().unwrap().is_some_and(|graph| [&b"one order of nodes"[..], b"another"].contains(&graph)));
        entry.remove();
        assert!(entry.graphs().is_empty());
    }

    #[test]
    fn nothing_is_left_of_a_graph_that_cannot_be_made() {
        let directory = tempfile::tempdir().unwrap();
        let entry = CacheEntry::new(directory.path(), "model", "library");
        let made = entry.make(0, |path| fs::write(path, b"half").and(Err(io::Error::other("the disk is full"))));
        assert!(made.is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_full_disk_is_an_error_before_the_model_is_optimised() {
        let directory = tempfile::tempdir().unwrap();
        let entry = CacheEntry::new(directory.path(), "model", "library");
        let made = entry.make::<io::Error>(u64::MAX, |_| panic!("it is optimised in vain"));
        assert_eq!(made.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_partial_file_is_removed_if_its_writer_has_ended() {
        let directory = tempfile::tempdir().unwrap();
        let left = directory.path().join("0123.ort.4711");
        fs::write(&left, b"half").unwrap();
        let living = Partial::create(directory.path().join("4567.ort.4712")).unwrap();
        sweep(directory.path(), SystemTime::now());
        assert!(!left.exists() && living.path.exists());
    }

    #[test]
    fn an_unused_graph_is_removed_and_the_cache_is_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let entries: Vec<CacheEntry> = (0..72)
            .map(|number: u32| {
                let entry = CacheEntry::new(directory.path(), &number.to_string(), "library");
                make(&entry, b"graph");
                let used = now - Duration::from_secs(u64::from(number) * 24 * 3600);
                let file = OpenOptions::new().append(true).open(graph(&entry)).unwrap();
                file.set_modified(used).unwrap();
                entry
            })
            .collect();
        sweep(directory.path(), now);
        let kept = entries.iter().filter(|entry| !entry.graphs().is_empty()).count();
        assert_eq!(kept, MOST_GRAPHS);
        assert!(entries[63].map().unwrap().is_some(), "it is used again");
        sweep(directory.path(), now + UNUSED_FOR + Duration::from_secs(3600));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "nothing was used since");
    }

    #[test]
    fn another_model_or_library_has_another_graph() {
        let name = |model, library| CacheEntry::new(Path::new("c"), model, library).key;
        assert_ne!(name("a", "b"), name("a", "c"));
        assert_ne!(name("a", "b"), name("c", "b"));
        assert_eq!(name("a", "b"), name("a", "b"));
    }
}
