//! Models of the set-up, small generated models, and files with false content.

use super::messages::{
    AttributeProto, DimensionProto, GraphProto, NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use super::*;
use crate::model::model_facts::{Element, Size};
use proptest::prelude::*;
use std::path::PathBuf;

fn value(name: &str, sizes: &[i64]) -> ValueInfoProto {
    let dim = sizes.iter().map(|size| DimensionProto { dim_value: Some(*size), dim_param: None }).collect();
    let tensor_type = Some(TensorTypeProto { elem_type: 1, shape: Some(TensorShapeProto { dim }) });
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { tensor_type }) }
}

fn entry(key: &str, value: &str) -> StringStringEntryProto {
    StringStringEntryProto { key: key.to_owned(), value: value.to_owned() }
}

/// One value of four bytes.
fn weight() -> TensorProto {
    TensorProto { dims: vec![1], data_type: 1, raw_data: Some(Bytes::from_static(&[0; 4])), ..Default::default() }
}

fn external(location: &str) -> TensorProto {
    TensorProto { external_data: vec![entry("location", location)], raw_data: None, data_location: 1, ..weight() }
}

fn model(weights: Vec<TensorProto>) -> ModelProto {
    let node = NodeProto {
        input: vec!["x".to_owned()],
        output: vec!["y".to_owned()],
        op_type: "Relu".to_owned(),
        attribute: Vec::new(),
    };
    let (input, output) = (vec![value("x", &[1, 3, 8, 8])], vec![value("y", &[1, 3, 8, 8])]);
    let graph = GraphProto { node: vec![node], initializer: weights, input, output, sparse_initializer: Vec::new() };
    ModelProto {
        ir_version: Some(8),
        producer_name: "by hand".to_owned(),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 17 }],
        ..Default::default()
    }
}

fn read_in(directory: &Path, model: &ModelProto) -> Result<ModelFacts, OnnxFileError> {
    parse(&Bytes::from(model.encode_to_vec()), directory)
}

/// The error for a model with these weights, in a directory with `weights.bin` of 16 bytes and links to outside.
fn refusal(weights: TensorProto) -> String {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("model");
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(home.path().join("secret.bin"), [0; 16]).unwrap();
    std::fs::write(directory.join("weights.bin"), [0; 16]).unwrap();
    std::os::unix::fs::symlink("../secret.bin", directory.join("link.bin")).unwrap();
    std::os::unix::fs::symlink("..", directory.join("up")).unwrap();
    read_in(&directory, &model(vec![weights])).unwrap_err().to_string()
}

fn shipped(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(name).join("model.onnx");
    assert!(path.exists(), "{} is missing: run `make setup`", path.display());
    path
}

#[test]
fn the_facts_of_the_default_detectors_are_read() {
    let facts = read(&shipped("coco-ssd")).unwrap();
    let shown: Vec<String> = facts.inputs.iter().chain(&facts.outputs).map(ToString::to_string).collect();
    assert_eq!(shown, ["images float32 [1,3,300,300]", "boxes float32 [1,1917,4]", "scores float32 [1,1917,90]"]);
    assert_eq!((facts.ir_version, facts.opsets["ai.onnx"], facts.nodes), (8, 13, 306));
    assert_eq!((facts.producer.as_str(), facts.bytes), ("tfjs2onnx", 18_081_288));
    assert_eq!(facts.metadata["license"], "Apache-2.0");
    assert_eq!(facts.outputs[1].nearest[..3], ["Slice", "Sigmoid", "Concat"]);
    assert_eq!(facts.inputs[0].nearest[..3], ["Mul", "Sub", "Conv"]);
    assert_eq!((facts.uses("Conv"), facts.uses("NonMaxSuppression"), facts.external_files.len()), (88, 0, 0));
    assert_eq!(read(&shipped("coco-ssd-nms")).unwrap().uses("NonMaxSuppression"), 1);
}

#[test]
fn constants_that_old_files_list_as_inputs_are_not_inputs() {
    let mut old = model(vec![TensorProto { name: "w".to_owned(), ..weight() }]);
    old.graph.as_mut().unwrap().input.push(value("w", &[1]));
    let facts = read_in(Path::new("/"), &old).unwrap();
    assert_eq!(facts.inputs.len(), 1);
}

