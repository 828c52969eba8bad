//! The packages under `units.models_directory`: install, roll back, remove and list.
//!
//! `models/NAME/` is a package, `models/.previous/NAME/1` the one that it replaced and `2` the one before that. A new
//! package is written to `models/.staging/` and synced before one rename gives it its name: after a power cut, the old
//! package or the new one is complete. Loads no model, does not prompt and prints nothing.

mod class_count;
mod contents;
mod new_manifest;
mod staging;
mod store;

pub use class_count::class_count;
pub use contents::{Contents, Listed, Previous};
pub use new_manifest::{ManifestTextError, Origin, from_given, from_proposal};
pub use staging::Staging;
pub use store::{Changes, Installed, KEPT, Store};

use crate::model::package::PackageError;
use std::io;
use std::path::PathBuf;

/// Why a change of the packages failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The name is not that of a direct subdirectory.
    #[error("`{0}` cannot be the name of a package: use one without `/`, `\\` and a leading dot")]
    Name(String),
    /// Another process holds the lock.
    #[error("another command is changing the packages in {0}: wait until it is done")]
    Busy(PathBuf),
    /// There is no such package.
    #[error("there is no package `{name}` in {directory}: `ocelli model list` shows the packages")]
    Missing {
        /// The requested name.
        name: String,
        /// The directory of packages.
        directory: PathBuf,
    },
    /// There is no kept package to roll back to.
    #[error("no earlier `{0}` is kept: the second `ocelli model add --name {0}` keeps the first")]
    NoPrevious(String),
    /// The kept package cannot be used.
    #[error("the package before `{name}` is damaged, and `{name}` stays as it is")]
    Damaged {
        /// The package's name.
        name: String,
        /// The error in the kept package.
        source: PackageError,
    },
    /// The file system has no `RENAME_EXCHANGE`.
    #[error(
        "the file system of {0} cannot exchange two directories in one step: put `units.models_directory` on ext4, \
         xfs, btrfs or f2fs"
    )]
    CannotExchange(PathBuf),
    /// A source file is a symbolic link.
    #[error("{0} is a symbolic link, which is not followed: name the file that it leads to")]
    Link(PathBuf),
    /// A source file cannot be opened.
    #[error("{0} cannot be read")]
    Source(PathBuf, #[source] io::Error),
    /// A source file is too large.
    #[error("{path} has more than {} MiB", .limit >> 20)]
    TooLarge {
        /// The source file.
        path: PathBuf,
        /// The maximum size in bytes.
        limit: u64,
    },
    /// A file of weights has the name of another file in the package.
    #[error("the model's weights are in a file called `{0}`, as another file of the package is: export it again")]
    NameTaken(String),
    /// A file of weights is in another directory than the model.
    #[error("the model's weights are in `{0}`: export it again with its weights in a file beside it")]
    Nested(String),
    /// A file or directory cannot be written: disk or permissions.
    #[error("{0} cannot be written")]
    Write(PathBuf, #[source] io::Error),
}

#[cfg(test)]
mod tests;
