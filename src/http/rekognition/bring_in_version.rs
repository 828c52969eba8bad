//! `CreateProjectVersion` imports a package from a bucket, `CopyProjectVersion` copies one from another project. This is how
//! a model is rolled out: a box does not train.

use crate::catalog::arn::Resource;
use crate::catalog::import::PackageSource;
use crate::catalog::version::Tags;
use crate::catalog::{BucketPlace, Catalog, NewVersion, Stage};
use crate::control::ImportJob;
use crate::http::rekognition::call::{Call, check_name, missing};
use crate::http::rekognition::error::{ApiError, ErrorKind};
use crate::http::rekognition::tags::check_tags;
use crate::http::rekognition::wanted::take_back;
use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OutputConfig {
    s3_bucket: Option<String>,
    s3_key_prefix: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateInput {
    project_arn: Option<String>,
    version_name: Option<String>,
    output_config: Option<OutputConfig>,
    training_data: Option<IgnoredAny>,
    testing_data: Option<IgnoredAny>,
    version_description: Option<String>,
    tags: Option<Tags>,
}

/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 255;

/// Returns the version that is being imported.
pub(super) async fn create(call: &Call<'_>) -> Result<Resource, ApiError> {
    let input: CreateInput = call.input()?;
    if input.training_data.is_some() || input.testing_data.is_some() {
        let message = "This box does not train. Leave TrainingData and TestingData out: OutputConfig then names the \
                       bucket and prefix of a model package, which is imported.";
        return Err(ApiError::new(ErrorKind::AccessDenied, message));
    }
    if input.version_description.as_ref().is_some_and(|text| !(1..=MAX_DESCRIPTION).contains(&text.chars().count())) {
        let constraint = "Member must have length between 1 and 255, inclusive";
        return Err(ApiError::constraint(&"...", "versionDescription", constraint));
    }
    let project = call.existing_project(input.project_arn.as_deref(), "projectArn")?;
    let output = place(input.output_config)?;
    let root = call.state.bucket(&output.bucket).ok_or_else(|| {
        let message = format!("There is no bucket {} on this box: see [[buckets]] in its settings.", output.bucket);
        ApiError::new(ErrorKind::InvalidParameter, message)
    })?;
    let source = PackageSource { root, prefix: output.prefix.clone() };
    let new = NewVersion {
        project: project.project,
        name: name(input.version_name)?,
        stage: Stage::Importing,
        output,
        description: input.version_description,
        source: None,
        tags: check_tags(input.tags.unwrap_or_default())?,
    };
    bring_in(call, new, source).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CopyInput {
    source_project_arn: Option<String>,
    source_project_version_arn: Option<String>,
    destination_project_arn: Option<String>,
    version_name: Option<String>,
    output_config: Option<OutputConfig>,
    tags: Option<Tags>,
}

/// Returns the version that is being copied.
pub(super) async fn copy(call: &Call<'_>) -> Result<Resource, ApiError> {
    let input: CopyInput = call.input()?;
    let from = call.project(input.source_project_arn.as_deref(), "sourceProjectArn")?;
    let found = call.version(input.source_project_version_arn.as_deref(), "sourceProjectVersionArn")?;
    if found.resource.project != from.project {
        let message = "The source version does not belong to the source project.";
        return Err(ApiError::new(ErrorKind::InvalidParameter, message));
    }
    if !found.version.stage.is_there() {
        let message = "The source version has no model: it is still being imported, or the import failed.";
        return Err(ApiError::new(ErrorKind::InvalidParameter, message));
    }
    let to = call.existing_project(input.destination_project_arn.as_deref(), "destinationProjectArn")?;
    let package = call.state.control.read(|status| status.models.get(&found.model).map(|model| model.package.clone()));
    let root = match (found.is_configured(), package) {
        (true, Some(package)) => call.state.catalog().configured_package(&package),
        (true, None) => return Err(ApiError::new(ErrorKind::Throttling, "Slow down.")),
        (false, _) => call.state.catalog().package_directory(&found.resource),
    };
    let new = NewVersion {
        project: to.project,
        name: name(input.version_name)?,
        stage: Stage::Copying,
        output: place(input.output_config)?,
        description: found.version.description,
        source: input.source_project_version_arn,
        tags: check_tags(input.tags.unwrap_or_default())?,
    };
    bring_in(call, new, PackageSource { root, prefix: String::new() }).await
}

async fn bring_in(call: &Call<'_>, new: NewVersion, source: PackageSource) -> Result<Resource, ApiError> {
    let version = call.state.catalog().change(move |catalog, now| catalog.create_version(new, now)).await?;
    if let Err(error) = call.state.control.import(ImportJob { version: version.clone(), source }).await {
        let remove = move |catalog: &mut Catalog| {
            catalog.restore_version(&version, None);
            Ok(())
        };
        take_back(call, remove).await;
        return Err(error.into());
    }
    Ok(version)
}

fn name(name: Option<String>) -> Result<String, ApiError> {
    let name = name.ok_or_else(|| missing("versionName"))?;
    check_name(&name, "versionName").map(|()| name)
}

fn place(output: Option<OutputConfig>) -> Result<BucketPlace, ApiError> {
    let output = output.ok_or_else(|| missing("outputConfig"))?;
    let bucket = output.s3_bucket.ok_or_else(|| missing("outputConfig.s3Bucket"))?;
    let prefix = output.s3_key_prefix.unwrap_or_default();
    if !(3..=255).contains(&bucket.len()) {
        let constraint = "Member must have length between 3 and 255, inclusive";
        return Err(ApiError::constraint(&bucket, "outputConfig.s3Bucket", constraint));
    }
    if prefix.len() > 1024 {
        let constraint = "Member must have length less than or equal to 1024";
        return Err(ApiError::constraint(&"...", "outputConfig.s3KeyPrefix", constraint));
    }
    Ok(BucketPlace { bucket, prefix })
}
