//! Keeps the catalog on disk, with the imported packages beside it.

use crate::catalog::arn::{Realm, Resource};
use crate::catalog::entries::{Catalog, CatalogError};
use crate::catalog::version::Units;
use crate::kept::{FileKeeper, FileWriter, OnRefusal};
use crate::os::clock::wall_now_ms;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// A handle to the catalog and its file. Clones share both.
#[derive(Clone, Debug)]
pub struct CatalogStore {
    keeper: Arc<Keeper>,
    /// Makes one change at a time, in the order of requests.
    files: FileKeeper,
    models_directory: PathBuf,
    /// The region and account in the ARNs of this box.
    pub realm: Realm,
}

/// The catalog and its file.
#[derive(Debug)]
struct Keeper {
    /// Never locked while a file is written: every call reads it.
    catalog: Mutex<Catalog>,
    directory: PathBuf,
}

impl CatalogStore {
    /// Loads the catalog from `directory` and reconciles it with the settings (name of each model, version of its package).
    ///
    /// A file that cannot be read is moved aside, and the box starts without its projects.
    pub fn load(
        directory: &Path,
        models_directory: &Path,
        realm: Realm,
        configured: &[(String, String)],
        files: FileKeeper,
    ) -> Self {
        let path = directory.join(FILE);
        let (mut catalog, is_readable) = match read(&path) {
            Ok(catalog) => (catalog, true),
            Err(error) => {
                let aside = path.with_extension("damaged");
                tracing::error!(
                    file = %path.display(), %error, aside = %aside.display(),
                    "the catalog cannot be read; its projects and versions are missing, their packages are kept"
                );
                if let Err(error) = std::fs::rename(&path, &aside) {
                    tracing::error!(%error, "the unreadable catalog cannot be moved aside");
                }
                (Catalog::default(), false)
            }
        };
        let kept = catalog.clone();
        catalog.reconcile(configured, wall_now_ms());
        let has_changed = catalog != kept;
        let keeper = Keeper { catalog: Mutex::default(), directory: directory.to_owned() };
        *keeper.lock() = catalog.clone();
        let models_directory = models_directory.to_owned();
        let store = Self { keeper: Arc::new(keeper), files, models_directory, realm };
        // The next start must know them too, so the write is retried while the disk refuses.
        if has_changed {
            store.keep(&catalog);
        }
        // Packages named in an unreadable catalog are no orphans.
        if is_readable {
            store.remove_orphans();
        }
        store
    }

    /// Writes the catalog in the background, and retries while the disk refuses.
    fn keep(&self, catalog: &Catalog) {
        match content(catalog) {
            // A refusal is logged and retried there.
            Ok(bytes) => self.files.write(&self.keeper.file(), bytes, OnRefusal::TryAgain, |_| {}).unwrap_or_default(),
            Err(error) => tracing::error!(%error, "projects, versions and tags are lost with the next start"),
        }
    }

    /// Removes packages that no version names: an import or a deletion was interrupted.
    fn remove_orphans(&self) {
        let known: Vec<String> = self.read(|catalog| {
            let versions = catalog.projects().values().flat_map(|project| project.versions.values());
            versions.map(|version| version.created_ms.to_string()).collect()
        });
        for entry in std::fs::read_dir(self.keeper.directory.join("packages")).into_iter().flatten().flatten() {
            let is_known = entry.file_name().to_str().is_some_and(|name| known.iter().any(|version| version == name));
            if !is_known && let Err(error) = std::fs::remove_dir_all(entry.path()) {
                tracing::warn!(directory = %entry.path().display(), %error, "an orphaned package cannot be removed");
            }
        }
    }

    /// Reads the catalog. Keep the closure short: it holds the lock that every call needs.
    pub fn read<T>(&self, read: impl FnOnce(&Catalog) -> T) -> T {
        read(&self.keeper.lock())
    }

