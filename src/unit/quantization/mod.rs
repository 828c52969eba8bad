//! Makes an 8-bit twin of a model: finds its convolutions, has their values observed, and writes a QDQ graph.
//!
//! A graph in QDQ form keeps its operators, with `QuantizeLinear` and `DequantizeLinear` around those that are to be computed
//! in whole numbers; engines make integer kernels of them. Only convolutions become that: signed weights with a scale for each
//! channel, and unsigned values between them. What follows a convolution and can be part of it (a scale, a bias, a batch
//! normalisation, a rectifier) becomes part of it. Other operators stay as they are: with all of them in 8 bits the default
//! detector loses a fifth of its average precision.
//!
//! Everything here is a function of the file and the ranges, so that the same pictures give the same bytes. It runs in a
//! process that may read the model's directory and write one open file, because the model is a stranger's.

mod constants;
mod convolutions;
mod error;
mod messages;
mod operator_set;
mod qdq;
mod ranges;
#[cfg(test)]
mod tests;
mod weights;

pub use error::QuantizeError;
pub(super) use ranges::Observation;

use crate::ipc::quantize_messages::{MAX_ACTIVATIONS, QuantizeOrder, QuantizeStep, Quantized};
use convolutions::Convolution;
use messages::{Graph, Model, Node, Value};
use prost::Message;
use prost::bytes::Bytes;
use ranges::OBSERVED;
use std::fs::File;
use std::io::Write;

/// Reads a model, and writes what the order wants of it to `target`.
///
/// # Errors
/// [`QuantizeError`], which names the remedy.
pub(super) fn run(order: &QuantizeOrder, target: &mut File) -> Result<Quantized, QuantizeError> {
    let bytes = std::fs::read(&order.file).map_err(|error| QuantizeError::Read(order.file.clone(), error))?;
    let (bytes, done) = rewrite(Bytes::from(bytes), &order.step)?;
    target.write_all(&bytes).and_then(|()| target.sync_all()).map_err(QuantizeError::Write)?;
    Ok(done)
}

fn rewrite(bytes: Bytes, step: &QuantizeStep) -> Result<(Vec<u8>, Quantized), QuantizeError> {
    let mut model = Model::decode(bytes)?;
    operator_set::raise(&mut model)?;
    let graph = model.graph.as_mut().ok_or(QuantizeError::NothingToDo)?;
    if let Some(node) = graph.node.iter().find(|node| has_subgraph(node)) {
        return Err(QuantizeError::Subgraph(node.op_type.chars().take(24).collect()));
    }
    let found = convolutions::find(graph);
    let activations = convolutions::activations(&found).len();
    if found.is_empty() {
        return Err(QuantizeError::NothingToDo);
    }
    if activations > MAX_ACTIVATIONS {
        return Err(QuantizeError::TooMany(activations));
    }
    let in_8_bits = match step {
        QuantizeStep::Observe => {
            observe(graph, &found);
            0
        }
        QuantizeStep::Write { ranges, float } => {
            let (graph, count) = qdq::write(graph, &found, ranges, *float).ok_or(QuantizeError::Ranges)?;
            model.graph = Some(graph);
            count
        }
    };
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let done = Quantized { convolutions: count(found.len()), in_8_bits: count(in_8_bits) };
    Ok((model.encode_to_vec(), done))
}

fn has_subgraph(node: &Node) -> bool {
    ["If", "Loop", "Scan", "SequenceMap"].contains(&node.op_type.as_str())
}

/// Adds an output for each value whose range is needed.
fn observe(graph: &mut Graph, found: &[Convolution]) {
    for (place, value) in convolutions::activations(found).into_iter().enumerate() {
        let name = format!("{OBSERVED}{place}");
        let (op_type, input) = ("Identity".to_owned(), vec![value.to_owned()]);
        graph.node.push(Node { op_type, input, output: vec![name.clone()], ..Node::default() });
        // A tensor of 32-bit floats of any shape: field 1 of `TypeProto`, in which field 1 is the type.
        let r#type = Some(Bytes::from_static(&[0x0a, 2, 8, 1]));
        graph.output.push(Value { name, r#type });
    }
}
