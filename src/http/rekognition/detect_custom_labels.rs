//! `DetectCustomLabels`: detects objects in an image with a version of a model.

use crate::control::images::{ImageReply, Waiting};
use crate::http::rekognition::call::{Call, missing, percentage, whole};
use crate::http::rekognition::error::{ApiError, ErrorKind};
use crate::http::rekognition::image::{ImageInput, ImageRules, ImageSource};
use crate::http::rekognition::state::RekognitionState;
use crate::supervisor::ModelState;
use crate::vision::detection::Detection;
use crate::vision::frame::SLOT_BYTES;
use crate::vision::geometry::NormalizedBox;
use crate::vision::image_limits::ImageLimits;
use crate::vision::look_options::LookOptions;
use crate::vision::outcome::ShedReason;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input<'a> {
    project_version_arn: Option<String>,
    #[serde(borrow)]
    image: Option<ImageInput<'a>>,
    min_confidence: Option<f64>,
    max_results: Option<f64>,
}

/// The quotas of the service. 4 MB are taken as 4 MiB, the size of a slot.
const RULES: ImageRules =
    ImageRules { max_bytes: SLOT_BYTES, limits: ImageLimits { min_side: 64, max_side: 4096, max_aspect: 20 } };

/// An image, and how to look at it.
pub(super) struct Prepared {
    model: String,
    image: ImageSource,
    options: LookOptions,
    max_results: Option<usize>,
    waiting: Waiting,
}

/// Checks the input of a call, and puts an image that it holds into a slot.
pub(super) fn prepare(call: &Call<'_>) -> Result<Prepared, ApiError> {
    let input: Input<'_> = call.input()?;
    let min_confidence = percentage(input.min_confidence, "minConfidence")?;
    let max_results = whole(input.max_results, "maxResults", 0, u32::MAX)?.filter(|max| *max > 0);
    let image = input.image.ok_or_else(|| missing("image"))?;
    let found = call.version(input.project_version_arn.as_deref(), "projectVersionArn")?;
    if let (Some(caller), Some(version)) = (call.caller, &found.resource.version)
        && !caller.may_detect_with(&found.resource.project, version)
    {
        return Err(call.denied());
    }
    if found.state() != ModelState::Running {
        let message = "The model is not running: start the project version, and wait until it is RUNNING.";
        return Err(ApiError::new(ErrorKind::ResourceNotReady, message));
    }
    let image = image.locate(call, RULES)?;
    let options = LookOptions { min_confidence, limits: RULES.limits, ..LookOptions::default() };
    Ok(Prepared { model: found.model, image, options, max_results, waiting: call.waiting() })
}

impl Prepared {
    /// Waits for the model to look at the image.
    pub(super) async fn detect(self, state: &RekognitionState) -> Result<Value, ApiError> {
        let slot = self.image.into_slot(state).await?;
        match state.control.images.detect(self.model, slot, self.waiting, self.options).await {
            ImageReply::Detected(answer, package) => {
                let max = self.max_results.unwrap_or(answer.detections.len());
                let labels = answer.detections.iter().take(max).map(|one| label(package.labels.name(one.class), one));
                Ok(json!({"CustomLabels": labels.collect::<Vec<_>>()}))
            }
            ImageReply::Shed(reason, retry_after) => Err(ApiError::shed(reason, retry_after)),
            ImageReply::Failed(cause) => Err(ApiError::failed(cause)),
            ImageReply::NoModel => Err(ApiError::shed(ShedReason::ModelStopped, Duration::from_secs(1))),
        }
    }
}

/// A label of the whole image has no geometry.
fn label(name: &str, detection: &Detection) -> Value {
    let mut label = json!({"Name": name, "Confidence": percent(detection.confidence)});
    if let Some(bounds) = detection.bounding_box {
        label["Geometry"] = json!({"BoundingBox": bounding_box(bounds)});
    }
    label
}

/// A ratio as the percentage that the service returns.
pub(super) fn percent(confidence: f32) -> f64 {
    f64::from(confidence * 100.0)
}

pub(super) fn bounding_box(bounds: NormalizedBox) -> Value {
    json!({
        "Left": f64::from(bounds.left),
        "Top": f64::from(bounds.top),
        "Width": f64::from(bounds.width),
        "Height": f64::from(bounds.height),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::detection::ClassIndex;

    #[test]
    fn an_object_has_a_box_and_a_label_of_the_whole_image_has_no_geometry() {
        let bounding_box = NormalizedBox::from_corners(0.1, 0.2, 0.3, 0.5);
        let mut detection = Detection { class: ClassIndex(0), confidence: 0.5, bounding_box };
        let object = label("person", &detection);
        assert_eq!((&object["Name"], &object["Confidence"]), (&"person".into(), &50.0.into()));
        assert!((object["Geometry"]["BoundingBox"]["Top"].as_f64().unwrap() - 0.2).abs() < 1e-6);
        detection.bounding_box = None;
        assert!(label("beach", &detection).get("Geometry").is_none());
    }
}
