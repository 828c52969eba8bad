//! The 8-bit twin that `ocelli model quantize` makes of the default detector, beside the best one of Python's
//! `onnxruntime.quantization` from the same pictures.

use super::Checked;
use super::detectors::average_precision;
use super::support::small_model::models_with_detector;
use super::support::{from_setup, root};
use std::path::Path;
use std::process::Command;

/// The best that `quantize_static` of onnxruntime 1.32 gave (QDQ, convolutions only, weights by channel, every second picture
/// for calibration; five ways: three sets of convolutions in 32 bits with the ranges from the least to the greatest value, and all
/// of them in 8 bits with those and with the 99.999th percentile), through the same unit.
const PYTHON: f64 = 0.300;

/// How far below that the twin may be.
const TOLERANCE: f64 = 0.005;

pub(super) fn check(pictures: &Path) -> Vec<Checked> {
    let home = tempfile::tempdir().unwrap();
    let models = home.path().join("models");
    models_with_detector(&models);
    let mut ocelli = Command::new(env!("CARGO_BIN_EXE_ocelli"));
    ocelli.args(["model", "quantize", "coco-ssd", "--images"]).arg(pictures.join("images")).current_dir(root());
    ocelli.env("OCELLI_CONFIG_FILE", root().join("configs/ocelli.toml")).env("OCELLI_UNITS__MODELS_DIRECTORY", &models);
    ocelli.env("OCELLI_UNITS__RUNTIME_LIBRARY", from_setup("lib/libonnxruntime.so"));
    let output = ocelli.output().unwrap();
    println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let is_installed = output.status.success();
    let mut checked = vec![Checked::new(
        "coco_ssd_raw in 8 bits",
        "is within the bars",
        f64::from(u8::from(is_installed)),
        None,
        is_installed,
    )];
    if is_installed {
        let labels = std::fs::read_to_string(models.join("coco-ssd/labels.txt")).unwrap();
        let ap = average_precision("coco_ssd_raw", &models.join("coco-ssd/model.int8.onnx"), &labels, pictures);
        checked.push(Checked::new(
            "coco_ssd_raw in 8 bits",
            "AP, 80 classes",
            ap,
            Some(PYTHON),
            ap >= PYTHON - TOLERANCE,
        ));
    }
    checked
}
