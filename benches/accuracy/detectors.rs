//! Average precision against that of the reference decoders.

use super::Checked;
use super::bootstrap::{Draws, interval};
use super::support::package::{Unit, coco_labels, from_testdata, package, package_of};
use super::support::{from_setup, root};
use ocelli::evaluation::{CategoryId, Evaluation, Found, GroundTruth, PixelBox};
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
pub(super) const MODELS: [(&str, Origin, [f64; 3]); 7] = [
    ("coco_ssd_raw", Origin::Package("coco-ssd"), [0.301, 0.251, 0.222]),
    ("centernet", Origin::Package("centernet"), [0.318, 0.276, 0.412]),
    ("yolox_nano", Origin::TestData("yolox_nano.onnx"), [0.291, 0.335, 0.324]),
    ("picodet_s_320", Origin::TestData("picodet_s_320_coco.onnx"), [0.325, 0.316, 0.314]),
    ("nanodet_m_416", Origin::TestData("nanodet_m_416.onnx"), [0.236, 0.266, 0.309]),
    ("fastest_det", Origin::TestData("FastestDet.onnx"), [0.168, 0.186, 0.177]),
    ("stm_ssd_mnv2_fpnlite_256", Origin::TestData("stm_ssd_mnv2_fpnlite_256_int8.onnx"), [0.160, 0.133, 0.235]),
];

#[derive(Clone, Copy)]
pub(super) enum Origin {
    /// Of the product, with the manifest of the test for thresholds that count.
    Package(&'static str),
    /// Of the test data.
    TestData(&'static str),
}

impl Origin {
    /// The model's file and its labels; `None` where the file is not at hand.
    pub(super) fn files(self) -> Option<(PathBuf, String)> {
        match self {
            Self::Package(package) => {
                let directory = root().join("models").join(package);
                let labels = std::fs::read_to_string(directory.join("labels.txt")).unwrap();
                Some((from_setup(&format!("models/{package}/model.onnx")), labels))
            }
            Self::TestData(file) => Some((from_testdata(&format!("models/{file}"))?, coco_labels())),
        }
    }
}

pub(super) fn check(pictures: &Path) -> Vec<Checked> {
    let truth = truth(pictures);
    let draws = Draws::of(&truth);
    let mut checked = Vec::new();
    for (name, origin, reference) in MODELS {
        let Some((model, labels)) = origin.files() else {
            checked.push(Checked::new(name, "is not at hand", 0.0, None, false));
            continue;
        };
        let home = tempfile::tempdir().unwrap();
        let evaluation = evaluate(&package(home.path(), name, &model, &labels), &truth, pictures);
        let summary = evaluation.summary();
        let ap = summary.overall.ap.unwrap_or(f64::NAN);
        let is_near = (ap - reference[0]).abs() <= TOLERANCE;
        let between = interval(draws.average_precision(&evaluation));
        checked.push(Checked::within(name, "AP, 80 classes", ap, between, Some(reference[0]), is_near));
        let vehicles = VEHICLES.map(CategoryId);
        let parts = [("AP, person", &[CategoryId(1)][..], reference[1]), ("AP, vehicles", &vehicles[..], reference[2])];
        for (what, categories, reference) in parts {
            // The bar is that over all classes; a part of 47 pictures is a few dozen boxes.
            let value = summary.over(categories).ap.unwrap_or(f64::NAN);
            checked.push(Checked::new(name, what, value, Some(reference), true));
        }
    }
    checked
}

/// What is in the pictures.
pub(super) fn truth(pictures: &Path) -> GroundTruth {
    GroundTruth::load(&pictures.join("instances.json")).unwrap()
}

/// Average precision over all classes of a model.
pub(super) fn average_precision(kind: &str, model: &Path, labels: &str, pictures: &Path) -> f64 {
    let home = tempfile::tempdir().unwrap();
    let truth = truth(pictures);
    let evaluation = evaluate(&package(home.path(), kind, model, labels), &truth, pictures);
    evaluation.summary().overall.ap.unwrap_or(f64::NAN)
}

/// The package of a kind with another resizing than that of its manifest.
pub(super) fn package_with(home: &Path, kind: &str, model: &Path, labels: &str, resize: &str) -> PathBuf {
    let manifest = std::fs::read_to_string(root().join(format!("tests/models/{kind}.toml"))).unwrap();
    let is_it = |line: &&str| line.starts_with("resize = ");
    let line = manifest.lines().find(is_it).unwrap();
    let manifest = manifest.replace(line, &format!("resize = \"{resize}\""));
    package_of(home, kind, model, labels, &manifest)
}

/// What a package sees in all pictures.
pub(super) fn evaluate<'a>(package: &Path, truth: &'a GroundTruth, pictures: &Path) -> Evaluation<'a> {
    let mut unit = Unit::load(package).unwrap();
    let mut evaluation = Evaluation::new(truth);
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
    evaluation
}

/// A picture of the set by its name.
pub(super) fn picture(pictures: &Path, name: &str) -> PathBuf {
    pictures.join("images").join(name)
}
