//! Optimised graphs, kept between starts in ONNX Runtime's own format.
//!
//! Mapped they load in milliseconds instead of a tenth of a second. A graph is optimised for one library on one CPU, so
//! all three name the file.

use crate::model::manifest::{hexadecimal, sha256_of_file};
use crate::os::mapped_file;
use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The place of one optimised graph.
#[derive(Clone, Debug)]
pub(super) struct CacheEntry {
    graph: PathBuf,
    checksum: PathBuf,
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

    /// Maps the graph; `None` when it is not there. A damaged one is removed and counts as not there.
    pub(super) fn map(&self) -> Option<&'static [u8]> {
        let expected = fs::read_to_string(&self.checksum).ok()?;
        if sha256_of_file(&self.graph).ok()? != expected.trim() {
            tracing::warn!(file = %self.graph.display(), "a cached graph is damaged; it is made again");
            self.remove();
            return None;
        }
        mapped_file::map_for_ever(&self.graph).ok()
    }

    /// Has `write` make the graph under another name and puts it in place whole.
    /// Units that do this at the same moment write the same content, and the last one wins.
    ///
    /// # Errors
    /// When the directory cannot be written, or what `write` says.
    pub(super) fn make<E: From<io::Error>>(&self, write: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
        if let Some(directory) = self.graph.parent() {
            fs::create_dir_all(directory)?;
        }
        let own_name = format!("ort.{}", std::process::id());
        let temporary = self.graph.with_extension(&own_name);
        write(&temporary)?;
        let checksum = self.checksum.with_extension(&own_name);
        fs::write(&checksum, sha256_of_file(&temporary)?)?;
        fs::rename(&temporary, &self.graph)?;
        fs::rename(&checksum, &self.checksum)?;
        Ok(())
    }

    /// Removes the graph, so that the next start makes it again.
    pub(super) fn remove(&self) {
        for path in [&self.checksum, &self.graph] {
            if let Err(error) = fs::remove_file(path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(file = %path.display(), %error, "a cached graph cannot be removed");
            }
        }
    }
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
    fn another_model_or_library_has_another_graph() {
        let name = |model, library| CacheEntry::new(Path::new("c"), model, library).graph;
        assert_ne!(name("a", "b"), name("a", "c"));
        assert_ne!(name("a", "b"), name("c", "b"));
        assert_eq!(name("a", "b"), name("a", "b"));
    }
}
