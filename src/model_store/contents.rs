//! What packages there are, and whether they are in order.

use crate::model::labels::Labels;
use crate::model::manifest::Manifest;
use crate::model::package::is_package_name;
use crate::model_store::store::{KEPT, Store, whole};
use crate::vision::error_chain::describe;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

/// A name, and what it stands for.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Of the directory.
    pub name: String,
    /// What is in it, or the mistake that keeps it from running.
    pub contents: Result<Contents, String>,
    /// Of all files that lie in it.
    pub bytes: u64,
    /// What it has replaced, latest first.
    pub previous: Vec<Previous>,
}

/// A package in order.
#[derive(Clone, Debug)]
pub struct Contents {
    /// As it says.
    pub manifest: Manifest,
    /// Classes with a name.
    pub labels: usize,
}

/// A package that another has replaced.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Previous {
    /// 1 for the latest.
    pub age: usize,
    /// None: it is damaged.
    pub version: Option<String>,
}

impl Store {
    /// All packages by name, each with its files checked; a damaged one does not stop the others.
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
            false => Err(format!("removed; `ocelli model rollback {name}` brings the last one back")),
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
        return Err(format!("its canary {} is not there: put it back", canary.image));
    }
    Ok(Contents { manifest, labels })
}

/// The directories that could be packages.
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
