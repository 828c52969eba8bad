//! Keeps the catalog on disk, and the packages that were brought in beside it.

use crate::catalog::arn::{Realm, Resource};
use crate::catalog::entries::{Catalog, CatalogError};
use crate::catalog::version::Units;
use crate::os::atomic_file;
use crate::os::clock::wall_now_ms;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// Changes that wait for the disk. Above it, whoever can wait does; what nobody waits for is logged and not kept.
const MAX_WAITING: usize = 64;

/// The catalog and where it is kept. Handles are cheap and all the same.
#[derive(Clone, Debug)]
pub struct CatalogStore {
    keeper: Arc<Keeper>,
    /// One after the other, in the order in which they were asked for.
    changes: mpsc::Sender<Change>,
    models_directory: PathBuf,
    /// Where the ARNs of this box are.
    pub realm: Realm,
}

type Change = Box<dyn FnOnce() + Send>;

/// The catalog and its file.
#[derive(Debug)]
struct Keeper {
    /// Held for a moment only: it is read on the way of every call.
    catalog: Mutex<Catalog>,
    directory: PathBuf,
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
        let keeper = Keeper { catalog: Mutex::default(), directory: directory.to_owned() };
        // ARNs must be the same after the next start.
        if is_news && let Err(error) = keeper.write(&catalog) {
            tracing::error!(%error, "the ARNs of this box's models change with each start");
        }
        *keeper.lock() = catalog;
        let (changes, asked) = mpsc::channel(MAX_WAITING);
        make_in_order(asked);
        let models_directory = models_directory.to_owned();
        let store = Self { keeper: Arc::new(keeper), changes, models_directory, realm };
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
        for entry in std::fs::read_dir(self.keeper.directory.join("packages")).into_iter().flatten().flatten() {
            let is_known = entry.file_name().to_str().is_some_and(|name| known.iter().any(|version| version == name));
            if !is_known && let Err(error) = std::fs::remove_dir_all(entry.path()) {
                tracing::warn!(directory = %entry.path().display(), %error, "a left-over package cannot be removed");
            }
        }
    }

    /// Looks something up.
    pub fn read<T>(&self, look: impl FnOnce(&Catalog) -> T) -> T {
        look(&self.keeper.lock())
    }

    /// Changes something, and keeps it: what was not kept has not changed.
    ///
    /// # Errors
    /// Those of the change, and [`CatalogError::Disk`].
    pub async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Catalog, i64) -> Result<T, CatalogError> + Send + 'static,
    ) -> Result<T, CatalogError> {
        let (keeper, (done, result)) = (Arc::clone(&self.keeper), oneshot::channel());
        // Who has gone meanwhile is not told.
        let change: Change = Box::new(move || done.send(keeper.change(change)).unwrap_or_else(drop));
        let gone = || CatalogError::Disk("nobody changes the catalog any more".into());
        self.changes.send(change).await.map_err(|_| gone())?;
        result.await.unwrap_or_else(|_| Err(gone()))
    }

    /// The model of the settings runs this version now.
    pub fn configure(&self, model: &str, version: &str) {
        let (model, version) = (model.to_owned(), version.to_owned());
        self.change_soon(move |catalog, now| {
            catalog.configure(&model, &version, now);
            Ok(())
        });
    }

    /// A model that was brought in was started, scaled or stopped by whatever command; `is_wanted` if it is to run.
    pub fn model_changed(&self, model: &str, units: Units, is_wanted: bool) {
        let model = model.to_owned();
        let is_it = move |resource: &Resource| Self::model_name(resource) == model;
        self.change_soon(move |catalog, _| {
            let meant = catalog.versions().map(|(resource, _)| resource).find(is_it);
            meant.map_or(Ok(()), |resource| {
                catalog.change_version(&resource, |version| {
                    (version.is_wanted, version.units) = (is_wanted, Some(units));
                })
            })
        });
    }

    /// Nobody waits for it: whoever gave the command has been answered by the fleet.
    fn change_soon(&self, change: impl FnOnce(&mut Catalog, i64) -> Result<(), CatalogError> + Send + 'static) {
        let keeper = Arc::clone(&self.keeper);
        let change = move || {
            if let Err(error) = keeper.change(change) {
                tracing::error!(%error, "a change of a model is forgotten by the next start");
            }
        };
        if self.changes.try_send(Box::new(change)).is_err() {
            tracing::error!("a change of a model is forgotten by the next start: too many wait for the disk");
        }
    }

    /// Where the package of a version lies, or is to lie. No name of a project or version becomes a path.
    pub fn package_directory(&self, version: &Resource) -> PathBuf {
        self.keeper.directory.join("packages").join(version.created_ms.to_string())
    }

    /// Where a package of the settings lies.
    pub fn configured_package(&self, package: &str) -> PathBuf {
        self.models_directory.join(package)
    }

    /// The name under which a version runs that was brought in: a colon is in no other name.
    pub fn model_name(version: &Resource) -> String {
        format!("{}:{}", version.project, version.version.as_deref().unwrap_or_default())
    }
}

impl Keeper {
    fn change<T>(&self, change: impl FnOnce(&mut Catalog, i64) -> Result<T, CatalogError>) -> Result<T, CatalogError> {
        let kept = self.lock().clone();
        let mut changed = kept.clone();
        let result = change(&mut changed, wall_now_ms())?;
        if changed != kept {
            self.write(&changed)?;
            *self.lock() = changed;
        }
        Ok(result)
    }

    fn write(&self, catalog: &Catalog) -> Result<(), CatalogError> {
        let disk = |error: &dyn std::fmt::Display| CatalogError::Disk(error.to_string());
        let bytes = serde_json::to_vec_pretty(catalog).map_err(|error| disk(&error))?;
        atomic_file::replace(&self.directory.join(FILE), &bytes).map_err(|error| disk(&error))
    }

    fn lock(&self) -> MutexGuard<'_, Catalog> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes changes in a thread of its own, which may wait for the disk, until nobody can ask for one.
fn make_in_order(mut asked: mpsc::Receiver<Change>) {
    let make = move || {
        while let Some(change) = asked.blocking_recv() {
            change();
        }
    };
    if let Err(error) = std::thread::Builder::new().name("catalog".into()).spawn(make) {
        tracing::error!(%error, "projects and versions cannot be changed");
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

    #[tokio::test]
    async fn changes_are_made_in_the_order_in_which_they_were_asked_for() {
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
