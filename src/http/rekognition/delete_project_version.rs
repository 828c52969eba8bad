//! `DeleteProjectVersion`: deletes a version that does not run, and its package.

use crate::catalog::{Catalog, Version};
use crate::control::{Command, ControlError};
use crate::http::rekognition::call::Call;
use crate::http::rekognition::error::{ApiError, ErrorKind};
use crate::http::rekognition::wanted::take_back;
use crate::supervisor::{FleetError, ModelState};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// How long a failed model may take to stop.
const STOP_LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn answer(call: &Call<'_>) -> Result<Value, ApiError> {
    let found = call.only_version()?;
    let state = found.state();
    if !matches!(state, ModelState::Stopped | ModelState::Failed) && !found.is_configured() {
        return Err(ApiError::new(ErrorKind::ResourceInUse, format!("The model is {}.", state.name())));
    }
    let directory = call.state.catalog().package_directory(&found.resource);
    let deleted = found.resource.clone();
    let kept = call.state.catalog().change(move |catalog, _| {
        let version = catalog.version(&deleted).cloned();
        catalog.delete_version(&deleted)?;
        Ok(version)
    });
    let mut version = kept.await?;
    if let Err(error) = forget(call, &found.model, state, version.as_mut()).await {
        let restore = move |catalog: &mut Catalog| {
            catalog.restore_version(&found.resource, version);
            Ok(())
        };
        take_back(call, restore).await;
        return Err(error);
    }
    // A package that cannot be removed now is removed by the next start.
    drop(tokio::task::spawn_blocking(move || std::fs::remove_dir_all(directory)).await);
    Ok(json!({"Status": "DELETING"}))
}

/// Has the fleet forget a model. A failed one is still being retried and has to be stopped before; it stays stopped if
/// it cannot be forgotten.
async fn forget(
    call: &Call<'_>,
    model: &str,
    state: ModelState,
    version: Option<&mut Version>,
) -> Result<(), ApiError> {
    if state == ModelState::Failed {
        call.state.control.ask(Command::StopModel { model: model.to_owned() }).await?;
        if let Some(version) = version {
            version.is_wanted = false;
        }
        wait_stopped(call, model).await?;
    }
    match call.state.control.ask(Command::RemoveModel { model: model.to_owned() }).await {
        // The status that was read may be half a second old, so the fleet is asked even if it showed no such model.
        Ok(_) | Err(ControlError::Fleet(FleetError::NotFound(_))) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn wait_stopped(call: &Call<'_>, model: &str) -> Result<(), ApiError> {
    let stopped = async {
        let is_stopped = || call.state.control.model_state(model).is_none_or(|state| state == ModelState::Stopped);
        while !is_stopped() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let in_use = |_| ApiError::new(ErrorKind::ResourceInUse, "The model is being stopped.");
    timeout(STOP_LIMIT, stopped).await.map_err(in_use)
}
