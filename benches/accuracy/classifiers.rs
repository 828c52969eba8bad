//! The top label of pictures in which one thing is obvious.

use super::Checked;
use super::detectors::picture;
use super::support::package::{Unit, from_testdata, package};
use super::support::{from_setup, root};
use ocelli::vision::look_options::LookOptions;
use std::path::Path;

/// A picture, and the labels that are right for it: ImageNet has several for some things, and names differ in case.
const PICTURES: [(&str, &[&str]); 9] = [
    ("000000062554.jpg", &["broccoli"]),
    ("000000160012.jpg", &["pizza"]),
    ("000000415748.jpg", &["asian elephant", "indian elephant", "african bush elephant", "african elephant", "tusker"]),
    ("000000519208.jpg", &["asian elephant", "indian elephant", "african bush elephant", "african elephant", "tusker"]),
    ("000000568290.jpg", &["trolleybus", "minibus"]),
    ("000000208901.jpg", &["airliner"]),
    ("000000349184.jpg", &["park bench"]),
    ("000000577539.jpg", &["ice cream", "chocolate syrup", "chocolate sauce"]),
    ("000000557172.jpg", &["sink", "washbasin"]),
];

pub(super) fn check(pictures: &Path) -> Vec<Checked> {
    let mut checked = Vec::new();
    from_setup("models/efficientnet-lite0/model.onnx");
    checked.push(of_package("efficientnet-lite0", &root().join("models/efficientnet-lite0"), pictures));
    let model = from_testdata("models/stm_mobilenet_v2_224_int8.onnx");
    let labels = from_testdata("models/imagenet_labels_1000.txt");
    if let Some((model, labels)) = model.zip(labels) {
        let home = tempfile::tempdir().unwrap();
        let labels = std::fs::read_to_string(labels).unwrap();
        let directory = package(home.path(), "stm_mobilenet_v2_224", &model, &labels);
        checked.push(of_package("stm_mobilenet_v2_224", &directory, pictures));
    }
    checked
}

fn of_package(name: &str, directory: &Path, pictures: &Path) -> Checked {
    let mut unit = Unit::load(directory).unwrap();
    let mut right = 0_u32;
    for (file, accepted) in PICTURES {
        let bytes = std::fs::read(picture(pictures, file)).unwrap();
        let options = LookOptions { min_confidence: Some(0.0), ..LookOptions::default() };
        let result = unit.look(&bytes, options);
        let top = result.detections.first().map(|found| unit.labels().name(found.class).to_lowercase());
        // Lists with synonyms have them behind commas.
        let is_right = |top: &String| top.split(',').any(|name| accepted.contains(&name.trim()));
        right += u32::from(top.as_ref().is_some_and(is_right));
        if !top.as_ref().is_some_and(is_right) {
            println!("  {name}: {file} shows {}, and {top:?} came first", accepted.join(" or "));
        }
    }
    let share = f64::from(right) / PICTURES.len() as f64;
    Checked::new(name, "share of top labels that are right", share, None, (share - 1.0).abs() < f64::EPSILON)
}
