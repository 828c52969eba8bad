//! Which parts of a graph become whole numbers, and that the rest stays as it is.

use super::messages::{Attribute, OperatorSet, Tensor};
use super::*;
use crate::ipc::quantize_messages::{ActivationRange, FloatPart};

fn node(op_type: &str, inputs: &[&str], output: &str) -> Node {
    let names = |several: &[&str]| several.iter().map(|name| (*name).to_owned()).collect();
    Node { op_type: op_type.to_owned(), input: names(inputs), output: names(&[output]), ..Node::default() }
}

fn value(name: &str) -> Value {
    Value { name: name.to_owned(), r#type: Some(Bytes::from_static(b"\x0a\x02\x08\x01")) }
}

/// `x → Conv → Mul → Add → Clip 0..6 → Conv → Sigmoid → y`, two channels.
fn model() -> Model {
    let weights = |name: &str| Tensor::floats(name, &[2, 2, 1, 1], &[1.0, -0.25, 0.25, 2.0]);
    let mut first = node("Conv", &["x", "w1"], "c1");
    first.attribute = vec![Attribute::int("group", 1).encode_to_vec().into()];
    let graph = Graph {
        node: vec![
            first,
            node("Mul", &["c1", "scale"], "m"),
            node("Add", &["shift", "m"], "a"),
            node("Clip", &["a", "zero", "six"], "r"),
            node("Conv", &["r", "w2"], "c2"),
            node("Sigmoid", &["c2"], "y"),
        ],
        initializer: vec![
            weights("w1"),
            weights("w2"),
            Tensor::floats("scale", &[1, 2, 1, 1], &[2.0, 0.5]),
            Tensor::floats("shift", &[2, 1, 1], &[1.0, -1.0]),
            Tensor::floats("zero", &[], &[0.0]),
            Tensor::floats("six", &[], &[6.0]),
        ],
        input: vec![value("x")],
        output: vec![value("y")],
        ..Graph::default()
    };
    let opset_import = vec![OperatorSet { domain: String::new(), version: 13 }];
    let metadata_props = vec![Bytes::from_static(b"\x0a\x01k\x12\x01v")];
    Model { ir_version: Some(8), graph: Some(graph), opset_import, metadata_props, ..Model::default() }
}

fn rewritten(model: &Model, step: &QuantizeStep) -> Result<(Model, Quantized), QuantizeError> {
    let (bytes, done) = rewrite(model.encode_to_vec().into(), step)?;
    Ok((Model::decode(Bytes::from(bytes)).unwrap(), done))
}

fn write(count: usize, float: FloatPart) -> QuantizeStep {
    QuantizeStep::Write { ranges: vec![ActivationRange { low: -2.0, high: 8.0 }; count], float }
}

fn operators(model: &Model) -> Vec<&str> {
    model.graph.as_ref().unwrap().node.iter().map(|node| node.op_type.as_str()).collect()
}

#[test]
fn what_a_convolution_reads_and_gives_is_observed_and_nothing_else_changes() {
    let (observed, done) = rewritten(&model(), &QuantizeStep::Observe).unwrap();
    assert_eq!((done.convolutions, done.in_8_bits), (2, 0));
    let graph = observed.graph.as_ref().unwrap();
    let seen: Vec<&str> = graph.node[6..].iter().map(|node| node.input[0].as_str()).collect();
    assert_eq!(seen, ["x", "r", "c2"]);
    let outputs: Vec<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
    assert_eq!(outputs, ["y", "ocelli_observed_0", "ocelli_observed_1", "ocelli_observed_2"]);
    assert_eq!(graph.node[..6], model().graph.unwrap().node[..]);
    assert_eq!((observed.metadata_props, observed.ir_version), (model().metadata_props, Some(8)));
}

#[test]
fn scale_bias_and_rectifier_become_a_part_of_the_convolution() {
    let (written, done) = rewritten(&model(), &write(3, FloatPart::default())).unwrap();
    assert_eq!((done.convolutions, done.in_8_bits), (2, 2));
    let (quantize, read) = ("QuantizeLinear", "DequantizeLinear");
    let of_first = [quantize, read, read, read, "Conv", quantize, read];
    let of_second = [read, "Conv", quantize, read, "Sigmoid"];
    assert_eq!(operators(&written), [&of_first[..], &of_second].concat());
    let graph = written.graph.unwrap();
    let constant = |name: &str| graph.initializer.iter().find(|tensor| tensor.name == name);
    assert_eq!(constant("c1_ocelli_weights").unwrap().raw_data.as_deref(), Some(&[127, 224, 16, 127][..]));
    let scales = constant("c1_ocelli_weights_ocelli_scales").unwrap().as_floats().unwrap();
    assert!((scales[0] - 2.0 / 127.0).abs() < 1e-6 && (scales[1] - 1.0 / 127.0).abs() < 1e-6, "{scales:?}");
    // The range of what is rectified begins at zero and ends at six.
    let scale = constant("c1_ocelli_sums_ocelli_scale").unwrap().as_floats().unwrap();
    assert!((scale[0] - 6.0 / 255.0).abs() < 1e-6, "{scale:?}");
    assert!(constant("c2_ocelli_bias").is_none(), "the second has none");
    for float in ["w1", "w2", "scale", "shift", "zero", "six"] {
        assert!(constant(float).is_none(), "{float} is of no use any more");
    }
    assert_eq!(graph.node[4].attribute, model().graph.unwrap().node[0].attribute);
}

#[test]
fn a_constant_that_is_listed_as_an_input_goes_with_its_values() {
    let mut other = model();
    other.graph.as_mut().unwrap().input.extend([value("w1"), value("unused")]);
    let (written, _) = rewritten(&other, &write(3, FloatPart::default())).unwrap();
    let inputs: Vec<String> = written.graph.unwrap().input.into_iter().map(|input| input.name).collect();
    assert_eq!(inputs, ["x", "unused"]);
}

#[test]
fn what_is_to_stay_in_32_bits_stays_as_it_was() {
    let float = FloatPart { is_first: true, ..FloatPart::default() };
    let (written, done) = rewritten(&model(), &write(3, float)).unwrap();
    assert_eq!((done.convolutions, done.in_8_bits), (2, 1));
    assert_eq!(operators(&written)[..4], ["Conv", "Mul", "Add", "Clip"]);
    let float = FloatPart { is_last: true, ..FloatPart::default() };
    let (written, done) = rewritten(&model(), &write(3, float)).unwrap();
    assert_eq!(done.in_8_bits, 1);
    assert_eq!(operators(&written)[7..], ["Conv", "Sigmoid"]);
}

#[test]
fn a_value_that_others_read_too_is_not_folded_away() {
    let mut other = model();
    let graph = other.graph.as_mut().unwrap();
    graph.output.push(value("m"));
    let (written, _) = rewritten(&other, &QuantizeStep::Observe).unwrap();
    assert_eq!(written.graph.unwrap().node[6 + 1].input, ["m"], "the group ends where its value is an output");
}

#[test]
fn what_cannot_be_quantised_is_refused_with_its_cure() {
    let refused = |change: fn(&mut Model)| {
        let mut other = model();
        change(&mut other);
        rewritten(&other, &write(3, FloatPart::default())).unwrap_err().to_string()
    };
    assert!(refused(|model| model.opset_import[0].version = 9).contains("opset=13"));
    assert!(refused(|model| model.graph.as_mut().unwrap().node[5].op_type = "If".into()).contains("`If`"));
    assert!(refused(|model| model.graph.as_mut().unwrap().initializer.clear()).contains("no convolution"));
    assert!(refused(|model| model.graph = None).contains("no convolution"));
    let error = rewritten(&model(), &write(2, FloatPart::default())).unwrap_err();
    assert!(matches!(error, QuantizeError::Ranges));
    assert!(matches!(rewrite(Bytes::from_static(b"<html>"), &QuantizeStep::Observe), Err(QuantizeError::Malformed(_))));
}

#[test]
fn the_same_file_and_ranges_give_the_same_bytes() {
    let bytes = || rewrite(model().encode_to_vec().into(), &write(3, FloatPart::default())).unwrap().0;
    assert_eq!(bytes(), bytes());
}
