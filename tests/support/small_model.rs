//! ONNX files written byte by byte: a small classifier, what others make of it, and the store's side of them.

use super::protobuf::{field, value};
use super::root;
use ocelli::model::manifest::sha256_of_file;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// How the small model is run: the sections of a manifest.
pub const SECTIONS: &str = "[input]\ntensor = \"x\"\nwidth = 8\nheight = 8\ncolor = \"rgb\"\nfit = \"stretch\"\n\
     [output]\nlayout = \"classifier\"\noutput = \"y\"\n\
     [thresholds]\nconfidence = 0.1\niou = 0.5\nmax_detections = 9\n";

pub const LABELS: &str = "a\nb\nc\nd\n";

/// The sizes of the weights, as they are encoded.
pub const SIZES: [&[u8]; 4] = [&[4], &[3], &[2], &[2]];

/// An input or output of 32-bit floats.
pub fn tensor(number: u64, name: &str, sizes: &[u64]) -> Vec<u8> {
    let shape: Vec<u8> = sizes.iter().flat_map(|size| field(1, &value(1, *size))).collect();
    let tensor_type = [value(1, 1), field(2, &shape)].concat();
    field(number, &[field(1, name.as_bytes()), field(2, &field(1, &tensor_type))].concat())
}

pub fn node(operator: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    node_with(operator, inputs, &[output], &[])
}

/// A node with its attributes, encoded.
pub fn node_with(operator: &str, inputs: &[&str], outputs: &[&str], attributes: &[u8]) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|name| field(1, name.as_bytes())).collect();
    let outputs: Vec<u8> = outputs.iter().flat_map(|name| field(2, name.as_bytes())).collect();
    field(1, &[&inputs, &outputs, &field(4, operator.as_bytes()), attributes].concat())
}

/// A classifier of four classes, whose weights are `initializer`.
pub fn model(initializer: &[u8]) -> Vec<u8> {
    model_with(&field(5, initializer), &[])
}

/// The same with all its initializers, and nodes that give `more`, a number that is added to what is classified.
pub fn model_with(initializers: &[u8], nodes: &[u8]) -> Vec<u8> {
    let pooled = if nodes.is_empty() { "p" } else { "q" };
    let graph = [
        node("Conv", &["x", "w"], "c"),
        node("GlobalAveragePool", &["c"], "p"),
        nodes.to_vec(),
        if nodes.is_empty() { Vec::new() } else { node("Add", &["p", "more"], "q") },
        node("Flatten", &[pooled], "f"),
        node("Softmax", &["f"], "y"),
        field(2, b"small"),
        initializers.to_vec(),
        tensor(11, "x", &[1, 3, 8, 8]),
        tensor(12, "y", &[1, 4]),
    ];
    [value(1, 8), field(7, &graph.concat()), field(8, &value(2, 13))].concat()
}

/// The head of the weights, whose sizes are encoded.
pub fn weights(sizes: &[&[u8]]) -> Vec<u8> {
    let sizes: Vec<u8> = sizes.iter().flat_map(|size| [&[8], *size].concat()).collect();
    [sizes, value(2, 1), field(8, b"w")].concat()
}

/// The weights themselves.
pub fn whole_weights() -> Vec<u8> {
    let numbers: Vec<u8> = (0..48_u8).flat_map(|index| (f32::from(index) / 480.0 - 0.05).to_le_bytes()).collect();
    [weights(&SIZES), field(9, &numbers)].concat()
}

pub fn whole() -> Vec<u8> {
    model(&whole_weights())
}

/// The same with its weights in another file.
pub fn elsewhere(location: &str) -> Vec<u8> {
    let entry = [field(1, b"location"), field(2, location.as_bytes())].concat();
    model(&[weights(&SIZES), field(13, &entry), value(14, 1)].concat())
}

/// Begins `ocelli model add` of a file, beside which labels and sections are written.
pub fn add(settings: &Path, models: &Path, file: &Path) -> Child {
    let [labels, sections] = ["labels.txt", "m.toml"].map(|name| file.with_file_name(name));
    std::fs::write(&labels, LABELS).unwrap();
    std::fs::write(&sections, SECTIONS).unwrap();
    let mut ocelli = Command::new(env!("CARGO_BIN_EXE_ocelli"));
    ocelli
        .args(["model", "add", file.to_str().unwrap(), "--name", "mutant", "--labels"])
        .arg(labels)
        .arg("--manifest")
        .arg(sections)
        .env("OCELLI_CONFIG_FILE", settings)
        .env("OCELLI_UNITS__MODELS_DIRECTORY", models)
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A package around the bytes, in order but for the model.
pub fn package(models: &Path, name: &str, bytes: &[u8]) {
    let directory = models.join(name);
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("model.onnx"), bytes).unwrap();
    std::fs::write(directory.join("labels.txt"), LABELS).unwrap();
    let sha256 = sha256_of_file(&directory.join("model.onnx")).unwrap();
    let head = format!(
        "name = \"{name}\"\nversion = \"1\"\n[source]\npackage = \"p\"\npackage_version = \"1\"\npackage_sha256 = \"\"\n\
         licence = \"MIT\"\n[model]\nfile = \"model.onnx\"\nsha256 = \"{sha256}\"\n"
    );
    std::fs::write(directory.join("manifest.toml"), head + SECTIONS).unwrap();
}

/// A directory of models with a copy of the detector that is shipped.
pub fn models_with_detector(models: &Path) {
    std::fs::create_dir_all(models.join("coco-ssd")).unwrap();
    for entry in std::fs::read_dir(super::from_setup("models/coco-ssd")).unwrap().flatten() {
        std::fs::copy(entry.path(), models.join("coco-ssd").join(entry.file_name())).unwrap();
    }
}
