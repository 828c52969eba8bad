//! Extracts the facts of a parsed model, bounded to fit into one packet and safe to display.

use crate::model::model_facts::{Element, ModelFacts, Size, TensorFact};
use crate::unit::onnx_file::error::{OnnxFileError, cut, for_people};
use crate::unit::onnx_file::messages::{GraphProto, ModelProto, NodeProto, ValueInfoProto};
use crate::unit::onnx_file::weights::MAX_AXES;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The most inputs, and the most outputs, of a model.
const MAX_TENSORS: usize = 24;
/// The longest name of an input or output.
const MAX_NAME_BYTES: usize = 128;
/// The most axes of an input or output.
const MAX_SHOWN_AXES: usize = 8;
/// Longer names of sizes, operators and domains are truncated.
const MAX_WORD_BYTES: usize = 24;
/// The most operators reported next to an input or output.
const MAX_CHAIN: usize = 8;
/// The most kinds of operators, and the most operator sets, that are reported.
const MAX_OPERATORS: usize = 96;
const MAX_OPSETS: usize = 8;
/// Longer metadata keys are truncated.
const MAX_KEY_BYTES: usize = 64;
/// Limit of the metadata `names`, the class names: a thousand of them take about 20 kB.
const MAX_CLASS_NAMES_BYTES: usize = 24 * 1024;
/// Limits of any other metadata value, and of all others together.
const MAX_VALUE_BYTES: usize = 1024;
const MAX_VALUES_BYTES: usize = 6 * 1024;

/// Extracts the facts of a model of `bytes` with these external files and their sizes.
pub(super) fn facts(
    model: &ModelProto,
    bytes: u64,
    external_files: BTreeMap<String, u64>,
) -> Result<ModelFacts, OnnxFileError> {
    let graph = model.graph.as_ref().ok_or(OnnxFileError::NoGraph)?;
    let constants: BTreeSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    // Up to IR version 3, constants were also listed as inputs.
    let inputs: Vec<&ValueInfoProto> =
        graph.input.iter().filter(|input| !constants.contains(input.name.as_str())).collect();
    let outputs: Vec<&ValueInfoProto> = graph.output.iter().collect();
    let (makers, users) = (makers(graph), users(graph));
    let producer = format!("{} {}", model.producer_name, model.producer_version);
    Ok(ModelFacts {
        inputs: tensors("input", &inputs, |name| chain(name, &users, |node| node.output.first()))?,
        outputs: tensors("output", &outputs, |name| chain(name, &makers, |node| node.input.first()))?,
        ir_version: model.ir_version.unwrap_or(0),
        opsets: opsets(model),
        producer: for_people(producer.trim()),
        nodes: graph.node.len() as u64,
        operators: operators(graph),
        metadata: metadata(model),
        bytes,
        external_files,
    })
}

/// Nodes by the name of a value.
type Nodes<'a> = HashMap<&'a str, &'a NodeProto>;

/// The node that produces each value.
fn makers(graph: &GraphProto) -> Nodes<'_> {
    graph.node.iter().flat_map(|node| node.output.iter().map(move |output| (output.as_str(), node))).collect()
}

/// The first node that uses each value.
fn users(graph: &GraphProto) -> Nodes<'_> {
    let nodes = graph.node.iter().rev();
    nodes.flat_map(|node| node.input.iter().map(move |input| (input.as_str(), node))).collect()
}

fn tensors(
    what: &'static str,
    values: &[&ValueInfoProto],
    nearest: impl Fn(&str) -> Vec<String>,
) -> Result<Vec<TensorFact>, OnnxFileError> {
    match values.len() {
        0 => Err(OnnxFileError::Nothing(what)),
        count if count > MAX_TENSORS => Err(OnnxFileError::TooMany { what, count, limit: MAX_TENSORS }),
        _ => values
            .iter()
            .map(|value| Ok(TensorFact { nearest: nearest(&value.name), ..tensor(what, value)? }))
            .collect(),
    }
}

