//! Finds the convolutions of a graph, each with what can be computed with it: scale, bias, batch normalisation and a
//! rectifier that follow it.

use crate::unit::quantization::constants::Constants;
use crate::unit::quantization::messages::{Graph, Node};
use crate::unit::quantization::weights::Weights;
use std::collections::{BTreeSet, HashMap};

/// A convolution and the nodes that become a part of it.
#[derive(Debug)]
pub(super) struct Convolution {
    /// The place of its node in the graph.
    pub(super) node: usize,
    /// The nodes after it that are dropped: their work is in the weights, or in the range of the output.
    pub(super) dropped: Vec<usize>,
    /// The value that it reads.
    pub(super) input: String,
    /// The value that the last of its nodes gives.
    pub(super) output: String,
    /// Weights and bias with all that is folded into them.
    pub(super) weights: Weights,
    /// The upper bound of a rectifier at its end; `None` without one, infinite for one without a bound.
    pub(super) ceiling: Option<f32>,
    /// True if there is no other behind it.
    pub(super) is_last: bool,
}

/// Who reads each value; an output of the graph has a reader that is no node.
struct Readers<'a> {
    nodes: HashMap<&'a str, Vec<usize>>,
    outputs: BTreeSet<&'a str>,
}

impl<'a> Readers<'a> {
    fn new(graph: &'a Graph) -> Self {
        let mut nodes: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, node) in graph.node.iter().enumerate() {
            for input in node.input.iter().filter(|input| !input.is_empty()) {
                nodes.entry(input).or_default().push(index);
            }
        }
        Self { nodes, outputs: graph.output.iter().map(|output| output.name.as_str()).collect() }
    }

    fn of(&self, value: &str) -> &[usize] {
        self.nodes.get(value).map(Vec::as_slice).unwrap_or_default()
    }

    /// The only reader of a value.
    fn only(&self, value: &str) -> Option<usize> {
        match self.of(value) {
            [only] if !self.outputs.contains(value) => Some(*only),
            _ => None,
        }
    }
}

/// The convolutions with constant weights, in the order of the nodes.
pub(super) fn find(graph: &Graph) -> Vec<Convolution> {
    let (constants, readers) = (Constants::new(graph), Readers::new(graph));
    let nodes = graph.node.iter().enumerate().filter(|(_, node)| is_convolution(node));
    nodes.filter_map(|(index, node)| convolution(graph, index, node, &constants, &readers)).collect()
}

fn is_convolution(node: &Node) -> bool {
    node.op_type == "Conv" && node.domain.is_empty()
}

fn convolution(
    graph: &Graph,
    index: usize,
    node: &Node,
    constants: &Constants<'_>,
    readers: &Readers<'_>,
) -> Option<Convolution> {
    let [input, weight, bias @ ..] = &node.input[..] else { return None };
    let bias = match bias.first().filter(|bias| !bias.is_empty()) {
        Some(bias) => Some(constants.floats(bias)?),
        None => None,
    };
    let mut weights = Weights::new(constants.tensor(weight)?, bias)?;
    let (mut output, mut dropped, mut ceiling) = (node.output.first()?.clone(), Vec::new(), None);
    while let Some(next) = readers.only(&output) {
        let node = &graph.node[next];
        let [result] = &node.output[..] else { break };
        if !weights.fold(node, &output, constants) {
            ceiling = rectifier(node, constants);
            if ceiling.is_some() {
                dropped.push(next);
                output.clone_from(result);
            }
            break;
        }
        dropped.push(next);
        output.clone_from(result);
    }
    let is_last = !leads_to_convolution(graph, &output, readers);
    Some(Convolution { node: index, dropped, input: input.clone(), output, weights, ceiling, is_last })
}

/// The upper bound of `Relu`, or of a `Clip` from 0: an unsigned range from 0 does the same.
fn rectifier(node: &Node, constants: &Constants<'_>) -> Option<f32> {
    match (node.op_type.as_str(), &node.input[..]) {
        ("Relu", [_]) => Some(f32::INFINITY),
        ("Clip", [_, least, most @ ..]) => {
            let scalar = |name: &str| constants.floats(name).and_then(|values| values.first().copied());
            (scalar(least)? == 0.0).then_some(())?;
            match most.first().filter(|most| !most.is_empty()) {
                Some(most) => scalar(most).filter(|most| *most > 0.0),
                None => Some(f32::INFINITY),
            }
        }
        _ => None,
    }
}

/// True if another convolution computes with what becomes of a value.
fn leads_to_convolution(graph: &Graph, value: &str, readers: &Readers<'_>) -> bool {
    let (mut open, mut seen) = (vec![value], BTreeSet::new());
    while let Some(value) = open.pop() {
        for reader in readers.of(value).iter().filter(|reader| seen.insert(**reader)) {
            let node = &graph.node[*reader];
            if is_convolution(node) {
                return true;
            }
            open.extend(node.output.iter().map(String::as_str));
        }
    }
    false
}

/// The values whose range is needed: what convolutions read and give, each once, in the order of the nodes.
pub(super) fn activations(convolutions: &[Convolution]) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    let values = convolutions.iter().flat_map(|one| [one.input.as_str(), one.output.as_str()]);
    values.filter(|value| seen.insert(*value)).collect()
}