#[test]
fn a_variable_size_keeps_its_name() {
    let mut open = model(Vec::new());
    let sizes = open.graph.as_mut().unwrap().input[0].r#type.as_mut().unwrap().tensor_type.as_mut().unwrap();
    sizes.shape.as_mut().unwrap().dim[0] = DimensionProto { dim_value: None, dim_param: Some("batch".to_owned()) };
    sizes.shape.as_mut().unwrap().dim[2] = DimensionProto { dim_value: Some(-1), dim_param: None };
    let facts = read_in(Path::new("/"), &open).unwrap();
    assert_eq!(facts.inputs[0].to_string(), "x float32 [batch,3,?,8]");
    assert_eq!(facts.inputs[0].shape[1], Size::Fixed(3));
    assert_eq!(facts.outputs[0].element, Element::Float32);
}

#[test]
fn other_formats_are_recognised() {
    for (bytes, word) in [
        (&b"version https://git-lfs.github.com/spec/v1"[..], "git lfs pull"),
        (b"PK\x03\x04........", "ZIP"),
        (b"\x18\0\0\0TFL3....", "TensorFlow Lite"),
        (b"\x20\0\0\0ORTM....", ".ort"),
        (b"<!doctype html>", "web page"),
        (b"hello world, this is no model", "damaged"),
    ] {
        let error = parse(&Bytes::from_static(bytes), Path::new("/")).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    let empty = tempfile::NamedTempFile::new().unwrap();
    assert!(matches!(read(empty.path()), Err(OnnxFileError::Empty)));
    assert!(matches!(read(Path::new("/dev/zero")), Err(OnnxFileError::Unreadable(..))));
    empty.as_file().set_len(MAX_BYTES + 1).unwrap();
    assert!(matches!(read(empty.path()), Err(OnnxFileError::TooLarge)));
    assert!(matches!(parse(&Bytes::from_static(&[8, 7]), Path::new("/")), Err(OnnxFileError::NoGraph)));
}

#[test]
fn a_truncated_model_is_recognised() {
    let whole = Bytes::from(std::fs::read(shipped("coco-ssd")).unwrap());
    for length in [1000, 100_000, whole.len() - 500] {
        let error = parse(&whole.slice(..length), Path::new("/")).unwrap_err();
        assert!(matches!(error, OnnxFileError::Truncated { missing } if missing > 0), "{error}");
    }
}

#[test]
fn impossible_weights_are_refused() {
    for (weights, word) in [
        (TensorProto { dims: vec![2], ..weight() }, "needs 8 bytes and has 4"),
        (TensorProto { dims: vec![i64::MAX, 3], ..weight() }, "impossible sizes"),
        (TensorProto { dims: vec![-1], ..weight() }, "impossible sizes"),
        (TensorProto { dims: vec![i64::MAX], ..weight() }, "values of type 1"),
        (TensorProto { dims: vec![1; 17], ..weight() }, "17 axes"),
        (TensorProto { data_type: 99, ..weight() }, "type 99"),
        (TensorProto { dims: vec![1_000_000], raw_data: None, ..weight() }, "more than the file can hold"),
    ] {
        let error = refusal(weights);
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn external_weights_must_be_within_the_directory_and_within_their_file() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("weights.bin"), [0; 16]).unwrap();
    let mut fits = external("weights.bin");
    fits.external_data.extend([entry("offset", "12"), entry("length", "4")]);
    let facts = read_in(home.path(), &model(vec![fits])).unwrap();
    assert_eq!(facts.external_files.into_iter().collect::<Vec<_>>(), [("weights.bin".to_owned(), 16)]);

    for (location, word) in [
        ("../secret.bin", "own directory"),
        ("/etc/passwd", "own directory"),
        ("", "own directory"),
        ("link.bin", "symbolic link"),
        ("up/secret.bin", "symbolic link"),
        ("gone.bin", "put it there"),
        ("weights.bin\n", "cannot be shown"),
    ] {
        let error = refusal(external(location));
        assert!(error.contains(word), "{location}: {error}");
    }
    for (offset, length) in
        [("13", "4"), ("0", "17"), ("0", "3"), ("18446744073709551615", "4"), ("-1", "4"), ("0", "x")]
    {
        let mut beyond = external("weights.bin");
        beyond.external_data.extend([entry("offset", offset), entry("length", length)]);
        let error = refusal(beyond);
        assert!(error.contains("`weights.bin`"), "{error}");
    }
}

#[test]
fn weights_in_an_attribute_of_a_nested_graph_are_checked() {
    let mut hiding = model(Vec::new());
    let inner = GraphProto { initializer: vec![external("../secret.bin")], ..Default::default() };
    let attribute = AttributeProto { g: Some(Box::new(inner)), ..Default::default() };
    hiding.graph.as_mut().unwrap().node[0].attribute.push(attribute);
    let error = read_in(Path::new("/"), &hiding).unwrap_err().to_string();
    assert!(error.contains("own directory"), "{error}");
}

#[test]
fn graphs_nested_without_end_are_refused() {
    let mut graph = GraphProto::default();
    for _ in 0..200 {
        let attribute = vec![AttributeProto { g: Some(Box::new(graph)), ..Default::default() }];
        graph = GraphProto { node: vec![NodeProto { attribute, ..Default::default() }], ..Default::default() };
    }
    let deep = ModelProto { graph: Some(graph), ..Default::default() };
    assert!(matches!(read_in(Path::new("/"), &deep), Err(OnnxFileError::Malformed(_))));
}

#[test]
fn the_largest_report_fits_into_one_packet() {
    let long = |length: usize| "ä".repeat(length / 2);
    let mut talkative = model(Vec::new());
    talkative.producer_name = long(100_000);
    talkative.opset_import =
        (0..99).map(|at| OperatorSetIdProto { domain: format!("{at}{}", long(999)), version: i64::MIN }).collect();
    let graph = talkative.graph.as_mut().unwrap();
    let mut many = Vec::new();
    for at in 0..24 {
        let mut one = value(&format!("{at:02}{}", long(126)), &[]);
        let tensor = one.r#type.as_mut().unwrap().tensor_type.as_mut().unwrap();
        let dim = DimensionProto { dim_value: None, dim_param: Some(long(999)) };
        tensor.shape.as_mut().unwrap().dim = vec![dim; 8];
        many.push(one);
    }
    for at in 0..999 {
        let output = many.get(at).map_or_else(|| at.to_string(), |one| one.name.clone());
        let op_type = format!("{at:03}{}", long(999));
        graph.node.push(NodeProto {
            input: vec![(at + 24).to_string()],
            output: vec![output],
            op_type,
            attribute: vec![],
        });
    }
    (graph.input, graph.output) = (many.clone(), many);
    talkative.metadata_props = (0..999).map(|at| entry(&format!("{at}{}", long(999)), &long(9999))).collect();
    talkative.metadata_props.push(entry("names", &long(999_999)));
    let mut facts = read_in(Path::new("/"), &talkative).unwrap();
    facts.external_files = (0..16).map(|at| (format!("{at:02}{}", long(198)), u64::MAX)).collect();
    let (ours, theirs) = crate::ipc::channel::Channel::pair().unwrap();
    let message = crate::ipc::messages::FromUnit::Inspected(Box::new(facts));
    ours.send(&message, None).unwrap();
    assert_eq!(theirs.receive::<crate::ipc::messages::FromUnit>().unwrap().0, message);
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        drop(parse(&Bytes::from(bytes), Path::new("/")));
    }

    #[test]
    fn no_change_to_a_model_makes_the_reader_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        end in any::<prop::sample::Index>(),
    ) {
        let mut weights = external("weights.bin");
        weights.external_data.push(entry("offset", "3"));
        let mut bytes = model(vec![weight(), weights]).encode_to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(end.index(2 * bytes.len()));
        let home = tempfile::tempdir().unwrap();
        if let Ok(facts) = parse(&Bytes::from(bytes), home.path()) {
            prop_assert!(facts.external_files.is_empty(), "there is no such file in {}", home.path().display());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_change_to_a_real_detector_makes_the_reader_panic(
        changes in prop::collection::vec((0..40_000_usize, any::<u8>()), 1..50),
    ) {
        let mut bytes = std::fs::read(shipped("coco-ssd")).unwrap();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        drop(parse(&Bytes::from(bytes), Path::new("/")));
    }
}
