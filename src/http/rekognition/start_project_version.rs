//! `StartProjectVersion`: starts the inference units of a version.

use crate::catalog::Units;
use crate::catalog::arn::Resource;
use crate::control::Command;
use crate::http::rekognition::call::{Call, missing, whole};
use crate::http::rekognition::error::{ApiError, ErrorKind};
use crate::http::rekognition::wanted::{Wanted, keep_then_act};
use crate::supervisor::ModelState;
use crate::supervisor::pool::UnitBounds;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    project_version_arn: Option<String>,
    min_inference_units: Option<f64>,
    max_inference_units: Option<f64>,
}

/// Returns the version that is being started.
pub(super) async fn answer(call: &Call<'_>) -> Result<Resource, ApiError> {
    let input: Input = call.input()?;
    let min = whole(input.min_inference_units, "minInferenceUnits", 1, u32::MAX)?;
    let max = whole(input.max_inference_units, "maxInferenceUnits", 1, u32::MAX)?;
    let min = min.ok_or_else(|| missing("minInferenceUnits"))?;
    if max.is_some_and(|max| max < min) {
        let message = "MaxInferenceUnits must not be below MinInferenceUnits.";
        return Err(ApiError::new(ErrorKind::InvalidParameter, message));
    }
    let found = call.version(input.project_version_arn.as_deref(), "projectVersionArn")?;
    if found.version.stage.is_coming() {
        return Err(ApiError::new(ErrorKind::ResourceInUse, "The version is still being imported."));
    }
    if !found.version.stage.is_there() {
        let message = "The version has no model: its import failed.";
        return Err(ApiError::new(ErrorKind::InvalidParameter, message));
    }
    let state = found.state();
    if !matches!(state, ModelState::Stopped | ModelState::Failed) {
        return Err(ApiError::new(ErrorKind::ResourceInUse, format!("The model is {}.", state.name())));
    }
    let bounds = UnitBounds { min, max };
    let command = if found.is_configured() {
        Command::StartModel { model: found.model.clone(), bounds: Some(bounds) }
    } else {
        let directory = call.state.catalog().package_directory(&found.resource);
        Command::RunPackage { model: found.model.clone(), directory, bounds }
    };
    let wanted = Wanted { units: Some(Units { min, max }), is_wanted: true };
    keep_then_act(call, found.resource.clone(), wanted, command).await?;
    Ok(found.resource)
}
