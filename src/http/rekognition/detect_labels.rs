//! `DetectLabels`: detects objects with the box's own detector, and names their parents and categories.

use crate::control::images::{ImageReply, Waiting};
use crate::http::rekognition::call::{Call, check_length, missing, percentage, whole};
use crate::http::rekognition::detect_custom_labels::{bounding_box, percent};
use crate::http::rekognition::error::{ApiError, ErrorKind};
use crate::http::rekognition::image::{ImageInput, ImageRules, ImageSource};
use crate::http::rekognition::state::RekognitionState;
use crate::model::package::Package;
use crate::vision::detection::Detection;
use crate::vision::image_limits::ImageLimits;
use crate::vision::look_options::LookOptions;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input<'a> {
    #[serde(borrow)]
    image: Option<ImageInput<'a>>,
    max_labels: Option<f64>,
    min_confidence: Option<f64>,
    features: Option<Vec<String>>,
    settings: Option<Settings>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Settings {
    general_labels: Option<Filters>,
}

/// Which labels to include and to exclude, by name and by category.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Filters {
    label_inclusion_filters: Option<Vec<String>>,
    label_exclusion_filters: Option<Vec<String>>,
    label_category_inclusion_filters: Option<Vec<String>>,
    label_category_exclusion_filters: Option<Vec<String>>,
}

/// The quotas of the service, except for the number of pixels, which is smaller on a box.
const RULES: ImageRules =
    ImageRules { max_bytes: 5 << 20, limits: ImageLimits { min_side: 80, max_side: 10_000, max_aspect: u32::MAX } };

const DEFAULT_CONFIDENCE: f32 = 0.55;
const MAX_LABELS: usize = 1000;

/// An image, and how to look at it.
pub(super) struct Prepared {
    image: ImageSource,
    options: LookOptions,
    filters: Filters,
    max_labels: usize,
    waiting: Waiting,
}

/// Checks the input of a call, and puts an image that it holds into a slot.
pub(super) fn prepare(call: &Call<'_>) -> Result<Prepared, ApiError> {
    let input: Input<'_> = call.input()?;
    let min_confidence = percentage(input.min_confidence, "minConfidence")?.unwrap_or(DEFAULT_CONFIDENCE);
    let max_labels = whole(input.max_labels, "maxLabels", 0, u32::MAX)?.filter(|max| *max > 0).unwrap_or(MAX_LABELS);
    check_features(input.features.unwrap_or_default())?;
    let filters = input.settings.unwrap_or_default().general_labels.unwrap_or_default();
    filters.check()?;
    let image = input.image.ok_or_else(|| missing("image"))?.locate(call, RULES)?;
    let options = LookOptions { min_confidence: Some(min_confidence), limits: RULES.limits, ..LookOptions::default() };
    Ok(Prepared { image, options, filters, max_labels: max_labels.min(MAX_LABELS), waiting: call.waiting() })
}

impl Prepared {
    /// Waits for the box's detector to look at the image.
    pub(super) async fn detect(self, state: &RekognitionState) -> Result<Value, ApiError> {
        let model = state.default_model();
        let slot = self.image.into_slot(state).await?;
        match state.control.images.detect(model, slot, self.waiting, self.options).await {
            ImageReply::Detected(answer, package) => {
                let mut labels = labels_of(&answer.detections, &package);
                labels.retain(|label| self.filters.accepts(label));
                labels.truncate(self.max_labels);
                let labels: Vec<Value> = labels.iter().map(FoundLabel::to_json).collect();
                Ok(json!({"Labels": labels, "LabelModelVersion": "3.0"}))
            }
            ImageReply::Shed(reason, retry_after) => Err(throttled_if_not_ready(ApiError::shed(reason, retry_after))),
            ImageReply::Failed(cause) => Err(ApiError::failed(cause)),
            ImageReply::NoModel => {
                Err(ApiError::new(ErrorKind::Throttling, "The detector of this box is not available."))
            }
        }
    }
}

/// The service model has no ResourceNotReadyException for this operation.
fn throttled_if_not_ready(error: ApiError) -> ApiError {
    let kind = if error.kind == ErrorKind::ResourceNotReady { ErrorKind::Throttling } else { error.kind };
    ApiError { kind, ..error }
}

fn check_features(features: Vec<String>) -> Result<(), ApiError> {
    check_length(&features, "features", 0, 2)?;
    for feature in features {
        match feature.as_str() {
            "GENERAL_LABELS" => {}
            "IMAGE_PROPERTIES" => {
                let message = "This box gives no image properties: leave IMAGE_PROPERTIES out of Features.";
                return Err(ApiError::new(ErrorKind::InvalidParameter, message));
            }
            _ => {
                let constraint = "Member must satisfy enum value set: [GENERAL_LABELS, IMAGE_PROPERTIES]";
                return Err(ApiError::constraint(&feature, "features", constraint));
            }
        }
    }
    Ok(())
}

/// A label with all its objects.
struct FoundLabel {
    name: String,
    confidence: f32,
    instances: Vec<Detection>,
    parents: Vec<String>,
    categories: Vec<String>,
}

impl FoundLabel {
    fn to_json(&self) -> Value {
        let named = |names: &[String]| names.iter().map(|name| json!({"Name": name})).collect::<Vec<_>>();
        let instance = |found: &Detection| {
            let bounds = found.bounding_box.map(bounding_box)?;
            Some(json!({"BoundingBox": bounds, "Confidence": percent(found.confidence)}))
        };
        json!({
            "Name": self.name,
            "Confidence": percent(self.confidence),
            "Instances": self.instances.iter().filter_map(instance).collect::<Vec<_>>(),
            "Parents": named(&self.parents),
            "Aliases": [],
            "Categories": named(&self.categories),
        })
    }
}

