//! One call: its input, its caller, and the resources that it names.

use crate::catalog::arn::{Resource, is_name};
use crate::catalog::{Stage, Version};
use crate::control::images::Waiting;
use crate::http::auth::access_keys::AccessKey;
use crate::http::rekognition::error::{ApiError, ErrorKind};
use crate::http::rekognition::operation::Operation;
use crate::http::rekognition::state::RekognitionState;
use crate::supervisor::ModelState;
use serde::Deserialize;
use std::time::Duration;

/// How long a call may wait for its result. SDKs give up after 60 s; the queue of images is bounded to about a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// A call whose signature has been verified.
pub(super) struct Call<'a> {
    pub(super) state: &'a RekognitionState,
    pub(super) operation: Operation,
    /// `None` without access keys in the settings: calls are not signed then.
    pub(super) caller: Option<&'a AccessKey>,
    pub(super) body: &'a [u8],
    /// It says that it was not refused before.
    pub(super) is_first_try: bool,
}

/// A version, and the model that it runs as.
pub(super) struct FoundVersion {
    pub(super) resource: Resource,
    pub(super) version: Version,
    /// The name of the model in the fleet.
    pub(super) model: String,
    /// `None` if it was not started since the daemon started.
    pub(super) running: Option<ModelState>,
}

/// The input of operations whose only member is the version.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VersionInput {
    project_version_arn: Option<String>,
}

impl<'a> Call<'a> {
    /// How the caller waits for an image.
    pub(super) fn waiting(&self) -> Waiting {
        Waiting { patience: PATIENCE, is_first_try: self.is_first_try }
    }

    /// Parses the input. Unknown members are ignored, and null means absent, as in the cloud.
    pub(super) fn input<T: Deserialize<'a>>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(self.body)
            .map_err(|error| ApiError::new(ErrorKind::Serialization, format!("The request is malformed: {error}")))
    }

    /// The refusal of a caller without the right to this operation.
    pub(super) fn denied(&self) -> ApiError {
        let (id, operation) = (self.caller.map_or("anonymous", |key| key.id.as_str()), self.operation.name());
        let account = &self.state.catalog().realm.account;
        let message =
            format!("User: arn:aws:iam::{account}:user/{id} is not authorized to perform: rekognition:{operation}");
        ApiError::new(ErrorKind::AccessDenied, message)
    }

    /// The version named by an input that has no other members.
    pub(super) fn only_version(&self) -> Result<FoundVersion, ApiError> {
        let input: VersionInput = self.input()?;
        self.version(input.project_version_arn.as_deref(), "projectVersionArn")
    }

    /// The version that an ARN names. `at` is the member of the input.
    pub(super) fn version(&self, arn: Option<&str>, at: &str) -> Result<FoundVersion, ApiError> {
        let resource = self.resource(arn, at)?;
        if resource.version.is_none() {
            return Err(ApiError::constraint(&arn.unwrap_or_default(), at, "Member must be a project version's ARN"));
        }
        let version = self.state.catalog().read(|catalog| catalog.version(&resource).cloned());
        let version = version.ok_or_else(|| ApiError::not_found(arn.unwrap_or_default()))?;
        let model = self.state.model_name(&resource, &version);
        let running = self.state.control.model_state(&model);
        Ok(FoundVersion { resource, version, model, running })
    }

    /// The project that an ARN names. It need not exist.
    pub(super) fn project(&self, arn: Option<&str>, at: &str) -> Result<Resource, ApiError> {
        let resource = self.resource(arn, at)?;
        match resource.version {
            None => Ok(resource),
            Some(_) => Err(ApiError::constraint(&arn.unwrap_or_default(), at, "Member must be a project's ARN")),
        }
    }

    /// The existing project that an ARN names.
    pub(super) fn existing_project(&self, arn: Option<&str>, at: &str) -> Result<Resource, ApiError> {
        let project = self.project(arn, at)?;
        let exists = self.state.catalog().read(|catalog| catalog.project(&project).is_some());
        if exists { Ok(project) } else { Err(ApiError::not_found(arn.unwrap_or_default())) }
    }

    /// The project or version that an ARN names. It need not exist.
    pub(super) fn resource(&self, arn: Option<&str>, at: &str) -> Result<Resource, ApiError> {
        let arn = arn.ok_or_else(|| missing(at))?;
        let parsed = self.state.catalog().realm.parse(arn);
        let parsed =
            parsed.map_err(|error| ApiError::constraint(&arn, at, &format!("Member must be an ARN: {error}")))?;
        parsed.ok_or_else(|| ApiError::not_found(arn))
    }
}

