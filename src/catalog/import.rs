//! Imports a package: copies the files that its manifest names, and no others, from a directory that it cannot leave.

use crate::model::labels::LabelsError;
use crate::model::manifest::{Manifest, ManifestError};
use crate::model::package::is_package_name;
use crate::os::beneath::open_file;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The largest model file.
const MAX_MODEL_BYTES: u64 = 512 << 20;
/// The largest of the other files.
const MAX_OTHER_BYTES: u64 = 16 << 20;

/// A package to import.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PackageSource {
    /// The directory of a bucket or of a package.
    pub root: PathBuf,
    /// The path of the package below it, such as `models/edge/`. May be empty.
    pub prefix: String,
}

/// Why an import failed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file is missing or unreadable.
    #[error("the file {name} of the package cannot be read")]
    File {
        /// The path below the root.
        name: String,
        /// The reason of the kernel.
        source: io::Error,
    },
    /// A file is too large.
    #[error("the file {name} of the package has more than {limit} bytes")]
    TooLarge {
        /// The path below the root.
        name: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The manifest names a file in another directory.
    #[error("the manifest names `{0}`; it may only name files in its own directory")]
    Name(String),
    /// The manifest is invalid, or the model does not match its checksum.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The labels are invalid.
    #[error(transparent)]
    Labels(#[from] LabelsError),
    /// The copy could not be written.
    #[error("the package cannot be written")]
    Write(#[source] io::Error),
}

/// Copies a package to `target` and checks it without loading it. On an error, nothing is left at `target`.
///
/// # Errors
/// [`ImportError`], naming the file.
pub fn copy_package(source: &PackageSource, target: &Path) -> Result<(), ImportError> {
    let part = target.with_extension("part");
    let copied = copy_files(source, &part).and_then(|()| fs::rename(&part, target).map_err(ImportError::Write));
    if copied.is_err() {
        // Files that cannot be removed now are removed at the next start.
        drop(fs::remove_dir_all(&part));
    }
    copied
}

fn copy_files(source: &PackageSource, target: &Path) -> Result<(), ImportError> {
    fs::create_dir_all(target).map_err(ImportError::Write)?;
    copy(source, "manifest.toml", target, MAX_OTHER_BYTES)?;
    let manifest = Manifest::load(target)?;
    copy(source, "labels.txt", target, MAX_OTHER_BYTES)?;
    for (file, _) in manifest.model.files() {
        copy(source, file, target, MAX_MODEL_BYTES)?;
    }
    if let Some(canary) = &manifest.canary {
        copy(source, &canary.image, target, MAX_OTHER_BYTES)?;
    }
    manifest.verify_model(target)?;
    crate::model::labels::Labels::load(target)?;
    File::open(target).and_then(|directory| directory.sync_all()).map_err(ImportError::Write)
}

fn copy(source: &PackageSource, file: &str, target: &Path, limit: u64) -> Result<(), ImportError> {
    if !is_package_name(file) {
        return Err(ImportError::Name(file.to_owned()));
    }
    let prefix = source.prefix.trim_matches('/');
    let name = if prefix.is_empty() { file.to_owned() } else { format!("{prefix}/{file}") };
    let unreadable = |error| ImportError::File { name: name.clone(), source: error };
    let opened = open_file(&source.root, &name).map_err(unreadable)?;
    let mut bytes = opened.take(limit + 1);
    let mut copy = File::create_new(target.join(file)).map_err(ImportError::Write)?;
    let length = io::copy(&mut bytes, &mut copy).map_err(unreadable)?;
    if length > limit {
        return Err(ImportError::TooLarge { name, limit });
    }
    copy.flush().and_then(|()| copy.sync_all()).map_err(ImportError::Write)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
        name = "m"
        version = "1"
        source = { package = "p", package_version = "1", package_sha256 = "", licence = "MIT" }
        model = { file = "model.onnx", sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" }
        input = { tensor = "x", width = 8, height = 8, color = "rgb", fit = "stretch" }
        output = { layout = "ssd", boxes = "b", scores = "s" }
        thresholds = { confidence = 0.5, iou = 0.5, max_detections = 9 }
    "#;

    fn package(home: &Path, manifest: &str, model: &str) -> PackageSource {
        let directory = home.join("bucket/edge");
        fs::create_dir_all(&directory).unwrap();
        for (file, text) in [("manifest.toml", manifest), ("labels.txt", "person\n"), ("model.onnx", model)] {
            fs::write(directory.join(file), text).unwrap();
        }
        fs::write(directory.join("other.so"), "not named").unwrap();
        PackageSource { root: home.join("bucket"), prefix: "/edge/".into() }
    }

    #[test]
    fn only_files_that_the_manifest_names_are_copied() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("packages/7");
        copy_package(&package(home.path(), MANIFEST, "abc"), &target).unwrap();
        let mut names: Vec<_> = fs::read_dir(&target).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["labels.txt", "manifest.toml", "model.onnx"]);
    }

    #[test]
    fn a_failed_import_leaves_nothing_behind() {
        let elsewhere = MANIFEST.replace("model.onnx", "../../secret");
        for (manifest, model, why) in
            [(MANIFEST, "abd", "sha256"), (elsewhere.as_str(), "abc", "model.file"), ("name = 1", "abc", "manifest")]
        {
            let home = tempfile::tempdir().unwrap();
            let target = home.path().join("packages/7");
            let error = copy_package(&package(home.path(), manifest, model), &target).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
            assert_eq!(fs::read_dir(home.path().join("packages")).unwrap().count(), 0, "{error}");
        }
        let home = tempfile::tempdir().unwrap();
        let mut outside = package(home.path(), MANIFEST, "abc");
        outside.prefix = "../bucket/edge".into();
        assert!(copy_package(&outside, &home.path().join("packages/7")).is_err());
    }
}
