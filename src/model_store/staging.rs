//! A package under construction, from untrusted files.

use crate::model::manifest::sha256_of_file;
use crate::model_store::StoreError;
use crate::os::beneath::open_file;
use crate::os::directories;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The maximum size of a model and of a file of weights.
pub(super) const MAX_MODEL_BYTES: u64 = 512 << 20;
/// The maximum size of other files.
const MAX_OTHER_BYTES: u64 = 16 << 20;

/// A package in the staging directory. Dropping it removes the directory, unless the package was installed.
#[derive(Debug)]
pub struct Staging {
    directory: PathBuf,
}

impl Staging {
    pub(super) fn begin(directory: PathBuf) -> Result<Self, StoreError> {
        fs::create_dir(&directory).map_err(|error| StoreError::Write(directory.clone(), error))?;
        Ok(Self { directory })
    }

    /// The staging directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Copies the model's file, at most 512 MiB. Returns the SHA-256 of the copy.
    ///
    /// # Errors
    /// [`StoreError`], which names the file. A symbolic link is an error.
    pub fn copy_model(&self, source: &Path, name: &str) -> Result<String, StoreError> {
        self.copy(source, name, MAX_MODEL_BYTES)
    }

    /// Copies a file of weights, at most 512 MiB, from the directory of `model` under the name that the model refers
    /// to. Returns the SHA-256 of the copy.
    ///
    /// # Errors
    /// [`StoreError`], which names the file. A symbolic link is an error.
    pub fn copy_weights(&self, model: &Path, name: &str) -> Result<String, StoreError> {
        if name.contains('/') {
            return Err(StoreError::Nested(name.to_owned()));
        }
        if self.directory.join(name).exists() || ["manifest.toml", "labels.txt", "taxonomy.toml"].contains(&name) {
            return Err(StoreError::NameTaken(name.to_owned()));
        }
        self.copy(&model.with_file_name(name), name, MAX_MODEL_BYTES)
    }

    /// Copies any other file, at most 16 MiB. Returns the SHA-256 of the copy.
    ///
    /// # Errors
    /// [`StoreError`], which names the file. A symbolic link is an error.
    pub fn copy_other(&self, source: &Path, name: &str) -> Result<String, StoreError> {
        self.copy(source, name, MAX_OTHER_BYTES)
    }

    /// Writes a new text file and syncs it.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn write(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let path = self.directory.join(name);
        let written = File::create_new(&path).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|error| StoreError::Write(path, error))
    }

    fn copy(&self, source: &Path, name: &str, limit: u64) -> Result<String, StoreError> {
        let target = self.directory.join(name);
        let unreadable = |error: io::Error| StoreError::Source(source.to_owned(), error);
        let unwritable = |error: io::Error| StoreError::Write(target.clone(), error);
        let parent = source.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = source.file_name().and_then(|file| file.to_str());
        let file = file.ok_or_else(|| unreadable(io::Error::new(io::ErrorKind::InvalidInput, "not a file's name")))?;
        let opened = open_file(parent, file).map_err(|error| match source.is_symlink() {
            true => StoreError::Link(source.to_owned()),
            false => unreadable(error),
        })?;
        let mut bytes = opened.take(limit + 1);
        let mut copy = File::create_new(&target).map_err(unwritable)?;
        let length = io::copy(&mut bytes, &mut copy).map_err(unwritable)?;
        if length > limit {
            return Err(StoreError::TooLarge { path: source.to_owned(), limit });
        }
        copy.sync_all().map_err(unwritable)?;
        sha256_of_file(&target).map_err(unwritable)
    }

    /// Syncs the directory. The files are synced already, so afterwards the package can be renamed.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        directories::sync(&self.directory).map_err(|error| StoreError::Write(self.directory.clone(), error))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // If this fails, the next change removes the directory.
        drop(fs::remove_dir_all(&self.directory));
    }
}