    /// Changes the catalog once the change is on disk. On an error, nothing has changed.
    ///
    /// # Errors
    /// Those of the change, and [`CatalogError::Disk`].
    pub async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Catalog, i64) -> Result<T, CatalogError> + Send + 'static,
    ) -> Result<T, CatalogError> {
        let (keeper, (done, result)) = (Arc::clone(&self.keeper), oneshot::channel());
        // A caller that has disconnected does not need the result.
        let job = move |writer: &mut FileWriter| done.send(keeper.change(change, writer)).unwrap_or_else(drop);
        self.files.run(job).map_err(|error| CatalogError::Disk(error.into()))?;
        result.await.unwrap_or_else(|_| Err(CatalogError::Disk("the thread that writes files has ended".into())))
    }

    /// Records that a model of the settings runs this version of its package now.
    pub fn configure(&self, model: &str, version: &str) {
        let (model, version) = (model.to_owned(), version.to_owned());
        self.change_soon(move |catalog, now| {
            catalog.configure(&model, &version, now);
            Ok(())
        });
    }

    /// Records that an imported version was started, scaled or stopped by a command of any kind.
    pub fn model_changed(&self, model: &str, units: Units, is_wanted: bool) {
        let model = model.to_owned();
        let runs_as_model = move |resource: &Resource| Self::model_name(resource) == model;
        self.change_soon(move |catalog, _| {
            let version = catalog.versions().map(|(resource, _)| resource).find(runs_as_model);
            version.map_or(Ok(()), |resource| {
                catalog.change_version(&resource, |version| {
                    (version.is_wanted, version.units) = (is_wanted, Some(units));
                })
            })
        });
    }

    /// Changes the catalog in the background: the command has already been answered.
    fn change_soon(&self, change: impl FnOnce(&mut Catalog, i64) -> Result<(), CatalogError> + Send + 'static) {
        let keeper = Arc::clone(&self.keeper);
        let job = move |writer: &mut FileWriter| {
            if let Err(error) = keeper.change(change, writer) {
                tracing::error!(%error, "a change of a model is not written to disk; the next start forgets it");
            }
        };
        if let Err(error) = self.files.run(job) {
            tracing::error!(error, "a change of a model is not written to disk; the next start forgets it");
        }
    }

    /// The directory of a version's package. No name of a project or version becomes a path.
    pub fn package_directory(&self, version: &Resource) -> PathBuf {
        self.keeper.directory.join("packages").join(version.created_ms.to_string())
    }

    /// The directory of a package that the settings name.
    pub fn configured_package(&self, package: &str) -> PathBuf {
        self.models_directory.join(package)
    }

    /// The project and version that a model of the fleet is to the AWS-compatible API. `package_version` is that of a model of the
    /// settings.
    pub fn names_of<'a>(model: &'a str, package_version: &'a str) -> (&'a str, &'a str) {
        model.split_once(':').unwrap_or((model, package_version))
    }

    /// True for the name of a model that an imported version runs as.
    pub fn is_imported(model: &str) -> bool {
        model.contains(':')
    }

    /// The name of the model that an imported version runs as. No other model has a colon in its name.
    pub fn model_name(version: &Resource) -> String {
        format!("{}:{}", version.project, version.version.as_deref().unwrap_or_default())
    }
}

impl Keeper {
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Catalog, i64) -> Result<T, CatalogError>,
        writer: &mut FileWriter,
    ) -> Result<T, CatalogError> {
        let kept = self.lock().clone();
        let mut changed = kept.clone();
        let result = change(&mut changed, wall_now_ms())?;
        if changed != kept {
            writer.replace(&self.file(), &content(&changed)?).map_err(CatalogError::Disk)?;
            *self.lock() = changed;
        }
        Ok(result)
    }

    fn file(&self) -> PathBuf {
        self.directory.join(FILE)
    }

    fn lock(&self) -> MutexGuard<'_, Catalog> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn content(catalog: &Catalog) -> Result<Vec<u8>, CatalogError> {
    serde_json::to_vec_pretty(catalog).map_err(|error| CatalogError::Disk(error.to_string()))
}

const FILE: &str = "catalog.json";

/// Returns an empty catalog if there is no file yet.
fn read(path: &Path) -> io::Result<Catalog> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Catalog::default()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(home: &Path) -> CatalogStore {
        let realm = Realm { region: "us-east-1".into(), account: "123456789012".into() };
        CatalogStore::load(
            home,
            Path::new("models"),
            realm,
            &[("coco-ssd".into(), "1".into())],
            FileKeeper::start().unwrap(),
        )
    }

    #[tokio::test]
    async fn a_change_survives_a_restart_and_a_refused_one_changes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let store = load(home.path());
        let project = store.change(|catalog, now| catalog.create_project("edge", now)).await.unwrap();
        let again = store.change(|catalog, now| catalog.create_project("edge", now)).await;
        assert!(matches!(again, Err(CatalogError::InUse(_))));
        assert!(load(home.path()).read(|catalog| catalog.project(&project).is_some()));
    }

    #[tokio::test]
    async fn changes_are_made_in_the_order_of_requests() {
        let home = tempfile::tempdir().unwrap();
        let store = load(home.path());
        for version in 0..50 {
            store.configure("coco-ssd", &version.to_string());
        }
        store.change(|_, _| Ok(())).await.unwrap();
        let versions = |store: &CatalogStore| {
            store.read(|catalog| catalog.projects()["coco-ssd"].versions.keys().cloned().collect::<Vec<_>>())
        };
        assert_eq!(versions(&store), ["49"]);
        assert_eq!(versions(&load(home.path())).len(), 1);
    }

    #[test]
    fn a_damaged_file_is_moved_aside_and_keeps_its_packages_once() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(FILE), "{").unwrap();
        let package = home.path().join("packages/7");
        std::fs::create_dir_all(&package).unwrap();
        assert_eq!(load(home.path()).read(|catalog| catalog.projects().len()), 1);
        assert!(home.path().join("catalog.damaged").exists() && package.exists());
        load(home.path());
        assert!(!package.exists(), "no version names it any more");
    }
}
