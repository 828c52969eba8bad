//! The packages under `units.models_directory`, and how one takes another's place.
//!
//! `models/NAME/` is a package, `models/.previous/NAME/1` the one before it and `2` the one before that. What is put
//! together lies in `models/.staging/` and is on the disk before it gets its name, in one rename: whenever the power goes,
//! the old package is there whole or the new one is. Loads no model, asks nobody and prints nothing.

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

/// Why the packages stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A name that could lead out of the directory.
    #[error("`{0}` cannot be the name of a package: use one without `/`, `\\` and a dot in front")]
    Name(String),
    /// Two commands at a time.
    #[error("another command is changing the packages in {0}: wait until it is done")]
    Busy(PathBuf),
    /// No such package.
    #[error("there is no package `{name}` in {directory}: `ocelli model list` shows what there is")]
    Missing {
        /// What was asked for.
        name: String,
        /// Where it is not.
        directory: PathBuf,
    },
    /// Nothing to go back to.
    #[error("no package before `{0}` is kept: one is from the second `ocelli model add --name {0}` on")]
    NoPrevious(String),
    /// What would come back cannot be used.
    #[error("the package before `{name}` is damaged, and `{name}` stays as it is")]
    Damaged {
        /// The package.
        name: String,
        /// What is wrong with it.
        source: PackageError,
    },
    /// The kernel would need two steps.
    #[error(
        "the file system of {0} cannot exchange two directories in one step: put `units.models_directory` on ext4, \
         xfs, btrfs or f2fs"
    )]
    CannotExchange(PathBuf),
    /// A file that is to come in.
    #[error("{0} is a symbolic link, which is not followed: name the file that it leads to")]
    Link(PathBuf),
    /// A file that is to come in.
    #[error("{0} cannot be read")]
    Source(PathBuf, #[source] io::Error),
    /// A file that is to come in.
    #[error("{path} has more than {} MiB", .limit >> 20)]
    TooLarge {
        /// The file or directory that could not be changed.
        path: PathBuf,
        /// In bytes.
        limit: u64,
    },
    /// Two files of a package would have one name.
    #[error("the model's weights are in a file called `{0}`, as another file of the package is: export it again")]
    NameTaken(String),
    /// Weights in a directory of their own.
    #[error("the model's weights are in `{0}`: export it again with its weights in a file beside it")]
    Nested(String),
    /// The disk, or who may write to it.
    #[error("{0} cannot be written")]
    Write(PathBuf, #[source] io::Error),
}

#[cfg(test)]
mod tests;
