//! Imports packages: copies each one, and loads it once in a unit before it may be started.

use crate::appliance::child_environment::child_environment;
use crate::appliance::package_loader::{load_model, public_reason};
use crate::catalog::import::{ImportError, copy_package};
use crate::catalog::{CatalogError, CatalogStore};
use crate::control::ImportJob;
use crate::ipc::child_process::own_binary;
use crate::model::model_file::ModelVariant;
use crate::settings::Settings;
use crate::supervisor::one_shot::OneShotUnit;
use crate::vision::error_chain::describe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Longest time for copying a package: its largest file, 512 MiB, from a network at 1 MiB a second.
const COPY_LIMIT: Duration = Duration::from_secs(600);

/// Copies at once, those included that were given up because their bucket hangs: such a read cannot be broken off.
const MAX_COPIES: usize = 2;

/// Imports packages one by one until the job queue is closed.
pub(crate) async fn run(settings: Settings, catalog: CatalogStore, mut jobs: mpsc::Receiver<ImportJob>) {
    let copies = Arc::new(Semaphore::new(MAX_COPIES));
    while let Some(ImportJob { version, source }) = jobs.recv().await {
        let target = catalog.package_directory(&version);
        let copy_from = source.clone();
        let copy = move |target: &Path| copy_package(&copy_from, target);
        let result = match copy_within(COPY_LIMIT, &copies, target.clone(), copy).await {
            Ok(()) => load_once(&settings, &target).await,
            Err(reason) => Err(reason),
        };
        match &result {
            Ok(()) => tracing::info!(%version, "a package was imported"),
            Err(reason) => {
                tracing::warn!(%version, reason, "a package could not be imported");
                let target = target.clone();
                drop(tokio::task::spawn_blocking(move || std::fs::remove_dir_all(target)).await);
            }
        }
        let result = result.map_err(|reason| public_reason(&reason, &[&target, &source.root]));
        let named = version.clone();
        let kept = catalog.change(move |catalog, now| catalog.finish_version(&version, result, now)).await;
        if let Err(error) = kept
            && !matches!(error, CatalogError::NotFound(_))
        {
            tracing::error!(version = %named, %error, "the result of an import cannot be stored");
        }
    }
}

/// Copies a package to `target` on a thread of its own. A copy that ends after `limit` is removed.
async fn copy_within(
    limit: Duration,
    copies: &Arc<Semaphore>,
    target: PathBuf,
    copy: impl FnOnce(&Path) -> Result<(), ImportError> + Send + 'static,
) -> Result<(), String> {
    let turn = Arc::clone(copies).try_acquire_owned();
    let turn = turn.map_err(|_| format!("{MAX_COPIES} earlier imports still wait for their bucket"))?;
    let (done, copied) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let result = copy(&target).map_err(|error| describe(&error));
        if done.send(result).is_err() {
            // What cannot be removed now is removed at the next start.
            drop(std::fs::remove_dir_all(&target));
        }
        drop(turn);
    });
    match tokio::time::timeout(limit, copied).await {
        Ok(copied) => copied.unwrap_or_else(|_| Err("the thread that copies it has ended".into())),
        Err(_) => Err(format!("the bucket did not give all files within {} s", limit.as_secs())),
    }
}

/// Loads a package in a separate unit with the usual sandbox. The unit also runs the canary test.
async fn load_once(settings: &Settings, package: &Path) -> Result<(), String> {
    let mut load = load_model(settings, &settings.default_model(), "").without_caches();
    (load.directory, load.variant) = (package.to_owned(), ModelVariant::Float);
    let environment = child_environment("warn", settings.sandbox.mode);
    let limit = Duration::from_secs_f32(settings.units.load_timeout_seconds);
    let loaded = OneShotUnit::start(own_binary(), environment, load, limit).await;
    loaded.map(drop).map_err(|error| describe(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    #[tokio::test]
    async fn a_bucket_that_hangs_holds_up_no_other_import_and_its_late_copy_is_removed() {
        let home = tempfile::tempdir().unwrap();
        let copies = Arc::new(Semaphore::new(1));
        let (go_on, wait) = sync_channel(1);
        let late = home.path().join("late");
        let hang = move |target: &Path| {
            wait.recv().unwrap();
            std::fs::create_dir(target).map_err(ImportError::Write)
        };
        let error = copy_within(Duration::ZERO, &copies, late.clone(), hang).await.unwrap_err();
        assert!(error.contains("within 0 s"), "{error}");
        let refused = copy_within(COPY_LIMIT, &copies, home.path().join("refused"), |_| Ok(())).await.unwrap_err();
        assert!(refused.contains("still wait for their bucket"), "{refused}");

        go_on.send(()).unwrap();
        let turn = copies.acquire().await.unwrap();
        assert!(!late.exists(), "nobody waits for it any more");
        drop(turn);
        copy_within(COPY_LIMIT, &copies, home.path().join("next"), |_| Ok(())).await.unwrap();
    }
}
