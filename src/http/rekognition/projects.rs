//! `CreateProject`, `DescribeProjects`, `DeleteProject`: a project is a name for versions of a model.

use crate::catalog::arn::Resource;
use crate::catalog::version::Tags;
use crate::http::rekognition::call::{Call, check_length, check_name, check_names, missing, whole};
use crate::http::rekognition::describe_project_versions::seconds;
use crate::http::rekognition::error::{ApiError, ErrorKind};
use crate::http::rekognition::page::page;
use crate::http::rekognition::tags::check_tags;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateInput {
    project_name: Option<String>,
    feature: Option<String>,
    auto_update: Option<String>,
    tags: Option<Tags>,
}

pub(super) async fn create(call: &Call<'_>) -> Result<Value, ApiError> {
    let input: CreateInput = call.input()?;
    let name = input.project_name.ok_or_else(|| missing("projectName"))?;
    check_name(&name, "projectName")?;
    match input.feature.as_deref() {
        None | Some("CUSTOM_LABELS") => {}
        Some("CONTENT_MODERATION") => {
            let message = "This box has no content moderation: use CUSTOM_LABELS.";
            return Err(ApiError::new(ErrorKind::InvalidParameter, message));
        }
        Some(other) => return Err(wrong_feature(other)),
    }
    check_auto_update(input.auto_update.as_deref())?;
    let tags = check_tags(input.tags.unwrap_or_default())?;
    let created = call.state.catalog().change(move |catalog, now| {
        let created = catalog.create_project(&name, now)?;
        catalog.change_tags(&created, |all| *all = tags)?;
        Ok(created)
    });
    Ok(json!({"ProjectArn": call.state.catalog().realm.arn(&created.await?)}))
}

/// In the cloud, `AutoUpdate` retrains models for content moderation.
fn check_auto_update(auto_update: Option<&str>) -> Result<(), ApiError> {
    match auto_update {
        None | Some("DISABLED") => Ok(()),
        Some("ENABLED") => {
            let message = "This box does not train: leave AutoUpdate out, or set it to DISABLED.";
            Err(ApiError::new(ErrorKind::InvalidParameter, message))
        }
        Some(other) => {
            let constraint = "Member must satisfy enum value set: [ENABLED, DISABLED]";
            Err(ApiError::constraint(&other, "autoUpdate", constraint))
        }
    }
}

fn wrong_feature(feature: &str) -> ApiError {
    let constraint = "Member must satisfy enum value set: [CUSTOM_LABELS, CONTENT_MODERATION]";
    ApiError::constraint(&feature, "feature", constraint)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeInput {
    project_names: Option<Vec<String>>,
    features: Option<Vec<String>>,
    max_results: Option<f64>,
    next_token: Option<String>,
}

pub(super) fn describe(call: &Call<'_>) -> Result<Value, ApiError> {
    let input: DescribeInput = call.input()?;
    let max = whole(input.max_results, "maxResults", 1, 100)?.unwrap_or(100);
    check_names(input.project_names.as_deref(), "projectNames")?;
    let features = input.features.unwrap_or_else(|| vec!["CUSTOM_LABELS".into()]);
    check_length(&features, "features", 1, 2)?;
    if let Some(other) = features.iter().find(|name| !["CUSTOM_LABELS", "CONTENT_MODERATION"].contains(&name.as_str()))
    {
        return Err(wrong_feature(other));
    }
    let is_requested = |name: &String| input.project_names.as_ref().is_none_or(|names| names.contains(name));
    let realm = &call.state.catalog().realm;
    let projects: Vec<(i64, Value)> = call.state.catalog().read(|catalog| {
        let projects = catalog.projects().iter().filter(|(name, _)| is_requested(name));
        let described = projects.map(|(name, project)| {
            let resource = Resource { project: name.clone(), version: None, created_ms: project.arn_ms() };
            let description = json!({
                "ProjectArn": realm.arn(&resource),
                "CreationTimestamp": seconds(project.created_ms),
                "Status": "CREATED",
                "Datasets": [],
                "Feature": "CUSTOM_LABELS",
                "AutoUpdate": "DISABLED",
            });
            (project.created_ms, description)
        });
        described.filter(|_| features.iter().any(|feature| feature == "CUSTOM_LABELS")).collect()
    });
    Ok(page(projects, input.next_token.as_deref(), max)?.into_output("ProjectDescriptions"))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteInput {
    project_arn: Option<String>,
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Value, ApiError> {
    let input: DeleteInput = call.input()?;
    let project = call.project(input.project_arn.as_deref(), "projectArn")?;
    call.state.catalog().change(move |catalog, _| catalog.delete_project(&project)).await?;
    Ok(json!({"Status": "DELETING"}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn automatic_training_is_refused_and_not_ignored() {
        for wanted in [None, Some("DISABLED")] {
            assert_eq!(check_auto_update(wanted), Ok(()));
        }
        let kind = |wanted| check_auto_update(Some(wanted)).unwrap_err().kind;
        assert_eq!((kind("ENABLED"), kind("enabled")), (ErrorKind::InvalidParameter, ErrorKind::Validation));
    }
}
