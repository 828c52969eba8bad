//! Optimised graphs, kept between starts in ONNX Runtime's own format.
//!
//! Mapped, they load in milliseconds instead of a tenth of a second. A graph is optimised for one library on one CPU, so
//! model, library and CPU name the file. The cache saves time and nothing depends on it: whatever fails here, the unit loads
//! the model itself.
//!
//! The cache is bounded: what a killed process has left is removed at the next load, graphs that no load uses go after
//! [`UNUSED_FOR`], and no more than [`MOST_GRAPHS`] stay.

use crate::model::manifest::{hexadecimal, sha256_of_file};
use crate::os::mapped_file;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A graph that no load has used for so long belongs to a model, library or CPU that is gone.
const UNUSED_FOR: Duration = Duration::from_secs(90 * 24 * 3600);

/// Graphs that stay. A graph is as large as its model, about 30 MB, and a box has four models at a time.
const MOST_GRAPHS: usize = 32;

/// A graph that has had no checksum for so long will get none.
const ORPHAN_AFTER: Duration = Duration::from_secs(3600);

/// The place of one optimised graph.
#[derive(Clone, Debug)]
pub(super) struct CacheEntry {
    graph: PathBuf,
    checksum: PathBuf,
}

/// A file that is being written. Its lock shows that its writer lives; it is removed with the guard.
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
        // Nothing is there when it was renamed.
        drop(fs::remove_file(&self.path));
    }
}

impl CacheEntry {
    /// Names the graph by the model, the library and the CPU.
    pub(super) fn new(directory: &Path, model_sha256: &str, library_build: &str) -> Self {
        let mut key = Sha256::new();
        for part in [model_sha256, library_build, &cpu_features()] {
            key.update(part.as_bytes());
            key.update([0]);
        }
        let name = hexadecimal(&key.finalize()[..16]);
        Self { graph: directory.join(format!("{name}.ort")), checksum: directory.join(format!("{name}.ort.sha256")) }
    }

    /// Removes from the cache's directory what killed processes have left and what is not used any more.
    pub(super) fn sweep(&self) {
        if let Some(directory) = self.graph.parent() {
            sweep(directory, SystemTime::now());
        }
    }

    /// Maps the graph; `None` when it is not there. A damaged one is removed and counts as not there.
    pub(super) fn map(&self) -> Option<&'static [u8]> {
        let expected = fs::read_to_string(&self.checksum).ok()?;
        if sha256_of_file(&self.graph).ok()? != expected.trim() {
            tracing::warn!(file = %self.graph.display(), "a cached graph is damaged; it is made again");
            self.remove();
            return None;
        }
        // Shows that it is used. A cache that is read-only is not swept either.
        if let Ok(checksum) = OpenOptions::new().append(true).open(&self.checksum) {
            drop(checksum.set_modified(SystemTime::now()));
        }
        mapped_file::map_for_ever(&self.graph).ok()
    }

    /// Has `write` make the graph under another name and puts it in place whole.
    /// Units that do this at the same moment write the same content, and the last one wins.
    ///
    /// # Errors
    /// When the directory cannot be written, or what `write` says. Nothing is left of it then.
    pub(super) fn make<E: From<io::Error>>(&self, write: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
        if let Some(directory) = self.graph.parent() {
            fs::create_dir_all(directory)?;
        }
        let own_name = format!("ort.{}", std::process::id());
        let graph = Partial::create(self.graph.with_extension(&own_name))?;
        write(&graph.path)?;
        let checksum = Partial::create(self.checksum.with_extension(&own_name))?;
        fs::write(&checksum.path, sha256_of_file(&graph.path)?)?;
        fs::rename(&graph.path, &self.graph)?;
        fs::rename(&checksum.path, &self.checksum)?;
        Ok(())
    }

    /// Removes the graph, so that the next start makes it again.
    pub(super) fn remove(&self) {
        for path in [&self.checksum, &self.graph] {
            remove(path);
        }
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(file = %path.display(), %error, "a file of the model cache cannot be removed");
    }
}

