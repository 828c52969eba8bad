//! The directory of packages, and its changes.

use crate::model::description::{Description, DescriptionError};
use crate::model::package::{Package, PackageError, is_package_name};
use crate::model_store::{Staging, StoreError};
use crate::os::directories;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// How many replaced packages are kept per name.
pub const KEPT: usize = 2;

/// The directory of packages.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) directory: PathBuf,
}

/// Exclusive access to the packages, by a lock on the file `.lock`.
#[derive(Debug)]
pub struct Changes<'a> {
    store: &'a Store,
    _lock: File,
}

/// How a package was installed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Installed {
    /// Under a free name.
    New,
    /// It replaced another one, which is kept.
    Replaced,
}

impl Store {
    /// The store in `directory`, which need not exist yet.
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// The path of the package `name`, whether it exists or not.
    ///
    /// # Errors
    /// [`StoreError::Name`] when it could be outside of the directory.
    pub fn place(&self, name: &str) -> Result<PathBuf, StoreError> {
        match is_package_name(name) {
            true => Ok(self.directory.join(name)),
            false => Err(StoreError::Name(name.to_owned())),
        }
    }

    /// The directory of the kept packages of a name.
    pub(super) fn kept(&self, name: &str) -> PathBuf {
        self.directory.join(".previous").join(name)
    }

    fn staging(&self) -> PathBuf {
        self.directory.join(".staging")
    }

    /// Locks the packages for a change, and removes the staging directory of an interrupted one.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another process has the lock, and [`StoreError::Write`].
    pub fn change(&self) -> Result<Changes<'_>, StoreError> {
        let unwritable = unwritable(&self.directory);
        fs::create_dir_all(&self.directory).map_err(&unwritable)?;
        let lock = File::create(self.directory.join(".lock")).map_err(&unwritable)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::Busy(self.directory.clone()),
            TryLockError::Error(error) => unwritable(error),
        })?;
        remove(&self.staging()).map_err(unwritable)?;
        Ok(Changes { store: self, _lock: lock })
    }
}

// === impl Changes ===

