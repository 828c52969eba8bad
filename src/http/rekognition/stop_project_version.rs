//! `StopProjectVersion`: what is under way is finished, nothing new is taken.

use crate::control::Command;
use crate::http::rekognition::call::Call;
use crate::http::rekognition::error::{ApiError, ErrorKind};
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
    // First on disk: a daemon that ends now does not start it again.
    let resource = found.resource;
    let kept = call
        .state
        .catalog()
        .change(move |catalog, _| catalog.change_version(&resource, |version| version.is_wanted = false));
    kept.await?;
    call.state.control.ask(Command::StopModel { model: found.model }).await?;
    Ok(json!({"Status": "STOPPING"}))
}
