//! `TagResource`, `UntagResource`, `ListTagsForResource`: tags of projects and versions.

use crate::catalog::arn::Resource;
use crate::catalog::entries::MAX_TAGS;
use crate::catalog::version::Tags;
use crate::http::rekognition::call::{Call, check_length, missing};
use crate::http::rekognition::error::{ApiError, ErrorKind};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    resource_arn: Option<String>,
    tags: Option<Tags>,
    tag_keys: Option<Vec<String>>,
}

/// Checks the limits of the service model.
pub(super) fn check_tags(tags: Tags) -> Result<Tags, ApiError> {
    for (key, value) in &tags {
        if !(1..=128).contains(&key.chars().count()) || key.starts_with("aws:") {
            let constraint = "Map keys must have length between 1 and 128, and not begin with aws:";
            return Err(ApiError::constraint(key, "tags", constraint));
        }
        if value.chars().count() > 256 {
            let constraint = "Map values must have length less than or equal to 256";
            return Err(ApiError::constraint(value, "tags", constraint));
        }
    }
    if tags.len() > MAX_TAGS {
        return Err(ApiError::new(ErrorKind::ServiceQuotaExceeded, format!("A resource has at most {MAX_TAGS} tags.")));
    }
    Ok(tags)
}

pub(super) async fn tag(call: &Call<'_>) -> Result<Value, ApiError> {
    let (resource, mut all, input) = tagged(call)?;
    all.extend(check_tags(input.tags.ok_or_else(|| missing("tags"))?)?);
    let all = check_tags(all)?;
    // Changes are made one at a time, so the tags are still those that were read.
    call.state.catalog().change(move |catalog, _| catalog.change_tags(&resource, |tags| *tags = all)).await?;
    Ok(json!({}))
}

pub(super) async fn untag(call: &Call<'_>) -> Result<Value, ApiError> {
    let (resource, _, input) = tagged(call)?;
    let keys = input.tag_keys.ok_or_else(|| missing("tagKeys"))?;
    check_length(&keys, "tagKeys", 0, 200)?;
    let removed = call
        .state
        .catalog()
        .change(move |catalog, _| catalog.change_tags(&resource, |tags| tags.retain(|key, _| !keys.contains(key))));
    removed.await?;
    Ok(json!({}))
}

pub(super) fn list(call: &Call<'_>) -> Result<Value, ApiError> {
    Ok(json!({"Tags": tagged(call)?.1}))
}

/// The resource that the input names, and its tags.
fn tagged(call: &Call<'_>) -> Result<(Resource, Tags, Input), ApiError> {
    let input: Input = call.input()?;
    let resource = call.resource(input.resource_arn.as_deref(), "resourceArn")?;
    let tags = call.state.catalog().read(|catalog| catalog.tags(&resource).cloned());
    let tags = tags.ok_or_else(|| ApiError::not_found(input.resource_arn.as_deref().unwrap_or_default()))?;
    Ok((resource, tags, input))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_have_the_limits_of_the_service() {
        let one = |key: &str, value: &str| Tags::from([(key.to_owned(), value.to_owned())]);
        assert!(check_tags(one(&"k".repeat(128), &"v".repeat(256))).is_ok());
        for tags in [one("", "v"), one(&"k".repeat(129), "v"), one("aws:k", "v"), one("k", &"v".repeat(257))] {
            assert_eq!(check_tags(tags).unwrap_err().kind, ErrorKind::Validation);
        }
        let many = (0..=MAX_TAGS).map(|index| (format!("k{index}"), String::new())).collect();
        assert_eq!(check_tags(many).unwrap_err().kind, ErrorKind::ServiceQuotaExceeded);
    }
}