impl Changes<'_> {
    /// Creates an empty staging directory.
    ///
    /// # Errors
    /// [`StoreError::Write`], also while another [`Staging`] exists.
    pub fn stage(&self) -> Result<Staging, StoreError> {
        Staging::begin(self.store.staging())
    }

    /// Gives a staged package its name. A package that has the name already becomes the latest kept one.
    ///
    /// # Errors
    /// [`StoreError`]. The old package is then still in place, unless only the final clean-up failed.
    pub fn install(&self, staging: &Staging, name: &str) -> Result<Installed, StoreError> {
        let place = self.store.place(name)?;
        staging.sync()?;
        if place.symlink_metadata().is_err() {
            directories::rename_to_free(staging.directory(), &place).map_err(unwritable(&place))?;
            self.sync(name)?;
            return Ok(Installed::New);
        }
        self.shift(name).map_err(unwritable(&place))?;
        // The new package goes to the first slot, so that one exchange both replaces the old package and keeps it.
        let first = self.slot(name, 1);
        let renamed = directories::rename_to_free(staging.directory(), &first).map_err(unwritable(&first));
        if let Err(error) = renamed.and_then(|()| self.exchange(&first, &place)) {
            drop(remove(&first).and_then(|()| self.close_gaps(name)));
            return Err(error);
        }
        remove(&self.slot(name, KEPT + 1)).map_err(unwritable(&place))?;
        self.sync(name)?;
        Ok(Installed::Replaced)
    }

    /// Exchanges the package with the latest kept one, so that a second rollback undoes the first. If the package was
    /// removed, restores the latest kept one. Returns the version that is now in place.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::NoPrevious`], [`StoreError::Damaged`] or a failure of the disk.
    pub fn roll_back(&self, name: &str) -> Result<String, StoreError> {
        let place = self.store.place(name)?;
        let first = self.slot(name, 1);
        self.close_gaps(name).map_err(unwritable(&place))?;
        if !first.exists() {
            let is_there = place.exists();
            let missing = || StoreError::Missing { name: name.to_owned(), directory: self.store.directory.clone() };
            return Err(if is_there { StoreError::NoPrevious(name.to_owned()) } else { missing() });
        }
        let version = whole(&first, name).map_err(|source| StoreError::Damaged { name: name.to_owned(), source })?;
        if place.symlink_metadata().is_ok() {
            self.exchange(&first, &place)?;
        } else {
            directories::rename_to_free(&first, &place).map_err(unwritable(&place))?;
            self.close_gaps(name).map_err(unwritable(&place))?;
        }
        self.sync(name)?;
        Ok(version)
    }

    /// Removes a package, and with `all` also its kept packages.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is nothing to remove, [`StoreError::Name`] and [`StoreError::Write`].
    pub fn remove(&self, name: &str, all: bool) -> Result<(), StoreError> {
        let (place, staging) = (self.store.place(name)?, self.store.staging());
        let has_kept = self.store.kept(name).exists();
        if place.symlink_metadata().is_ok() {
            // Renamed first, so that an interrupted removal leaves no partial package under the name.
            directories::rename_to_free(&place, &staging).map_err(unwritable(&place))?;
            self.sync(name)?;
            remove(&staging).map_err(unwritable(&staging))?;
        } else if !(all && has_kept) {
            return Err(StoreError::Missing { name: name.to_owned(), directory: self.store.directory.clone() });
        }
        if all {
            remove(&self.store.kept(name)).map_err(unwritable(&place))?;
        }
        Ok(())
    }

    /// The path of a kept package; `age` is 1 for the latest.
    fn slot(&self, name: &str, age: usize) -> PathBuf {
        self.store.kept(name).join(age.to_string())
    }

    /// Increments the age of every kept package and frees slot 1. The oldest one may be in slot `KEPT + 1` until the
    /// change is done.
    fn shift(&self, name: &str) -> io::Result<()> {
        fs::create_dir_all(self.store.kept(name))?;
        self.close_gaps(name)?;
        remove(&self.slot(name, KEPT + 1))?;
        for age in (1..=KEPT).rev() {
            if self.slot(name, age).exists() {
                fs::rename(self.slot(name, age), self.slot(name, age + 1))?;
            }
        }
        Ok(())
    }

    /// Undoes a [`Self::shift`] that failed or that a power cut ended: moves the kept packages to the lowest slots.
    fn close_gaps(&self, name: &str) -> io::Result<()> {
        let kept = (1..=KEPT + 1).filter(|age| self.slot(name, *age).exists());
        for (lowest, age) in (1..).zip(kept) {
            if lowest < age {
                fs::rename(self.slot(name, age), self.slot(name, lowest))?;
            }
        }
        Ok(())
    }

    fn exchange(&self, one: &Path, other: &Path) -> Result<(), StoreError> {
        directories::exchange(one, other).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported => {
                StoreError::CannotExchange(self.store.directory.clone())
            }
            _ => StoreError::Write(other.to_owned(), error),
        })
    }

    fn sync(&self, name: &str) -> Result<(), StoreError> {
        for directory in [self.store.kept(name), self.store.directory.clone()].iter().filter(|it| it.exists()) {
            directories::sync(directory).map_err(unwritable(directory))?;
        }
        Ok(())
    }
}

fn unwritable(path: &Path) -> impl Fn(io::Error) -> StoreError + '_ {
    move |error| StoreError::Write(path.to_owned(), error)
}

/// Checks a package including the checksums of its files. Returns its version.
pub(super) fn whole(directory: &Path, name: &str) -> Result<String, PackageError> {
    let package = Package::load_from(directory.to_owned(), name, name)?;
    let Description { manifest, .. } = Description::load(directory)?;
    manifest.verify_model(directory).map_err(DescriptionError::from)?;
    Ok(package.version)
}

/// Removes a directory or a link to one, if it exists.
fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
