//! Starts the imported versions that were running when the daemon stopped.

use crate::catalog::arn::Resource;
use crate::catalog::{CatalogStore, Stage, Version};
use crate::control::{Command, Control};
use crate::supervisor::ModelState;
use crate::supervisor::pool::UnitBounds;
use std::collections::BTreeSet;
use std::time::Duration;

/// Retry period of a version that cannot be started, say because its disk is not there yet.
const RETRY_PERIOD: Duration = Duration::from_secs(60);

/// Starts the versions that were running before, and retries those that cannot be started until they run or nobody wants
/// them any more. Models of the settings are started by the core.
pub async fn resume(control: Control) {
    let mut waiting: BTreeSet<Resource> = control.catalog.read(|catalog| {
        catalog.versions().filter(|(_, version)| bounds(version).is_some()).map(|(resource, _)| resource).collect()
    });
    let mut reported = BTreeSet::new();
    loop {
        for resource in std::mem::take(&mut waiting) {
            let Some(bounds) = control.catalog.read(|catalog| catalog.version(&resource).and_then(bounds)) else {
                continue;
            };
            let model = CatalogStore::model_name(&resource);
            if control.model_state(&model).is_some_and(|state| state != ModelState::Stopped) {
                continue;
            }
            let directory = control.catalog.package_directory(&resource);
            let command = Command::RunPackage { model: model.clone(), directory, bounds };
            match control.ask(command).await {
                Ok(_) if reported.contains(&resource) => {
                    tracing::info!(model, "a version that was running before is started now");
                }
                Ok(_) => {}
                Err(error) => {
                    if reported.insert(resource.clone()) {
                        tracing::error!(
                            model,
                            %error,
                            "a version that was running before cannot be started; this is retried each minute"
                        );
                    }
                    waiting.insert(resource);
                }
            }
        }
        if waiting.is_empty() {
            return;
        }
        tokio::time::sleep(RETRY_PERIOD).await;
    }
}

/// The number of units of an imported version that is to run.
fn bounds(version: &Version) -> Option<UnitBounds> {
    let units = version.units.filter(|_| version.is_wanted && version.stage != Stage::Configured)?;
    Some(UnitBounds { min: units.min, max: units.max })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::arn::Realm;
    use crate::catalog::version::BucketPlace;
    use crate::catalog::{NewVersion, Units};
    use crate::control::images::ImageIntake;
    use crate::control::{Accepted, ApplianceStatus, ControlError, ControlQueues};
    use crate::kept::FileKeeper;
    use crate::metering::HoursFiles;
    use std::collections::BTreeMap;
    use std::path::Path;
    use tokio::sync::watch;

    /// A catalog with a version that is to run, and the queues of a box that runs nothing yet.
    async fn box_with_a_wanted_version(home: &Path) -> (Control, ControlQueues, Resource) {
        let realm = Realm { region: "us-east-1".into(), account: "123456789012".into() };
        let catalog = CatalogStore::load(home, home, realm, &[], FileKeeper::start().unwrap());
        let made = catalog.change(|catalog, now| {
            catalog.create_project("edge", now)?;
            let output = BucketPlace { bucket: "files".into(), prefix: String::new() };
            let (project, name, tags) = ("edge".into(), "v1".into(), BTreeMap::new());
            let new =
                NewVersion { project, name, stage: Stage::Importing, output, description: None, source: None, tags };
            let version = catalog.create_version(new, now)?;
            catalog.finish_version(&version, Ok(()), now)?;
            catalog.change_version(&version, |version| {
                (version.is_wanted, version.units) = (true, Some(Units { min: 1, max: Some(2) }));
            })?;
            Ok(version)
        });
        let version = made.await.unwrap();
        let (images, _, _) = ImageIntake::new().unwrap();
        let (_, status) = watch::channel(ApplianceStatus::default());
        let (control, queues) =
            Control::new(status, HoursFiles::new(home), images, catalog, None, crate::live::Relay::without_cameras());
        (control, queues, version)
    }

    #[tokio::test(start_paused = true)]
    async fn a_version_that_cannot_be_read_at_the_start_is_started_as_soon_as_it_can_be() {
        let home = tempfile::tempdir().unwrap();
        let (control, mut queues, _) = box_with_a_wanted_version(home.path()).await;
        let resumed = tokio::spawn(resume(control));
        for _ in 0..3 {
            let (_, reply) = queues.commands.recv().await.unwrap();
            reply.send(Err(ControlError::Package("no such file".into()))).unwrap();
        }
        let (command, reply) = queues.commands.recv().await.unwrap();
        assert!(
            matches!(command, Command::RunPackage { bounds: UnitBounds { min: 1, max: Some(2) }, .. }),
            "{command:?}"
        );
        reply.send(Ok(Accepted::default())).unwrap();
        resumed.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_version_that_is_stopped_meanwhile_is_started_no_more() {
        let home = tempfile::tempdir().unwrap();
        let (control, mut queues, version) = box_with_a_wanted_version(home.path()).await;
        let resumed = tokio::spawn(resume(control.clone()));
        let (_, reply) = queues.commands.recv().await.unwrap();
        let stopped = control
            .catalog
            .change(move |catalog, _| catalog.change_version(&version, |version| version.is_wanted = false));
        stopped.await.unwrap();
        reply.send(Err(ControlError::Package("no such file".into()))).unwrap();
        resumed.await.unwrap();
        assert!(queues.commands.try_recv().is_err(), "it was asked for once");
    }
}
