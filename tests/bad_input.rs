//! Mistakes of people and damaged files: each a clear message that names the thing and the cure.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::path::Path;
use std::process::{Command, Output};
use support::{free_port, from_setup, root};

fn ocelli(arguments: &[&str], directory: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ocelli")).args(arguments).current_dir(directory).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A directory with settings that use a copy of the default model.
fn with_model(change: impl Fn(&Path)) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let model = home.path().join("models/coco-ssd");
    std::fs::create_dir_all(&model).unwrap();
    for name in ["manifest.toml", "labels.txt", "model.onnx", "canary.jpg"] {
        std::fs::copy(from_setup(&format!("models/coco-ssd/{name}")), model.join(name)).unwrap();
    }
    change(&model);
    let library = from_setup("lib/libonnxruntime.so");
    let settings = format!("[units]\nruntime_library = \"{}\"\n[mqtt]\nenabled = false\n", library.display());
    std::fs::write(home.path().join("ocelli.toml"), settings).unwrap();
    home
}

#[test]
fn five_mistakes_are_reported_at_once_with_exit_code_78() {
    let home = tempfile::tempdir().unwrap();
    let settings =
        "[mqtt]\nprot = 1\nport = 0\n[units]\nthreads = \"all\"\n[[cameras]]\nid = \"A\"\nurl = \"file:///x\"\n";
    std::fs::write(home.path().join("bad.toml"), settings).unwrap();
    for command in ["run", "check", "detect"] {
        let mut arguments = vec![command, "--config", "bad.toml"];
        if command == "detect" {
            arguments.push("photo.jpg");
        }
        let output = ocelli(&arguments, home.path());
        // The report of a check is its output.
        let errors = text(&[output.stdout, output.stderr].concat());
        assert_eq!(output.status.code(), Some(78), "{errors}");
        for key in ["mqtt.prot", "mqtt.port", "units.threads", "cameras[A].id", "cameras[A].url"] {
            assert!(errors.contains(key) && errors.contains("bad.toml"), "{key} in {errors}");
        }
    }
}

#[test]
fn a_changed_model_is_refused_by_its_checksum_and_a_corrupt_one_by_onnx_runtime() {
    let changed = with_model(|model| std::fs::write(model.join("model.onnx"), b"no model").unwrap());
    let output = ocelli(&["check", "--config", "ocelli.toml"], changed.path());
    let report = text(&output.stdout);
    assert!(!output.status.success() && report.contains("sha256") && report.contains("make setup"), "{report}");

    let corrupt = with_model(|model| {
        let cut = &std::fs::read(model.join("model.onnx")).unwrap()[..100_000];
        std::fs::write(model.join("model.onnx"), cut).unwrap();
        let manifest = std::fs::read_to_string(model.join("manifest.toml")).unwrap();
        let checksum = ocelli::model::manifest::sha256_of_file(&model.join("model.onnx")).unwrap();
        let old = ocelli::model::manifest::Manifest::load(model).unwrap().model.sha256;
        std::fs::write(model.join("manifest.toml"), manifest.replace(&old, &checksum)).unwrap();
    });
    let output = ocelli(&["check", "--config", "ocelli.toml"], corrupt.path());
    let report = text(&output.stdout);
    assert!(!output.status.success() && report.contains("ONNX Runtime cannot load"), "{report}");
}

#[test]
fn a_model_that_does_not_see_its_canary_takes_no_work() {
    let dark = with_model(|model| {
        let manifest = std::fs::read_to_string(model.join("manifest.toml")).unwrap();
        std::fs::write(model.join("manifest.toml"), manifest.replace("label = \"person\"", "label = \"cat\"")).unwrap();
    });
    let report = text(&ocelli(&["check", "--config", "ocelli.toml"], dark.path()).stdout);
    assert!(report.contains("canary.jpg shows a cat that was not detected there"), "{report}");
    let gone = with_model(|model| std::fs::remove_file(model.join("canary.jpg")).unwrap());
    let report = text(&ocelli(&["check", "--config", "ocelli.toml"], gone.path()).stdout);
    assert!(report.contains("canary.jpg cannot be read") && report.contains("make setup"), "{report}");
}

#[test]
fn a_missing_library_is_named_with_the_cure() {
    let home = with_model(|_| {});
    let settings = "[units]\nruntime_library = \"/nowhere/libonnxruntime.so\"\n[mqtt]\nenabled = false\n";
    std::fs::write(home.path().join("ocelli.toml"), settings).unwrap();
    let report = text(&ocelli(&["check", "--config", "ocelli.toml"], home.path()).stdout);
    assert!(report.contains("/nowhere/libonnxruntime.so") && report.contains("make setup"), "{report}");
}

#[test]
fn check_says_what_can_be_reached() {
    let home = with_model(|_| {});
    let settings = std::fs::read_to_string(home.path().join("ocelli.toml")).unwrap();
    let port = free_port();
    let camera = format!("[[cameras]]\nid = \"yard\"\nurl = \"rtsp://127.0.0.1:{port}/x\"\n");
    std::fs::write(home.path().join("ocelli.toml"), settings + &camera).unwrap();
    let output = ocelli(&["check", "--config", "ocelli.toml"], home.path());
    let report = text(&output.stdout);
    assert!(!output.status.success());
    assert!(report.contains("ok      model coco-ssd") && report.contains("FAILED  camera yard"), "{report}");
    assert!(ocelli(&["check", "--offline", "--config", "ocelli.toml"], home.path()).status.success());
}

#[test]
fn a_photograph_is_understood_and_what_is_no_picture_is_refused() {
    let home = with_model(|_| {});
    let photo = from_setup("testdata/photo.jpg");
    let target = home.path().join("boxes.png");
    let photo = photo.to_str().unwrap();
    let arguments = ["detect", "--config", "ocelli.toml", "--json", photo, "--draw", target.to_str().unwrap()];
    let output = ocelli(&arguments, home.path());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let seen: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let labels: Vec<&str> =
        seen["detections"].as_array().unwrap().iter().filter_map(|one| one["label"].as_str()).collect();
    assert!(labels.contains(&"person"), "{seen}");
    assert!(target.metadata().unwrap().len() > 10_000);

    let no_picture = root().join("Cargo.toml");
    let output = ocelli(&["detect", "--config", "ocelli.toml", no_picture.to_str().unwrap()], home.path());
    assert!(!output.status.success() && text(&output.stderr).contains("neither JPEG nor PNG"));
}
