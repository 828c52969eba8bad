//! Keeps the directories of models in the caches of graphs and engines bounded. A unit sweeps its own only, because it can
//! see no other.

use crate::ipc::load_model::is_own_cache;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A directory whose newest file is older belongs to a model that is no longer in use.
const UNUSED_FOR: Duration = Duration::from_secs(90 * 24 * 3600);

/// The most directories: one for each model of a box (`units.max_models`).
const MOST: usize = 64;

/// Removes directories of models that are not used, and graphs that lie in the cache itself, where earlier versions put them
/// for all units to write.
pub(super) fn sweep(cache: &Path, now: SystemTime) {
    let mut used: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_directory && is_own_cache(&name) {
            used.push((newest_in(&path), path));
        } else if !is_directory && is_old_graph(&name) {
            drop(fs::remove_file(path));
        }
    }
    used.sort_by_key(|(newest, _)| std::cmp::Reverse(*newest));
    for (number, (newest, path)) in used.into_iter().enumerate() {
        let is_unused = number >= MOST || now.duration_since(newest).unwrap_or_default() > UNUSED_FOR;
        if is_unused && let Err(error) = remove(&path) {
            tracing::warn!(directory = %path.display(), %error, "an unused cache of a model cannot be removed");
        }
    }
}

/// Removes a directory of files. One with directories in it stays: none of ours has any, and a unit may have made them so deep
/// that to look into them exhausts this process. It follows no symbolic link.
fn remove(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)?.flatten() {
        fs::remove_file(entry.path())?;
    }
    fs::remove_dir(directory)
}

/// When the directory, or a file in it, was changed last: a unit touches a graph that it uses.
fn newest_in(directory: &Path) -> SystemTime {
    let changed = |path: &Path| fs::symlink_metadata(path).and_then(|data| data.modified()).ok();
    let files = fs::read_dir(directory).into_iter().flatten().flatten().filter_map(|entry| changed(&entry.path()));
    files.chain(changed(directory)).max().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// `<32 digits>.ort`, and what belonged to it.
fn is_old_graph(name: &str) -> bool {
    name.split_once(".ort").is_some_and(|(stem, _)| is_own_cache(stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unused_models_and_graphs_of_older_versions_go_and_other_files_stay() {
        let cache = tempfile::tempdir().unwrap();
        let name = |number: usize| format!("{number:032x}");
        for number in 0..MOST + 3 {
            fs::create_dir(cache.path().join(name(number))).unwrap();
            fs::write(cache.path().join(name(number)).join("0.ort"), b"graph").unwrap();
        }
        for file in [format!("{}.ort", name(1)), format!("{}.ort.sha256", name(1)), "model.ort".into()] {
            fs::write(cache.path().join(file), b"graph").unwrap();
        }
        fs::create_dir(cache.path().join("of-somebody-else")).unwrap();
        let now = SystemTime::now();
        sweep(cache.path(), now);
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), MOST + 2);
        sweep(cache.path(), now + UNUSED_FOR + Duration::from_secs(3600));
        let mut left: Vec<_> = fs::read_dir(cache.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        left.sort();
        assert_eq!(left, ["model.ort", "of-somebody-else"]);
    }
}
