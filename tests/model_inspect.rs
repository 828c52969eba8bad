//! `ocelli model inspect` on the models of the set-up, on further ones where they are, and on files that lie.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use ocelli::model::input_layout::InputLayout;
use ocelli::model::manifest::Manifest;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use support::protobuf::field;
use support::{from_setup, root};

fn inspect(file: &Path, arguments: &[&str]) -> Output {
    let mut ocelli = Command::new(env!("CARGO_BIN_EXE_ocelli"));
    ocelli.args(["model", "inspect"]).arg(file).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The manifest that is proposed for a model.
fn proposed(file: &Path, arguments: &[&str]) -> (Manifest, String) {
    let output = inspect(file, &[&["--manifest"], arguments].concat());
    assert!(output.status.success(), "{}: {}", file.display(), text(&output.stderr));
    let shown = text(&output.stdout);
    (Manifest::parse(&shown, file).unwrap(), shown)
}

/// What is said of a model that is refused.
fn refusal(file: &Path) -> String {
    let output = inspect(file, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    text(&output.stderr)
}

/// A float32 tensor among the inputs (11) or outputs (12) of a graph.
fn tensor(kind: u64, name: &str, sizes: &[u8]) -> Vec<u8> {
    let shape: Vec<u8> = sizes.iter().flat_map(|size| field(1, &[8, *size])).collect();
    let tensor_type = [vec![8, 1], field(2, &shape)].concat();
    field(kind, &[field(1, name.as_bytes()), field(2, &field(1, &tensor_type))].concat())
}

/// A model with such a graph.
fn model(graph: &[u8]) -> Vec<u8> {
    [vec![8, 8], field(7, graph)].concat()
}

/// Weights of 4 bytes in another file, as an initialiser of a graph.
fn weights_in(location: &str) -> Vec<u8> {
    let entry = [field(1, b"location"), field(2, location.as_bytes())].concat();
    field(5, &[vec![8, 1, 16, 1], field(13, &entry), vec![14 << 3, 1]].concat())
}

#[test]
fn the_default_detectors_are_recognised_as_their_manifests_say() {
    for name in ["coco-ssd", "coco-ssd-nms"] {
        let directory = root().join("models").join(name);
        let (found, shown) = proposed(&from_setup(&format!("models/{name}/model.onnx")), &[]);
        let committed = Manifest::load(&directory).unwrap();
        // The shipped detector is scaled as its figures were taken.
        let scaled = InputLayout { resize: committed.input.resize, ..found.input };
        assert_eq!((&scaled, &found.output), (&committed.input, &committed.output), "{shown}");
        assert_eq!((&found.model, &found.name), (&committed.model, &committed.name));
        assert_eq!(found.source.licence, "Apache-2.0");
        assert!(shown.contains("# assumed: "), "{shown}");
    }
}

#[test]
fn people_and_programs_are_told_what_a_model_is() {
    let file = from_setup("models/coco-ssd/model.onnx");
    let shown = text(&inspect(&file, &[]).stdout);
    for line in [
        "output      boxes float32 [1,1917,4]",
        "layout      ssd",
        "producer    tfjs2onnx",
        "[thresholds]",
        "next        ocelli model add",
    ] {
        assert!(shown.contains(line), "{line} is not in {shown}");
    }
    let labels = from_setup("models/coco-ssd/labels.txt");
    let output = inspect(&file, &["--json", "--labels", labels.to_str().unwrap()]);
    let all: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&all["layout"], &all["facts"]["nodes"]), (&"ssd".into(), &306.into()));
    assert_eq!(all["not_recognised"], serde_json::Value::Null);
    let output = inspect(&file, &["--layout", "yolov8"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("boxes float32") && text(&output.stderr).contains("yolov8"));
    assert!(text(&inspect(&file, &["--names"]).stderr).contains("labels.txt"));
}

#[test]
fn further_real_models_are_recognised() {
    let folder = std::env::var_os("OCELLI_TESTDATA").map_or_else(|| root().join("../shared/testdata"), PathBuf::from);
    if !folder.join("models").is_dir() {
        eprintln!("skipped: {} has no further models; set OCELLI_TESTDATA", folder.display());
        return;
    }
    let cases: [(&str, &str, &[&str]); 6] = [
        ("yolox_nano", "yolox_grid", &["color = \"bgr\"", "fit = \"letterbox_top_left\"", "strides = [8, 16, 32]"]),
        ("picodet_s_320_coco", "nano_det", &["color = \"rgb\"", "strides = [8, 16, 32, 64]", "resize = \"bicubic\""]),
        ("nanodet_m_416", "nano_det", &["color = \"bgr\"", "mean = [103.53, 116.28, 123.675]", "fit = \"stretch\""]),
        ("FastestDet", "fastest_det", &["color = \"bgr\"", "std = [255.0, 255.0, 255.0]"]),
        (
            "stm_ssd_mnv2_fpnlite_256_int8",
            "ssd_anchors",
            &["background = true", "anchors = \"StatefulPartitionedCall:0\"", "samples = \"uint8\""],
        ),
        ("stm_mobilenet_v2_224_int8", "classifier", &["activation = \"none\"", "crop = 0.875", "axes = \"nhwc\""]),
    ];
    for (name, layout, lines) in cases {
        let (_, shown) = proposed(&folder.join(format!("models/{name}.onnx")), &[]);
        let layout = format!("layout = \"{layout}\"");
        for line in lines.iter().chain([&layout.as_str()]) {
            assert!(shown.lines().any(|has| has == *line), "{name}: {line} is not in\n{shown}");
        }
    }
}

#[test]
fn a_model_that_is_not_recognised_is_told_why_not_layout_by_layout() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("strange.onnx");
    let graph = [tensor(11, "x", &[1, 3, 64, 64]), tensor(12, "y", &[1, 7, 7, 99])].concat();
    std::fs::write(&file, model(&graph)).unwrap();
    let error = refusal(&file);
    assert!(error.contains("yolov8          needs one output [1,4+C,N]") && error.contains("nano_det"), "{error}");
    assert!(error.contains("ocelli model add") && error.contains("--manifest m.toml"), "{error}");
    assert!(error.lines().count() <= 24, "{error}");

    let graph = [tensor(11, "x", &[1, 3, 64, 64]), tensor(12, "y", &[1, 10])].concat();
    let names = [field(1, b"names"), field(2, b"{0: 'cat', 1: 'dog'}")].concat();
    std::fs::write(&file, [model(&graph), field(14, &names)].concat()).unwrap();
    assert!(refusal(&file).contains("would have 10 classes, and there are 2 labels"));
    assert_eq!(text(&inspect(&file, &["--names"]).stdout), "cat\ndog\n");
}