/// Returns a label for each class with its objects and a label for each of its parents, in order of confidence.
fn labels_of(detections: &[Detection], package: &Package) -> Vec<FoundLabel> {
    let mut labels: BTreeMap<String, FoundLabel> = BTreeMap::new();
    for detection in detections {
        let kind = package.taxonomy.kind(package.labels.name(detection.class));
        let mut add = |name: String, parents: &[String], instance: Option<&Detection>| {
            let label = labels.entry(name.clone()).or_insert_with(|| FoundLabel {
                name,
                confidence: 0.0,
                instances: Vec::new(),
                parents: parents.to_vec(),
                categories: kind.categories.clone(),
            });
            label.confidence = label.confidence.max(detection.confidence);
            label.instances.extend(instance.cloned());
        };
        add(kind.name.clone(), &kind.parents, Some(detection));
        for (at, parent) in kind.parents.iter().enumerate() {
            add(parent.clone(), &kind.parents[at + 1..], None);
        }
    }
    let mut labels: Vec<FoundLabel> = labels.into_values().collect();
    labels.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    labels
}

impl Filters {
    fn check(&self) -> Result<(), ApiError> {
        let lists = [
            ("labelInclusionFilters", &self.label_inclusion_filters),
            ("labelExclusionFilters", &self.label_exclusion_filters),
            ("labelCategoryInclusionFilters", &self.label_category_inclusion_filters),
            ("labelCategoryExclusionFilters", &self.label_category_exclusion_filters),
        ];
        for (name, list) in lists {
            let list = list.as_deref().unwrap_or_default();
            check_length(list, name, 0, 100)?;
            if let Some(long) = list.iter().find(|text| text.chars().count() > 50) {
                return Err(ApiError::constraint(long, name, "Member must have length less than or equal to 50"));
            }
        }
        Ok(())
    }

    /// Without inclusion filters every label is included. Exclusion filters win.
    fn accepts(&self, label: &FoundLabel) -> bool {
        let names = |list: &Option<Vec<String>>| list.iter().flatten().any(|name| *name == label.name);
        let categories = |list: &Option<Vec<String>>| list.iter().flatten().any(|name| label.categories.contains(name));
        let is_given = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
        let (by_name, by_category) = (&self.label_inclusion_filters, &self.label_category_inclusion_filters);
        let is_included = (!is_given(by_name) && !is_given(by_category)) || names(by_name) || categories(by_category);
        is_included && !names(&self.label_exclusion_filters) && !categories(&self.label_category_exclusion_filters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::labels::Labels;
    use crate::model::taxonomy::Taxonomy;
    use crate::vision::detection::ClassIndex;
    use crate::vision::geometry::NormalizedBox;
    use std::path::Path;

    fn found() -> Vec<FoundLabel> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/coco-ssd");
        let (labels, taxonomy) = (Labels::load(&directory).unwrap(), Taxonomy::load(&directory).unwrap());
        let package = Package { labels, taxonomy, ..Package::default() };
        let bounding_box = NormalizedBox::from_corners(0.1, 0.1, 0.2, 0.2);
        let thing = |class, confidence| Detection { class: ClassIndex(class), confidence, bounding_box };
        // A person, two cars, a bus.
        labels_of(&[thing(0, 0.9), thing(2, 0.8), thing(2, 0.6), thing(5, 0.7)], &package)
    }

    fn names(labels: &[FoundLabel]) -> Vec<&str> {
        labels.iter().map(|label| label.name.as_str()).collect()
    }

    #[test]
    fn each_class_is_a_label_with_objects_and_each_parent_one_without() {
        let labels = found();
        assert_eq!(names(&labels), ["Person", "Car", "Transportation", "Vehicle", "Bus"]);
        let car = labels[1].to_json();
        assert_eq!(car["Instances"].as_array().unwrap().len(), 2);
        assert_eq!(car["Parents"], json!([{"Name": "Vehicle"}, {"Name": "Transportation"}]));
        let vehicle = labels[3].to_json();
        assert_eq!((&vehicle["Instances"], &vehicle["Parents"]), (&json!([]), &json!([{"Name": "Transportation"}])));
    }

    #[test]
    fn filters_work_by_name_and_by_category() {
        let passing = |filters: &str| {
            let filters: Filters = serde_json::from_str(filters).unwrap();
            filters.check().unwrap();
            let labels: Vec<FoundLabel> = found().into_iter().filter(|label| filters.accepts(label)).collect();
            names(&labels).join(" ")
        };
        assert_eq!(passing(r#"{"LabelInclusionFilters": ["Car"]}"#), "Car");
        assert_eq!(passing(r#"{"LabelExclusionFilters": ["Car", "Bus"]}"#), "Person Transportation Vehicle");
        assert_eq!(passing(r#"{"LabelCategoryInclusionFilters": ["Person Description"]}"#), "Person");
        assert_eq!(passing(r#"{"LabelCategoryExclusionFilters": ["Vehicles and Automotive"]}"#), "Person");
        let long = Filters { label_inclusion_filters: Some(vec!["x".repeat(51)]), ..Filters::default() };
        assert!(long.check().is_err());
    }
}
