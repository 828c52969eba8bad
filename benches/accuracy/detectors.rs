//! Average precision against that of the reference decoders.

use super::Checked;
use super::support::package::{Unit, coco_labels, from_testdata, package};
use super::support::{from_setup, root};
use ocelli::evaluation::{CategoryId, Evaluation, Found, GroundTruth, PixelBox, Summary};
use ocelli::vision::look_options::LookOptions;
use std::path::{Path, PathBuf};

/// From which confidence on boxes are counted, as for the reference figures.
const LEAST: f32 = 0.03;

/// How far a figure may be from its reference.
const TOLERANCE: f64 = 0.005;

/// bicycle, car, motorcycle, bus, truck
const VEHICLES: [u64; 5] = [2, 3, 4, 6, 8];

/// A model, where it comes from, and the reference AP over all classes, of persons and of vehicles.
#[expect(clippy::approx_constant, reason = "0.318 is a figure, not a part of pi")]
const MODELS: [(&str, Origin, [f64; 3]); 7] = [
    ("coco_ssd_raw", Origin::Package("coco-ssd"), [0.301, 0.251, 0.222]),
    ("centernet", Origin::Package("centernet"), [0.318, 0.276, 0.412]),
    ("yolox_nano", Origin::TestData("yolox_nano.onnx"), [0.291, 0.335, 0.324]),
    ("picodet_s_320", Origin::TestData("picodet_s_320_coco.onnx"), [0.325, 0.316, 0.314]),
    ("nanodet_m_416", Origin::TestData("nanodet_m_416.onnx"), [0.236, 0.266, 0.309]),
    ("fastest_det", Origin::TestData("FastestDet.onnx"), [0.168, 0.186, 0.177]),
    ("stm_ssd_mnv2_fpnlite_256", Origin::TestData("stm_ssd_mnv2_fpnlite_256_int8.onnx"), [0.160, 0.133, 0.235]),
];

#[derive(Clone, Copy)]
enum Origin {
    /// Of the product, with the manifest of the test for thresholds that count.
    Package(&'static str),
    /// Of the test data.
    TestData(&'static str),
}

pub(super) fn check(pictures: &Path) -> Vec<Checked> {
    let mut checked = Vec::new();
    for (name, origin, reference) in MODELS {
        let (model, labels) = match origin {
            Origin::Package(package) => {
                let directory = root().join("models").join(package);
                let labels = std::fs::read_to_string(directory.join("labels.txt")).unwrap();
                (Some(from_setup(&format!("models/{package}/model.onnx"))), labels)
            }
            Origin::TestData(file) => (from_testdata(&format!("models/{file}")), coco_labels()),
        };
        let Some(model) = model else {
            checked.push(Checked::new(name, "is not at hand", 0.0, None, false));
            continue;
        };
        let summary = evaluate(name, &model, &labels, pictures);
        let vehicles: Vec<CategoryId> = VEHICLES.map(CategoryId).to_vec();
        let figures = [
            ("AP, 80 classes", summary.overall.ap),
            ("AP, person", summary.over(&[CategoryId(1)]).ap),
            ("AP, vehicles", summary.over(&vehicles).ap),
        ];
        for (index, ((what, value), reference)) in figures.into_iter().zip(reference).enumerate() {
            let value = value.unwrap_or(f64::NAN);
            // The bar is that over all classes; a part of 47 pictures is a few dozen boxes.
            let ok = index > 0 || (value - reference).abs() <= TOLERANCE;
            checked.push(Checked::new(name, what, value, Some(reference), ok));
        }
    }
    checked
}

/// Average precision over all classes of a model.
pub(super) fn average_precision(kind: &str, model: &Path, labels: &str, pictures: &Path) -> f64 {
    evaluate(kind, model, labels, pictures).overall.ap.unwrap_or(f64::NAN)
}

fn evaluate(kind: &str, model: &Path, labels: &str, pictures: &Path) -> Summary {
    let home = tempfile::tempdir().unwrap();
    let mut unit = Unit::load(&package(home.path(), kind, model, labels)).unwrap();
    let truth = GroundTruth::load(&pictures.join("instances.json")).unwrap();
    let mut evaluation = Evaluation::new(&truth);
    for image in truth.images() {
        let bytes = std::fs::read(picture(pictures, &image.file_name)).unwrap();
        let options = LookOptions { min_confidence: Some(LEAST), ..LookOptions::default() };
        let result = unit.look(&bytes, options);
        let found = result.detections.iter().filter_map(|one| {
            let category = truth.category(unit.labels().name(one.class))?;
            let bounding_box = PixelBox::from_ratios(&one.bounding_box?, image.width, image.height).unwrap();
            Some(Found { category, score: f64::from(one.confidence), bounding_box })
        });
        let found: Vec<Found> = found.collect();
        evaluation.add(image.id, &found).unwrap();
    }
    evaluation.summary()
}

/// A picture of the set by its name.
pub(super) fn picture(pictures: &Path, name: &str) -> PathBuf {
    pictures.join("images").join(name)
}