#[test]
fn a_file_that_does_harm_ends_its_reader_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("model.onnx");
    // Twenty million nodes without content: two bytes each in the file, a hundred in memory.
    let nodes = [0x0a, 0].repeat(20_000_000);
    std::fs::write(&file, model(&nodes)).unwrap();
    let error = refusal(&file);
    assert!(error.contains("made to do harm"), "{error}");

    std::fs::write(home.path().join("secret"), [0; 16]).unwrap();
    let inner = home.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    std::os::unix::fs::symlink("../secret", inner.join("link")).unwrap();
    for (location, word) in [("../secret", "own directory"), ("link", "symbolic link"), ("gone", "put it there")] {
        let graph = [tensor(11, "x", &[1, 3, 64, 64]), tensor(12, "y", &[1, 10]), weights_in(location)].concat();
        std::fs::write(inner.join("model.onnx"), model(&graph)).unwrap();
        let error = refusal(&inner.join("model.onnx"));
        assert!(error.contains(word), "{location}: {error}");
    }
    std::fs::write(inner.join("gone"), [0; 4]).unwrap();
    let (manifest, _) = proposed(&inner.join("model.onnx"), &[]);
    assert_eq!((manifest.model.data[0].file.as_str(), manifest.name.as_str()), ("gone", "inner"));
}

#[test]
fn what_is_no_model_is_said_to_be_something_else() {
    let home = tempfile::tempdir().unwrap();
    let whole = std::fs::read(from_setup("models/coco-ssd/model.onnx")).unwrap();
    for (content, word) in [
        (&b""[..], "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        (b"<html>404</html>", "web page"),
        (&whole[..1_000_000], "17081"),
    ] {
        let file = home.path().join("model.onnx");
        std::fs::write(&file, content).unwrap();
        let error = refusal(&file);
        assert!(error.contains(word) && error.contains("model.onnx"), "{error}");
    }
    assert!(refusal(&home.path().join("no.onnx")).contains("cannot be read"));
    assert!(refusal(home.path()).contains("not a regular file"));
}
