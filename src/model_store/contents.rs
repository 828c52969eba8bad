//! Lists the packages and checks their files.

use crate::model::labels::Labels;
use crate::model::manifest::Manifest;
use crate::model::package::is_package_name;
use crate::model_store::store::{KEPT, Store, whole};
use crate::vision::error_chain::describe;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

/// An entry of the list of packages.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The name of the package and of its directory.
    pub name: String,
    /// The valid package, or the error for the operator.
    pub contents: Result<Contents, String>,
    /// Total size of its files.
    pub bytes: u64,
    /// The kept packages that it replaced, latest first.
    pub previous: Vec<Previous>,
}

/// A valid package.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The parsed manifest.
    pub manifest: Manifest,
    /// The number of classes with a name.
    pub labels: usize,
}

/// A kept package that another one replaced.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Previous {
    /// 1 for the latest, at most [`KEPT`].
    pub age: usize,
    /// The version in its manifest. `None`: the manifest is damaged.
    pub version: Option<String>,
}

impl Store {
    /// All packages by name, and names of which only a kept package is left. Hashes all files of the current packages.
    /// A damaged package is an entry with an error.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn list(&self) -> io::Result<Vec<Listed>> {
        let mut names = names_in(&self.directory)?;
        names.extend(names_in(&self.directory.join(".previous")).unwrap_or_default());
        Ok(names.into_iter().map(|name| self.listed(name)).collect())
    }

    fn listed(&self, name: String) -> Listed {
        let directory = self.directory.join(&name);
        let contents = match directory.exists() {
            true => contents(&directory, &name),
            false => Err(format!("removed; `ocelli model rollback {name}` restores the last one")),
        };
        let previous = (1..=KEPT).filter(|age| self.kept(&name).join(age.to_string()).exists());
        let version = |age: usize| Manifest::load(&self.kept(&name).join(age.to_string())).ok().map(|it| it.version);
        let previous = previous.map(|age| Previous { age, version: version(age) }).collect();
        Listed { contents, bytes: bytes_in(&directory), previous, name }
    }
}

fn contents(directory: &Path, name: &str) -> Result<Contents, String> {
    whole(directory, name).map_err(|error| describe(&error))?;
    let manifest = Manifest::load(directory).map_err(|error| describe(&error))?;
    let labels = Labels::load(directory).map_err(|error| describe(&error))?.names().count();
    if let Some(canary) = manifest.canary.as_ref().filter(|canary| !directory.join(&canary.image).is_file()) {
        return Err(format!("its canary {} is missing: restore it", canary.image));
    }
    Ok(Contents { manifest, labels })
}

/// The names of subdirectories that are valid names of packages.
fn names_in(directory: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if let Some(name) = entry.file_name().to_str().filter(|name| is_package_name(name) && entry.path().is_dir()) {
            names.insert(name.to_owned());
        }
    }
    Ok(names)
}

fn bytes_in(directory: &Path) -> u64 {
    let files = fs::read_dir(directory).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).filter(fs::Metadata::is_file).map(|file| file.len()).sum()
}