/// Removes what killed processes have left and graphs that are not used. Others may do the same at the same time.
fn sweep(directory: &Path, now: SystemTime) {
    let mut used: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let modified = entry.metadata().and_then(|metadata| metadata.modified()).unwrap_or(now);
        if name.ends_with(".ort.sha256") {
            used.push((modified, path));
        } else if name.ends_with(".ort") {
            // A crash between two renames leaves a graph without a checksum. A young one may be about to get it.
            let is_orphan = !path.with_extension("ort.sha256").exists();
            if is_orphan && now.duration_since(modified).unwrap_or_default() > ORPHAN_AFTER {
                remove(&path);
            }
        } else if name.contains(".ort.") && is_abandoned(&path) {
            remove(&path);
        }
    }
    used.sort_by_key(|(modified, _)| std::cmp::Reverse(*modified));
    for (number, (modified, checksum)) in used.into_iter().enumerate() {
        let age = now.duration_since(modified).unwrap_or_default();
        if number >= MOST_GRAPHS || age > UNUSED_FOR {
            remove(&checksum);
            remove(&checksum.with_extension(""));
        }
    }
}

/// A partial file whose writer is gone holds no lock.
fn is_abandoned(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

/// What the kernel says of the CPU: kernels are chosen by it. Empty where it says nothing.
fn cpu_features() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("flags") || line.starts_with("Features"));
    line.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(entry: &CacheEntry, content: &[u8]) {
        entry.make::<io::Error>(|path| fs::write(path, content)).unwrap();
    }

    #[test]
    fn a_graph_is_kept_and_a_damaged_one_is_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let entry = CacheEntry::new(directory.path(), "model", "library");
        assert!(entry.map().is_none());
        make(&entry, b"graph");
        assert_eq!(entry.map(), Some(&b"graph"[..]));
        fs::write(&entry.graph, b"grbph").unwrap();
        assert!(entry.map().is_none());
        assert!(!entry.graph.exists());
        make(&entry, b"graph");
        assert!(entry.map().is_some());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "no temporary file is left");
    }

    #[test]
    fn nothing_is_left_of_a_graph_that_cannot_be_made() {
        let directory = tempfile::tempdir().unwrap();
        let entry = CacheEntry::new(directory.path(), "model", "library");
        let made = entry.make(|path| fs::write(path, b"half").and(Err(io::Error::other("the disk is full"))));
        assert!(made.is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let left = directory.path().join("0123.ort.4711");
        fs::write(&left, b"half").unwrap();
        let living = Partial::create(directory.path().join("4567.ort.4712")).unwrap();
        CacheEntry::new(directory.path(), "model", "library").sweep();
        assert!(!left.exists() && living.path.exists());
    }

    #[test]
    fn a_graph_without_a_checksum_goes_when_it_is_old() {
        let directory = tempfile::tempdir().unwrap();
        let orphan = directory.path().join("0123.ort");
        fs::write(&orphan, b"graph").unwrap();
        sweep(directory.path(), SystemTime::now());
        assert!(orphan.exists(), "its checksum may be on its way");
        sweep(directory.path(), SystemTime::now() + ORPHAN_AFTER + Duration::from_secs(60));
        assert!(!orphan.exists());
    }

    #[test]
    fn a_graph_that_is_not_used_goes_and_the_cache_is_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let entries: Vec<CacheEntry> = (0..40)
            .map(|number: u32| {
                let entry = CacheEntry::new(directory.path(), &number.to_string(), "library");
                make(&entry, b"graph");
                let used = now - Duration::from_secs(u64::from(number) * 24 * 3600);
                let checksum = OpenOptions::new().append(true).open(&entry.checksum).unwrap();
                checksum.set_modified(used).unwrap();
                entry
            })
            .collect();
        sweep(directory.path(), now);
        let kept = entries.iter().filter(|entry| entry.graph.exists() && entry.checksum.exists()).count();
        assert_eq!(kept, MOST_GRAPHS);
        assert!(entries[31].map().is_some(), "it is used again");
        sweep(directory.path(), now + UNUSED_FOR + Duration::from_secs(3600));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "nothing was used since");
    }

    #[test]
    fn another_model_or_library_has_another_graph() {
        let name = |model, library| CacheEntry::new(Path::new("c"), model, library).graph;
        assert_ne!(name("a", "b"), name("a", "c"));
        assert_ne!(name("a", "b"), name("c", "b"));
        assert_eq!(name("a", "b"), name("a", "b"));
    }
}
