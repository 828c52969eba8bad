//! A package that is being put together, out of files that may be a stranger's.

use crate::model::manifest::sha256_of_file;
use crate::model_store::StoreError;
use crate::os::beneath::open_file;
use crate::os::directories;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The largest model, and the largest file of weights.
pub(super) const MAX_MODEL_BYTES: u64 = 512 << 20;
/// The largest of the other files.
const MAX_OTHER_BYTES: u64 = 16 << 20;

/// Files without a name yet; gone when this goes, unless they got one.
#[derive(Debug)]
pub struct Staging {
    directory: PathBuf,
}

impl Staging {
    pub(super) fn begin(directory: PathBuf) -> Result<Self, StoreError> {
        fs::create_dir(&directory).map_err(|error| StoreError::Write(directory.clone(), error))?;
        Ok(Self { directory })
    }

    /// Where the files lie until they have a name.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Copies the model's file, and gives the checksum of the copy.
    ///
    /// # Errors
    /// [`StoreError`], which names the file. No symbolic link is followed.
    pub fn copy_model(&self, source: &Path, name: &str) -> Result<String, StoreError> {
        self.copy(source, name, MAX_MODEL_BYTES)
    }

    /// Copies a file of weights that lies beside the model, under the name by which the model knows it.
    ///
    /// # Errors
    /// [`StoreError`], which names the file. No symbolic link is followed.
    pub fn copy_weights(&self, model: &Path, name: &str) -> Result<String, StoreError> {
        if name.contains('/') {
            return Err(StoreError::Nested(name.to_owned()));
        }
        if self.directory.join(name).exists() || ["manifest.toml", "labels.txt", "taxonomy.toml"].contains(&name) {
            return Err(StoreError::NameTaken(name.to_owned()));
        }
        self.copy(&model.with_file_name(name), name, MAX_MODEL_BYTES)
    }

    /// Copies any other file.
    ///
    /// # Errors
    /// [`StoreError`], which names the file. No symbolic link is followed.
    pub fn copy_other(&self, source: &Path, name: &str) -> Result<String, StoreError> {
        self.copy(source, name, MAX_OTHER_BYTES)
    }

    /// Writes a text of our own.
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

    /// The files are on the disk after this, whatever happens; what is left is a name.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        directories::sync(&self.directory).map_err(|error| StoreError::Write(self.directory.clone(), error))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next change.
        drop(fs::remove_dir_all(&self.directory));
    }
}
