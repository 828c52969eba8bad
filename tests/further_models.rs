//! Models that no package registry carries: shown where the test data is at hand, and said where it is not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::path::PathBuf;
use std::process::Command;
use support::{from_setup, root};

/// A model of the test data, named by `OCELLI_TESTDATA`; `None`, and a line that says so, where it is absent.
fn from_testdata(name: &str) -> Option<PathBuf> {
    let directory =
        std::env::var_os("OCELLI_TESTDATA").map_or_else(|| root().join("../shared/testdata"), PathBuf::from);
    let path = directory.join("models").join(name);
    if !path.exists() {
        eprintln!("skipped: {} is not there (OCELLI_TESTDATA names the directory)", path.display());
        return None;
    }
    Some(path)
}

const YOLOX_MANIFEST: &str = r#"
name = "yolox-nano"
version = "1"
[source]
package = "test data"
package_version = "1"
package_sha256 = "e8af074932d4ed7e232278e3055cefcdea3edf178874a3694ae292649fb464dd"
licence = "Apache-2.0"
[model]
file = "model.onnx"
sha256 = "e8af074932d4ed7e232278e3055cefcdea3edf178874a3694ae292649fb464dd"
[input]
tensor = "images"
width = 416
height = 416
color = "bgr"
fit = "letterbox_top_left"
pad = 114
[output]
layout = "yolox_grid"
output = "output"
strides = [8, 16, 32]
[thresholds]
confidence = 0.5
iou = 0.5
max_detections = 100
"#;

/// Left, top, right and bottom of the most confident person in the photograph.
fn person(model: &str, models: &std::path::Path) -> [f64; 4] {
    let home = tempfile::tempdir().unwrap();
    let settings = format!(
        "[[models]]\nname = \"{model}\"\n[units]\nmodels_directory = \"{}\"\nruntime_library = \"{}\"\n",
        models.display(),
        from_setup("lib/libonnxruntime.so").display()
    );
    std::fs::write(home.path().join("ocelli.toml"), settings).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ocelli"))
        .current_dir(home.path())
        .args(["detect", "--config", "ocelli.toml", "--json"])
        .arg(from_setup("testdata/photo.jpg"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = seen["detections"].as_array().unwrap().iter().find(|found| found["label"] == "person");
    let side = |name: &str| found.unwrap()["box"][name].as_f64().unwrap();
    let (left, top) = (side("left"), side("top"));
    [left, top, left + side("width"), top + side("height")]
}

fn overlap(a: [f64; 4], b: [f64; 4]) -> f64 {
    let area = |[left, top, right, bottom]: [f64; 4]| (right - left).max(0.0) * (bottom - top).max(0.0);
    let common = area([a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
    common / (area(a) + area(b) - common)
}

#[test]
fn yolox_sees_the_person_where_the_default_detector_does() {
    let Some(model) = from_testdata("yolox_nano.onnx") else { return };
    let home = tempfile::tempdir().unwrap();
    let package = home.path().join("yolox-nano");
    std::fs::create_dir(&package).unwrap();
    std::fs::write(package.join("manifest.toml"), YOLOX_MANIFEST).unwrap();
    std::fs::copy(&model, package.join("model.onnx")).unwrap();
    std::fs::copy(model.with_file_name("coco_labels_80.txt"), package.join("labels.txt")).unwrap();
    let (yolox, ssd) = (person("yolox-nano", home.path()), person("coco-ssd", &root().join("models")));
    assert!(overlap(yolox, ssd) > 0.8, "{yolox:?} and {ssd:?}");
}
