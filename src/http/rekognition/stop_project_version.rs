//! `StopProjectVersion`: stops a version. Calls in progress finish, new ones are refused.

use crate::control::Command;
use crate::http::rekognition::call::Call;
use crate::http::rekognition::error::{ApiError, ErrorKind};
use crate::http::rekognition::wanted::{Wanted, keep_then_act};
use crate::supervisor::ModelState;
use serde_json::{Value, json};

pub(super) async fn answer(call: &Call<'_>) -> Result<Value, ApiError> {
    let found = call.only_version()?;
    match found.state() {
        ModelState::Stopping => {
            return Err(ApiError::new(ErrorKind::ResourceInUse, "The model is being stopped already."));
        }
        ModelState::Stopped => {
            return Err(ApiError::new(ErrorKind::InvalidParameter, "The model is not running."));
        }
        ModelState::Starting | ModelState::Running | ModelState::Failed => {}
    }
    let wanted = Wanted { units: found.version.units, is_wanted: false };
    keep_then_act(call, found.resource, wanted, Command::StopModel { model: found.model }).await?;
    Ok(json!({"Status": "STOPPING"}))
}
