//! The default detector in the layouts of other exports, on every picture: the same boxes as its own.

use super::Checked;
use super::support::from_setup;
use super::support::package::{Unit, coco_labels, package};
use ocelli::supervisor::one_shot::ImageResult;
use ocelli::vision::geometry::NormalizedBox;
use ocelli::vision::look_options::LookOptions;
use std::path::Path;

/// From here on boxes are compared.
const LEAST: f32 = 0.3;

/// How far a confidence may be from its original's.
const SCORE_TOLERANCE: f32 = 0.001;

/// How much of its original a box must be.
const LEAST_IOU: f32 = 0.99;

/// Copies of the model without suppression, then of the one with suppression in its graph.
const LAYOUTS: [&str; 6] = ["yolov8", "yolov5", "scores_boxes", "end_to_end", "detr", "rt_detr"];

type Seen = Vec<(String, f32, NormalizedBox)>;

pub(super) fn check(pictures: &Path) -> Vec<Checked> {
    let home = tempfile::tempdir().unwrap();
    let gaps = std::fs::read_to_string(from_setup("models/coco-ssd/labels.txt")).unwrap();
    let original = from_setup("models/coco-ssd/model.onnx");
    let expected = look_at_all(&package(home.path(), "coco_ssd_raw", &original, &gaps), pictures);
    LAYOUTS.map(|kind| compare(kind, home.path(), pictures, &expected)).into()
}

fn compare(kind: &str, home: &Path, pictures: &Path, expected: &[Seen]) -> Checked {
    let model = from_setup(&format!("testdata/layouts/{kind}.onnx"));
    let found = look_at_all(&package(home, kind, &model, &coco_labels()), pictures);
    let (mut boxes, mut same) = (0_u32, 0_u32);
    for (found, expected) in found.iter().zip(expected) {
        for (here, there) in [(found, expected), (expected, found)] {
            // What is as near to the limit as the tolerance may fall on its other side.
            for one in here.iter().filter(|(_, confidence, _)| *confidence > LEAST + SCORE_TOLERANCE) {
                boxes += 1;
                same += u32::from(there.iter().any(|other| is_same(one, other)));
            }
        }
    }
    let share = f64::from(same) / f64::from(boxes.max(1));
    Checked::new(kind, "share of boxes that are the same", share, None, same == boxes && boxes > 0)
}

fn is_same(a: &(String, f32, NormalizedBox), b: &(String, f32, NormalizedBox)) -> bool {
    a.0 == b.0 && (a.1 - b.1).abs() <= SCORE_TOLERANCE && a.2.iou(&b.2) >= LEAST_IOU
}

fn look_at_all(package: &Path, pictures: &Path) -> Vec<Seen> {
    let mut unit = Unit::load(package).unwrap();
    let mut names: Vec<_> = std::fs::read_dir(pictures.join("images")).unwrap().map(|entry| entry.unwrap()).collect();
    names.sort_by_key(std::fs::DirEntry::file_name);
    let options = LookOptions { min_confidence: Some(LEAST), ..LookOptions::default() };
    let mut all = Vec::new();
    for picture in names {
        let ImageResult { detections, .. } = unit.look(&std::fs::read(picture.path()).unwrap(), options);
        let name = |found: &ocelli::vision::detection::Detection| unit.labels().name(found.class).to_owned();
        all.push(detections.iter().map(|one| (name(one), one.confidence, one.bounding_box.unwrap())).collect());
    }
    all
}