fn tensor(what: &'static str, value: &ValueInfoProto) -> Result<TensorFact, OnnxFileError> {
    let name = value.name.as_str();
    let wrong = |why: &str| OnnxFileError::Tensor { what, name: for_people(name), why: why.to_owned() };
    if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
        return Err(wrong("a name must be short and without control characters"));
    }
    let tensor = value.r#type.as_ref().and_then(|has| has.tensor_type.as_ref());
    let tensor = tensor.ok_or_else(|| wrong("it is a sequence, map or optional; only tensors are supported"))?;
    let sizes = tensor.shape.as_ref().map(|shape| shape.dim.as_slice()).unwrap_or_default();
    if sizes.len() > MAX_SHOWN_AXES.min(MAX_AXES) {
        return Err(wrong("it has too many axes"));
    }
    let size = |size: Option<i64>, name: Option<&String>| match (size, name) {
        // Some exporters write -1 or 0 for a variable size.
        (Some(size), _) if size <= 0 => Size::Named(String::new()),
        (Some(size), _) => Size::Fixed(size.unsigned_abs()),
        (None, name) => Size::Named(cut(name.map(String::as_str).unwrap_or_default(), MAX_WORD_BYTES)),
    };
    Ok(TensorFact {
        name: name.to_owned(),
        element: element(tensor.elem_type),
        shape: sizes.iter().map(|has| size(has.dim_value, has.dim_param.as_ref())).collect(),
        nearest: Vec::new(),
    })
}

/// The operators along a chain of nodes, starting at a value.
fn chain<'a>(name: &'a str, nodes: &Nodes<'a>, further: impl Fn(&'a NodeProto) -> Option<&'a String>) -> Vec<String> {
    let mut operators = Vec::new();
    let mut next = Some(name);
    // A malicious file may contain a cycle, so the length is limited.
    while let Some(node) = next.and_then(|name| nodes.get(name))
        && operators.len() < MAX_CHAIN
    {
        operators.push(cut(&node.op_type, MAX_WORD_BYTES));
        next = further(node).map(String::as_str);
    }
    operators
}

fn operators(graph: &GraphProto) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for node in &graph.node {
        let operator = cut(&node.op_type, MAX_WORD_BYTES);
        if counts.len() < MAX_OPERATORS || counts.contains_key(&operator) {
            *counts.entry(operator).or_default() += 1;
        }
    }
    counts
}

fn opsets(model: &ModelProto) -> BTreeMap<String, i64> {
    let name = |domain: &str| if domain.is_empty() { "ai.onnx".to_owned() } else { cut(domain, MAX_WORD_BYTES) };
    model.opset_import.iter().take(MAX_OPSETS).map(|set| (name(&set.domain), set.version)).collect()
}

fn metadata(model: &ModelProto) -> BTreeMap<String, String> {
    let mut reported = BTreeMap::new();
    let mut left = MAX_VALUES_BYTES;
    for entry in &model.metadata_props {
        let key = cut(&entry.key, MAX_KEY_BYTES);
        if entry.key == "names" {
            reported.insert(key, cut(&entry.value, MAX_CLASS_NAMES_BYTES));
            continue;
        }
        let value = cut(&entry.value, MAX_VALUE_BYTES);
        let taken = key.len() + value.len() + 16;
        if taken <= left && !reported.contains_key(&key) {
            left -= taken;
            reported.insert(key, value);
        }
    }
    reported
}

/// Converts a `TensorProto.DataType`.
fn element(data_type: i32) -> Element {
    match data_type {
        1 => Element::Float32,
        2 => Element::Uint8,
        3 => Element::Int8,
        6 => Element::Int32,
        7 => Element::Int64,
        8 => Element::Text,
        9 => Element::Bool,
        10 => Element::Float16,
        11 => Element::Float64,
        16 => Element::BFloat16,
        _ => Element::Other,
    }
}
