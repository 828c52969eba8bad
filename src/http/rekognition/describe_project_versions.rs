//! `DescribeProjectVersions`: lists the versions of a project, newest first.

use crate::catalog::arn::Resource;
use crate::catalog::{Project, Version};
use crate::http::rekognition::call::{Call, check_names, whole};
use crate::http::rekognition::error::ApiError;
use crate::http::rekognition::page::page;
use crate::http::rekognition::version_status::{Running, status_of};
use crate::supervisor::ModelState;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    project_arn: Option<String>,
    version_names: Option<Vec<String>>,
    max_results: Option<f64>,
    next_token: Option<String>,
}

pub(super) fn answer(call: &Call<'_>) -> Result<Value, ApiError> {
    let input: Input = call.input()?;
    let max = whole(input.max_results, "maxResults", 1, 100)?.unwrap_or(100);
    check_names(input.version_names.as_deref(), "versionNames")?;
    let project = call.project(input.project_arn.as_deref(), "projectArn")?;
    let found: Option<Project> = call.state.catalog().read(|catalog| catalog.project(&project).cloned());
    let found = found.ok_or_else(|| ApiError::not_found(input.project_arn.as_deref().unwrap_or_default()))?;
    let is_requested = |name: &String| input.version_names.as_ref().is_none_or(|names| names.contains(name));
    let describe = |(name, version): (String, Version)| {
        let resource = Resource { project: project.project.clone(), version: Some(name), created_ms: version.arn_ms() };
        let running = Running::of(&call.state.control, &call.state.model_name(&resource, &version));
        (version.created_ms, description(call, &resource, &version, running.as_ref()))
    };
    let wanted = found.versions.into_iter().filter(|(name, _)| is_requested(name));
    let versions = wanted.map(describe).collect();
    Ok(page(versions, input.next_token.as_deref(), max)?.into_output("ProjectVersionDescriptions"))
}

/// Leaves out absent members, because scripts test for their presence.
fn description(call: &Call<'_>, resource: &Resource, version: &Version, running: Option<&Running>) -> Value {
    let (status, message) = status_of(version, running);
    let mut described = json!({
        "ProjectVersionArn": call.state.catalog().realm.arn(resource),
        "CreationTimestamp": seconds(version.created_ms),
        "Status": status,
        "StatusMessage": message,
        "Feature": "CUSTOM_LABELS",
    });
    // A running model may have been scaled by others. A stopped one has the numbers of its last start, or of the settings.
    let is_running = |model: &&Running| model.state != ModelState::Stopped || model.is_shared();
    let of_fleet = |model: &Running| (model.min_units, model.max_units);
    let last = version.units.map(|units| (units.min, units.max));
    let units = running.filter(is_running).map(of_fleet).or(last).or(running.map(of_fleet));
    let members = [
        ("MinInferenceUnits", units.map(|(min, _)| json!(min))),
        ("MaxInferenceUnits", units.and_then(|(_, max)| max).map(|max| json!(max))),
        ("TrainingEndTimestamp", version.finished_ms.map(|ms| json!(seconds(ms)))),
        (
            "OutputConfig",
            version.output.as_ref().map(|place| json!({"S3Bucket": place.bucket, "S3KeyPrefix": place.prefix})),
        ),
        ("SourceProjectVersionArn", version.source.as_ref().map(|source| json!(source))),
        ("VersionDescription", version.description.as_ref().map(|text| json!(text))),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            described[name] = value;
        }
    }
    described
}

/// Seconds since 1970 as a number with a fraction. SDKs do not accept text.
pub(super) fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
