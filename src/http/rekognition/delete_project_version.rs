//! `DeleteProjectVersion`: a version that does not run, and its package.

use crate::control::Command;
use crate::http::rekognition::call::Call;
use crate::http::rekognition::error::{ApiError, ErrorKind};
use crate::supervisor::ModelState;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

pub(super) async fn answer(call: &Call<'_>) -> Result<Value, ApiError> {
    let found = call.only_version()?;
    let state = found.state();
    if !matches!(state, ModelState::Stopped | ModelState::Failed) && !found.is_configured() {
        return Err(ApiError::new(ErrorKind::ResourceInUse, format!("The model is {}.", state.name())));
    }
    let (resource, directory) = (found.resource.clone(), call.state.catalog().package_directory(&found.resource));
    if found.running.is_some() && !found.is_configured() {
        if state == ModelState::Failed {
            stop_trying(call, &found.model).await?;
        }
        call.state.control.ask(Command::RemoveModel { model: found.model }).await?;
    }
    call.state.catalog().change(move |catalog, _| catalog.delete_version(&resource)).await?;
    // What cannot be removed now is at the next start.
    drop(tokio::task::spawn_blocking(move || std::fs::remove_dir_all(directory)).await);
    Ok(json!({"Status": "DELETING"}))
}

/// A failed model is still tried: it has to be stopped before it can be forgotten.
async fn stop_trying(call: &Call<'_>, model: &str) -> Result<(), ApiError> {
    call.state.control.ask(Command::StopModel { model: model.to_owned() }).await?;
    let stopped = async {
        let is_stopped = || call.state.control.model_state(model).is_none_or(|state| state == ModelState::Stopped);
        while !is_stopped() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let in_use = |_| ApiError::new(ErrorKind::ResourceInUse, "The model is being stopped.");
    timeout(Duration::from_secs(5), stopped).await.map_err(in_use)
}
