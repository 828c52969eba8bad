//! Keeps the catalog on disk, and the packages that were brought in beside it.

use crate::catalog::arn::{Realm, Resource};
use crate::catalog::entries::{Catalog, CatalogError};
use crate::catalog::version::Units;
use crate::os::atomic_file;
use crate::os::clock::wall_now_ms;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The catalog and where it is kept. Handles are cheap and all the same.
#[derive(Clone, Debug)]
pub struct CatalogStore {
    /// Held for a moment only: it is read on the way of every call.
    catalog: Arc<Mutex<Catalog>>,
    /// Held by whoever changes it until the change is on disk.
    writer: Arc<Mutex<()>>,
    directory: PathBuf,
    models_directory: PathBuf,
    /// Where the ARNs of this box are.
    pub realm: Realm,
}

impl CatalogStore {
    /// Reads what was kept in `directory`, and makes it fit the settings (name of each model, version of its package).
    ///
    /// A file that cannot be read is set aside: the box starts without the projects that it named.
    pub fn load(directory: &Path, models_directory: &Path, realm: Realm, configured: &[(String, String)]) -> Self {
        let path = directory.join(FILE);
        let (mut catalog, is_known) = match read(&path) {
            Ok(catalog) => (catalog, true),
            Err(error) => {
                let aside = path.with_extension("damaged");
                tracing::error!(
                    file = %path.display(), %error, aside = %aside.display(),
                    "the catalog cannot be read; projects and versions are missing, their packages are kept"
                );
                if let Err(error) = std::fs::rename(&path, &aside) {
                    tracing::error!(%error, "the unreadable catalog cannot be set aside");
                }
                (Catalog::default(), false)
            }
        };
        let kept = catalog.clone();
        catalog.reconcile(configured, wall_now_ms());
        let is_news = catalog != kept;
        let (directory, models_directory) = (directory.to_owned(), models_directory.to_owned());
        let (catalog, writer) = (Arc::new(Mutex::new(catalog)), Arc::default());
        let store = Self { catalog, writer, directory, models_directory, realm };
        // ARNs must be the same after the next start.
        if is_news && let Err(error) = store.change_now(|_, _| Ok(())) {
            tracing::error!(%error, "the ARNs of this box's models change with each start");
        }
        // Of a catalog that cannot be read nobody knows which packages it names.
        if is_known {
            store.remove_orphans();
        }
        store
    }

    /// Packages of versions that are no more: a deletion, or an import, was interrupted.
    fn remove_orphans(&self) {
        let known: Vec<String> = self.read(|catalog| {
            let versions = catalog.projects().values().flat_map(|project| project.versions.values());
            versions.map(|version| version.created_ms.to_string()).collect()
        });
        for entry in std::fs::read_dir(self.directory.join("packages")).into_iter().flatten().flatten() {
            let is_known = entry.file_name().to_str().is_some_and(|name| known.iter().any(|version| version == name));
            if !is_known && let Err(error) = std::fs::remove_dir_all(entry.path()) {
                tracing::warn!(directory = %entry.path().display(), %error, "a left-over package cannot be removed");
            }
        }
    }

    /// Looks something up.
    pub fn read<T>(&self, look: impl FnOnce(&Catalog) -> T) -> T {
        look(&self.lock())
    }

    /// Changes something, and keeps it: what was not kept has not changed.
    ///
    /// # Errors
    /// Those of the change, and [`CatalogError::Disk`].
    pub async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Catalog, i64) -> Result<T, CatalogError> + Send + 'static,
    ) -> Result<T, CatalogError> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || store.change_now(change)).await;
        done.unwrap_or_else(|error| Err(CatalogError::Disk(error.to_string())))
    }

    fn change_now<T>(
        &self,
        change: impl FnOnce(&mut Catalog, i64) -> Result<T, CatalogError>,
    ) -> Result<T, CatalogError> {
        let _turn = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = self.lock().clone();
        let result = change(&mut changed, wall_now_ms())?;
        let disk = |error: &dyn std::fmt::Display| CatalogError::Disk(error.to_string());
        let bytes = serde_json::to_vec_pretty(&changed).map_err(|error| disk(&error))?;
        atomic_file::replace(&self.directory.join(FILE), &bytes).map_err(|error| disk(&error))?;
        *self.lock() = changed;
        Ok(result)
    }

    /// The model of the settings runs this version now.
    pub fn configure(&self, model: &str, version: &str) {
        let (model, version) = (model.to_owned(), version.to_owned());
        self.change_soon(move |catalog, now| {
            catalog.configure(&model, &version, now);
            Ok(())
        });
    }

    /// A model that was brought in was started, scaled (`Some`) or stopped by whatever command.
    pub fn model_changed(&self, model: &str, units: Option<Units>) {
        let model = model.to_owned();
        let is_it = move |resource: &Resource| Self::model_name(resource) == model;
        self.change_soon(move |catalog, _| {
            let meant = catalog.versions().map(|(resource, _)| resource).find(is_it);
            meant.map_or(Ok(()), |resource| {
                catalog.change_version(&resource, |version| {
                    version.is_wanted = units.is_some();
                    version.units = units.or(version.units);
                })
            })
        });
    }

    /// Nobody waits for it: whoever gave the command has been answered by the fleet.
    fn change_soon(&self, change: impl FnOnce(&mut Catalog, i64) -> Result<(), CatalogError> + Send + 'static) {
        let store = self.clone();
        drop(tokio::task::spawn_blocking(move || {
            if let Err(error) = store.change_now(change) {
                tracing::error!(%error, "a change of a model is forgotten by the next start");
            }
        }));
    }

    /// Where the package of a version lies, or is to lie. No name of a project or version becomes a path.
    pub fn package_directory(&self, version: &Resource) -> PathBuf {
        self.directory.join("packages").join(version.created_ms.to_string())
    }

    /// Where a package of the settings lies.
    pub fn configured_package(&self, package: &str) -> PathBuf {
        self.models_directory.join(package)
    }

    /// The name under which a version runs that was brought in: a colon is in no other name.
    pub fn model_name(version: &Resource) -> String {
        format!("{}:{}", version.project, version.version.as_deref().unwrap_or_default())
    }

    fn lock(&self) -> MutexGuard<'_, Catalog> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const FILE: &str = "catalog.json";

/// An empty one, where there is none yet.
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
        CatalogStore::load(home, Path::new("models"), realm, &[("coco-ssd".into(), "1".into())])
    }

    #[tokio::test]
    async fn what_was_changed_outlives_a_restart_and_what_failed_was_not_changed() {
        let home = tempfile::tempdir().unwrap();
        let store = load(home.path());
        let project = store.change(|catalog, now| catalog.create_project("edge", now)).await.unwrap();
        let again = store.change(|catalog, now| catalog.create_project("edge", now)).await;
        assert!(matches!(again, Err(CatalogError::InUse(_))));
        assert!(load(home.path()).read(|catalog| catalog.project(&project).is_some()));
    }

    #[test]
    fn a_damaged_file_is_set_aside() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(FILE), "{").unwrap();
        let package = home.path().join("packages/7");
        std::fs::create_dir_all(&package).unwrap();
        assert_eq!(load(home.path()).read(|catalog| catalog.projects().len()), 1);
        assert!(home.path().join("catalog.damaged").exists() && package.exists());
        load(home.path());
        assert!(!package.exists(), "nobody names it any more");
    }
}