impl FoundVersion {
    /// The state of its model.
    pub(super) fn state(&self) -> ModelState {
        self.running.unwrap_or(ModelState::Stopped)
    }

    /// True for a model of the settings, which the native API and the command line control as well.
    pub(super) fn is_configured(&self) -> bool {
        self.version.stage == Stage::Configured
    }
}

/// The error for a required member that is absent.
pub(super) fn missing(at: &str) -> ApiError {
    ApiError::constraint(&"null", at, "Member must not be null")
}

/// Checks a whole number. Clients send it as an integer or as a float.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked against the bounds")]
pub(super) fn whole(value: Option<f64>, at: &str, min: u32, max: u32) -> Result<Option<usize>, ApiError> {
    let Some(value) = value else { return Ok(None) };
    if value.fract() != 0.0 {
        return Err(ApiError::new(ErrorKind::Serialization, format!("{at} must be a whole number")));
    }
    if value < f64::from(min) {
        return Err(ApiError::constraint(
            &value,
            at,
            &format!("Member must have value greater than or equal to {min}"),
        ));
    }
    if value > f64::from(max) {
        return Err(ApiError::constraint(&value, at, &format!("Member must have value less than or equal to {max}")));
    }
    Ok(Some(value as usize))
}

/// Checks a percentage and returns it as a ratio.
#[expect(clippy::cast_possible_truncation, reason = "checked against the bounds")]
pub(super) fn percentage(value: Option<f64>, at: &str) -> Result<Option<f32>, ApiError> {
    match value {
        None => Ok(None),
        Some(value) if (0.0..=100.0).contains(&value) => Ok(Some(value as f32 / 100.0)),
        Some(value) if value < 0.0 => {
            Err(ApiError::constraint(&value, at, "Member must have value greater than or equal to 0"))
        }
        Some(value) => Err(ApiError::constraint(&value, at, "Member must have value less than or equal to 100")),
    }
}

/// Checks the name of a project or version.
pub(super) fn check_name(name: &str, at: &str) -> Result<(), ApiError> {
    let pattern = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.\\-]{1,255}";
    if is_name(name) { Ok(()) } else { Err(ApiError::constraint(&name, at, pattern)) }
}

/// Checks a list of one to ten names, if there is one.
pub(super) fn check_names(names: Option<&[String]>, at: &str) -> Result<(), ApiError> {
    let Some(names) = names else { return Ok(()) };
    check_length(names, at, 1, 10)?;
    names.iter().try_for_each(|name| check_name(name, at))
}

/// Checks the number of members of a list.
pub(super) fn check_length<T>(list: &[T], at: &str, min: usize, max: usize) -> Result<(), ApiError> {
    if (min..=max).contains(&list.len()) {
        return Ok(());
    }
    let constraint = if list.len() < min {
        format!("Member must have length greater than or equal to {min}")
    } else {
        format!("Member must have length less than or equal to {max}")
    };
    Err(ApiError::constraint(&format!("[{} members]", list.len()), at, &constraint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_be_integers_or_floats_within_bounds() {
        assert_eq!(whole(Some(10.0), "maxResults", 1, 100), Ok(Some(10)));
        assert_eq!(whole(None, "maxResults", 1, 100), Ok(None));
        for (value, kind) in [
            (0.0, ErrorKind::Validation),
            (101.0, ErrorKind::Validation),
            (1.5, ErrorKind::Serialization),
            (-3.0, ErrorKind::Validation),
            (1e300, ErrorKind::Validation),
        ] {
            assert_eq!(whole(Some(value), "maxResults", 1, 100).unwrap_err().kind, kind, "{value}");
        }
    }

    #[test]
    fn percentages_are_0_to_100() {
        assert_eq!(percentage(Some(0.0), "minConfidence"), Ok(Some(0.0)));
        assert_eq!(percentage(Some(70.5), "minConfidence"), Ok(Some(0.705)));
        for value in [-0.1, 100.1, f64::MAX] {
            let error = percentage(Some(value), "minConfidence").unwrap_err();
            assert!(error.message.contains("'minConfidence' failed to satisfy constraint"), "{}", error.message);
        }
    }
}
